"""Definitions into a frozen plan: everything is checked, described and ordered before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from odibi_magics.config.source import Place as TextPlace
from odibi_magics.engines.base import Engine, Place, Sink, Source, TargetState
from odibi_magics.errors import CannotOpen, ConnectionFailed, EngineError, Problem
from odibi_magics.pipeline.definitions import DefinedNode, Definitions
from odibi_magics.pipeline.describe import Describer, unwritable
from odibi_magics.pipeline.edges import cycle_problem, data_edges, downstream, ordered, place_edges, upstream
from odibi_magics.pipeline.own_input import overwritten
from odibi_magics.pipeline.places import Places, Prepare
from odibi_magics.pipeline.plan import Action, Edge, PlannedNode
from odibi_magics.pipeline.steps import CheckedNode, check_df, check_node


@dataclass
class Builder:
    """Builds the nodes of one plan.

    own: the nodes that run; others are there to be read or evaluated. unknown: names of nodes whose text is wrong;
    nothing is said of them here.
    """

    definitions: Definitions
    own: Sequence[str]
    engine: Engine
    prepare: Prepare
    unknown: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    checked: dict[str, CheckedNode] = field(default_factory=dict)

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.own)

    @cached_property
    def _places(self) -> Places:
        return Places(self.definitions, self._own, self.engine, self.prepare, self.problems)

    def build(self) -> tuple[PlannedNode, ...]:
        """The nodes in an order they may run. `problems` holds what is wrong; then the nodes are not to be run."""
        needed = self._needed()
        edges = self.edges = self._edges(needed)
        order, cycle = ordered(edges, [name for name in self.definitions.nodes if name in needed])
        if cycle:
            first = self.definitions.nodes[cycle[0]].node
            if not (len(set(cycle)) == 1 and cycle[0] in first.depends_on):  # which the text's check has told
                self.problems.append(cycle_problem(cycle, self.definitions.nodes))
            return ()
        self._places.open(needed)
        return self._planned(order, edges)

    def _check(self, name: str) -> CheckedNode:
        """A node with its steps checked, once; of earlier cells only those that are needed."""
        if name not in self.checked:
            self.checked[name] = check_node(self.definitions.nodes[name], self._names)
            if name in self._own:
                self.problems.extend(self.checked[name].problems)
        return self.checked[name]

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name.lower(): name for name in (*self.definitions.nodes, *self.unknown)}

    def _needed(self) -> set[str]:
        """Own nodes, and of earlier cells what they take: a node that writes is read from its table, so that its own
        inputs are not needed."""
        needed: set[str] = set()
        stack = list(self.own)
        while stack:
            name = stack.pop()
            if name in needed or name not in self.definitions.nodes:
                continue
            needed.add(name)
            if name in self._own or not self.definitions.nodes[name].node.write:
                stack.extend(edge.source for edge in self._data_edges(name))
        return needed

    def _data_edges(self, name: str) -> tuple[Edge, ...]:
        return tuple(edge for edge in data_edges(self._check(name)) if edge.source in self.definitions.nodes)

    def _edges(self, needed: set[str]) -> dict[str, tuple[Edge, ...]]:
        edges = {name: () if self._places.is_read_back(name) else self._data_edges(name) for name in needed}
        order = [name for name in self.definitions.nodes if name in needed and name in self._own]
        reads = {name: source.place.url for name in order if (source := self._places.sources.get(name))}
        writes = {name: sink.place.url for name in order if (sink := self._places.sinks.get(name))}
        for name, shared in place_edges(reads, writes, order).items():
            taken = {edge.source for edge in edges[name]}
            edges[name] = (*edges[name], *(edge for edge in shared if edge.source not in taken))
        self._check_order(edges)
        self._check_overwritten(edges)
        self._check_inputs_stay(order, edges)
        for name in order:
            inputs = tuple(edge.source for edge in data_edges(self._check(name)))
            self.problems.extend(check_df(self._check(name), inputs))
        return edges

    def _check_order(self, edges: Mapping[str, tuple[Edge, ...]]) -> None:
        """Pipelines run in order: a node cannot take from a later pipeline."""
        number = {pipeline: i for i, pipeline in enumerate(self._pipelines())}
        for name, found in edges.items():
            taker = self.definitions.nodes[name]
            for edge in found:
                giver = self.definitions.nodes[edge.source]
                both_run = name in self._own and edge.source in self._own
                if both_run and number[giver.pipeline] > number[taker.pipeline]:
                    self.problems.append(_out_of_order(taker, giver))

    def _pipelines(self) -> list[str]:
        return list(dict.fromkeys(self.definitions.nodes[name].pipeline for name in self.definitions.nodes))

    # Nodes ------------------------------------------------------------------------------------------------------

    def _planned(
        self, order: Sequence[str], edges: Mapping[str, tuple[Edge, ...]]
    ) -> tuple[PlannedNode, ...]:
        describer = Describer(self.engine, self.problems)
        with self.engine.looking_at(self._looked_at(order)):
            nodes = {name: self._node(name, edges[name], edges) for name in order}
            return tuple(self._described(describer, node) for node in nodes.values())

    def _looked_at(self, order: Sequence[str]) -> Iterator[Place]:
        """The places whose newest state is looked at."""
        for name in order:
            source, sink = self._places.sources.get(name), self._places.sinks.get(name)
            if self._places.is_closed(name):
                continue
            if (
                source
                and source.version is None
                and source.timestamp is None
                and not self._places.is_read_back(name)
            ):
                yield source.place
            if sink:
                yield sink.place

    def _described(self, describer: Describer, node: PlannedNode) -> PlannedNode:
        if self._takes_unknown(node.name) or self._places.is_closed(node.name):
            return node
        try:
            return describer.describe(node, self._check(node.name))
        except CannotOpen as error:
            assert node.source is not None
            self._places.close(node.source.place.connection.name, error)
            return node

    def _takes_unknown(self, name: str) -> bool:
        """Whether a node's input is one whose text is wrong: nothing can be said of its columns then."""
        if self._places.is_read_back(name):
            return False
        return any(edge.source not in self.definitions.nodes for edge in data_edges(self._check(name)))

    def _node(self, name: str, found: tuple[Edge, ...], edges: Mapping[str, tuple[Edge, ...]]) -> PlannedNode:
        defined = self.definitions.nodes[name]
        if self._places.is_read_back(name):
            return self._read_back(defined)
        sink = self._places.sinks.get(name)
        target = self._target(defined, sink) if sink and not self._places.is_closed(name) else None
        source = self._places.sources.get(name)
        return PlannedNode(
            name=name,
            pipeline=defined.pipeline,
            config=defined.node,
            edges=found,
            source=self._with_watermark(defined, source, edges) if source and source.newer_than else source,
            steps=tuple(step.step for step in self._check(name).steps),
            sink=sink,
            target=target,
            action=action(sink, target) if sink and target else None,
            defined=defined.defined,
            runs=name in self._own,
            where=partial(_where, defined),
        )

    def _read_back(self, defined: DefinedNode) -> PlannedNode:
        sink = self._places.sinks.get(defined.name)
        source = Source(sink.place, options=sink.options) if sink else None
        return PlannedNode(
            defined.name, defined.pipeline, defined.node, source=source, defined=defined.defined, runs=False
        )

    def _target(self, defined: DefinedNode, sink: Sink) -> TargetState | None:
        try:
            return self.engine.target(sink)
        except CannotOpen as error:
            self._places.close(sink.place.connection.name, error)
            return None
        except (EngineError, ConnectionFailed) as error:
            self._places.note(defined, unwritable(defined, error))
            return None

    def _keeps_what_is_there(self, defined: DefinedNode, sink: Sink) -> None:
        if _replaces_all(sink):
            said = f"newer_than with mode: overwrite would leave only the new rows in {sink.place.address}"
            path = (*defined.path, "read", "newer_than")
            self._places.note(defined, defined.config.problem(path, said, "use append, append_once or merge"))

    def _check_overwritten(self, edges: Mapping[str, tuple[Edge, ...]]) -> None:
        """Of two nodes that write one place, the second must not throw away what the first wrote."""
        for name, found in edges.items():
            for edge in found:
                if edge.why == "writes the same table" and _replaces_all(self._places.sinks[name]):
                    defined = self.definitions.nodes[name]
                    said = f"node '{name}' would overwrite what '{edge.source}' writes to the same place"
                    path = (*defined.path, "write", "path")
                    self.problems.append(
                        defined.config.problem(path, said, self._instead(edge.source, defined))
                    )

    def _check_inputs_stay(self, order: Sequence[str], edges: Mapping[str, tuple[Edge, ...]]) -> None:
        """A file that rows come from is not overwritten with them."""
        for name in order:
            if (sink := self._places.sinks.get(name)) is None:
                continue
            for giver in overwritten(name, sink, self._places.sources, edges, self.checked):
                defined = self.definitions.nodes[name]
                reader = "it" if giver == name else f"'{giver}'"
                said = f"node '{name}' would overwrite what {reader} reads, its own input"
                path = (*defined.path, "write", "path")
                self.problems.append(defined.config.problem(path, said, _ELSEWHERE))

    def _instead(self, first: str, second: DefinedNode) -> str:
        """What else to do where one node would overwrite what another wrote."""
        apart = self.definitions.nodes[first].config.source.name != second.config.source.name
        renamed = f"; where '{first}' is its old name: %odibi --forget {first}" if apart else ""
        return f"another path, or mode: append{renamed}"

    def _with_watermark(
        self, defined: DefinedNode, source: Source, edges: Mapping[str, tuple[Edge, ...]]
    ) -> Source:
        """`newer_than` looks into the table this chain writes: the node's own, else the one its rows go to."""
        sinks = [
            name
            for name in downstream(edges, [defined.name])
            if name in self._places.sinks and name in self._own
        ]
        nearest = [name for name in sinks if not _passes_another(name, defined.name, sinks, edges)]
        path = (*defined.path, "read", "newer_than")
        if len(nearest) == 1:
            self._keeps_what_is_there(defined, self._places.sinks[nearest[0]])
            return replace(source, watermark=self._places.sinks[nearest[0]].place)
        if nearest:
            said = f"this chain writes {len(nearest)} tables ({', '.join(sorted(nearest))}): which one's maximum?"
            self._places.note(defined, defined.config.problem(path, said, "read once for each"))
        else:
            self._places.note(
                defined, defined.config.problem(path, "newer_than needs a table that this chain writes")
            )
        return source


