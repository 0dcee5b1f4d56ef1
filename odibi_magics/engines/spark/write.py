"""Writes of the spark engine: measured before, watched on the way, and told by what the commit says of itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odibi_magics.engines.base import Check, CheckResult, Guard, Progress, Sink, TableCheck, Written
from odibi_magics.engines.checks import Flag, count_result, examples, row_result, settle
from odibi_magics.engines.spark import shown
from odibi_magics.engines.spark.checks import Measured, flags, guarded, measured, rows_of, told
from odibi_magics.engines.spark.frame import SparkFrame
from odibi_magics.engines.spark.reading import Samples
from odibi_magics.engines.spark.session import part_for

_ROWS = "odibi rows"


@dataclass
class Watched:
    """A frame on its way into a write: its rows are counted, and rows that fail a check end it.

    flags: the frame's row checks, then what the table asks of each row. measured: where an aggregate over the rows was
    needed anyway. before: how the checks went that were made before the write.
    counts: whether rows are counted on the way, which MERGE cannot do: it goes over them twice.
    """

    frame: SparkFrame
    checks: Sequence[Check]
    flags: tuple[Flag, ...]
    measured: Measured | None = None
    counts: bool = True
    before: tuple[CheckResult, ...] = ()
    counted: Any = None

    @classmethod
    def of(
        cls, frame: SparkFrame, checks: Sequence[Check], more: Sequence[Flag], *, aggregate: bool
    ) -> Watched:
        """aggregate: whether the rows are read once before the write in any case. Raises ChecksFailed."""
        own = flags(checks, frame.columns)
        found = measured(frame, checks, own) if aggregate or over_all(checks) else None
        before = settle(_not_empty(frame, checks) if found is None else found.results)
        return cls(frame, checks, (*own, *more), found, not aggregate, before)

    def guarded(self, spark: Any) -> Any:
        """The DataFrame to write. spark: the frame's."""
        warned = [(i, flag) for i, flag in enumerate(self.flags) if flag.on_fail != "error"]
        watched = guarded(spark, self.frame.columns, self.flags)
        if not self.counts:
            return watched
        expr = part_for(spark, "functions").expr
        self.counted = part_for(spark, "observation").Observation()
        warned = [] if self.measured is not None else warned
        counts = [expr(f"count_if({flag.bad})").alias(f"f{i}") for i, flag in warned]
        rows = [
            expr(kept).alias(f"r{i}") for i, flag in warned if (kept := shown.met(flag, self.frame.columns))
        ]
        return watched.observe(self.counted, expr("count(*)").alias(_ROWS), *counts, *rows)

    def results(self, spark: Any) -> tuple[CheckResult, ...]:
        """How the frame's checks went, after the write."""
        if self.measured is not None:
            return self.before
        own = flags(self.checks, self.frame.columns)
        return (*(self._result(spark, i, flag) for i, flag in enumerate(own)), *self.before)

    def _result(self, spark: Any, i: int, flag: Flag) -> CheckResult:
        if flag.on_fail == "error":
            return CheckResult(flag.label, flag.on_fail, 0)
        count = int(self.observed()[f"f{i}"])
        rows = self._rows(spark, i, flag, count) if count else ()
        return row_result(flag.label, flag.on_fail, count, examples(rows, flag.columns))

    def _rows(self, spark: Any, i: int, flag: Flag, count: int) -> Sequence[Mapping[str, Any]]:
        """Some rows that fail a flag: those met on the way, or else by a look, which reads the sources again."""
        columns = self.frame.columns
        kept = self.observed().get(f"r{i}")
        found = shown.told(kept, count, flag, columns) if kept else None
        return rows_of(spark, flag, columns) if found is None else found

    def observed(self) -> dict[str, Any]:
        """What was counted on the way."""
        from odibi_magics.engines.waiting import awaited

        found: dict[str, Any] = awaited(lambda: self.counted.get)
        return found

    @property
    def rows(self) -> int:
        """How many rows there were, after the write."""
        return int(self.observed()[_ROWS])

    def failed(self, error: BaseException) -> BaseException:
        """An error of the write: ours where a check of ours raised it."""
        return told(error, self.flags, self.frame.columns) or error


def over_all(checks: Sequence[Check]) -> bool:
    """Whether there are checks that only all rows together can answer."""
    return any(isinstance(one, TableCheck) and one.kind != "not_empty" for one in checks)


def _not_empty(frame: SparkFrame, checks: Sequence[Check]) -> list[CheckResult]:
    """How `not_empty` goes; Spark stops at the first row."""
    asked = [one for one in checks if isinstance(one, TableCheck)]
    if not asked:
        return []
    with frame.reading() as spark:
        rows = 0 if spark.isEmpty() else 1
    return [count_result(one, rows) for one in asked]


def write(
    frame: SparkFrame,
    sink: Sink,
    samples: Samples,
    *,
    checks: Sequence[Check] = (),
    mark: str = "",
    progress: Progress = lambda rows: None,
    guard: Guard | None = None,
) -> Written:
    """Writes a frame, checking on the way.

    samples: tells the columns of files that are there. mark: JSON for the commit. progress: told the rows once they
    are written.
    Raises ValidationFailed, WriteConflict, EngineError, ConnectionFailed, Cancelled; then nothing was committed.
    """
    if sink.place.format == "delta":
        from odibi_magics.engines.spark.delta_write import write_delta

        written = write_delta(frame, sink, checks=checks, mark=mark, guard=guard)
    else:
        from odibi_magics.engines.spark.files_write import write_files

        written = write_files(frame, sink, samples, checks=checks)
    progress(written.rows)
    return written
