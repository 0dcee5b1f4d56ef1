"""What a table went through: each version as an entry, told by its commit alone.

Writers name their metrics differently, so files and bytes are counted from the actions; rows are what the writer says
it inserted, changed or deleted, and where it says nothing those in the files that came and went. Metrics:
`DeltaOperations.scala` of delta-io/delta, `crates/core/src/operations` of delta-io/delta-rs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from odibi_magics.delta.log import Commit, Log, commits, newest_version, oldest_below, whole
from odibi_magics.delta.told import Told
from odibi_magics.errors import EngineError

PAGE = 20


@dataclass(frozen=True)
class HistoryEntry:
    """One version of a table, and how it came to be. Texts are as the writer left them: nobody vouches for them.

    time: in UTC. operation: as the writer named it: WRITE, MERGE, OPTIMIZE, RESTORE, ...
    user: the name, else the id. engine: the program that wrote it. run, pipeline, node: of our run mark.
    undoes: the run that an undo took back, whose own id is `run`; None for all else.
    rows_inserted, rows_changed, rows_deleted: as its metrics say, else by the files that came and went; None where
    nobody tells. 0 where no row is another, as after OPTIMIZE.
    files_added, files_removed: a file that only got another deletion vector is neither. Of VACUUM END: files deleted.
    None where nobody told how many went.
    bytes_added, bytes_removed: of these files on storage; None where the log does not say how large they were.
    changes_data: False for OPTIMIZE, VACUUM and changes of metadata alone.
    """

    version: int
    time: datetime
    operation: str
    user: str | None
    engine: str | None
    run: str | None
    pipeline: str | None
    node: str | None
    undoes: str | None
    rows_inserted: int | None
    rows_changed: int | None
    rows_deleted: int | None
    files_added: int
    files_removed: int | None
    bytes_added: int
    bytes_removed: int | None
    changes_data: bool
    parameters: Mapping[str, str]

    @property
    def rows(self) -> int | None:
        """Rows that were inserted, changed or deleted; None where one of these is not told."""
        parts = (self.rows_inserted, self.rows_changed, self.rows_deleted)
        return None if None in parts else sum(filter(None, parts))


@dataclass(frozen=True)
class History(Told):
    """Versions of a table, the newest first.

    address: ready to paste. newest: the table's newest version, loaded or not. oldest: the oldest version whose commit
    is still in the log.
    """

    address: str
    url: str
    entries: tuple[HistoryEntry, ...]
    newest: int
    oldest: int

    @property
    def more(self) -> int:
        """How many versions below the last entry are not loaded."""
        return self.entries[-1].version - self.oldest if self.entries else 0


def read_history(log: Log, address: str, *, limit: int | None, before: int | None) -> History | None:
    """The newest versions, at most `limit` (None: all), only those below `before`; None where there is no log.

    Raises DamagedLog, OSError, ConnectionFailed, Cancelled.
    """
    newest = newest_version(log)
    if newest is None:
        return None
    oldest = oldest_below(log, newest)
    if oldest is None:  # all commits were cleaned up behind a checkpoint
        return History(address, log.url, (), newest, newest + 1)
    _refuse_managed(log, newest)
    top = newest if before is None else min(newest, before - 1)
    bottom = oldest if limit is None else max(oldest, top - limit + 1)
    entries = tuple(map(entry, whole(log, range(top, bottom - 1, -1))))
    return History(address, log.url, entries, newest, oldest)


def _refuse_managed(log: Log, newest: int) -> None:
    """Raises EngineError where a catalog says which commits are the table's; such tables have a clock of their own."""
    if any("inCommitTimestamp" in one.info for one in commits(log, [newest])) and log.staged():
        raise EngineError(
            f"{log.url} is managed by a catalog, which alone knows its newest versions (_staged_commits): read its "
            "history there, with Spark"
        )


def entry(commit: Commit) -> HistoryEntry:
    """A commit as an entry. Raises DamagedLog."""
    info, mark = commit.info, commit.mark
    added, removed = _files(commit)
    metrics = counts(info)
    inserted, changed, deleted = _rows(metrics, added, removed) if commit.changes_data else (0, 0, 0)
    return HistoryEntry(
        version=commit.version,
        time=commit.time,
        operation=_text(info.get("operation")) or "",
        user=_text(info.get("userName")) or _text(info.get("userId")),
        engine=_text(info.get("engineInfo")) or _text(info.get("clientVersion")),
        run=_text(mark and mark.run),
        pipeline=_text(mark and mark.pipeline),
        node=_text(mark and mark.node),
        undoes=_text(mark and mark.undoes),
        rows_inserted=inserted,
        rows_changed=changed,
        rows_deleted=deleted,
        files_added=len(added),
        files_removed=len(removed) or _told(metrics, "numDeletedFiles") or 0,
        bytes_added=sum(_size(file) or 0 for file in added),
        bytes_removed=_bytes_removed(removed, metrics),
        changes_data=commit.changes_data,
        parameters=_parameters(info),
    )


