"""Rows into Parquet files inside a table's folder. Nothing sees them until a commit names them."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from itertools import chain
from types import TracebackType
from uuid import uuid4

import pyarrow as pa

from odibi_magics.engines.pandas.data_writer import DataWriter
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.waiting import asked, obey
from odibi_magics.errors import ConnectionFailed, EngineError

# A file ends at about this many bytes of Arrow data, some 100 to 250 MB on storage; rows as wide as a page make no
# files of a few rows.
FILE_BYTES, LEAST_ROWS = 1 << 30, 131_072

# Batches of some 15 MB that are pulled before they are asked for. DuckDB runs 10 MiB ahead of what is pulled, and would
# wait while rows are split by partition: measured, a fifth of the time both cores were not in use, with these a tenth.
_AHEAD = 4

_TEXT_BYTES = 24  # a guess at text and nested values, for the size of files only

# A partition's or not. Spark calls files of plain Parquet part-00000-….
OUR_FILE = re.compile(r"(^|/)part-\d+-\d+-[0-9a-f]{32}\.parquet$")

Watch = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Looks at each batch on its way, and returns what of it is to be written."""


class Staging:
    """The files of one write. On leaving, those that no commit took are deleted.

    indexed: how many columns get statistics. file_bytes: of Arrow data, after which a
    file ends and the next begins; 0 for never.
    """

    def __init__(self, store: Store, indexed: int, file_bytes: int = FILE_BYTES) -> None:
        self.store, self.indexed, self.file_bytes = store, indexed, file_bytes
        self.token = uuid4().hex
        self.rows = 0
        self._calls = 0
        self._loose: dict[str, DataFile] = {}
        self._broken = False
        self._was_there = store.is_folder()

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ConnectionFailed):  # files left behind are invisible, and vacuum deletes them
            self._clean()

    def write(
        self, batches: pa.RecordBatchReader, partition_by: Sequence[str], watch: Watch
    ) -> tuple[DataFile, ...]:
        """Writes all batches and returns the files, statistics made.

        batches: partition columns as integers or as text in the log's form. watch: may raise, and drop columns at the
        end. Raises what `watch` and the stream raise, and EngineError where storage refuses.
        """
        self._broken = True
        with closing(_pulled(batches)) as pulled:
            written = self._written(_watched(pulled, watch), partition_by)
        self._broken = False
        self._calls += 1
        self._loose.update({file.path: file for file in written})
        return written

    def _written(
        self, batches: Iterator[pa.RecordBatch], partition_by: Sequence[str]
    ) -> tuple[DataFile, ...]:
        first = next(batches, None)
        if first is None:
            return ()
        name = f"part-{self._calls}-{{i}}-{self.token}.parquet"
        rows = max(LEAST_ROWS, self.file_bytes // _width(first.schema)) if self.file_bytes else 0
        writer = DataWriter(self.store, first.schema, partition_by, name, rows, self.indexed)
        try:
            for batch in chain([first], batches):
                self.rows += batch.num_rows
                with self._explained():
                    writer.write(batch)
            with self._explained():
                return writer.close()
        finally:
            writer.abandon()
            # Arrow keeps freed memory for itself, some 300 MB here, and what DuckDB does next would come on top of it.
            pa.default_memory_pool().release_unused()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise EngineError(f"cannot write to {self.store.url}: {error}") from None

    def keep(self, files: Sequence[DataFile]) -> None:
        """A commit took these."""
        for file in files:
            self._loose.pop(file.path, None)

    def keep_all(self) -> None:
        """A commit may have taken any of them: better left behind than missing."""
        self._loose.clear()

    def _clean(self) -> None:
        paths = [self.store.at(path) for path in self._loose]
        if self._broken:  # files cut off in the middle were never reported
            paths = [info.path for info in self.store.files() if self.token in info.base_name]
        for path in paths:
            self.store.delete(path)
        if not self._was_there and not self.store.files():  # with files it is another writer's folder too
            self.store.prune()


def _pulled(batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    """The batches, pulled ahead in a thread of its own. Once closed, nothing is pulled any more."""
    puller = ThreadPoolExecutor(1, "odibi-pull", obey, (asked(),))
    try:
        pulls = deque(puller.submit(next, batches, None) for _ in range(_AHEAD))
        while (batch := pulls.popleft().result()) is not None:
            pulls.append(puller.submit(next, batches, None))
            yield batch
    finally:
        puller.shutdown(cancel_futures=True)


def _watched(batches: Iterator[pa.RecordBatch], watch: Watch) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if (kept := watch(batch)).num_rows:
            yield kept


def _width(schema: pa.Schema) -> int:
    """Bytes of a row in Arrow, roughly."""
    return sum(_bytes(field.type) for field in schema) or 1


def _bytes(type_: pa.DataType) -> int:
    try:
        return max(1, int(type_.bit_width) // 8)
    except ValueError:
        return _TEXT_BYTES
