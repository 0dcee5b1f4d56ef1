"""One DuckDB instance per run: fenced in, bounded in memory, interruptible, gone without a trace."""

from __future__ import annotations

import itertools
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from odibi_magics.engines.pandas.failures import Failures, explained
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.leftovers import private_folder
from odibi_magics.engines.pandas.memory import memory_limit
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.spare import take
from odibi_magics.errors import Cancelled, EngineError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from odibi_magics.engines.pandas.pinned import PinnedFiles

Opener = Callable[[], Any]
"""Opens a source anew: anything DuckDB registers (pyarrow dataset or table, `__arrow_c_stream__`), or a SELECT as text.

None from one that only looks whether its files are still those that were pinned; it raises where they are not.
"""

BATCH_ROWS = 122_880
"""Rows of a batch: DuckDB's own row groups."""

# What stands before every blob's name. Of these DuckDB opens only what was pinned, whatever directory they are in.
BLOBS = "abfss://"

# How often a stop is repeated, in seconds: a query that began just after the first signal would miss it.
_AGAIN = 0.05


class Session:
    """One DuckDB instance.

    directories: the only folders its SQL can open files in, beside `folder`, its private one; of storage accounts it
    can open what was pinned.
    began: one instant for all that asks for the time.
    Order of rows is kept: measured, that costs neither time nor memory, and previews stay the same from run to run.
    """

    def __init__(self, directories: Iterable[str | Path] = ()) -> None:
        self.began = datetime.now(UTC)
        self.folder, lock = private_folder()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._open: weakref.WeakSet[_Cursor] = weakref.WeakSet()
        self._stopped = threading.Event()
        self._closed = False
        self.failures = Failures()
        allowed = {BLOBS if str(path).startswith(BLOBS) else str(path) for path in directories}
        self._pinned = _pinned(self.failures, self._stopped.is_set) if BLOBS in allowed else None
        self._duckdb = _connect(self.folder, sorted(allowed), self._pinned)
        self._finalizer = weakref.finalize(self, _dispose, self._duckdb, self.folder, lock)

    def name(self, kind: str) -> str:
        """A table name no one else has."""
        return f"odibi_{kind}_{next(self._numbers)}"

    def pin(self, files: Files) -> None:
        """Lets DuckDB open these, as they were listed; those of its directories it opens itself."""
        if self._pinned:
            self._pinned.pin(files.files)

    def check_unchanged(self, files: Files) -> None:
        """Raises EngineError where a file is no longer the one that was listed."""
        files.check_unchanged()
        if self._pinned:
            self._pinned.check(files.files)

    @contextmanager
    def cursor(self, tables: Mapping[str, Opener] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor that sees `tables`, opened for it alone. What DuckDB raises inside comes out as our errors.

        Raises Cancelled after `interrupt`, EngineError for what fails.
        """
        opened = self._cursor(tables or {})
        try:
            with self._explained():
                yield opened.duckdb
        finally:
            opened.close()

    def _explained(self) -> AbstractContextManager[None]:
        return explained(self._stopped.is_set, self.failures.error)

    def run(self, sql: str, tables: Mapping[str, Opener] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query that has few. Raises as `cursor`."""
        with self.cursor(tables) as cursor:
            return cursor.execute(sql).fetchall()

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """The names and DuckDB's types of a query's columns, bound but not run. Raises as `cursor`."""
        with self.cursor() as cursor:
            relation = cursor.sql(sql)  # two thirds of the time of a DESCRIBE
            return list(zip(relation.columns, map(str, relation.types), strict=True))

    def reader(
        self, sql: str, tables: Mapping[str, Opener], schema: pa.Schema, batch_rows: int = BATCH_ROWS
    ) -> pa.RecordBatchReader:
        """A query's rows as a stream of batches of at most `batch_rows`, cast to `schema`.

        Memory stays bounded: DuckDB runs only as far ahead as a few batches. Raises as `cursor`, while it is read too.
        """
        import pyarrow as pa

        opened = self._cursor(tables)
        with self._explained():
            # `.sql()`, because `.execute()` would hold the whole result before the first batch.
            batches = opened.duckdb.sql(sql).to_arrow_reader(batch_rows)
        return pa.RecordBatchReader.from_batches(schema, self._batches(opened, batches, schema))

    def _batches(self, opened: _Cursor, batches: Any, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            with self._explained():
                for batch in batches:
                    self.check_stopped()
                    yield cast_batch(batch, schema)
        finally:
            opened.close()

    def _cursor(self, tables: Mapping[str, Opener]) -> _Cursor:
        self.check_stopped()
        with self._lock:
            if self._closed:
                raise EngineError("this run is closed, and its data with it: run again")
            opened = _Cursor(self._duckdb.cursor())
            self._open.add(opened)
        try:
            for name, opener in tables.items():
                with self._explained():
                    if isinstance(table := opener(), str):
                        opened.duckdb.execute(f"CREATE TEMP VIEW {quoted(name)} AS {table}")
                    elif table is not None:
                        opened.duckdb.register(name, table)
        except BaseException:
            opened.close()
            raise
        return opened

    @property
    def stopped(self) -> bool:
        """Whether `interrupt` was called and `go_on` not since."""
        return self._stopped.is_set()

    def check_stopped(self) -> None:
        """Raises Cancelled after `interrupt`."""
        if self._stopped.is_set():
            raise Cancelled("stopped")

    def interrupt(self) -> None:
        """Stops all that runs, from any thread; what is opened until `go_on` raises Cancelled."""
        self._stopped.set()
        self._signal()
        threading.Thread(target=self._interrupt_until_quiet, name="odibi-stop", daemon=True).start()

    def go_on(self) -> None:
        """Lets frames be read again once a stop is over."""
        self._stopped.clear()

    def _interrupt_until_quiet(self) -> None:
        while self._signal():
            time.sleep(_AGAIN)

    def _signal(self) -> int:
        with self._lock:  # not what is opened once the stop is over
            running = list(self._open) if self._stopped.is_set() else []
        for opened in running:
            opened.interrupt()
        return len(running)

    def close(self) -> None:
        """Ends all, drops all data and the private folder. Safe to repeat, from any thread."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            running = list(self._open)
        for opened in running:
            while not opened.closed():  # DuckDB refuses to close what still runs
                opened.interrupt()
                time.sleep(_AGAIN)
        self._finalizer()


class _Cursor:
    """A cursor that may be interrupted and closed from other threads."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self.duckdb = cursor
        self._lock = threading.Lock()
        self._closed = False

    def interrupt(self) -> None:
        with self._lock:
            if not self._closed:
                self.duckdb.interrupt()

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self.duckdb.close()
                self._closed = True

    def closed(self) -> bool:
        """Closes it unless a query still runs in it; whether it is closed."""
        import duckdb

        try:
            self.close()
        except duckdb.Error:
            return False
        return True


def _connect(
    folder: Path, directories: Iterable[str], blobs: PinnedFiles | None
) -> duckdb.DuckDBPyConnection:
    connection = take()
    _limit(connection, folder)
    # First: a directory that no file system is known for is taken for one of this machine.
    if blobs is not None:
        connection.register_filesystem(blobs)
    # DuckDB looks for patterns in all names: it asks whether it may open what is escaped, and then what that finds.
    allowed = [str(folder), *(name for path in directories for name in (path, escaped(path)))]
    connection.execute(f"SET allowed_directories = {literal(allowed)}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _limit(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    import duckdb

    connection.execute(f"SET temp_directory = {literal(str(folder / 'spill'))}")
    if limit := memory_limit():
        try:
            connection.execute(f"SET memory_limit = {literal(limit)}")
        except duckdb.Error as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise EngineError(
                f"DuckDB cannot start with the memory limit {limit} (ODIBI_MEMORY_LIMIT): {error}"
            ) from None


def _pinned(failures: Failures, stopped: Callable[[], bool]) -> PinnedFiles:
    from odibi_magics.engines.pandas.pinned import PinnedFiles

    return PinnedFiles(failures.reading, stopped)


def _dispose(connection: duckdb.DuckDBPyConnection, folder: Path, lock: IO[bytes]) -> None:
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)
    lock.close()


def cast_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with the schema's names and types; columns that have theirs already are not copied."""
    import pyarrow as pa

    columns = [_cast(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, to: pa.DataType) -> pa.Array:
    import pyarrow as pa

    if column.type == to:
        return column
    if pa.types.is_timestamp(to) and column.type == pa.timestamp(to.unit):
        return column.view(to)  # the same instants in UTC; a cast would import pyarrow.compute, 50 ms
    return column.cast(to)
