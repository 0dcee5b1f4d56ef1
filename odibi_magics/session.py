"""The notebook's project: it grows cell by cell, and a cell that defines a name again replaces it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odibi_magics.config.load import load_connections
from odibi_magics.config.source import Source as Text
from odibi_magics.pipeline.definitions import Definitions
from odibi_magics.pipeline.result import RunResult
from odibi_magics.project import ConnectionInfo, Project, connection_info


@dataclass(frozen=True)
class NodeInfo:
    """A node as people see it. reads, writes: addresses, "" where there is none."""

    name: str
    pipeline: str
    defined: str
    reads: str
    writes: str


class Session:
    """What the cells of a notebook defined so far, and the last run."""

    def __init__(self) -> None:
        self.definitions = Definitions()
        self.last: RunResult | None = None

    def define(
        self,
        text: str,
        *,
        env: str | None = None,
        variables: Mapping[str, Any] | None = None,
        namespace: Mapping[str, Any] | None = None,
        name: str = "this cell",
        first_line: int = 2,
        defined: str = "",
    ) -> Project:
        """The project of a cell: its own nodes, knowing those of earlier cells. Not kept yet.

        namespace: the notebook's variables. defined: where people find it, "cell [3]". Raises ConfigErrors.
        """
        source = Text(text, name, Path.cwd(), first_line)
        return Project.from_source(
            source,
            env=env,
            variables=variables,
            notebook=namespace,
            earlier=self.definitions,
            defined=defined or name,
        )

    def define_connections(
        self, text: str, *, namespace: Mapping[str, Any] | None = None, defined: str = ""
    ) -> Project:
        """The project of a cell that holds connections alone, under `connections:` or bare. Not kept yet.

        Raises ConfigErrors.
        """
        config = load_connections(Text(text, "this cell", Path.cwd(), 2), notebook=namespace)
        return Project.from_config(config, earlier=self.definitions, defined=defined)

    def keep(self, project: Project) -> None:
        """Takes a cell's definitions in."""
        self.definitions = project.definitions

    def project(self) -> Project:
        """The whole notebook as one project."""
        text = Text("", "this notebook", Path.cwd())
        return Project(self.definitions, list(self.definitions.nodes), text)

    def connections(self) -> tuple[ConnectionInfo, ...]:
        """All connections, in the order they were defined."""
        return tuple(
            connection_info(name, found.model, found.defined)
            for name, found in self.definitions.connections.items()
        )

    def nodes(self) -> tuple[NodeInfo, ...]:
        """All nodes, in the order they were defined."""
        return tuple(
            NodeInfo(
                name, found.pipeline, found.defined, _address(found.node.read), _address(found.node.write)
            )
            for name, found in self.definitions.nodes.items()
        )

    def save(self, path: str | os.PathLike[str]) -> tuple[Path, ...]:
        """Writes the notebook's project as a checked file, notebook functions beside it; returns what it wrote.

        Raises UsageError with the reason where it cannot be saved so that it would run alone.
        """
        from odibi_magics.save import save

        return save(self.definitions, Path(path))


def _address(part: Any) -> str:
    return f"{part.connection}:{part.path or part.table}" if part is not None else ""
