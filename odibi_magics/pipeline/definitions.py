"""What a project knows: nodes and connections, each with the text that defined it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from odibi_magics.config.azure import vaults_named
from odibi_magics.config.check import nodes_of
from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Node

# Project-wide keys of one text that hold for the notebook's later cells too.
SETTINGS = ("project", "engine", "sql_dialect", "key_vault_name", "story", "secrets", "retry")


@dataclass(frozen=True)
class DefinedNode:
    """A node as it was written.

    path: where it stands in its config. before: the node before it in its pipeline. placed: whether its text names
    the pipeline.
    """

    name: str
    pipeline: str
    node: Node
    config: Config
    path: Path
    before: str | None = None
    defined: str = ""
    placed: bool = True

    def over(self, earlier: DefinedNode | None) -> DefinedNode:
        """This node where `earlier` had its name: without a pipeline of its own it stays where that one was."""
        if earlier is None or self.placed:
            return self
        return replace(self, pipeline=earlier.pipeline, before=self.before or earlier.before)


@dataclass(frozen=True)
class DefinedConnection:
    """A connection as it was written."""

    name: str
    model: Any
    config: Config
    defined: str = ""

    @property
    def written(self) -> Mapping[str, Any]:
        """Its keys as they stand in the text, `${NAME}` not filled in."""
        found: Mapping[str, Any] = self.config.tree.at(("connections", self.name))
        return found


@dataclass(frozen=True)
class Definitions:
    """Nodes and connections by name, in the order they were defined; later ones replace earlier ones."""

    nodes: Mapping[str, DefinedNode] = field(default_factory=dict)
    connections: Mapping[str, DefinedConnection] = field(default_factory=dict)
    configs: tuple[Config, ...] = ()

    @property
    def known(self) -> Known:
        """The names, for checking a text that comes after these."""
        vaults = frozenset[str]().union(*(vaults_named(config) for config in self.configs))
        return Known(
            frozenset(self.connections), frozenset(self.nodes), vaults, self.variables, self.settings
        )

    @property
    def variables(self) -> dict[str, Any]:
        """`vars` of all texts as they were written, later ones over earlier ones."""
        return {name: value for config in self.configs for name, value in config.variables.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """Project-wide keys that some text set, later ones over earlier ones."""
        return {
            key: getattr(config.model, key)
            for config in self.configs
            for key in SETTINGS
            if key in config.tree.value  # a model has those of earlier texts too
        }

    def add(self, other: Definitions) -> Definitions:
        """These, and `other` over them; its nodes stand together, where the first of their names stood before."""
        there = {name.lower(): node for name, node in self.nodes.items()}
        new = {name: node.over(there.get(name.lower())) for name, node in other.nodes.items()}
        again = {name.lower() for name in new}
        names = list(self.nodes)
        first = next((i for i, name in enumerate(names) if name.lower() in again), len(names))
        ahead = {name: self.nodes[name] for name in names[:first]}
        behind = {name: self.nodes[name] for name in names[first:] if name.lower() not in again}
        return Definitions(
            {**ahead, **new, **behind},
            {**self.connections, **other.connections},
            (*self.configs, *other.configs),
        )._tidied(other.configs)

    def without(self, names: Collection[str]) -> Definitions:
        """These without some nodes."""
        kept = {name: node for name, node in self.nodes.items() if name not in names}
        return replace(self, nodes=kept)._tidied(())

    def _tidied(self, newest: Sequence[Config]) -> Definitions:
        """Without texts of which nothing is left, so that their variables and settings go with them."""
        used = {id(node.config) for node in self.nodes.values()}
        used.update(id(connection.config) for connection in self.connections.values())
        used.update(map(id, newest))
        kept = (config for config in self.configs if id(config) in used or _defines_nothing(config))
        return replace(self, configs=tuple(kept))


def _defines_nothing(config: Config) -> bool:
    """Variables and settings alone."""
    return not config.model.connections and not config.model.pipelines


def definitions(config: Config, defined: str = "") -> Definitions:
    """What one checked text defines. defined: how people find it, "cell [3]" or a file's path."""
    nodes: dict[str, DefinedNode] = {}
    before: dict[str, str] = {}
    for path, pipeline, node in nodes_of(config):
        if (
            node.name in nodes
        ):  # of a wrong text, which was told: after the second one, circles would be made up
            continue
        nodes[node.name] = DefinedNode(
            name=node.name,
            pipeline=pipeline,
            node=node,
            config=config,
            path=path,
            before=before.get(pipeline),
            defined=defined or config.source.name,
            placed=config.tree.written((*path[:2], "pipeline")) in config.tree.document.values,
        )
        before[pipeline] = node.name
    connections = {
        name: DefinedConnection(name, model, config, defined or config.source.name)
        for name, model in config.model.connections.items()
    }
    return Definitions(nodes, connections, (config,))
