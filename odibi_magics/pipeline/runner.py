"""Runs a plan: independent nodes side by side, each node's failure its own, every outcome told."""

from __future__ import annotations

import random
import threading
import time
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from graphlib import TopologicalSorter
from typing import Any, Literal

from odibi_magics.config.models import Retry
from odibi_magics.delta.mark import Target
from odibi_magics.engines.base import (
    Call,
    CheckResult,
    Engine,
    EngineRun,
    Frame,
    Preview,
    Source,
    Step,
    Warned,
    Written,
)
from odibi_magics.errors import Cancelled, ConnectionFailed, EngineError, OdibiError, ValidationFailed
from odibi_magics.pipeline.demand import evaluated, places, readers
from odibi_magics.pipeline.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeRetried,
    NodeStarted,
    Observer,
    RunFinished,
    RunStarted,
    Stopping,
)
from odibi_magics.pipeline.failure import checks_of, failure_text, held_of
from odibi_magics.pipeline.guard import Guard, looked_after
from odibi_magics.pipeline.pins import Pins
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.result import NodeResult, Render, RunResult, first_rows
from odibi_magics.pipeline.resume import Kept, needless
from odibi_magics.pipeline.runmark import run_mark
from odibi_magics.pipeline.validation import check_schema, checks
from odibi_magics.pipeline.warn import recomputed
from odibi_magics.pipeline.workers import Workers, deaf_to_signals

# Nodes at once. DuckDB uses all cores for each of them; more nodes only share them, and each holds its own memory.
PARALLEL = 4

# How often the waiting main thread looks up, in seconds: Stop is noticed within this time.
_GLANCE = 0.1

# Seconds that a stop leaves to the user's functions: they cannot be interrupted, and nothing of them is written yet.
_PATIENCE = 1.0

# Seconds before the second try, and before any.
_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

_GOES_ON = "its function goes on, and what it returns is dropped"


@dataclass(frozen=True)
class Peek:
    """A node whose first rows are to be shown; with rows 0 none of them, but how many there are."""

    node: str
    rows: int


