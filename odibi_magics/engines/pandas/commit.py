"""One commit for one write: what it adds, takes away and changes becomes visible together, or not at all.

Every commit says exactly which version it follows; a commit in between is a Conflict, never skipped over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from odibi_magics.engines.align import Layout
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.snapshot import Snapshot, open_snapshot, told
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.pandas.types import arrow_schema
from odibi_magics.errors import ConnectionFailed, EngineError
from odibi_magics.quoting import Data, Quoting


class Conflict(Exception):
    """Another writer committed first; nothing of ours is visible."""


class Unknown(EngineError):
    """Storage did not say whether the commit landed, or as which version."""


@dataclass(frozen=True)
class Change:
    """What a commit does.

    everything: all files of the table go, so that columns may change with them.
    replaces: the table is made anew, partitioning and all. inserted, updated, deleted: rows, as far as they are known.
    """

    adds: Sequence[DataFile]
    removes: Sequence[DataFile] = ()
    everything: bool = False
    replaces: bool = False
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None


@dataclass(frozen=True)
class Note:
    """What a commit says of itself: the run's mark, and its parameters as DESCRIBE HISTORY shows them."""

    mark: str
    parameters: Mapping[str, Any]
    blind: bool
    token: str = field(default_factory=lambda: uuid4().hex)

    def properties(self, change: Change) -> Any:
        from deltalake import CommitProperties

        metrics = {"numFiles": len(change.adds), "numRemovedFiles": len(change.removes)}
        rows = {
            "numOutputRows": sum(file.rows or 0 for file in change.adds),
            "numOutputBytes": sum(file.size for file in change.adds),
        }
        # Under Spark's names of a merge: the output counts rows that were merely copied besides.
        changed = {
            "numTargetRowsInserted": change.inserted,
            "numTargetRowsUpdated": change.updated,
            "numTargetRowsDeleted": change.deleted,
        }
        rows |= {name: number for name, number in changed.items() if number is not None}
        custom = {
            "userMetadata": self.mark,
            "operationParameters": {key: _text(value) for key, value in self.parameters.items()},
            "operationMetrics": {key: str(value) for key, value in {**metrics, **rows}.items()},
            "isBlindAppend": self.blind,
            "odibiCommit": self.token,
        }
        return CommitProperties(custom_metadata=custom, max_commit_retries=0)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def create(store: Store, layout: Layout, change: Change, note: Note) -> int:
    """Makes the table with its first rows; returns its version, 0.

    Raises Conflict where one came to be meanwhile, Unknown, and EngineError.
    """
    try:
        _create(store, layout, change, note, "error")
    except Exception as error:
        _settle(store, 0, note, error)
    return 0


def commit(table: Snapshot, layout: Layout, change: Change, note: Note) -> int:
    """Commits upon a version of a table; returns the version made.

    Raises Conflict where that version is no longer the newest, Unknown, and EngineError.
    """
    _check_removable(table, change)
    version = table.version + 1
    try:
        if change.replaces:
            _replace(table, layout, change, note)
        elif layout.added:
            _with_schema(table, layout, change, note)
        else:
            _files_only(table, change, note)
    except Exception as error:
        _settle(table.store, version, note, error)
    if change.replaces and not _landed(table.store, version, note):
        url = table.store.url
        raise Unknown(f"another writer committed to {url} just before this one replaced it: see its history")
    return version


def _create(store: Store, layout: Layout, change: Change, note: Note, mode: Any, **kept: Any) -> None:
    """kept: name, description and configuration of a table that is made anew."""
    from deltalake.transaction import create_table_with_add_actions

    create_table_with_add_actions(
        store.delta_url,
        _schema(layout),
        _adds(change),
        mode,
        list(layout.partition_by),
        **kept,
        storage_options=store.options,
        commit_properties=note.properties(change),
    )


def _replace(table: Snapshot, layout: Layout, change: Change, note: Note) -> None:
    """CREATE OR REPLACE removes what is there when it commits; a table that moved on is a Conflict, as elsewhere."""
    newest = open_snapshot(table.store)
    if newest is None or newest.version != table.version:
        raise Conflict
    about = table.delta.metadata()
    kept = {"name": about.name, "description": about.description, "configuration": table.configuration}
    _create(table.store, layout, change, note, "overwrite", **kept)


