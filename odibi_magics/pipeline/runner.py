"""Runs a plan: independent nodes side by side, each node's failure its own, every outcome told."""

from __future__ import annotations

import threading
import time
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Literal

from odibi_magics.engines.base import Engine, EngineRun, Frame, Place, Preview, Source, Written
from odibi_magics.errors import Cancelled, EngineError, OdibiError, ValidationFailed
from odibi_magics.pipeline.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    Observer,
    RunFinished,
    RunStarted,
    Stopping,
)
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.result import NodeResult, Render, RunResult
from odibi_magics.pipeline.runmark import RunMark, fingerprint, targets
from odibi_magics.pipeline.validation import check_schema, checks
from odibi_magics.secret import redact

# Nodes at once. DuckDB uses all cores for each of them; more nodes only share them, and each holds its own memory.
PARALLEL = 4

# How often the waiting main thread looks up, in seconds: Stop is noticed within this time.
_GLANCE = 0.1


@dataclass
class Run:
    """One run of a plan on an engine. `work` does a node's part: write it, or only evaluate it for a preview."""

    plan: Plan
    engine: Engine
    run_id: str
    render: Render
    observers: Sequence[Observer] = ()
    sample: int | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.frames: dict[str, Frame] = {}
        self.results: dict[str, NodeResult] = {}
        self.hold: EngineRun[Any] | None = None
        self.begun: set[str] = set()
        self.stopping = threading.Event()
        self._telling = threading.Lock()
        self._listening = list(self.observers)
        self._clock = time.perf_counter()
        self._readers = _readers(self.plan)

    def execute(self, preview: Callable[[Run], Preview | None] | None = None) -> RunResult:
        """Runs every node and returns the result, failed nodes and all.

        preview: for a run that writes nothing; makes the rows to show once the nodes are evaluated.
        Raises Cancelled, with the result on it.
        """
        self.writes = preview is None
        shown: Preview | None = None
        self.tell(RunStarted(self.run_id, self.plan, self.started))
        try:
            self.hold = self.engine.open(_places(self.plan))
            self._all_nodes()
            shown = preview(self) if preview and not self._failed() else None
        except KeyboardInterrupt:
            self._stop()
        finally:
            result = self._result(shown)
            self.tell(RunFinished(result))
        if result.state == "stopped":
            raise Cancelled("stopped: " + _stopped_words(result), result)
        return result

    def tell(self, event: Event) -> None:
        """Tells every observer, one event at a time; one that fails does not stop the run."""
        with self._telling:
            for observer in list(self._listening):
                try:
                    observer(event)
                except Exception as error:  # a broken display must not cost a night's run
                    self._listening.remove(observer)
                    warnings.warn(f"an observer failed and is told no more: {error!r}", stacklevel=2)

    # The order ---------------------------------------------------------------------------------------------------

    def _all_nodes(self) -> None:
        pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="odibi-node")
        try:
            for pipeline in dict.fromkeys(node.pipeline for node in self.plan.nodes):
                self._pipeline(pool, [node for node in self.plan.nodes if node.pipeline == pipeline])
        except KeyboardInterrupt:
            self._ask_to_stop()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _pipeline(self, pool: ThreadPoolExecutor, nodes: Sequence[PlannedNode]) -> None:
        names = {node.name for node in nodes}
        sorter = TopologicalSorter({n.name: [e.source for e in n.edges if e.source in names] for n in nodes})
        sorter.prepare()
        running: dict[Future[None], str] = {}
        while sorter.is_active():
            for name in sorter.get_ready():
                running[pool.submit(self._node, self.plan.by_name[name])] = name
            done, _ = wait(running, timeout=_GLANCE, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                sorter.done(running.pop(future))

    def _skip_reason(self, node: PlannedNode) -> str:
        for edge in node.edges:
            result = self.results.get(edge.source)
            if result is not None and result.state in ("failed", "skipped", "stopped"):
                return result.reason if result.state == "skipped" else f"{edge.source} {result.state}"
        return ""

    # One node ----------------------------------------------------------------------------------------------------

    def _node(self, node: PlannedNode) -> None:
        clock = time.perf_counter()
        if reason := self._skip_reason(node):
            self._finish(NodeResult(node.name, node.pipeline, "skipped", reason=reason))
            return
        if node.runs:
            self.begun.add(node.name)
            self.tell(NodeStarted(node.name, datetime.now(UTC)))
        try:
            result = self._work(node)
        except (Cancelled, KeyboardInterrupt):
            result = NodeResult(node.name, node.pipeline, "stopped")
        except OdibiError as error:
            told, checked = redact(_with_line(error, node)), _checks_of(error)
            result = NodeResult(node.name, node.pipeline, "failed", error=told, checks=checked)
        # An unforeseen failure, sys.exit() in a function too, is this node's, and is told whole.
        except BaseException as error:
            told = redact("".join(traceback.format_exception(error)))
            result = NodeResult(node.name, node.pipeline, "failed", error=told)
        self._finish(replace(result, seconds=time.perf_counter() - clock))

    def _work(self, node: PlannedNode) -> NodeResult:
        assert self.hold is not None
        frame = self._frame(node)
        found = (
            check_schema(node.config.validation, frame.columns)
            if node.config.validation and node.runs
            else ()
        )
        if bad := [check for check in found if check.failed and check.on_fail == "error"]:
            raise ValidationFailed(f"validation failed: schema: {bad[0].message}")
        if node.runs and node.sink and self.writes:
            return self._written(node, frame, found)
        to_run = self._checks(node, frame)
        results = (*found, *(self.hold.check(frame, to_run) if to_run else ()))
        self.frames[node.name] = self.hold.share(frame) if self._readers.get(node.name, 0) > 1 else frame
        return NodeResult(node.name, node.pipeline, "done", checks=results, warnings=node.warnings)

    def _written(self, node: PlannedNode, frame: Frame, found: tuple[Any, ...]) -> NodeResult:
        assert self.hold is not None and node.sink is not None
        written = self.hold.write(
            frame,
            node.sink,
            checks=self._checks(node, frame),
            mark=self._mark(node, frame).to_json(),
            progress=lambda rows: self.tell(NodeProgress(node.name, rows)),
        )
        self.frames[node.name] = self.hold.written(written)
        return NodeResult(
            node.name,
            node.pipeline,
            "done",
            rows=written.rows,
            written=written,
            checks=(*found, *written.checks),
            warnings=(*node.warnings, *written.warnings),
        )

    def _frame(self, node: PlannedNode) -> Frame:
        assert self.hold is not None
        inputs = {name: self.frames[name] for name in node.inputs}
        current: Frame | None = self._read(node.source) if node.source else None
        if current is None and len(inputs) == 1:
            current = next(iter(inputs.values()))
        for step in node.steps:
            current = self.hold.transform(
                {**inputs, **({"df": current} if current is not None else {})}, step
            )
        assert current is not None, "the plan gives every node an input"
        return current

    def _read(self, source: Source) -> Frame:
        assert self.hold is not None
        frame: Frame = self.hold.read(source, limit=self.sample)
        return frame

    def _checks(self, node: PlannedNode, frame: Frame) -> tuple[Any, ...]:
        if node.config.validation is None or not node.runs:
            return ()
        conditions = dict(enumerate(node.expressions))
        return checks(node.config.validation, frame.columns, conditions)

    def _mark(self, node: PlannedNode, frame: Frame) -> RunMark:
        assert node.sink is not None
        return RunMark(
            run=self.run_id,
            pipeline=node.pipeline,
            node=node.name,
            mode=node.sink.mode,
            fingerprint=fingerprint(node, self.plan),
            inputs=tuple(frame.inputs),
            targets=targets(self.plan),
        )

    # The end -----------------------------------------------------------------------------------------------------

    def _finish(self, result: NodeResult) -> None:
        if self.plan.by_name[result.name].runs or result.state != "done":
            self.results[result.name] = result
            self.tell(NodeFinished(result.name, result))

    def _failed(self) -> bool:
        return any(result.state != "done" for result in self.results.values())

    def _ask_to_stop(self) -> None:
        running = tuple(
            n.name for n in self.plan.nodes if n.name in self.begun and n.name not in self.results
        )
        self.stopping.set()
        self.tell(Stopping(running))
        if self.hold is not None:
            self.hold.cancel()

    def _stop(self) -> None:
        for node in self.plan.nodes:
            if node.runs and node.name not in self.results:
                self._finish(
                    NodeResult(node.name, node.pipeline, "stopped", reason="stopped before it ended")
                )
        self.stopping.set()

    def _result(self, shown: Preview | None) -> RunResult:
        nodes = tuple(
            self.results.get(n.name, NodeResult(n.name, n.pipeline, "queued"))
            for n in self.plan.nodes
            if n.runs or n.name in self.results
        )
        return RunResult(
            run_id=self.run_id,
            plan=self.plan,
            state=self._state(nodes),
            engine=self.engine.title,
            started=self.started,
            seconds=time.perf_counter() - self._clock,
            nodes=nodes,
            preview=shown,
            frames={name: partial(_same, frame) for name, frame in self.frames.items()},
            render=self.render,
            hold=self.hold,
        )

    def _state(self, nodes: Sequence[NodeResult]) -> Literal["done", "failed", "stopped"]:
        if self.stopping.is_set():
            return "stopped"
        failed = any(result.state == "failed" for result in self.results.values())
        return "failed" if failed or any(node.state != "done" for node in nodes) else "done"


def _same(frame: Frame) -> Frame:
    return frame


def _places(plan: Plan) -> list[Place]:
    """Every place a run may touch."""
    sources = [node.source for node in plan.nodes if node.source]
    watermarks = [source.watermark for source in sources if source.watermark]
    return [*(s.place for s in sources), *watermarks, *(n.sink.place for n in plan.nodes if n.sink)]


def _readers(plan: Plan) -> Mapping[str, int]:
    """How many nodes take each node's data."""
    counts: dict[str, int] = {}
    for node in plan.nodes:
        for name in node.inputs:
            counts[name] = counts.get(name, 0) + 1
    return counts


def _with_line(error: OdibiError, node: PlannedNode) -> str:
    """The error with the line of the node's text that it is about."""
    place = node.where(error.about) if isinstance(error, EngineError) else None
    if place is None:
        return str(error)
    return f"{error}\n\n  line {place.line} of {node.defined}\n{place.excerpt()}"


def _checks_of(error: OdibiError) -> tuple[Any, ...]:
    return tuple(getattr(error, "checks", ()))


def _stopped_words(result: RunResult) -> str:
    return (
        ", ".join(f"{node.name} {_outcome(node.written)}" for node in result.nodes) or "before any node began"
    )


def _outcome(written: Written | None) -> str:
    return "not written" if written is None else f"written, version {written.version_after}"
