"""What comes after what, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from odibi_magics.errors import Problem
from odibi_magics.pipeline.definitions import DefinedNode
from odibi_magics.pipeline.plan import Edge, Plan
from odibi_magics.pipeline.steps import CheckedNode


def data_edges(checked: CheckedNode) -> tuple[Edge, ...]:
    """Inputs of a node: what depends_on lists, the nodes its SQL names, else the node before it."""
    node = checked.defined.node
    listed = [Edge(name, "depends_on") for name in node.depends_on]
    named = [Edge(name, "named in SQL") for name in checked.tables if name not in node.depends_on]
    edges = (*listed, *named)
    if edges or node.read or checked.defined.before is None or _makes_its_own_rows(checked):
        return edges
    return (Edge(checked.defined.before, "the node before it"),)


def _makes_its_own_rows(checked: CheckedNode) -> bool:
    """`SELECT 1 AS id` takes no input."""
    return bool(checked.steps) and checked.steps[0].text is not None and not checked.steps[0].tables


def place_edges(
    reads: Mapping[str, str], writes: Mapping[str, str], order: Sequence[str]
) -> dict[str, tuple[Edge, ...]]:
    """Edges between nodes that share a place: a reader waits for a writer above it, a writer for a reader above it.

    reads, writes: node -> URL. order: the nodes as the text has them.
    """
    found: dict[str, tuple[Edge, ...]] = {}
    number = {name: i for i, name in enumerate(order)}
    writers: dict[str, list[str]] = {}
    for name, url in writes.items():
        writers.setdefault(url.rstrip("/"), []).append(name)
    for reader, url in reads.items():
        for writer in writers.get(url.rstrip("/"), ()):
            if writer == reader:
                continue
            first, second = (writer, reader) if number[writer] < number[reader] else (reader, writer)
            why = "reads what it writes" if second == reader else "writes what it reads"
            found[second] = (*found.get(second, ()), Edge(first, why, carries=False))
    for together in writers.values():
        for first, second in zip(together, together[1:], strict=False):
            found[second] = (*found.get(second, ()), Edge(first, "writes the same table", carries=False))
    return found


def ordered(edges: Mapping[str, Iterable[Edge]], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The nodes in an order they may run, keeping the text's where it can; or ([], a cycle)."""
    number = {name: i for i, name in enumerate(names)}
    sorter = TopologicalSorter({name: [edge.source for edge in edges.get(name, ())] for name in names})
    try:
        sorter.prepare()
    except CycleError as error:
        return [], list(error.args[1])
    order: list[str] = []
    ready: list[tuple[int, str]] = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, (number.get(name, -1), name))
        order.append(heappop(ready)[1])
        sorter.done(order[-1])
    return order, []


def cycle_problem(cycle: Sequence[str], nodes: Mapping[str, DefinedNode]) -> Problem:
    """The cycle as a problem with its first node in the text."""
    first = min(set(cycle), key=list(nodes).index)
    path = " → ".join(reversed(cycle))
    where = (*nodes[first].path, "name")
    alone = len(set(cycle)) == 1
    said = (
        f"node '{first}' takes itself: its SQL names it"
        if alone
        else f"the nodes go round in a circle: {path}"
    )
    return nodes[first].config.problem(
        where, said, "FROM df: what it reads, or what the step before gives" if alone else ""
    )


def upstream(edges: Mapping[str, Iterable[Edge]], names: Iterable[str]) -> set[str]:
    """The nodes and all they take data from."""
    return _reach({name: [e.source for e in found if e.carries] for name, found in edges.items()}, names)


def downstream(edges: Mapping[str, Iterable[Edge]], names: Iterable[str]) -> set[str]:
    """The nodes and all that take data from them."""
    turned: dict[str, list[str]] = {}
    for name, found in edges.items():
        for edge in found:
            if edge.carries:
                turned.setdefault(edge.source, []).append(name)
    return _reach(turned, names)


def up_to(plan: Plan, name: str) -> Plan:
    """The plan of a node and of all that it takes data from."""
    needed = upstream({node.name: node.edges for node in plan.nodes}, [name])
    return replace(plan, nodes=tuple(node for node in plan.nodes if node.name in needed))


def _reach(neighbours: Mapping[str, Sequence[str]], names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack.extend(neighbours.get(name, ()))
    return seen
