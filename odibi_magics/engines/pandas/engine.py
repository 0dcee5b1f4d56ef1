"""The pandas engine: DuckDB over Arrow streams, Delta by deltalake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from odibi_magics.config.types import Column
from odibi_magics.connections.base import Connection
from odibi_magics.engines.base import (
    Check,
    CheckResult,
    Frame,
    Guard,
    Place,
    Progress,
    Query,
    Sink,
    Source,
    Step,
    TargetState,
    Written,
)
from odibi_magics.engines.pandas.files import find_files
from odibi_magics.engines.pandas.handover import check_kind
from odibi_magics.engines.pandas.reading import Told, describe_files, describe_table, is_there, pins, read
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.spare import begin
from odibi_magics.engines.pandas.verbs import TableVerbs
from odibi_magics.engines.run import Run
from odibi_magics.engines.source_columns import chosen
from odibi_magics.errors import CannotOpen, ConnectionFailed, EngineError

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.frame import DuckFrame
    from odibi_magics.engines.pandas.planning import Planner


class PandasEngine(TableVerbs):
    """Engine. Describing is thread-safe and keeps one DuckDB instance for each connection it looks into."""

    name = "pandas"
    title = "pandas engine (DuckDB)"

    def __init__(self) -> None:
        super().__init__()
        self.told = Told()

    @cached_property
    def planner(self) -> Planner:
        """Binds queries; the same for all runs. In an instance that is there, whichever: a new one takes 20 ms, and
        what is bound reads no file."""
        from odibi_magics.engines.pandas.planning import Planner

        with self._lock:
            there = next(iter(self._sessions.values()), None)
        return Planner(there or Session())

    def cannot_open(self, connections: Sequence[Connection]) -> Mapping[str, CannotOpen]:
        """None: each is opened by itself, and what keeps it from that is told when it is looked into."""
        return {}

    def remembering(self) -> AbstractContextManager[None]:
        """A time in which tables that were opened are held, see `recent`."""
        from odibi_magics.engines.pandas.recent import remembering

        return remembering()

    def looking_at(self, places: Iterable[Place]) -> AbstractContextManager[None]:
        """A time in which the logs of tables are read several at once, see `recent`."""
        from odibi_magics.engines.pandas.snapshot import opening
        from odibi_magics.engines.pandas.storage import open_store

        stores = []
        for place in places:
            if place.format == "delta":
                with suppress(EngineError, ConnectionFailed):  # told where it is asked for
                    stores.append(open_store(place))
        return opening(stores) if len(stores) > 1 else nullcontext()

    def describe_source(self, source: Source) -> tuple[Column, ...]:
        """The columns a source will give. Raises EngineError, ConnectionFailed."""
        begin()
        if source.place.format == "delta":
            return chosen(source, describe_table(source))
        session = self._session(source.place)
        return chosen(source, describe_files(session, source, find_files(source.place), self.told))

    def describe_step(self, inputs: Mapping[str, Sequence[Column]], step: Step) -> tuple[Column, ...] | None:
        """The columns a step will give, or None behind a function without `returns:`.

        Raises SqlErrors, and EngineError for a function's frames that cannot be had.
        """
        if not isinstance(step, Query):
            for _, kind in step.function.frames:
                check_kind(kind)
            return step.returns
        planner = self.planner
        begin()
        return planner.query(step, inputs, self.sql(step, inputs))[1]

    def target(self, sink: Sink) -> TargetState:
        """What stands at a sink now; opens the table's log only. Raises EngineError, ConnectionFailed."""
        if sink.place.format != "delta":
            return TargetState(is_there(sink.place))
        from odibi_magics.engines.pandas.free import check_apart, check_free
        from odibi_magics.engines.pandas.snapshot import open_snapshot
        from odibi_magics.engines.pandas.storage import open_store

        store = open_store(sink.place)
        table = open_snapshot(store)
        if table is None:
            check_free(store, sink)
            check_apart(store, sink)
            return TargetState(False)
        rows = [file.rows for file in table.files]
        return TargetState(
            exists=True,
            version=table.version,
            columns=table.columns,
            partition_by=table.partition_by,
            rows=None if None in rows else sum(filter(None, rows)),
            files=len(rows),
            bytes=sum(file.size for file in table.files),
            not_null=table.not_null,
        )

    def pins(self, source: Source) -> dict[str, Any]:
        """What reading a source now would pin; no data is read. Raises EngineError, ConnectionFailed."""
        return pins(source)

    def sql(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> str:
        """DuckDB's SQL for a step."""
        from odibi_magics.engines.pandas.planning import as_duckdb

        return as_duckdb(step, inputs)

    def parts(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> list[tuple[str, int, int]]:
        """DuckDB's SQL for each expression of a step, inner ones first, with its span in the user's text."""
        from odibi_magics.engines.pandas.planning import parts_of

        return parts_of(step, inputs)

    def open(self, places: Iterable[Place] = ()) -> PandasRun:
        """A run that may read and write these places, and no other ones; with none, those of its first source."""
        return PandasRun(self, places)


def _own(frame: Frame) -> DuckFrame:
    """A frame of this engine. Raises EngineError."""
    from odibi_magics.engines.pandas.frame import DuckFrame

    if not isinstance(frame, DuckFrame):
        raise EngineError(f"a {type(frame).__name__} is no frame of the pandas engine")
    return frame


class PandasRun(Run[Session]):
    """EngineRun: one DuckDB instance, and all that was read through it pinned as it stood."""

    def __init__(self, engine: PandasEngine, places: Iterable[Place] = ()) -> None:
        super().__init__(places)
        self._engine = engine

    def read(self, source: Source, *, limit: int | None = None) -> DuckFrame:
        """A lazy frame over a source. Raises EngineError, ConnectionFailed, Cancelled."""
        with self._call():
            return read(self._opened(source.place), source, self._engine.told, limit)

    def transform(self, inputs: Mapping[str, Frame], step: Step) -> DuckFrame:
        """The step's result. Raises EngineError, Cancelled."""
        from odibi_magics.engines.pandas.transform import run_call, run_query

        with self._call():
            session = self._opened()
            frames = {name: _own(frame) for name, frame in inputs.items()}
            if isinstance(step, Query):
                return run_query(session, self._engine.planner, frames, step)
            return run_call(session, frames, step)

    def share(self, frame: Frame) -> DuckFrame:
        """The same rows computed once; a frame that only reads a Delta table or Parquet files stays as it is."""
        from odibi_magics.engines.pandas.transform import keep

        with self._call():
            own = _own(frame)
            return own if own.bare else keep(own)

    def check(self, frame: Frame, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
        """Runs checks without writing. Raises ValidationFailed, EngineError, Cancelled."""
        from odibi_magics.engines.pandas.checks import check

        with self._call():
            return check(self._opened(), _own(frame), checks)

    def write(
        self,
        frame: Frame,
        sink: Sink,
        *,
        checks: Sequence[Check],
        mark: str,
        progress: Progress,
        guard: Guard | None = None,
    ) -> Written:
        """Writes, checking on the way. Raises as `EngineRun.write`, and Cancelled; then nothing was committed."""
        from odibi_magics.engines.pandas.write import write

        with self._call():
            session = self._opened(sink.place)
            written = write(
                session,
                _own(frame),
                sink,
                checks=checks,
                mark=mark,
                progress=progress,
                cancelled=self._cancelled.is_set,
                guard=guard,
            )
        self._leave(sink, None if written.skipped else frame.columns)
        return written

    def written(self, written: Written) -> DuckFrame:
        """What a write left: a Delta table at the version it wrote, files with the types that went into them.

        Never Cancelled, because the write has landed: nothing here runs in DuckDB.
        """
        with self._seen_through():
            return read(self._opened(written.place), self._source(written), self._engine.told)

    def _new_hold(self, roots: Sequence[str]) -> Session:
        return Session(roots)
