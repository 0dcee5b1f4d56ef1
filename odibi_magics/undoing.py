"""Undo as the project offers it: which run is meant, and where its tables are."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from odibi_magics.connections.address import parse_address
from odibi_magics.connections.local import LocalConnection
from odibi_magics.delta.held import newest_run
from odibi_magics.delta.line import Line, backwards
from odibi_magics.delta.log import newest_version
from odibi_magics.delta.undo import Undone
from odibi_magics.engines.base import Engine, Place
from odibi_magics.errors import UsageError
from odibi_magics.pipeline.runmark import new_run_id
from odibi_magics.pipeline.undo import Undo
from odibi_magics.tables import in_catalog

if TYPE_CHECKING:
    from odibi_magics.project import Project


def undo(
    project: Project,
    run_id: str | None,
    *,
    table: str | Sequence[str] | None = None,
    at: Mapping[str, int] | None = None,
    dry_run: bool = False,
    force: bool = False,
    places: Sequence[Place] = (),
) -> Undone:
    """See odibi_magics.project.Project.undo. places: others that the run is known to have written."""
    undoing = begin(project, run_id, table=table, at=at, force=force, places=places)
    return undoing.preview() if dry_run else undoing.carry_out()


def begin(
    project: Project,
    run_id: str | None,
    *,
    table: str | Sequence[str] | None = None,
    at: Mapping[str, int] | None = None,
    force: bool = False,
    places: Sequence[Place] = (),
    passing: Collection[str] = (),
) -> Undo:
    """An undo that has touched nothing yet. passing: later runs that are not in its way."""
    engine, sinks = project._engine(None), _sinks(project)
    there = {place.address: place for place in [*sinks, *places]}
    tables = [table] if isinstance(table, str) else list(table or ())
    addresses = tables or list(at or ())
    named = [there.get(address) or _place(project, address) for address in addresses]
    asked = named if tables else [*places, *sinks]
    known = list({place.url: place for place in [*named, *places, *sinks]}.values())

    def place_of(url: str, format: str) -> Place:
        """The place of a URL as run marks have it: in a connection of the project's, where one reaches it."""
        there = next((place for place in sinks if place.url == url), None) or _in_connection(project, url)
        if there is None:
            away = "://" in url and not url.startswith("file:")
            there = project.engine._at_url(url) if away else in_catalog(url) or _local(url)
        return replace(there, format=format)

    urls = {place.address: place.url for place in reversed(known)}
    return Undo(
        engine,
        run_id or _newest(engine, asked, tables),
        new_run_id(),
        known,
        place_of,
        at=None if at is None else {urls.get(name) or _place(project, name).url: at[name] for name in at},
        force=force,
        passing=passing,
    )


def _local(path: str) -> Place:
    """A path of this machine, where nothing need be any more."""
    target = Path(path)
    return Place(LocalConnection("local", target.parent), target.name, "delta", given=path)


def named_by(project: Project, words: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The run and the tables that the words `[RUN] [TABLE ...]` name."""
    if words and not is_table(project, words[0]):
        return words[0], tuple(words[1:])
    return None, tuple(words)


def is_table(project: Project, word: str) -> bool:
    """Whether a word names a table, rather than a run.

    A node, conn:path, a URL, catalog.schema.table, or a table's folder here. The ids of schedulers have colons in
    them, as scheduled__2026-11-20T00:00:00+00:00.
    """
    connection, colon, _ = word.partition(":")
    named = word in project.definitions.nodes or any(sign in word for sign in "/\\")
    known = connection in project.definitions.connections or not _WITH_TIME.search(connection)
    there = bool(_IN_CATALOG.fullmatch(word)) or (Path(word) / "_delta_log").is_dir()
    return named or bool(colon and known) or there


# A run's id may have dots too, as v1.2.3.
_IN_CATALOG = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*){2}")
_WITH_TIME = re.compile(r"\d{4}-\d\d-\d\d[T _-]?\d\d$")


def _sinks(project: Project) -> list[Place]:
    """Every Delta table that the project's text writes."""
    nodes = project.definitions.nodes
    places = [project.engine._place(None, name) for name, found in nodes.items() if found.node.write]
    return [place for place in places if place.format == "delta"]


def _place(project: Project, address: str) -> Place:
    """The Delta table at a TABLE address."""
    parsed = parse_address(address)
    if parsed.version is not None or parsed.timestamp is not None:
        raise UsageError(f"'{address}': a TABLE without a version is wanted")
    place = project.engine._place(parsed.connection, parsed.path)
    covered = _in_connection(project, place.url) if place.given else None
    return replace(covered or place, format="delta")


def _in_connection(project: Project, url: str) -> Place | None:
    """The place of a path of this machine in the connection that holds it most closely; None where none does."""
    there = map(project.connection, project.definitions.connections)
    holding = [
        one for one in there if isinstance(one, LocalConnection) and Path(url).is_relative_to(one.base)
    ]
    closest = max(holding, key=lambda one: len(one.base.parts), default=None)
    if closest is None:
        return None
    return Place(closest, Path(url).relative_to(closest.base).as_posix(), "delta")


def _newest(engine: Engine, places: Sequence[Place], tables: Sequence[str]) -> str:
    """The last run in these tables; in those that were asked for the last one that is not undone, if there is one."""
    logs = [(log, newest) for log in map(engine.log, places) if (newest := newest_version(log)) is not None]
    run = newest_run(Line(*each) for each in logs) if tables else None
    run = run or newest_run(backwards(*each) for each in logs)
    if run is None:
        raise UsageError(f"there is nothing to undo: {_why_none(engine, places, tables)}")
    return run


def _why_none(engine: Engine, places: Sequence[Place], tables: Sequence[str]) -> str:
    """Why no run is there. Raises EngineError for a table that was asked for and is none."""
    if not places:
        return "no node that writes a Delta table is defined here yet; a TABLE can be named, as data/clean/orders"
    if not tables:
        return "no table that this project writes holds a commit of a run"
    for place in places:
        engine.history(place, limit=1)
    return f"{', '.join(tables)} {'hold' if len(tables) > 1 else 'holds'} no commit of a run"
