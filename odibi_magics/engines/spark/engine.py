"""The spark engine: DataFrames and SQL in the session that is already there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
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
from odibi_magics.engines.run import Run
from odibi_magics.engines.source_columns import chosen
from odibi_magics.engines.spark.session import found_or_started
from odibi_magics.engines.spark.states import States
from odibi_magics.engines.spark.verbs import SparkVerbs
from odibi_magics.errors import CannotOpen, EngineError

if TYPE_CHECKING:
    from odibi_magics.engines.spark.frame import SparkFrame
    from odibi_magics.engines.spark.reading import Samples
    from odibi_magics.engines.spark.work import Work


class SparkEngine(SparkVerbs):
    """Engine. session: the Spark session to use; without one, that which is active, or a local one is started."""

    name = "spark"
    title = "spark engine"

    def __init__(self, session: Any | None = None) -> None:
        super().__init__()
        self._given = session
        self._states = States()

    @cached_property
    def samples(self) -> Samples:
        """What tells the columns of files; its DuckDB looks at samples alone."""
        from odibi_magics.engines.pandas.reading import Told
        from odibi_magics.engines.spark.reading import Samples

        return Samples(self._session, Told())

    def cannot_open(self, connections: Sequence[Connection]) -> Mapping[str, CannotOpen]:
        """Those that Spark has no way to sign in to, and those of one account that want different ways into it."""
        from odibi_magics.engines.spark.accounts import cannot_open

        return cannot_open(connections)

    def remembering(self) -> AbstractContextManager[None]:
        """Nothing: Spark keeps what it read of a log itself."""
        return nullcontext()

    def looking_at(self, places: Iterable[Place]) -> AbstractContextManager[None]:
        """Nothing: a session answers one after the other."""
        return nullcontext()

    def describe_source(self, source: Source) -> tuple[Column, ...]:
        """The columns a source will give. Raises EngineError, ConnectionFailed."""
        from odibi_magics.engines.spark.reading import describe

        return chosen(source, describe(self.planning(), source, self.samples))

    def describe_step(self, inputs: Mapping[str, Sequence[Column]], step: Step) -> tuple[Column, ...] | None:
        """The columns a step will give, or None behind a function without `returns:`.

        Raises SqlErrors, and EngineError for a function's frames that cannot be had.
        """
        from odibi_magics.engines.spark.transform import check_frames, describe_query

        if not isinstance(step, Query):
            check_frames(step.function)
            return step.returns
        return describe_query(self.planning(), step, inputs)

    def target(self, sink: Sink) -> TargetState:
        """What stands at a sink now. Raises EngineError, ConnectionFailed."""
        from odibi_magics.engines.spark.places import check_apart, check_free
        from odibi_magics.engines.spark.reading import is_there
        from odibi_magics.engines.spark.tables import state

        work = self.planning()
        work.open_account(sink.place)
        with work.running():
            if sink.place.format != "delta":
                return TargetState(is_there(work, sink.place))
            found = state(work, sink.place)
            if not found.exists:
                check_free(work, sink)
                check_apart(sink)
            return found

    def pins(self, source: Source) -> dict[str, Any]:
        """What reading a source now would pin; no data is read. Raises EngineError, ConnectionFailed."""
        from odibi_magics.engines.spark.reading import pins

        return pins(self.planning(), source)

    def sql(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> str:
        """Spark's SQL for a step."""
        from odibi_magics.engines.spark.queries import spark_sql

        return spark_sql(step, inputs)

    def parts(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> tuple[()]:
        """None: Spark gets the user's own text, and says where in it something failed."""
        return ()

    def open(self, places: Iterable[Place] = ()) -> SparkRun:
        """A run that may read and write these places, and no other ones; with none, those of its first source."""
        return SparkRun(self, places)

    def work(self) -> Work:
        """A hold on the session. Raises MissingExtra, EngineError where there is none and none can be started."""
        from odibi_magics.engines.spark.work import Work

        return Work(self._given or found_or_started(), self._states)

    def planning(self) -> Work:
        """A hold that describes: another one for each look, so that no account stays open for those that follow."""
        return self.work()


def _own(frame: Frame) -> SparkFrame:
    """A frame of this engine. Raises EngineError."""
    from odibi_magics.engines.spark.frame import SparkFrame

    if not isinstance(frame, SparkFrame):
        raise EngineError(f"a {type(frame).__name__} is no frame of the spark engine")
    return frame


class SparkRun(Run["Work"]):
    """EngineRun: a hold on the session, and all that was read through it pinned as it stood."""

    def __init__(self, engine: SparkEngine, places: Iterable[Place] = ()) -> None:
        super().__init__(places)
        self._engine = engine

    def read(self, source: Source, *, limit: int | None = None) -> SparkFrame:
        """A lazy frame over a source. Raises EngineError, ConnectionFailed, Cancelled."""
        from odibi_magics.engines.spark.reading import read

        with self._call():
            return read(self._opened(source.place), source, self._engine.samples, limit)

    def transform(self, inputs: Mapping[str, Frame], step: Step) -> SparkFrame:
        """The step's result. Raises EngineError, Cancelled."""
        from odibi_magics.engines.spark.transform import run_call, run_query

        with self._call():
            work = self._opened()
            frames = {name: _own(frame) for name, frame in inputs.items()}
            if isinstance(step, Query):
                return run_query(work, frames, step)
            return run_call(work, frames, step)

    def share(self, frame: Frame) -> SparkFrame:
        """The same rows computed once; a frame that only reads a Delta table or Parquet files stays as it is."""
        from odibi_magics.engines.spark.transform import keep

        with self._call():
            own = _own(frame)
            return own if own.bare else keep(own)

    def check(self, frame: Frame, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
        """Runs checks without writing. Raises ValidationFailed, EngineError, Cancelled."""
        from odibi_magics.engines.spark.checks import check

        with self._call():
            return check(_own(frame), checks)

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
        from odibi_magics.engines.spark.write import write

        with self._call():
            work, own = self._opened(sink.place), _own(frame)
            work.open_account(sink.place)
            samples = self._engine.samples
            written = write(own, sink, samples, checks=checks, mark=mark, progress=progress, guard=guard)
        self._leave(sink, None if written.skipped else frame.columns)
        return written

    def written(self, written: Written) -> SparkFrame:
        """What a write left: a Delta table at the version it wrote, files with the types that went into them.

        Never Cancelled, because the write has landed.
        """
        from odibi_magics.engines.spark.reading import read

        with self._seen_through():
            work = self._opened(written.place)
            with work.seen_through():
                return read(work, self._source(written), self._engine.samples)

    def _new_hold(self, roots: Sequence[str]) -> Work:
        from odibi_magics.engines.spark.work import let_go

        work = self._engine.work()
        if not work.connect:
            let_go()
        return work
