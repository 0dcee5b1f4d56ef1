"""Definitions into a frozen plan: everything is checked, described and ordered before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Final

from odibi_magics.config.check import leaves
from odibi_magics.config.formats import infer_format
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Read, Write
from odibi_magics.config.source import Place as TextPlace
from odibi_magics.config.times import NotAnInstant, instant
from odibi_magics.config.types import Column
from odibi_magics.connections.base import Connection
from odibi_magics.connections.registry import connect
from odibi_magics.engines.base import Engine, Place, Sink, Source, TargetState
from odibi_magics.errors import CannotOpen, ConnectionFailed, EngineError, Problem
from odibi_magics.pipeline.definitions import DefinedConnection, DefinedNode, Definitions
from odibi_magics.pipeline.describe import Describer, unwritable
from odibi_magics.pipeline.edges import cycle_problem, data_edges, downstream, ordered, place_edges, upstream
from odibi_magics.pipeline.faults import is_among
from odibi_magics.pipeline.plan import Action, Edge, PlannedNode
from odibi_magics.pipeline.steps import CheckedNode, check_df, check_node, condition


@dataclass
class Builder:
    """Builds the nodes of one plan.

    own: the nodes that run; others are there to be read or evaluated. unknown: names of nodes whose text is wrong;
    nothing is said of them here. prepare: fetches what connections need before anything looks into them; gives those
    that cannot be opened with why, None for one of which nothing is to be said.
    """

    definitions: Definitions
    own: Sequence[str]
    engine: Engine
    prepare: Callable[[Sequence[Connection]], Mapping[str, CannotOpen | None]]
    unknown: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    checked: dict[str, CheckedNode] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)

    @cached_property
    def _own(self) -> frozenset[str]:
        return frozenset(self.own)

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
        self._open(needed)
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

    def _is_read_back(self, name: str) -> bool:
        return name not in self._own and self.definitions.nodes[name].node.write is not None

    def _edges(self, needed: set[str]) -> dict[str, tuple[Edge, ...]]:
        edges = {name: () if self._is_read_back(name) else self._data_edges(name) for name in needed}
        order = [name for name in self.definitions.nodes if name in needed and name in self._own]
        reads = {name: source.place.url for name in order if (source := self.sources.get(name))}
        writes = {name: sink.place.url for name in order if (sink := self.sinks.get(name))}
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

    # Places -----------------------------------------------------------------------------------------------------

    @cached_property
    def sources(self) -> dict[str, Source]:
        found = {
            name: self._source(defined, defined.node.read)
            for name, defined in self.definitions.nodes.items()
            if defined.node.read and not self._is_read_back(name)
        }
        return {name: source for name, source in found.items() if source is not None}

    @cached_property
    def sinks(self) -> dict[str, Sink]:
        found = {
            name: self._sink(defined, defined.node.write)
            for name, defined in self.definitions.nodes.items()
            if defined.node.write
        }
        return {name: sink for name, sink in found.items() if sink is not None}

    def _place(self, defined: DefinedNode, key: str, part: Read | Write) -> Place | None:
        connection = self.definitions.connections.get(part.connection)
        path = (*defined.path, key, "path")
        if connection is None or _told(defined, connection, path):
            return None
        try:
            opened = connect(part.connection, connection.model, connection.config.source.folder)
            where = part.table or part.path or ""
            place = Place(opened, where, part.format or ("delta" if part.table else infer_format(where)))
            place.connection.url(place.path)
        except CannotOpen as error:
            if defined.name in self._own:
                self._close(part.connection, error)
            return None
        except ConnectionFailed as error:
            self._note(defined, defined.config.problem(path, str(error)))
            return None
        return place

    def _note(self, defined: DefinedNode, problem: Problem) -> None:
        if defined.name in self._own:
            self.problems.append(problem)

    def _places(self, name: str) -> list[Place]:
        """What a node reads and writes."""
        source, sink = self.sources.get(name), self.sinks.get(name)
        return [*([source.place] if source else []), *([sink.place] if sink else [])]

    def _open(self, needed: Iterable[str]) -> None:
        """Fetches what the nodes' connections need, all together; what cannot be had is a problem each."""
        found = {place.connection.name: place.connection for name in needed for place in self._places(name)}
        failures = self.prepare(list(found.values()))
        opened = [
            found[name] for name in self.definitions.connections if name in found and name not in failures
        ]
        for name, failure in {**failures, **self.engine.cannot_open(opened)}.items():
            self._close(name, failure)

    def _close(self, name: str, failure: CannotOpen | None) -> None:
        """Looks no more into a connection, and tells why once, at its own place in the text."""
        if failure is not None and name not in self.closed:
            defined = self.definitions.connections[name]
            self.problems.append(defined.config.problem(_spot(defined, failure.about), str(failure)))
        self.closed.add(name)

    def _is_closed(self, name: str) -> bool:
        return any(place.connection.name in self.closed for place in self._places(name))

    def _source(self, defined: DefinedNode, read: Read) -> Source | None:
        place = self._place(defined, "read", read)
        if place is None:
            return None
        at = (*defined.path, "read")
        kept = condition(defined, (*at, "filter"), read.filter, self.problems) if read.filter else None
        return Source(
            place=place,
            options=read.options,
            columns=tuple(read.columns) if read.columns else None,
            filter=kept.sql if kept else None,
            version=read.version,
            timestamp=_instant(read.timestamp),
            newer_than=read.newer_than,
            lag=read.lag,
            schema=tuple(Column(name, type_) for name, type_ in read.schema_.items())
            if read.schema_
            else None,
            infer=read.infer,
        )

    def _sink(self, defined: DefinedNode, write: Write) -> Sink | None:
        place = self._place(defined, "write", write)
        if place is None:
            return None
        at = (*defined.path, "write", "replace_where")
        replaced = condition(defined, at, write.replace_where, self.problems) if write.replace_where else None
        return Sink(
            place=place,
            mode="merge" if write.mode == "upsert" else write.mode,
            keys=tuple(write.keys or ()),
            partition_by=tuple(write.partition_by or ()),
            replace_where=replaced.sql if replaced else None,
            merge_schema=write.merge_schema,
            overwrite_schema=write.overwrite_schema,
            options=write.options,
        )

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
            source, sink = self.sources.get(name), self.sinks.get(name)
            if self._is_closed(name):
                continue
            if (
                source
                and source.version is None
                and source.timestamp is None
                and not self._is_read_back(name)
            ):
                yield source.place
            if sink:
                yield sink.place

    def _described(self, describer: Describer, node: PlannedNode) -> PlannedNode:
        if self._takes_unknown(node.name) or self._is_closed(node.name):
            return node
        try:
            return describer.describe(node, self._check(node.name))
        except CannotOpen as error:
            assert node.source is not None
            self._close(node.source.place.connection.name, error)
            return node

    def _takes_unknown(self, name: str) -> bool:
        """Whether a node's input is one whose text is wrong: nothing can be said of its columns then."""
        if self._is_read_back(name):
            return False
        return any(edge.source not in self.definitions.nodes for edge in data_edges(self._check(name)))

    def _node(self, name: str, found: tuple[Edge, ...], edges: Mapping[str, tuple[Edge, ...]]) -> PlannedNode:
        defined = self.definitions.nodes[name]
        if self._is_read_back(name):
            return self._read_back(defined)
        sink = self.sinks.get(name)
        target = self._target(defined, sink) if sink and not self._is_closed(name) else None
        source = self.sources.get(name)
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
        sink = self.sinks.get(defined.name)
        source = Source(sink.place, options=sink.options) if sink else None
        return PlannedNode(
            defined.name, defined.pipeline, defined.node, source=source, defined=defined.defined, runs=False
        )

    def _target(self, defined: DefinedNode, sink: Sink) -> TargetState | None:
        try:
            return self.engine.target(sink)
        except CannotOpen as error:
            self._close(sink.place.connection.name, error)
            return None
        except (EngineError, ConnectionFailed) as error:
            self._note(defined, unwritable(defined, error))
            return None

    def _keeps_what_is_there(self, defined: DefinedNode, sink: Sink) -> None:
        if _replaces_all(sink):
            said = f"newer_than with mode: overwrite would leave only the new rows in {sink.place.address}"
            path = (*defined.path, "read", "newer_than")
            self._note(defined, defined.config.problem(path, said, "use append, append_once or merge"))

    def _check_overwritten(self, edges: Mapping[str, tuple[Edge, ...]]) -> None:
        """Of two nodes that write one place, the second must not throw away what the first wrote."""
        for name, found in edges.items():
            for edge in found:
                if edge.why == "writes the same table" and _replaces_all(self.sinks[name]):
                    defined = self.definitions.nodes[name]
                    said = f"node '{name}' would overwrite what '{edge.source}' writes to the same place"
                    path = (*defined.path, "write", "path")
                    self.problems.append(
                        defined.config.problem(path, said, self._instead(edge.source, defined))
                    )

    def _check_inputs_stay(self, order: Sequence[str], edges: Mapping[str, tuple[Edge, ...]]) -> None:
        """A file that rows come from is not overwritten with them: the next run would read what this one left."""
        for name in order:
            sink = self.sinks.get(name)
            if sink is None or sink.place.format == "delta" or not _replaces_all(sink):
                continue
            for giver in upstream(edges, [name]) & self.sources.keys():
                if is_among(sink.place.url, self.sources[giver].place.url):
                    defined = self.definitions.nodes[name]
                    reader = "it" if giver == name else f"'{giver}'"
                    said = f"node '{name}' would overwrite the file that {reader} reads, its own input"
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
            name for name in downstream(edges, [defined.name]) if name in self.sinks and name in self._own
        ]
        nearest = [name for name in sinks if not _passes_another(name, defined.name, sinks, edges)]
        path = (*defined.path, "read", "newer_than")
        if len(nearest) == 1:
            self._keeps_what_is_there(defined, self.sinks[nearest[0]])
            return replace(source, watermark=self.sinks[nearest[0]].place)
        if nearest:
            said = f"this chain writes {len(nearest)} tables ({', '.join(sorted(nearest))}): which one's maximum?"
            self._note(defined, defined.config.problem(path, said, "read once for each"))
        else:
            self._note(
                defined, defined.config.problem(path, "newer_than needs a table that this chain writes")
            )
        return source


def _spot(defined: DefinedConnection, about: str) -> Path:
    """The place of a key in a connection's text; of what opens it where `about` is "", or stands elsewhere."""
    path = ("connections", defined.name)
    keys = (about, *_OPENERS)
    return next(((*path, key) for key in keys if defined.config.tree.at((*path, key)) is not None), path)


# What opens a connection, that which is nearest to the credential first.
_OPENERS: Final = (
    "secret_name", "secret_key", "client_secret", "account_key", "sas_token", "connection_string", "auth_mode",
    "account",
)  # fmt: skip


def _instant(text: str | None) -> datetime | None:
    try:
        return instant(text) if text else None
    except NotAnInstant:  # as was told
        return None


def _told(defined: DefinedNode, connection: DefinedConnection, path: Path) -> bool:
    """Whether something is wrong with a place that the check of its text has told already."""
    if not connection.config.sure(("connections", connection.name)) or not defined.config.sure(path[:-1]):
        return True
    part = getattr(defined.node, str(path[-2]))
    if connection.name not in defined.config.model.connections or connection.model.type == "unity_catalog":
        return False
    return part.path is None or leaves(part.path)


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
