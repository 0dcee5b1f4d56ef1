"""What a run did: per node its state, rows, seconds, files, versions, warnings and the error in full."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from odibi_magics.delta.held import Held
from odibi_magics.engines.base import CheckResult, EngineRun, Frame, Preview, Warned, Written
from odibi_magics.errors import NodeFailed, UsageError, suggest
from odibi_magics.pipeline.ways import Ways
from odibi_magics.quoting import Quoting, first_line

if TYPE_CHECKING:
    from odibi_magics.pipeline.plan import Plan

State = Literal["queued", "running", "done", "not evaluated", "failed", "skipped", "stopped"]


@dataclass(frozen=True)
class NodeResult:
    """How one node went.

    state: "not evaluated" where nothing asked for its rows. reason: why, as "clean failed" of "skipped".
    rows: that came out of it; None where nothing counted them. seconds: wall time.
    error: the full text, redacted; Quoting where it quotes data. tries: the errors of tries before the last one.
    held: of an append that another run made while this one was under way, the commit that did.
    """

    name: str
    pipeline: str
    state: State
    rows: int | None = None
    seconds: float = 0.0
    written: Written | None = None
    checks: tuple[CheckResult, ...] = ()
    warnings: tuple[Warned, ...] = ()
    error: str = ""
    reason: str = ""
    tries: tuple[str, ...] = ()
    held: Held | None = None


@dataclass(frozen=True)
class Away:
    """Tables that `--replace` took a run's rows out of, and that were not put back. undo: has them back, undone."""

    undo: str
    run: str
    tables: tuple[str, ...]


class NodeData:
    """A node's data, whole, whenever it is asked for: `.to_pandas()`, `.to_polars()`, `.to_arrow()`, `.to_spark()`,
    `.preview(10)`, or anything that takes `__arrow_c_stream__`."""

    def __init__(self, name: str, frame: Callable[[], Frame], render: Render) -> None:
        self.name, self._frame, self._render = name, frame, render

    @property
    def frame(self) -> Frame:
        """The engine's own frame."""
        return self._frame()

    @property
    def columns(self) -> tuple[Any, ...]:
        """The columns as (name, type)."""
        return self.frame.columns

    def to_pandas(self) -> Any:
        """All rows as a pandas.DataFrame."""
        return self.frame.to_pandas()

    def to_polars(self) -> Any:
        """All rows as a polars.DataFrame."""
        return self.frame.to_polars()

    def to_arrow(self) -> Any:
        """All rows as a pyarrow.Table."""
        return self.frame.to_arrow()

    def to_spark(self) -> Any:
        """The rows as a lazy DataFrame of Spark. Raises UsageError where another engine ran."""
        frame = self.frame
        if not hasattr(frame, "to_spark"):
            raise UsageError(
                f"node '{self.name}' was not run by Spark: run it with engine: spark (--engine spark)"
            )
        return frame.to_spark()

    def preview(self, rows: int = 20) -> Preview:
        """The first rows."""
        return self.frame.preview(rows)

    def __len__(self) -> int:
        return self.frame.count()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.frame.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return self._render.preview_text(self.preview())

    def _repr_html_(self) -> str:
        return self._render.preview_html(self.preview())


@dataclass(frozen=True)
class Render:
    """How results show themselves; given by the layer above, so that nothing here imports a display."""

    report_html: Callable[[RunResult], str]
    report_text: Callable[[RunResult], str]
    report_page: Callable[[RunResult], str]
    preview_html: Callable[[Preview], str]
    preview_text: Callable[[Preview], str]


