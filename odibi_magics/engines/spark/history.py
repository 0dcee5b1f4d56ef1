"""What a table went through where only Spark may read its log: DESCRIBE HISTORY, files and bytes by its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from odibi_magics.delta.history import History, HistoryEntry, counts, entry
from odibi_magics.delta.log import Commit, commits
from odibi_magics.engines.base import Place
from odibi_magics.engines.spark.log import HistoryLog
from odibi_magics.engines.spark.tables import no_table
from odibi_magics.engines.spark.work import Work


def history(work: Work, place: Place, *, limit: int | None, before: int | None) -> History:
    """The newest versions of a table. Raises EngineError where there is none, ConnectionFailed."""
    log = HistoryLog(work, place)
    newest = log.newest
    if newest is None:
        raise no_table(work, place)
    oldest = log.oldest
    top = newest if before is None else min(newest, before - 1)
    bottom = oldest if limit is None else max(oldest, top - limit + 1)
    entries = tuple(map(_entry, commits(log, range(top, bottom - 1, -1))))
    return History(place.address, place.url, entries, newest, oldest)


# Under which names operations tell of files, the most telling first.
_CAME = (
    "numTargetFilesAdded",
    "numAddedFiles",
    "numRestoredFiles",
    "numConvertedFiles",
    "numCopiedFiles",
    "numFiles",
)
_CAME_BYTES = ("numTargetBytesAdded", "numAddedBytes", "restoredFilesSize", "numOutputBytes")
_WENT = ("numTargetFilesRemoved", "numRemovedFiles", "numDeletedFiles")
# With one of these it is told how many rows were deleted, or that none were.
_TELL_ROWS_GONE = {"numDeletedRows", "numTargetRowsDeleted", "numUpdatedRows", "numTargetRowsUpdated"}
_WENT_BYTES = ("numTargetBytesRemoved", "numRemovedBytes", "removedFilesSize")


def _entry(commit: Commit) -> HistoryEntry:
    metrics = counts(commit.info)
    overwrites = any(commit.each("remove"))
    went = _first(metrics, _WENT)
    found = entry(commit)
    removed = (None if overwrites and commit.version else 0) if went is None else went
    untold = found.changes_data and removed != 0 and not metrics.keys() & _TELL_ROWS_GONE
    return replace(
        found,
        rows_deleted=None if untold else found.rows_deleted,
        files_added=_first(metrics, _CAME) or 0,
        files_removed=removed,
        bytes_added=_first(metrics, _CAME_BYTES) or 0,
        bytes_removed=_first(metrics, _WENT_BYTES) if went or (went is None and overwrites) else 0,
    )


def _first(metrics: Mapping[str, int], names: tuple[str, ...]) -> int | None:
    return next((metrics[name] for name in names if name in metrics), None)
