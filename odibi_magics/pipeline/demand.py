"""What the nodes of a plan ask of one another and of the places they read and write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from odibi_magics.engines.base import Call, Place
from odibi_magics.pipeline.edges import upstream
from odibi_magics.pipeline.plan import Plan, PlannedNode


def places(plan: Plan) -> list[Place]:
    """Every place a run may touch."""
    sources = [node.source for node in plan.nodes if node.source]
    watermarks = [source.watermark for source in sources if source.watermark]
    return [*(s.place for s in sources), *watermarks, *(n.sink.place for n in plan.nodes if n.sink)]


def readers(plan: Plan) -> Mapping[str, int]:
    """How many nodes take each node's data."""
    counts: dict[str, int] = {}
    for node in plan.nodes:
        for name in node.inputs:
            counts[name] = counts.get(name, 0) + 1
    return counts


def evaluated(plan: Plan, kept: Iterable[str]) -> set[str]:
    """The nodes whose rows something asks for: `kept` ones are written or shown; checks, functions, and several
    readers ask for them too."""
    shared = [name for name, count in readers(plan).items() if count > 1]
    checked = [node.name for node in plan.nodes if node.runs and node.checks]
    called = [node.name for node in plan.nodes if any(isinstance(step, Call) for step in node.steps)]
    edges = {node.name: node.edges for node in plan.nodes}
    return upstream(edges, [*kept, *shared, *checked, *called])


def made_from(node: PlannedNode, plan: Plan) -> list[PlannedNode]:
    """The node and all that its rows come from, back to what is read from tables that are written."""
    found = {node.name: node}
    left = [node]
    while left:
        for given in (plan[name] for name in left.pop().inputs):
            if given.name not in found and not (given.runs and given.sink):
                found[given.name] = given
                left.append(given)
    return list(found.values())


def computed_with(node: PlannedNode, plan: Plan) -> list[PlannedNode]:
    """The nodes whose SQL is computed as part of this one's: nothing else reads them, and they write nothing."""
    counts = readers(plan)
    found: list[PlannedNode] = []
    for given in (plan[name] for name in node.inputs):
        alone = given.steps and counts[given.name] == 1 and not (given.runs and given.sink)
        if alone and not any(isinstance(step, Call) for step in given.steps):
            found += [*computed_with(given, plan), given]
    return found
