"""What a project knows: nodes and connections, each with the text that defined it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from odibi_magics.config.check import nodes_of, vaults_named
from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Node

# Project-wide keys of one text that hold for the notebook's later cells too.
SETTINGS = ("project", "engine", "sql_dialect", "key_vault_name", "story", "secrets", "retry")


@dataclass(frozen=True)
class DefinedNode:
    """A node as it was written. path: where it stands in its config; number: its place among all nodes."""

    name: str
    pipeline: str
    node: Node
    config: Config
    path: Path
    before: str | None = None
    defined: str = ""


@dataclass(frozen=True)
class DefinedConnection:
    """A connection as it was written."""

    name: str
    model: Any
    config: Config
    defined: str = ""


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
        """`vars` of all texts, later ones over earlier ones."""
        return {name: value for config in self.configs for name, value in config.model.vars.items()}

    @property
    def settings(self) -> dict[str, Any]:
        """Project-wide keys that some text set, later ones over earlier ones."""
        return {
            key: getattr(config.model, key)
            for config in self.configs
            for key in SETTINGS
            if key in config.model.model_fields_set
        }

    def add(self, other: Definitions) -> Definitions:
        """These, and `other` over them; a name defined again moves to its new place."""
        kept = {name: node for name, node in self.nodes.items() if name not in other.nodes}
        return replace(
            self,
            nodes={**kept, **other.nodes},
            connections={**self.connections, **other.connections},
            configs=(*self.configs, *other.configs),
        )


def definitions(config: Config, defined: str = "") -> Definitions:
    """What one checked text defines. defined: how people find it, "cell [3]" or a file's path."""
    nodes: dict[str, DefinedNode] = {}
    before: dict[str, str] = {}
    for path, pipeline, node in nodes_of(config):
        nodes[node.name] = DefinedNode(
            node.name, pipeline, node, config, path, before.get(pipeline), defined or config.source.name
        )
        before[pipeline] = node.name
    connections = {
        name: DefinedConnection(name, model, config, defined or config.source.name)
        for name, model in config.model.connections.items()
    }
    return Definitions(nodes, connections, (config,))