def _where(defined: DefinedNode, about: tuple[str, ...]) -> TextPlace | None:
    return defined.config.tree.key_place((*defined.path, *about))


def _out_of_order(taker: DefinedNode, giver: DefinedNode) -> Problem:
    said = f"node '{taker.name}' takes '{giver.name}' of the later pipeline '{giver.pipeline}'"
    return taker.config.problem((*taker.path, "name"), said, "pipelines run in order")


def _replaces_all(sink: Sink) -> bool:
    return sink.mode == "overwrite" and not sink.replace_where


_ELSEWHERE = "another path, or a Delta table, which keeps its versions"


def _passes_another(
    name: str, start: str, sinks: Sequence[str], edges: Mapping[str, tuple[Edge, ...]]
) -> bool:
    """Whether every row on its way from `start` to `name` goes through another written node first."""
    between = upstream(edges, [name]) & downstream(edges, [start])
    return any(other in between for other in sinks if other != name)


_ACTIONS: dict[str, Action] = {
    "overwrite": "overwrite", "overwrite_partitions": "replace", "append": "append", "append_once": "insert new",
    "merge": "merge", "error": "refuse", "ignore": "keep",
}  # fmt: skip


def action(sink: Sink, target: TargetState) -> Action:
    """What the write will do to its target as it stands."""
    if not target.exists:
        return "create"
    return "replace" if sink.replace_where else _ACTIONS[sink.mode]