@dataclass
class Run:
    """One run of a plan on an engine.

    peek: for a preview, which writes nothing. sample: how many rows to read of each source. again: appends also what
    a table holds already. kept: nodes that this run wrote before, which are read back. before: all places that its
    commits until now tell of.
    """

    plan: Plan
    engine: Engine
    run_id: str
    render: Render
    observers: Sequence[Observer] = ()
    peek: Peek | None = None
    sample: int | None = None
    retry: Retry = field(default_factory=Retry)
    again: bool = False
    kept: Mapping[str, Kept] = field(default_factory=dict)
    before: Sequence[Target] = ()
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.frames: dict[str, Frame] = {}
        self.results: dict[str, NodeResult] = {}
        self.shown: Preview | None = None
        self.hold: EngineRun[Any] | None = None
        self.begun: set[str] = set()
        self.calling: set[str] = set()
        self.schemas: dict[str, tuple[CheckResult, ...]] = {}
        self.stopping = threading.Event()
        self._telling = threading.Lock()
        self._listening = list(self.observers)
        self._clock = time.perf_counter()
        self._pins = Pins(self.plan.by_name, self.engine, self.started.date())
        self._needless = needless(self.plan, self.kept)
        self._readers = readers(self.plan)
        kept = [node.name for node in self.plan.nodes if self._is_written(node) or self._is_shown(node)]
        self._evaluated = evaluated(self.plan, kept)

    def execute(self) -> RunResult:
        """Runs every node and returns the result, failed nodes and all. Raises Cancelled, with the result on it."""
        self.tell(RunStarted(self.run_id, self.plan, self.started))
        try:
            self.hold = self.engine.open(places(self.plan))
            self._all_nodes()
        except KeyboardInterrupt:
            self._stop()
        finally:
            result = self._result()
            self.tell(RunFinished(result))
        if result.state == "stopped":
            raise Cancelled(result.in_words(), result)
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
        workers = Workers(lambda name: self._node(self.plan.by_name[name]))
        try:
            for pipeline in dict.fromkeys(node.pipeline for node in self.plan.nodes):
                self._pipeline(workers, [node for node in self.plan.nodes if node.pipeline == pipeline])
        except BaseException:
            with deaf_to_signals():
                self._ask_to_stop()
                self._await(workers)
            raise

    def _pipeline(self, workers: Workers, nodes: Sequence[PlannedNode]) -> None:
        names = {node.name for node in nodes}
        sorter = TopologicalSorter({n.name: [e.source for e in n.edges if e.source in names] for n in nodes})
        sorter.prepare()
        ready: deque[str] = deque()
        while sorter.is_active():
            ready.extend(sorter.get_ready())
            while ready and len(workers.working) < PARALLEL:
                workers.start(ready.popleft())
            if (name := workers.ended(_GLANCE)) is not None:
                sorter.done(name)

    def _skip_reason(self, node: PlannedNode) -> str:
        for edge in node.edges:
            result = self.results.get(edge.source)
            if result is not None and result.state in ("failed", "skipped", "stopped"):
                return result.reason if result.state == "skipped" else f"{edge.source} {result.state}"
            if result is not None and edge.carries and edge.source not in self.frames:
                return f"{edge.source} could not be opened again after its write"
        return ""

    def _is_written(self, node: PlannedNode) -> bool:
        return node.runs and node.sink is not None and self.peek is None

    def _is_shown(self, node: PlannedNode) -> bool:
        return self.peek is not None and self.peek.node == node.name

    # One node ----------------------------------------------------------------------------------------------------

    def _node(self, node: PlannedNode) -> None:
        clock = time.perf_counter()
        if node.name in self.kept or node.name in self._needless:
            self._finish(self._resumed(node))
            return
        if reason := self._skip_reason(node):
            self._finish(NodeResult(node.name, node.pipeline, "skipped", reason=reason))
            return
        result = self._tried(node)
        self._finish(replace(result, seconds=time.perf_counter() - clock))

    def _resumed(self, node: PlannedNode) -> NodeResult:
        if node.name not in self.kept:
            why = "what takes it was written before"
            return NodeResult(node.name, node.pipeline, "not evaluated", reason=why)
        kept = self.kept[node.name]
        return NodeResult(
            node.name,
            node.pipeline,
            "done",
            written=kept.written,
            warnings=(*node.warnings, *kept.warnings, *self._read_back(node, kept.written)),
            reason=kept.reason,
        )

    def _tried(self, node: PlannedNode) -> NodeResult:
        """The node's work, again after an error that may pass, as `retry:` says."""
        tries: tuple[str, ...] = ()
        while True:
            if node.runs:
                self.begun.add(node.name)
                self.tell(NodeStarted(node.name, datetime.now(UTC)))
            try:
                return replace(self._work(node), tries=tries)
            # An unforeseen failure, sys.exit() in a function too, is this node's, and is told whole.
            except BaseException as error:
                if self.stopping.is_set() and isinstance(error, KeyboardInterrupt):
                    return NodeResult(node.name, node.pipeline, "stopped", tries=tries)
                told = failure_text(error, node, self.plan)
                checked = (*self.schemas.get(node.name, ()), *checks_of(error))
                held = held_of(error)
                failed = NodeResult(
                    node.name, node.pipeline, "failed", error=told, checks=checked, tries=tries, held=held
                )
                if not (isinstance(error, OdibiError) and error.transient):
                    return failed
                tries = (*tries, told)
                if len(tries) >= self.retry.max_attempts:
                    return failed
            pause = self._pause(len(tries))
            self.tell(NodeRetried(node.name, len(tries), self.retry.max_attempts, tries[-1], pause))
            if self.stopping.wait(pause):
                return NodeResult(node.name, node.pipeline, "stopped", tries=tries)

    def _pause(self, tried: int) -> float:
        """Seconds before the next try, a little different each time, so that two runs do not meet again."""
        doubled = _PAUSE * 2 ** (tried - 1) if self.retry.backoff == "exponential" else _PAUSE
        return min(doubled, _LONGEST_PAUSE) * random.uniform(0.75, 1.25)

    def _work(self, node: PlannedNode) -> NodeResult:
        assert self.hold is not None
        frame = self._frame(node)
        found = self.schemas[node.name] = self._schema(node, frame)
        if bad := [check for check in found if check.failed and check.on_fail == "error"]:
            raise ValidationFailed(f"validation failed: schema: {bad[0].message}")
        if self._is_written(node):
            return self._written(node, frame, found)
        to_run = self._checks(node, frame)
        results = (*found, *(self.hold.check(frame, to_run) if to_run else ()))
        readers = self._readers.get(node.name, 0)
        self.frames[node.name] = shared = self.hold.share(frame) if readers > 1 else frame
        if self.peek and self._is_shown(node):
            self.shown = first_rows(self.frames[node.name], self.peek.rows, node.name)
        warnings = (*node.warnings, *(recomputed(readers) if readers > 1 and not shared.bare else ()))
        done = NodeResult(node.name, node.pipeline, "done", checks=results, warnings=warnings)
        if node.name in self._evaluated or to_run:
            return done
        return replace(done, state="not evaluated", reason="nothing reads it")

    @staticmethod
    def _schema(node: PlannedNode, frame: Frame) -> tuple[CheckResult, ...]:
        if node.config.validation is None or not node.runs:
            return ()
        return check_schema(node.config.validation, frame.columns)

    def _written(self, node: PlannedNode, frame: Frame, found: tuple[CheckResult, ...]) -> NodeResult:
        assert self.hold is not None and node.sink is not None
        mark = run_mark(self.run_id, self.plan, node, self._pins.told(node, frame.inputs), self.before)
        guarded = not self.again and looked_after(node, self.plan.by_name)
        written = self.hold.write(
            frame,
            node.sink,
            checks=self._checks(node, frame),
            mark=mark.to_json(),
            progress=lambda rows: self.tell(NodeProgress(node.name, rows)),
            guard=Guard(node, self.plan.by_name, self.engine).asking(mark.inputs) if guarded else None,
        )
        self._pins.wrote(node, mark)
        unread = self._read_back(node, written)
        return NodeResult(
            node.name,
            node.pipeline,
            "done",
            rows=written.rows,
            written=written,
            checks=(*found, *written.checks),
            warnings=(*node.warnings, *written.warnings, *unread),
        )

    def _read_back(self, node: PlannedNode, written: Written) -> tuple[Warned, ...]:
        """Opens what was written for those that follow. That it cannot be is a warning: the write has landed."""
        assert self.hold is not None
        try:
            self.frames[node.name] = self.hold.written(written)
        except (EngineError, ConnectionFailed) as error:
            why = f"{written.place.address} was written, but could not be opened again: {error}"
            return (Warned(why, "look at the table before running what takes from it", "not-read-back"),)
        return ()

    def _frame(self, node: PlannedNode) -> Frame:
        inputs = {name: self.frames[name] for name in node.inputs}
        current: Frame | None = self._read(node.source) if node.source else None
        if current is None and len(inputs) == 1:
            current = next(iter(inputs.values()))
        for step in node.steps:
            named = {**inputs, **({"df": current} if current is not None else {})}
            current = self._transformed(node, named, step)
        assert current is not None, "the plan gives every node an input"
        return current

    def _read(self, source: Source) -> Frame:
        assert self.hold is not None
        frame: Frame = self.hold.read(source, limit=self.sample)
        return frame

    def _transformed(self, node: PlannedNode, inputs: Mapping[str, Frame], step: Step) -> Frame:
        assert self.hold is not None
        if isinstance(step, Call):
            self.calling.add(node.name)
        try:
            frame: Frame = self.hold.transform(inputs, step)
        finally:
            self.calling.discard(node.name)
        if self.stopping.is_set():  # the stop may not have waited for it
            raise Cancelled("stopped")
        return frame

    def _checks(self, node: PlannedNode, frame: Frame) -> tuple[Any, ...]:
        if node.config.validation is None or not node.runs:
            return ()
        conditions = dict(enumerate(node.expressions))
        return checks(node.config.validation, frame.columns, conditions)

    # The end -----------------------------------------------------------------------------------------------------

    def _finish(self, result: NodeResult) -> None:
        if self.plan.by_name[result.name].runs or result.state not in ("done", "not evaluated"):
            self.results[result.name] = result
            self.tell(NodeFinished(result.name, result))

    def _ask_to_stop(self) -> None:
        running = tuple(
            n.name for n in self.plan.nodes if n.name in self.begun and n.name not in self.results
        )
        self.stopping.set()
        self.tell(Stopping(running))
        if self.hold is not None:
            self.hold.cancel()

    def _await(self, workers: Workers) -> None:
        """Waits for what cannot be interrupted; not long for functions."""
        asked = time.monotonic()
        while workers.alive() - (self.calling if time.monotonic() - asked > _PATIENCE else set()):
            time.sleep(_GLANCE)

    def _stop(self) -> None:
        for node in self.plan.nodes:
            if node.runs and node.name not in self.results:
                reason = f"before it {'ended' if node.name in self.begun else 'began'}"
                reason = _GOES_ON if node.name in self.calling else reason
                self._finish(NodeResult(node.name, node.pipeline, "stopped", reason=reason))
        self.stopping.set()

    def _result(self) -> RunResult:
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
            writes=self.peek is None,
            sample=self.sample,
            preview=self.shown,
            frames={name: partial(_same, frame) for name, frame in self.frames.items()},
            render=self.render,
            hold=self.hold,
        )

    def _state(self, nodes: Sequence[NodeResult]) -> Literal["done", "failed", "stopped"]:
        if self.stopping.is_set():
            return "stopped"
        fine = all(node.state in ("done", "not evaluated") for node in nodes)
        return "done" if fine else "failed"


def _same(frame: Frame) -> Frame:
    return frame
