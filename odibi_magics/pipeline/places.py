"""Where the nodes read and write, and whether each connection can be opened."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Final

from odibi_magics.config.check import leaves
from odibi_magics.config.formats import infer_format
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Read, Write
from odibi_magics.config.times import NotAnInstant, instant
from odibi_magics.config.types import Column
from odibi_magics.connections.base import Connection
from odibi_magics.connections.registry import connect
from odibi_magics.engines.base import Engine, Place, Sink, Source
from odibi_magics.errors import CannotOpen, ConnectionFailed, Problem
from odibi_magics.pipeline.definitions import DefinedConnection, DefinedNode, Definitions
from odibi_magics.pipeline.steps import condition

Prepare = Callable[[Sequence[Connection]], Mapping[str, CannotOpen | None]]
"""Fetches what connections need before anything looks into them; gives those that cannot be opened with why, None for
one of which nothing is to be said."""


@dataclass
class Places:
    """The sources and sinks of a plan's nodes.

    own: the nodes that run; of others nothing is said. problems: where what is wrong is noted. closed: the connections
    that cannot be opened.
    """

    definitions: Definitions
    own: Collection[str]
    engine: Engine
    prepare: Prepare
    problems: list[Problem]
    closed: set[str] = field(default_factory=set)

    def is_read_back(self, name: str) -> bool:
        """Whether an earlier cell's node is read from its table."""
        return name not in self.own and self.definitions.nodes[name].node.write is not None

    @cached_property
    def sources(self) -> dict[str, Source]:
        """What each node reads, of those whose text is right."""
        found = {
            name: self._source(defined, defined.node.read)
            for name, defined in self.definitions.nodes.items()
            if defined.node.read and not self.is_read_back(name)
        }
        return {name: source for name, source in found.items() if source is not None}

    @cached_property
    def sinks(self) -> dict[str, Sink]:
        """What each node writes, of those whose text is right."""
        found = {
            name: self._sink(defined, defined.node.write)
            for name, defined in self.definitions.nodes.items()
            if defined.node.write
        }
        return {name: sink for name, sink in found.items() if sink is not None}

    def open(self, needed: Iterable[str]) -> None:
        """Fetches what the nodes' connections need, all together; what cannot be had is a problem each."""
        found = {place.connection.name: place.connection for name in needed for place in self._of(name)}
        failures = self.prepare(list(found.values()))
        opened = [
            found[name] for name in self.definitions.connections if name in found and name not in failures
        ]
        for name, failure in {**failures, **self.engine.cannot_open(opened)}.items():
            self.close(name, failure)

    def close(self, name: str, failure: CannotOpen | None) -> None:
        """Looks no more into a connection, and tells why once, at its own place in the text."""
        if failure is not None and name not in self.closed:
            defined = self.definitions.connections[name]
            self.problems.append(defined.config.problem(_spot(defined, failure.about), str(failure)))
        self.closed.add(name)

    def is_closed(self, name: str) -> bool:
        """Whether a node reads or writes where its connection cannot be opened."""
        return any(place.connection.name in self.closed for place in self._of(name))

    def note(self, defined: DefinedNode, problem: Problem) -> None:
        """Keeps a problem of a node that runs."""
        if defined.name in self.own:
            self.problems.append(problem)

    def _of(self, name: str) -> list[Place]:
        """What a node reads and writes."""
        source, sink = self.sources.get(name), self.sinks.get(name)
        return [*([source.place] if source else []), *([sink.place] if sink else [])]

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
            if defined.name in self.own:
                self.close(part.connection, error)
            return None
        except ConnectionFailed as error:
            self.note(defined, defined.config.problem(path, str(error)))
            return None
        return place

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
