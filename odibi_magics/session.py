"""The notebook's project: it grows cell by cell, and a cell that defines a name again replaces it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odibi_magics.config.load import load_connections
from odibi_magics.config.source import Source as Text
from odibi_magics.connections.info import ConnectionInfo
from odibi_magics.delta.undo import Undone
from odibi_magics.engines.base import Place
from odibi_magics.errors import UsageError, suggest
from odibi_magics.pipeline.definitions import Definitions
from odibi_magics.pipeline.edges import data_edges, downstream
from odibi_magics.pipeline.result import RunResult
from odibi_magics.pipeline.steps import check_node
from odibi_magics.project import Project
from odibi_magics.undoing import undo


@dataclass(frozen=True)
class NodeInfo:
    """A node as people see it.

    reads, writes: addresses, "" where there is none. state: how its last run or preview went, "planned" before any.
    """

    name: str
    pipeline: str
    defined: str
    reads: str
    writes: str
    state: str


class Session:
    """What the cells of a notebook defined so far, and the last run.

    A cell that checked is kept, however its run went: later cells may name its nodes. One that did not is not.
    """

    def __init__(self) -> None:
        self.definitions = Definitions()
        self.last: RunResult | None = None
        self._states: dict[str, str] = {}
        self._failed: dict[str, tuple[int, str]] = {}
        self._places: dict[str, tuple[Place, ...]] = {}
        self._variables: dict[str, Mapping[str, Any]] = {}

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
        source = Text(text, name, Path.cwd(), first_line, defined)
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
        source = Text(text, "this cell", Path.cwd(), 2, defined)
        config = load_connections(source, notebook=namespace, known=self.definitions.known)
        return Project.from_config(config, earlier=self.definitions, defined=defined)

    def keep(self, project: Project) -> None:
        """Takes a cell's definitions in."""
        self.definitions = project.definitions
        self._states.update(dict.fromkeys(project.own, "planned"))

    def ended(self, result: RunResult) -> None:
        """Remembers a run: as the last one, and how nodes that are kept here went."""
        self.last = result
        if result.writes:
            places = (node.sink.place for node in result.plan.nodes if node.sink)
            self._places[result.run_id] = (*self._places.get(result.run_id, ()), *places)
            self._variables[result.run_id] = {used.name: used.value for used in result.plan.variables}
            names = [node.name for node in result.nodes]
            if result.state == "done":
                self._failed = {name: run for name, run in self._failed.items() if name not in names}
            else:
                self._failed.update(dict.fromkeys(names, (len(self._places), result.run_id)))
        for node in result.nodes:
            kept = self.definitions.nodes.get(node.name)
            if kept is not None and kept.node is result.plan[node.name].config:
                previewed = node.state == "done" and not result.writes
                self._states[node.name] = "previewed" if previewed else node.state

    def failed_run(self, nodes: Sequence[str]) -> str | None:
        """The last run here that failed, where nothing has run these nodes since; None where there is none."""
        runs = [self._failed[name] for name in nodes if name in self._failed]
        return max(runs)[1] if runs else None

    def variables_of(self, run: str) -> Mapping[str, Any] | None:
        """The variables that a run here had; None of a run of another session."""
        return self._variables.get(run)

    def undo(
        self,
        run: str | None,
        *,
        table: str | Sequence[str] | None,
        at: Mapping[str, int] | None,
        dry_run: bool,
        force: bool,
    ) -> Undone:
        """Undoes a run; without one the last run here, else the newest that the notebook's tables tell of.

        Raises as Project.undo.
        """
        if run is None and not table and self.last is not None and self.last.writes:
            run = self.last.run_id
        places = self._places.get(run or "", ())
        return undo(self.project(), run, table=table, at=at, dry_run=dry_run, force=force, places=places)

    def forget(self, names: Sequence[str]) -> None:
        """Drops nodes. Raises UsageError for a name that is none, and for nodes that others take."""
        there = self.definitions.nodes
        for name in names:
            if name not in there:
                hint = suggest(name, list(there)) or "no nodes are defined"
                raise UsageError(f"unknown node '{name}' ({hint})")
        known = {name.lower(): name for name in there}
        edges = {name: data_edges(check_node(node, known)) for name, node in there.items()}
        takers = [name for name in there if name in downstream(edges, names) and name not in names]
        if takers:
            raise UsageError(
                f"{', '.join(names)}: taken by {', '.join(f'{name} of {there[name].defined}' for name in takers)}; "
                f"to drop them too: %odibi --forget {' '.join([*names, *takers])}"
            )
        self.definitions = self.definitions.without(names)

    def project(self) -> Project:
        """The whole notebook as one project."""
        text = Text("", "this notebook", Path.cwd())
        return Project(self.definitions, list(self.definitions.nodes), text)

    def connections(self) -> tuple[ConnectionInfo, ...]:
        """All connections, in the order they were defined."""
        return self.project().connections()

    def nodes(self) -> tuple[NodeInfo, ...]:
        """All nodes, in the order they were defined."""
        return tuple(
            NodeInfo(
                name,
                found.pipeline,
                found.defined,
                _address(found.node.read),
                _address(found.node.write),
                self._states.get(name, "planned"),
            )
            for name, found in self.definitions.nodes.items()
        )

    def overridden(self) -> dict[str, Any]:
        """The variables that --set gave another value for than the text, which a saved file has."""
        from odibi_magics.save import overridden

        return overridden(self.definitions)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> tuple[Path, ...]:
        """Writes the notebook's project as a checked file, notebook functions beside it; returns what it wrote.

        force: over files that it did not write, or that were edited since. Raises UsageError with the reason where
        it cannot be saved so that it would run alone.
        """
        from odibi_magics.save import save

        return save(self.definitions, Path(path), force=force)


def _address(part: Any) -> str:
    return f"{part.connection}:{part.path or part.table}" if part is not None else ""
