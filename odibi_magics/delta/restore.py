"""A table back as it was: which files come back and go, and what else changes with them.

As Spark's RESTORE has it (`RestoreTableCommand.scala` of delta-io/delta): files, schema, partitioning and properties
are those of the old version; the protocol and what only ever counts up are not turned back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from odibi_magics.delta.features import merged_protocol, protocol_features, uncopied
from odibi_magics.delta.history import rows_of
from odibi_magics.delta.log import Commit
from odibi_magics.delta.replay import Action, Key, State
from odibi_magics.delta.told import Told
from odibi_magics.delta.writing import Deed, removed
from odibi_magics.errors import EngineError, NoSuchVersion, WriteConflict


@dataclass(frozen=True)
class Files:
    """Some files of a table.

    rows: in them, deleted ones left out; None where the log does not say. bytes: on storage.
    """

    files: int
    rows: int | None
    bytes: int


@dataclass(frozen=True)
class TableChange:
    """What changes in a table but its files.

    what: "column amount", "partitioned by", "property delta.appendOnly", "name" ... before, after: "" for not there.
    """

    what: str
    before: str
    after: str


@dataclass(frozen=True)
class Restored(Told):
    """What a restore does, or did.

    version: that the table is like afterwards; None where it is emptied. time: when that was committed, in UTC.
    at: the newest version when it was looked at. committed: the version that the restore made; None where nothing was
    committed, because it was only asked for or everything is so already. back, gone: files that the newest version
    lacks, and those that only it has. before, after: of the whole table.
    """

    address: str
    url: str
    version: int | None
    time: datetime | None
    at: int
    committed: int | None
    back: Files
    gone: Files
    before: Files
    after: Files
    changes: tuple[TableChange, ...] = ()

    @property
    def changes_nothing(self) -> bool:
        """Whether the table is so already."""
        return not (self.back.files or self.gone.files or self.changes)


@dataclass(frozen=True)
class Restoration:
    """What makes one state of another. metadata, protocol: None where they stay."""

    adds: tuple[Action, ...]
    removes: tuple[Action, ...]
    metadata: Action | None = None
    protocol: Action | None = None
    domains: tuple[Action, ...] = ()

    def actions(self) -> Iterator[Action]:
        """In the order of a commit."""
        if self.protocol is not None:
            yield {"protocol": self.protocol}
        if self.metadata is not None:
            yield {"metaData": self.metadata}
        yield from ({"domainMetadata": one} for one in self.domains)
        yield from ({"add": {**one, "dataChange": True}} for one in self.adds)
        yield from (removed(one, changes_data=True) for one in self.removes)

    def deed(self, parameters: Mapping[str, Any], after: Files, mark: str | None) -> Deed:
        """How the commit tells of it: RESTORE, and DELETE where the table is emptied."""
        back, gone = totals(self.adds), totals(self.removes)
        if "predicate" in parameters:
            deleted = {} if gone.rows is None else {"numDeletedRows": gone.rows}
            metrics = {"numRemovedFiles": gone.files, "numRemovedBytes": gone.bytes, **deleted}
            return Deed("DELETE", parameters, metrics, mark)
        metrics = {
            "tableSizeAfterRestore": after.bytes, "numOfFilesAfterRestore": after.files,
            "numRemovedFiles": gone.files, "numRestoredFiles": back.files,
            "removedFilesSize": gone.bytes, "restoredFilesSize": back.bytes,
        }  # fmt: skip
        return Deed("RESTORE", parameters, metrics, mark)


def restoration(now: State, then: State, url: str) -> Restoration:
    """What makes the table as it is into what it was.

    Raises EngineError for features under which that cannot be done by copying what the log says.
    """
    check_copied(now, url)
    check_copied(then, url)
    adds = tuple(_only(then.files, now.files))
    removes = tuple(_only(now.files, then.files))
    metadata = _metadata(now, then, url)
    _check_removes(now, removes, url)
    _check_row_ids(now, adds, url)
    changed = None if _told(metadata) == _told(now.metadata) else metadata
    return Restoration(
        adds, removes, changed, merged_protocol(now.protocol, then.protocol), tuple(_domains(now, then))
    )


def emptying(now: State, url: str) -> Restoration:
    """What takes all rows out of a table and leaves everything else. Raises as `restoration`."""
    check_copied(now, url)
    removes = tuple(now.files.values())
    _check_removes(now, removes, url)
    return Restoration((), removes)


def check_copied(state: State, url: str) -> None:
    """Raises EngineError for features that a commit of ours might break."""
    if found := uncopied(state.protocol, state.configuration, state.fields):
        raise EngineError(
            f"{url} uses {', '.join(found)}, which this engine cannot write: use Spark for this table. Nothing was "
            "changed"
        )


def refuse_changed(address: str, changed: Iterable[Commit], at: int, newest: int) -> None:
    """Raises NoSuchVersion where `at`, the version that was looked at, is none yet; WriteConflict where the table was
    changed since. changed: the commits behind it that changed the table."""
    if at > newest:
        raise NoSuchVersion(f"{address} has no version {at}: its newest is {newest}")
    for commit in changed:
        raise WriteConflict(
            f"{address} was looked at when {at} was its newest version, and is at {newest} now: version "
            f"{commit.version}{written_by(commit)} changed it. Nothing was restored; look at what came, and restore "
            "again if it may go"
        )


def written_by(commit: Commit) -> str:
    """What made a version, as far as its writer said."""
    told = [str(commit.info[name]) for name in ("operation", "userName") if commit.info.get(name)]
    mark = commit.mark
    told += [f"run {mark.run}"] if mark else []
    return f" ({', '.join(told)})" if told else ""


def _only(these: Mapping[Key, Action], those: Mapping[Key, Action]) -> Iterator[Action]:
    return (file for found, file in these.items() if found not in those)


def _check_removes(now: State, removes: Sequence[Action], url: str) -> None:
    if removes and "appendOnly" in protocol_features(now.protocol) and _on(now, "delta.appendOnly"):
        raise EngineError(
            f"{url} is append-only (its property delta.appendOnly is true), and {len(removes)} of its files would go: "
            "take the property away first. Nothing was changed"
        )


def _check_row_ids(now: State, adds: Sequence[Action], url: str) -> None:
    """Files from before row tracking have no row ids, and giving them some takes a count that only Spark keeps."""
    if "rowTracking" in protocol_features(now.protocol) and any(one.get("baseRowId") is None for one in adds):
        raise EngineError(
            f"{url} uses rowTracking, and files of that version have no row ids yet: restore it with Spark. "
            "Nothing was changed"
        )


def _told(metadata: Action) -> list[Any]:
    """What of it means something: a checkpoint leaves out what is empty."""
    names = ("id", "name", "description", "schemaString", "partitionColumns", "configuration")
    return [metadata.get(name) or None for name in names]


# Metadata -------------------------------------------------------------------------------------------------------------

_MODE = "delta.columnMapping.mode"
_COLUMN_IDS = "delta.columnMapping.maxColumnId"

# Once these are on the log relies on them, so they stay as they are.
_STAYING = (
    "delta.enableInCommitTimestamps", "delta.inCommitTimestampEnablementVersion",
    "delta.inCommitTimestampEnablementTimestamp", "delta.enableRowTracking",
    "delta.requireCheckpointProtectionBeforeVersion",
    "delta.rowTracking.materializedRowIdColumnName", "delta.rowTracking.materializedRowCommitVersionColumnName",
)  # fmt: skip


def _metadata(now: State, then: State, url: str) -> Action:
    before, after = now.configuration, dict(then.configuration)
    if (mode := before.get(_MODE, "none")) != "none" and after.get(_MODE, "none") != mode:
        raise EngineError(
            f"{url}: that version is from before column mapping was switched on, and it cannot be switched off: read "
            "the version, and write its rows. Nothing was changed"
        )
    after |= {name: before[name] for name in _STAYING if name in before}
    if _COLUMN_IDS in before:
        after[_COLUMN_IDS] = str(max(int(before[_COLUMN_IDS]), int(after.get(_COLUMN_IDS, 0))))
    return {**then.metadata, "configuration": after, "schemaString": _schema(now, then)}


_STEP, _MARK = "delta.identity.step", "delta.identity.highWaterMark"


def _schema(now: State, then: State) -> str:
    """The old schema; identity columns go on counting from where they are."""
    marks = {one["name"]: one["metadata"][_MARK] for one in now.fields if _MARK in one.get("metadata", {})}
    fields = [dict(one) for one in then.fields]
    for one in fields:
        about = one.get("metadata") or {}
        if one["name"] in marks and _STEP in about:
            furthest = max if about[_STEP] > 0 else min
            reached = furthest(marks[one["name"]], about.get(_MARK, marks[one["name"]]))
            one["metadata"] = {**about, _MARK: reached}
    text: str = then.metadata["schemaString"]
    schema = json.loads(text)
    return (
        text
        if schema["fields"] == fields
        else json.dumps({**schema, "fields": fields}, separators=(",", ":"))
    )


# What Spark brings back of the domains; a row tracking's count only ever goes up.
_RESTORED_DOMAINS = ("delta.clustering",)


def _domains(now: State, then: State) -> Iterator[Action]:
    for name in _RESTORED_DOMAINS:
        old, new = now.domains.get(name), then.domains.get(name)
        if new is not None and new != old:
            yield new
        elif new is None and old is not None and not old.get("removed"):
            yield {**old, "removed": True}


def _on(state: State, key: str) -> bool:
    return state.configuration.get(key, "").lower() == "true"


# What it looks like ---------------------------------------------------------------------------------------------------


def totals(files: Iterable[Action]) -> Files:
    """How many they are, with their rows and bytes."""
    counted, size, rows = 0, 0, 0
    known = True
    for file in files:
        counted += 1
        size += file.get("size") or 0
        found = rows_of(file)
        known = known and found is not None
        rows += found or 0
    return Files(counted, rows if known else None, size)


def table_changes(before: Action, after: Action, typed: Callable[[Any], str]) -> tuple[TableChange, ...]:
    """What differs between two metadata but their files. typed: the word for a type as the log writes it."""
    columns = changed_columns(_columns(before, typed), _columns(after, typed))
    properties = _differences("property", before.get("configuration") or {}, after.get("configuration") or {})
    single: dict[str, Callable[[Action], str]] = {
        "partitioned by": lambda one: ", ".join(one.get("partitionColumns") or ()),
        "name": lambda one: one.get("name") or "",
        "description": lambda one: one.get("description") or "",
    }
    whole = (
        TableChange(what, of(before), of(after)) for what, of in single.items() if of(before) != of(after)
    )
    return (*columns, *whole, *properties)


def changed_columns(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[TableChange, ...]:
    """What differs between the columns, each with its type in words."""
    return tuple(_differences("column", before, after))


def _columns(metadata: Action, typed: Callable[[Any], str]) -> dict[str, str]:
    fields = json.loads(metadata["schemaString"])["fields"]
    return {one["name"]: typed(one["type"]) + ("" if one["nullable"] else " NOT NULL") for one in fields}


def _differences(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[TableChange]:
    for name in [*before, *(name for name in after if name not in before)]:
        if before.get(name) != after.get(name):
            yield TableChange(f"{kind} {name}", str(before.get(name, "")), str(after.get(name, "")))