@dataclass(frozen=True)
class RunResult:
    """A run, finished however it went.

    state: done, failed or stopped. engine: its title, e.g. "pandas engine (DuckDB)". started: UTC.
    writes: False for a preview. sample: how many rows were read of each source, where that was said.
    away: what `--replace` took out of tables and did not put back. ways: how its report says what to type next.
    """

    run_id: str
    plan: Plan
    state: Literal["done", "failed", "stopped"]
    engine: str
    started: datetime
    seconds: float
    nodes: tuple[NodeResult, ...]
    writes: bool = True
    sample: int | None = None
    preview: Preview | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Warned, ...] = ()
    away: tuple[Away, ...] = ()
    ways: Ways = field(default_factory=Ways, repr=False, compare=False)
    frames: Mapping[str, Callable[[], Frame]] = field(default_factory=dict, repr=False, compare=False)
    render: Render | None = field(default=None, repr=False, compare=False)
    hold: EngineRun[Any] | None = field(default=None, repr=False, compare=False)

    def __getitem__(self, name: str) -> NodeData:
        """A node's data. Raises UsageError where the node is not of this run or never got that far."""
        if name in self.frames:
            assert self.render is not None
            return NodeData(name, self.frames[name], self.render)
        for node in self.nodes:
            if node.name == name:
                raise UsageError(f"node '{name}' has no data: it {_why(node)}")
        raise UsageError(f"this run has no node '{name}' ({suggest(name, [n.name for n in self.nodes])})")

    def __iter__(self) -> Iterator[NodeResult]:
        return iter(self.nodes)

    def node(self, name: str) -> NodeResult:
        """How a node went. Raises KeyError."""
        return {node.name: node for node in self.nodes}[name]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """The nodes that failed, in the order they ran."""
        return tuple(node for node in self.nodes if node.state == "failed")

    def in_words(self) -> str:
        """What failed, or what a stop left, in a few lines."""
        if self.state == "stopped":
            return f"stopped: {self._left()}"
        skipped = sum(node.state == "skipped" for node in self.nodes)
        names = ", ".join(node.name for node in self.failed) + (f", {skipped} skipped" if skipped else "")
        lines = (Quoting(f"\n  {node.name}: ", first_line(node.error)) for node in self.failed)
        return Quoting(f"{'run' if self.writes else 'preview'} {self.run_id} {self.state}: {names}", *lines)

    def _left(self) -> str:
        """What a stop left of the tables that were to be written."""
        written = {node.name: node.written for node in self.nodes if node.written}
        there = [f"{name} written, version {found.version_after}" for name, found in written.items()]
        planned = [node.name for node in self.plan.nodes if node.runs and node.sink]
        missing = [name for name in planned if name not in written]
        if missing:
            there.append(f"{', '.join(missing)} not written")
        return "; ".join(there) or "nothing was to be written"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the report to one .html or .json file. Raises UsageError for another ending."""
        target = Path(path)
        if target.suffix == ".json":
            text = self.to_json()
        elif target.suffix == ".html" and self.render is not None:
            text = self.render.report_page(self)
        else:
            raise UsageError(f"a report is saved as .html or .json, not as '{target.name}'")
        target.write_text(text, encoding="utf-8")
        return target

    def to_json(self) -> str:
        """The report as JSON, redacted; no data rows in it but those that errors quote."""
        from odibi_magics.pipeline.report import to_json

        return to_json(self)

    def __str__(self) -> str:
        return self.render.report_text(self) if self.render else f"run {self.run_id}: {self.state}"

    def _repr_html_(self) -> str | None:
        return self.render.report_html(self) if self.render else None


def _why(node: NodeResult) -> str:
    return f"was skipped ({node.reason})" if node.state == "skipped" else f"is {node.state}"


def first_rows(frame: Frame, rows: int, title: str = "") -> Preview:
    """The first rows of a frame; with 0 none of them, but how many there are."""
    found = replace(frame.preview(max(rows, 1)), title=title)
    return found if rows else replace(found, rows=(), total=frame.count())


def whole(result: RunResult) -> RunResult:
    """The result of a run without a failure. Raises NodeFailed."""
    if result.state != "done":
        raise NodeFailed(result.in_words(), result)
    return result
