"""Steps: queries folded into one another, and Python functions whose result is kept once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Call, Query
from odibi_magics.engines.calls import called, failed, taken
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.handover import give, take
from odibi_magics.engines.pandas.names import quoted, with_tables
from odibi_magics.engines.pandas.planning import Planner, as_duckdb
from odibi_magics.engines.pandas.session import BLOBS, Opener, Session, cast_batch
from odibi_magics.engines.pandas.types import naive
from odibi_magics.errors import EngineError, OdibiError
from odibi_magics.sql.functions import Function
from odibi_magics.sql.problems import SqlErrors

if TYPE_CHECKING:
    import pyarrow as pa

# Queries folded into one; a longer chain is computed and kept, because DuckDB's planner slows down with depth.
DEEPEST = 32


def run_query(session: Session, planner: Planner, inputs: Mapping[str, DuckFrame], query: Query) -> DuckFrame:
    """A step's rows, lazily. Raises EngineError."""
    named = {name: inputs[name] for name in query.checked.tables}
    if sum(frame.weight for frame in named.values()) >= DEEPEST:
        named = {name: keep(frame) for name, frame in named.items()}
    columns = {name: frame.columns for name, frame in named.items()}
    try:
        body, found = planner.query(query, columns, as_duckdb(query, columns, session.began))
    except SqlErrors as error:
        raise EngineError(f"step {query.number}: {error}") from None
    return DuckFrame(
        session,
        with_tables(
            {name: frame.sql for name, frame in named.items()},
            body,
            [name for name, frame in named.items() if frame.bare and not _is_far(frame)],
        ),
        found,
        _tables(named.values()),
        _inputs(named.values()),
        weight=1 + sum(frame.weight for frame in named.values()),
    )


def _is_far(frame: DuckFrame) -> bool:
    """Whether reading it twice would fetch it twice."""
    return any(str(pin["url"]).startswith(BLOBS) for pin in frame.inputs)


def _tables(frames: Iterable[DuckFrame]) -> dict[str, Opener]:
    return {name: opener for frame in frames for name, opener in frame.tables.items()}


def _inputs(frames: Iterable[DuckFrame]) -> tuple[dict[str, Any], ...]:
    """What they read, each place once."""
    return tuple({repr(pin): pin for frame in frames for pin in frame.inputs}.values())


def keep(frame: DuckFrame) -> DuckFrame:
    """The same rows computed once, in a table of the session, which spills. Raises EngineError, Cancelled."""
    session, name = frame.session, frame.session.name("kept")
    sql = f"CREATE TABLE {quoted(name)} AS\n{frame.sql}"
    with session.cursor(frame.tables) as cursor:
        cursor.execute(sql)
    return DuckFrame(session, f"SELECT * FROM {quoted(name)}", frame.columns, {}, frame.inputs, bare=True)


# Functions ------------------------------------------------------------------------------------------------------------


def run_call(session: Session, inputs: Mapping[str, DuckFrame], call: Call) -> DuckFrame:
    """What a function makes of its inputs, kept once. Raises Cancelled, EngineError with the function's traceback."""
    function: Function = call.function
    given = taken(function, inputs, call.params)
    arguments = {name: give(frame, kind) for name, (frame, kind) in given.items()}
    result = _called(session, function, {**arguments, **call.params})
    frame = _kept(session, result, function, call.returns)
    pinned = _inputs([frame for frame, _ in given.values()])
    return DuckFrame(session, frame.sql, frame.columns, {}, pinned, bare=True)


def _called(session: Session, function: Function, arguments: Mapping[str, Any]) -> Any:
    with _told(session, function):
        return called(function, arguments)


def _kept(session: Session, result: Any, function: Function, returns: Sequence[Column] | None) -> DuckFrame:
    """The result in a table of the session, streamed in."""
    with _told(session, function):
        columns, reader = take(result, function.name, returns)
    stream = _Stream(reader)
    name, table = session.name("result"), session.name("kept")
    try:
        with session.cursor({name: lambda: stream.without_zone()}) as cursor:
            cursor.execute(f"CREATE TABLE {quoted(table)} AS SELECT * FROM {quoted(name)}")
    except OdibiError:
        session.check_stopped()
        if stream.failed is None:
            raise
        with _told(session, function):
            raise stream.failed from None
    return DuckFrame(session, f"SELECT * FROM {quoted(table)}", columns)


@dataclass
class _Stream:
    """Batches on their way into DuckDB, their times without a zone. failed: what the function's own stream raised,
    which DuckDB would pass on as text alone."""

    reader: pa.RecordBatchReader
    failed: BaseException | None = None

    def without_zone(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        schema = pa.schema([field.with_type(naive(field.type)) for field in self.reader.schema])
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.reader:
                yield cast_batch(batch, schema)
        except BaseException as error:
            self.failed = error
            raise


@contextmanager
def _told(session: Session, function: Function) -> Iterator[None]:
    """What a user's function raises becomes one error with the lines of their code."""
    try:
        yield
    except OdibiError:
        raise
    except BaseException as error:  # user code may raise anything: sys.exit() ends its node, not the process
        session.check_stopped()
        raise EngineError(failed(function, error)) from None
