"""Appends that were done already: told by the plan where it can be, and refused before anything is written.

Which nodes are looked after:
- those that append to a Delta table. `append_once`, `merge` and the overwrites may be repeated; csv, parquet and json
  have no history to look into, which the plan warns of.
- not those that read `newer_than` what this table holds: a second run finds nothing new, and adds nothing. With `lag`
  it would read the same rows once more, so then they are.
- one that reads nothing, as `SELECT 1 AS id`, by its text alone, unless a Python function is in it: what that reads is
  not known.
- a text that asks what day it is counts as another one on another day (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from odibi_magics.delta.held import Inputs, Looked, look, same_inputs
from odibi_magics.engines.base import Engine, Query, Warned
from odibi_magics.errors import AppendRefused, ConnectionFailed, EngineError
from odibi_magics.pipeline.pins import Nodes, Pins, evaluated_with
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.repeated import held_words, late_words, remedy, standing
from odibi_magics.pipeline.runmark import fingerprint, overwrites


def looked_after(node: PlannedNode, nodes: Nodes) -> bool:
    """Whether a second run of a node would add its rows a second time, and its table can tell."""
    if not (node.runs and node.sink and node.sink.mode == "append" and node.sink.place.format == "delta"):
        return False
    sources = [each.source for each in evaluated_with(node, nodes) if each.source]
    return not any(source.watermark and not source.lag for source in sources)


def with_held(plan: Plan, engine: Engine, but: Collection[str] = (), without: Collection[str] = ()) -> Plan:
    """The plan; each append that its table holds already with what it would repeat, and a warning that says so.

    but: nodes that are not to be looked at. without: runs whose commits are not looked at.
    """
    pins, emptied, nodes = Pins(plan.by_name, engine), set[str](), list[PlannedNode]()
    for node in plan.nodes:
        url = node.sink.place.url if node.runs and node.sink else ""
        nodes.append(
            node if node.name in but or url in emptied else _looked_at(node, plan.by_name, pins, without)
        )
        if overwrites(node):  # what its table holds now will be gone when the next node writes to it
            emptied.add(url)
    return _warned(replace(plan, nodes=tuple(nodes)), engine)


def _warned(plan: Plan, engine: Engine) -> Plan:
    """The plan, with a warning at each append that its table holds already."""
    if not any(node.held for node in plan.nodes):
        return plan
    what = remedy(standing(plan, engine))
    return replace(plan, nodes=tuple(_told(node, what) for node in plan.nodes))


def _told(node: PlannedNode, what: str) -> PlannedNode:
    if node.held is None:
        return node
    warned = Warned(f"{held_words(node, node.held)}: a run is refused", what, "append-held")
    return replace(node, warnings=(*node.warnings, warned))


def _looked_at(node: PlannedNode, nodes: Nodes, pins: Pins, without: Collection[str]) -> PlannedNode:
    warned = list(_unseen(node))
    held, version = None, node.target.version if node.target else None
    if version is not None and looked_after(node, nodes):
        try:
            found = Guard(node, nodes, pins.engine).look(version, _Asked(node, pins).same, without)
        except (EngineError, ConnectionFailed):  # the node itself asks again, and fails with it
            return node
        held = found.held
        warned += _cut(node, found)
    return replace(node, held=held, warnings=(*node.warnings, *warned)) if warned or held else node


@dataclass
class _Asked:
    """Whether inputs are those that a node will read; they are looked at once a fingerprint fits, not before."""

    node: PlannedNode
    pins: Pins

    @cached_property
    def inputs(self) -> Inputs | None:
        return self.pins.ahead(self.node)

    def same(self, inputs: Inputs) -> bool:
        return self.inputs is not None and _comparable(self.node, self.pins.nodes, self.inputs, inputs)


class Guard:
    """Looks whether a node's table holds what it would append."""

    def __init__(self, node: PlannedNode, nodes: Nodes, engine: Engine) -> None:
        assert node.sink is not None
        self.node, self.nodes, self.place = node, nodes, node.sink.place
        self.fingerprint = fingerprint(node, nodes)
        self._engine = engine
        self._seen: int | None = None

    def look(self, version: int, same: Callable[[Inputs], bool], without: Collection[str] = ()) -> Looked:
        """What the table as it stands at a version holds of it, apart from commits of some runs.

        Raises EngineError, ConnectionFailed.
        """
        try:
            return look(self._engine.log(self.place), version, self.fingerprint, same, without)
        except OSError as error:
            raise EngineError(f"the log of {self.place.address} cannot be read: {error.strerror}") from None

    def asking(self, inputs: Inputs) -> Callable[[int], None]:
        """What a write is to ask of each version that it is to follow. It raises AppendRefused."""

        def ask(version: int) -> None:
            if version == self._seen:
                return
            found = self.look(version, lambda there: _comparable(self.node, self.nodes, inputs, there))
            if found.held is not None:
                raise AppendRefused(late_words(self.node, found.held), found.held)
            self._seen = version

        return ask


def _comparable(node: PlannedNode, nodes: Nodes, ours: Inputs, theirs: Inputs) -> bool:
    """Whether both read the same, and that says that they gave the same rows."""
    if not ours and not all(isinstance(s, Query) for each in evaluated_with(node, nodes) for s in each.steps):
        return False
    return same_inputs(ours, theirs)


# In words -------------------------------------------------------------------------------------------------


def _unseen(node: PlannedNode) -> Iterator[Warned]:
    sink = node.sink
    if node.runs and sink and sink.mode == "append" and sink.place.format != "delta":
        said = (
            f"{sink.place.address} is {sink.place.format}: whether it holds these rows already cannot be told"
        )
        yield Warned(f"{said}, so a second run adds them again", "use format: delta", "append-unseen")


def _cut(node: PlannedNode, found: Looked) -> Iterator[Warned]:
    if found.cut is not None and node.sink:
        of = f"of the {found.newest + 1:,} versions of {node.sink.place.address}"
        said = f"{of} the newest {found.cut:,} were looked at"
        remedy = "use append_once, or let the log be cleaned up (delta.logRetentionDuration)"
        yield Warned(f"{said}: rows that an older one holds would be appended again", remedy, "history-cut")
