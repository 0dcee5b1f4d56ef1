"""What the nodes of a plan would read, pinned as it stands, before any of them runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sqlglot import exp

from odibi_magics.delta.held import Inputs, made, made_by
from odibi_magics.delta.mark import RunMark
from odibi_magics.engines.base import Engine, Place, Query, Source, Step
from odibi_magics.errors import ConnectionFailed, EngineError
from odibi_magics.pipeline.plan import PlannedNode
from odibi_magics.pipeline.runmark import fingerprint, overwrites

Pin = Mapping[str, Any]
Nodes = Mapping[str, PlannedNode]


def today() -> date:
    """The day in UTC, which is the time zone of all SQL here."""
    return datetime.now(UTC).date()


@dataclass
class Pins:
    """What nodes read.

    Pins are those of frames (see odibi_magics.engines.base.Frame), and say more where it is known: `made` of a table
    that one commit of ours wrote as a whole, so that it is known again when it was written again in the same way, and
    `{clock: day}` where a text asks what day it is.

    known: what made the files that this run has written, by URL; what made a table, its log tells.
    """

    nodes: Nodes
    engine: Engine
    day: date = field(default_factory=lambda: today())
    known: dict[str, str] = field(default_factory=dict)

    def told(self, node: PlannedNode, inputs: Inputs) -> tuple[dict[str, Any], ...]:
        """The inputs of a node's frame, with all that is known of them. Raises ConnectionFailed."""
        return (*(dict(self._with_made(pin)) for pin in inputs), *map(dict, self._clock(node)))

    def wrote(self, node: PlannedNode, mark: RunMark) -> None:
        """Takes note of what a node has written."""
        assert node.sink is not None
        url = node.sink.place.url.rstrip("/")
        self.known.pop(url, None)
        if overwrites(node):
            self.known[url] = made_by(mark.fingerprint, mark.inputs)

    def ahead(self, node: PlannedNode) -> Inputs | None:
        """What a node will read, nodes that run before it included; None where that cannot be told yet."""
        try:
            found = self._of(node)
        except (EngineError, ConnectionFailed):  # the run meets it again, and tells it at its place
            return None
        return None if found is None else (*found, *self._clock(node))

    def _clock(self, node: PlannedNode) -> tuple[Pin, ...]:
        asks = any(
            map(_asks_the_clock, (step for each in evaluated_with(node, self.nodes) for step in each.steps))
        )
        return ({"clock": self.day.isoformat()},) if asks else ()

    def _of(self, node: PlannedNode) -> tuple[Pin, ...] | None:
        given = {name: self._given(self.nodes[name]) for name in node.inputs}
        current = self._source(node, node.source) if node.source else None
        if current is None and len(given) == 1 and not node.source:
            current = next(iter(given.values()))
        elif current is None and node.source:
            return None
        for step in node.steps:
            taken = [pins for name, pins in {**given, "df": current}.items() if _takes(step, name)]
            if None in taken:
                return None
            current = tuple(pin for pins in taken for pin in pins or ())
        return current

    def _given(self, node: PlannedNode) -> tuple[Pin, ...] | None:
        """What a node gives to those after it: what it read, or its table."""
        if not (node.runs and node.sink):
            return self._of(node)
        return self._written(node)

    def _written(self, node: PlannedNode) -> tuple[Pin, ...] | None:
        """The table that this run will write; known where the node replaces all of it."""
        assert node.sink is not None
        inputs = self.ahead(node)
        if inputs is None or not overwrites(node):
            return None
        return ({"url": node.sink.place.url, "made": made_by(fingerprint(node, self.nodes), inputs)},)

    def _source(self, node: PlannedNode, source: Source) -> tuple[Pin, ...] | None:
        writers = [self.nodes[e.source] for e in node.edges if e.why == "reads what it writes"]
        if writers:
            return self._written(writers[0]) if len(writers) == 1 else None
        return (self._with_made(self.engine.pins(source)),)

    def _with_made(self, pin: Pin) -> Pin:
        """A pin of a table whose rows are known, with what made them."""
        url, version = str(pin.get("url", "")).rstrip("/"), pin.get("version")
        if version is None:
            return {**pin, "made": self.known[url]} if url in self.known else pin
        place = self._places.get(url)
        if place is None:
            return pin
        try:
            found = made(self.engine.log(place), version)
        except (EngineError, OSError):  # a log that cannot be read says nothing of what is in it
            return pin
        return pin if found is None else {**pin, "made": found}

    @property
    def _places(self) -> Mapping[str, Place]:
        parts = [part for node in self.nodes.values() for part in (node.source, node.sink) if part]
        return {part.place.url.rstrip("/"): part.place for part in parts}


def evaluated_with(node: PlannedNode, nodes: Nodes) -> Iterable[PlannedNode]:
    """A node, and those whose rows are computed for it: written ones are read from their tables."""
    found, stack = {node.name: node}, list(node.inputs)
    while stack:
        each = nodes[stack.pop()]
        if each.name not in found and not (each.runs and each.sink):
            found[each.name] = each
            stack.extend(each.inputs)
    return found.values()


def _takes(step: Step, name: str) -> bool:
    """Whether a step reads one of its inputs."""
    if isinstance(step, Query):
        return name in step.checked.tables
    named = {frame for frame, _ in step.function.frames} | {each.name for each in step.function.params}
    return name in named or (name == "df" and bool(step.function.frames))


_CLOCK = ("current_date", "curdate", "current_timestamp", "now", "unix_timestamp")


def _asks_the_clock(step: Step) -> bool:
    if not isinstance(step, Query):
        return False
    tree: exp.Expr = step.checked.tree
    return any(
        isinstance(call, (exp.CurrentDate, exp.CurrentTimestamp))
        or (isinstance(call, exp.Anonymous) and call.name.lower() in _CLOCK)
        for call in tree.walk()
    )