def _with_schema(table: Snapshot, layout: Layout, change: Change, note: Note) -> None:
    """Deltalake changes columns only in its mode "overwrite", which removes the files its filter selects.

    A filter for one of no values selects none: that adds to the table. It cannot remove some of the files.
    """
    assert change.everything or not change.removes
    column = (table.partition_by or (table.columns[0].name,))[0]
    table.delta.create_write_transaction(
        _adds(change),
        "overwrite",
        _schema(layout, table),
        list(table.partition_by),
        partition_filters=None if change.everything else [(column, "in", [])],
        commit_properties=note.properties(change),
    )


def _files_only(table: Snapshot, change: Change, note: Note) -> None:
    table.delta.create_write_transaction(
        [*_adds(change), *_removes(change)],
        "append",
        table.delta.schema(),
        list(table.partition_by),
        commit_properties=note.properties(change),
    )


def _schema(layout: Layout, table: Snapshot | None = None) -> Any:
    """The layout's columns as Delta's schema; fields the table has already keep what else it says of them."""
    from deltalake import Schema

    wanted = json.loads(Schema.from_arrow(arrow_schema(layout.columns)).to_json())
    there = {one["name"]: one for one in table.fields} if table else {}
    for i, new in enumerate(wanted["fields"]):
        old = there.get(new["name"])
        if old is not None and (old["type"] == new["type"] or _same(old, new)):
            wanted["fields"][i] = old
    return Schema.from_json(json.dumps(wanted))


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    from odibi_magics.engines.pandas.snapshot import language_type

    return language_type(old["type"]) == language_type(new["type"])


def _check_removable(table: Snapshot, change: Change) -> None:
    """Deltalake would write a removal that names no file: the rows would stay, beside their new ones."""
    if stuck := [file.path for file in change.removes if not file.removable]:
        raise EngineError(
            Quoting(
                f"the table {table.store.url} holds a file that this engine cannot take out of it: ",
                Data(stuck[0]),
                ". Its name has letters outside of ASCII, or it belongs to another table; write it with Spark",
            )
        )


def _adds(change: Change) -> list[Any]:
    from deltalake.transaction import AddAction

    now = int(time.time() * 1000)
    return [AddAction(f.path, f.size, f.partition, now, True, f.stats) for f in change.adds]


def _removes(change: Change) -> list[Any]:
    from deltalake.transaction import RemoveAction

    now = int(time.time() * 1000)
    return [RemoveAction(f.path, True, now, f.size, dict(f.partition)) for f in change.removes]


def _settle(store: Store, version: int, note: Note, error: Exception) -> None:
    """Returns where that version is ours all the same: what fails behind a commit, as a checkpoint, does not undo it.

    Raises Conflict, Unknown or EngineError otherwise.
    """
    ours = _landed(store, version, note, f" First: {told(error)}.")
    if ours is None:
        failure = EngineError(f"the commit to {store.url} failed: {told(error)}")
        raise store.explain(error, "writing") or failure from None
    if not ours:
        raise Conflict from None


def _landed(store: Store, version: int, note: Note, before: str = "") -> bool | None:
    """As `_is_ours`. before: what went wrong first. Raises Unknown where storage does not say."""
    try:
        return _is_ours(store, version, note)
    except (OSError, ConnectionFailed) as error:
        raise Unknown(
            f"whether the commit to {store.url} landed is unknown.{before} Then: {told(error)}"
        ) from None


def _is_ours(store: Store, version: int, note: Note) -> bool | None:
    """Whether a version is the commit with this note; None where there is no such version.

    From its own file: deltalake's history of any version but the newest begins with the newest, wrongly numbered.
    """
    path = store.at(f"_delta_log/{version:020}.json")
    try:
        with store.filesystem.open_input_stream(path) as commit:
            return note.token.encode() in commit.read()
    except FileNotFoundError:
        return None
