"""What shows while a run goes on: a table that moves beside a picture that changes colour, or a line for each event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from markupsafe import Markup

from odibi_magics.display.document import CellValue, Line, Table
from odibi_magics.display.graph import Picture
from odibi_magics.display.html import Displayed, beside, blocks_html
from odibi_magics.display.report import state_cell
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, duration, plural
from odibi_magics.display.values import line
from odibi_magics.pipeline.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunStarted,
    Stopping,
)
from odibi_magics.pipeline.result import NodeResult
from odibi_magics.quoting import first_line

# Seconds between two updates. A display update costs the front end a few milliseconds and scrolls nothing.
PAUSE = 0.2

# Rows of the moving table; with more, those that wait or are done are only counted.
ROWS = 40


# Nodes of a picture beside the table; with more it would push the cells below out of sight.
DRAWN = 16

_STATES = ("queued", "running", "again", "stopping", "stopped", "done", "failed", "skipped", "not evaluated")


@dataclass
class _Row:
    """A node as it stands. since: the clock when it started."""

    name: str
    state: str = "queued"
    rows: int | None = None
    since: float = 0.0
    seconds: float = 0.0
    reason: str = ""


@dataclass
class Watched:
    """A run as its events tell it. clock: seconds that only grow."""

    clock: Callable[[], float] = time.monotonic
    rows: dict[str, _Row] = field(default_factory=dict)
    title: Line = field(default_factory=lambda: Line("Run"))
    picture: Picture | None = None

    def take(self, event: Event) -> None:
        """Takes an event in."""
        if isinstance(event, RunStarted):
            self.rows = {node.name: _Row(node.name) for node in event.plan.nodes if node.runs}
            self.title = Line("… Running", f"{event.run_id} on {event.plan.engine_title}", "running")
            if 1 < len(event.plan.nodes) <= DRAWN:
                self.picture = Picture.of(event.plan.nodes, dict.fromkeys(self.rows, _STATES))
        elif isinstance(event, NodeStarted):
            row = self._row(event.node)
            row.state, row.reason, row.since = "running", "", self.clock()
        elif isinstance(event, NodeProgress):
            self._row(event.node).rows = event.rows
        elif isinstance(event, NodeRetried):
            row = self._row(event.node)
            row.state, row.reason = "again", again_words(event)
        elif isinstance(event, NodeFinished):
            self._finished(event.result)
        elif isinstance(event, Stopping):
            self._stopping(event.running)
        else:
            result = event.result
            said = f"Run {result.run_id} {result.state}"
            self.title = Line(said, f"in {duration(result.seconds)}", result.state)

    def _row(self, name: str) -> _Row:
        return self.rows.setdefault(name, _Row(name))

    def _finished(self, result: NodeResult) -> None:
        row = self._row(result.name)
        row.state, row.seconds, row.reason = result.state, result.seconds, result.reason
        row.rows = row.rows if result.rows is None else result.rows

    def _stopping(self, running: tuple[str, ...]) -> None:
        finishing = [row for row in self.rows.values() if row.state == "running" and row.name in running]
        for row in self.rows.values():
            if row.state == "queued" or (row.state == "running" and row not in finishing):
                row.state, row.seconds = "stopped", self._elapsed(row)
        for row in finishing:
            row.state, row.reason = "stopping", "finishing what cannot be interrupted"
        self.title = Line("■ Stopping", _stopping_words([row.name for row in finishing]), "stopping")

    def _elapsed(self, row: _Row) -> float:
        return self.clock() - row.since if row.state in ("running", "stopping") else row.seconds

    def states(self) -> dict[str, str]:
        """The state of each node."""
        return {name: row.state for name, row in self.rows.items()}

    def blocks(self) -> list[Line | Table]:
        """The title, and a row for each node; of many nodes those where something happens."""
        shown = list(self.rows.values())
        if len(shown) > ROWS:
            quiet = ("queued", "done", "skipped")
            shown = [row for row in shown if row.state not in quiet][:ROWS]
        cells = tuple(map(self._cells, shown))
        columns = ("node", "state", "rows", "time")
        return [self.title, Table(columns, cells, note=self._note(len(shown)), right=columns[2:])]

    def _cells(self, row: _Row) -> tuple[CellValue, ...]:
        seconds = self._elapsed(row)
        return row.name, state_cell(row.state, row.reason), row.rows, duration(seconds) if seconds else ""

    def _note(self, shown: int) -> str:
        if shown == len(self.rows):
            return ""
        states = [row.state for row in self.rows.values()]
        told = ", ".join(f"{count(states.count(state))} {state}" for state in dict.fromkeys(states))
        return f"of {plural(len(states), 'node')}: {told}"


def _stopping_words(finishing: list[str]) -> str:
    if not finishing:
        return "nothing is running any more"
    return f"still finishing what cannot be interrupted: {', '.join(finishing)}"


class LiveTable:
    """An observer that shows a run's nodes as they move.

    update: shows the display in place of the one before; called from several threads, one at a time, at most
    every PAUSE seconds, but at once where a run begins, is asked to stop, or ends. Then no more.
    """

    def __init__(self, update: Callable[[Displayed], None]) -> None:
        self._update = update
        self._watched = Watched()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._changed = False
        self._drawn: tuple[dict[str, str], Markup] = ({}, Markup(""))

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._watched.take(event)
            self._changed = True
            if isinstance(event, (RunStarted, Stopping, RunFinished)):
                self._show()
            if isinstance(event, RunFinished):
                self._over.set()  # under the lock: a tick after the end would cover the report
        if isinstance(event, RunStarted):
            threading.Thread(target=self._tick, name="odibi-progress", daemon=True).start()

    def _tick(self) -> None:
        """Shows what changed since the last time, and once a second the times of what runs."""
        passed = 0
        while not self._over.wait(PAUSE):
            passed += 1
            with self._lock:
                if (self._changed or passed % 5 == 0) and not self._over.is_set():
                    self._show()

    def _show(self) -> None:
        self._changed = False
        blocks = self._watched.blocks()
        picture = self._watched.picture
        html = blocks_html(blocks) if picture is None else beside(blocks, self._picture(picture))
        self._update(Displayed(html, blocks_text(blocks)))

    def _picture(self, picture: Picture) -> Markup:
        """Drawn anew only where a node has come to another state: rows and times change more often."""
        states = self._watched.states()
        if self._drawn[0] != states:
            self._drawn = (states, Markup(str(picture.svg(states))))
        return self._drawn[1]


class PlainLog:
    """An observer that writes a line for each event, for terminals and logs.

    write: takes a line with its end. every: the least seconds between two lines of one node's progress.
    """

    def __init__(self, write: Callable[[str], object], every: float = 5.0) -> None:
        self._write, self._every = write, every
        self._told: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, NodeProgress) and not self._due(event.node):
            return
        self._write(line(log_line(event)) + "\n")

    def _due(self, node: str) -> bool:
        now = time.monotonic()
        due = now - self._told.get(node, -self._every) >= self._every
        if due:
            self._told[node] = now
        return due


def log_line(event: Event) -> str:
    """An event in a line."""
    if isinstance(event, RunStarted):
        runs = sum(node.runs for node in event.plan.nodes)
        return f"run {event.run_id}: {plural(runs, 'node')} on {event.plan.engine_title}"
    if isinstance(event, NodeStarted):
        return f"{event.node}: running"
    if isinstance(event, NodeProgress):
        return f"{event.node}: {plural(event.rows, 'row')} so far"
    if isinstance(event, NodeRetried):
        return f"{event.node}: {again_words(event)}: {first_line(event.error)}"
    if isinstance(event, NodeFinished):
        return _finished_line(event.result)
    if isinstance(event, Stopping):
        return f"stopping: {_stopping_words(list(event.running))}"
    return f"run {event.result.run_id}: {event.result.state} in {duration(event.result.seconds)}"


def again_words(event: NodeRetried) -> str:
    """That a node is tried again, and when."""
    return f"try {event.tried} of {event.most} failed, again in {duration(event.pause)}"


def _finished_line(result: NodeResult) -> str:
    if result.state in ("skipped", "not evaluated"):
        return f"{result.name}: {result.state}, {result.reason}"
    first = result.error.strip().split("\n", 1)[0]
    parts = [f"{result.name}: {result.state} in {duration(result.seconds)}"]
    parts += [plural(result.rows, "row")] if result.rows is not None else []
    parts += [result.written.place.address] if result.written else []
    return ", ".join(parts) + (f": {first}" if first else "")