def _files(commit: Commit) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Those that came and those that went, each at most once."""
    adds = {str(file.get("path")): file for file in commit.each("add")}
    removes = {str(file.get("path")): file for file in commit.each("remove")}
    came = [file for path, file in adds.items() if path not in removes]
    return came, [file for path, file in removes.items() if path not in adds]


# Metrics --------------------------------------------------------------------------------------------------------------

# What a merge, or a write of ours, did to rows. The output of a merge would count those that it merely copied.
_MERGED = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
_UPDATED, _DELETED, _WROTE = "numUpdatedRows", "numDeletedRows", ("numOutputRows", "numAddedRows")


def counts(info: Mapping[str, Any]) -> dict[str, int]:
    """The metrics of a commitInfo that are counts, named as Spark names them: num_added_rows is numAddedRows."""
    found = info.get("operationMetrics")
    told = {_camel(name): _count(value) for name, value in found.items()} if isinstance(found, dict) else {}
    return {name: value for name, value in told.items() if value is not None}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _count(value: Any) -> int | None:
    """A number, or digits; no count is longer than 18 of them."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _told(metrics: Mapping[str, int], *names: str) -> int | None:
    return next((metrics[name] for name in names if name in metrics), None)


_Files = Iterable[Mapping[str, Any]]


def _rows(
    metrics: Mapping[str, int], added: _Files, removed: _Files
) -> tuple[int | None, int | None, int | None]:
    """Inserted, changed and deleted."""
    if _MERGED[1] in metrics or _MERGED[2] in metrics:
        inserted, changed, deleted = (metrics.get(name, 0) for name in _MERGED)
        return inserted, changed, deleted
    wrote = _told(metrics, _MERGED[0], *_WROTE)
    if wrote is None and _UPDATED in metrics:
        return 0, metrics[_UPDATED], 0
    if wrote is None and _DELETED in metrics:
        return 0, 0, metrics[_DELETED]
    gone = metrics[_DELETED] if _DELETED in metrics else _held(removed)
    return _held(added) if wrote is None else wrote, 0, gone


def _held(files: _Files) -> int | None:
    """The rows in them; None where one does not tell."""
    held = list(map(rows_of, files))
    return None if None in held else sum(filter(None, held))


def rows_of(add: Mapping[str, Any]) -> int | None:
    """The rows that a table has from a file, by an `add` action, or had by a `remove` that tells as much: those of the
    file but for the deleted ones."""
    try:
        found = _count(json.loads(add["stats"])["numRecords"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    vector = add.get("deletionVector")
    gone = _count(vector.get("cardinality")) if isinstance(vector, dict) else 0
    return None if found is None or gone is None else max(0, found - gone)


def _size(file: Mapping[str, Any]) -> int | None:
    return _count(file.get("size"))


def _bytes_removed(removed: Sequence[Mapping[str, Any]], metrics: Mapping[str, int]) -> int | None:
    """A `remove` need not tell its size; a vacuum does not tell what it freed."""
    sizes = list(map(_size, removed))
    if None in sizes:
        return _told(metrics, "numRemovedBytes", "numTargetBytesRemoved", "removedFilesSize")
    return None if not sizes and metrics.get("numDeletedFiles") else sum(filter(None, sizes))


# Texts ----------------------------------------------------------------------------------------------------------------


def _text(value: Any) -> str | None:
    """What stands there as text; None for nothing."""
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _parameters(info: Mapping[str, Any]) -> dict[str, str]:
    """What the operation was told, and what a vacuum is about to delete, which no parameter of it says."""
    found = info.get("operationParameters")
    given = dict(found) if isinstance(found, dict) else {}
    if "writeMode" in given:  # ours; the mode is that of a call of deltalake, which writes it beside
        given.pop("mode", None)
    planned = {name: value for name, value in counts(info).items() if name in _PLANNED}
    ordered = {**dict(sorted(given.items())), **planned}  # deltalake's own order changes from run to run
    texts = {name: _text(value) for name, value in ordered.items()}
    return {name: text for name, text in texts.items() if text is not None}


_PLANNED = ("numFilesToDelete", "sizeOfDataToDelete")
