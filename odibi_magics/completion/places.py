"""Paths in a connection, listed live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path as Folder
from typing import Any

from odibi_magics.completion.facts import Facts
from odibi_magics.completion.layout import Typed
from odibi_magics.completion.offers import Offer
from odibi_magics.completion.waiting import Answers, Patience
from odibi_magics.config.load import Config, load
from odibi_magics.config.source import Source
from odibi_magics.connections.base import Connection
from odibi_magics.connections.listing import Entry, listing
from odibi_magics.connections.registry import connect
from odibi_magics.errors import ConfigErrors

_TABLES = (".delta",)


def checked(project: dict[str, Any], facts: Facts, environment: str | None = None) -> Config | None:
    """A part of a half-typed project as a config, with guesses for what is wrong; None where it is too wrong."""
    text = json.dumps(project, ensure_ascii=False, default=str)
    source = Source(text, "this cell", facts.folder)
    known = facts.definitions.known
    try:
        return load(source, environment=environment, notebook=facts.variables, known=known)
    except ConfigErrors as error:
        return error.left[0] if error.left else None


def connection_named(name: str, typed: Typed | None, facts: Facts) -> Connection | None:
    """A connection of the text, else of an earlier cell; None where it is none, or not right yet."""
    own = typed.project.get("connections") if typed else None
    if typed is not None and isinstance(own, dict) and name in own:
        kept: dict[str, Any] = {
            key: typed.project[key] for key in ("vars", "key_vault_name") if key in typed.project
        }
        config = checked({**kept, "connections": {name: own[name]}}, facts)
        model = config.model.connections.get(name) if config and config.model else None
        if config is None or model is None or not config.sure(("connections", name)):
            return None
        return connect(name, model, facts.folder)
    defined = facts.definitions.connections.get(name)
    return connect(name, defined.model, defined.config.source.folder) if defined else None


def paths(connection: Connection | None, word: str, answers: Answers, patience: Patience) -> Iterator[Offer]:
    """What the path that is typed may become; folders end with `/`, tables do not."""
    if connection is None:
        return
    folder = word[: word.rfind("/") + 1]
    key = ("listing", connection, folder)
    for entry in answers.get(key, lambda: listing(connection, folder), patience) or ():
        yield _offered(entry, folder)


def _offered(entry: Entry, folder: str) -> Offer:
    if entry.table or entry.name.endswith(_TABLES):
        return Offer(folder + entry.name, "Delta table")
    return Offer(f"{folder}{entry.name}/", "folder") if entry.folder else Offer(folder + entry.name, "file")


def files(base: Folder, word: str, endings: tuple[str, ...]) -> Iterator[Offer]:
    """Files of the kernel's machine with one of these endings, and folders on the way to them."""
    folder = word[: word.rfind("/") + 1]
    try:
        entries = sorted((base / Folder(folder).expanduser()).iterdir())[:2000]
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield Offer(f"{folder}{entry.name}/", "folder")
        elif entry.name.endswith(endings):
            yield Offer(folder + entry.name, "file")
