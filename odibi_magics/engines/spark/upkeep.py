"""VACUUM and OPTIMIZE where only Spark may list and write a table's files.

Spark tells which files a vacuum would delete, and not how large they are, nor which versions go with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from odibi_magics.delta.history import counts
from odibi_magics.delta.log import Commit, commits
from odibi_magics.delta.mark import verb_mark
from odibi_magics.delta.optimize import TARGET_BYTES, Optimized, bins, joined
from odibi_magics.delta.removed import LEAST_HOURS
from odibi_magics.delta.replay import Action, State
from odibi_magics.delta.vacuum import Vacuumed, check_retention, cutoff, retention
from odibi_magics.engines.base import Place
from odibi_magics.engines.spark.contents import gone
from odibi_magics.engines.spark.log import HistoryLog
from odibi_magics.engines.spark.names import quoted, table
from odibi_magics.engines.spark.settings import OPTIMIZED, UNCHECKED
from odibi_magics.engines.spark.tables import details, load, no_table
from odibi_magics.engines.spark.work import Work


def vacuum(
    work: Work,
    place: Place,
    *,
    retention_hours: float = LEAST_HOURS,
    force: bool = False,
    mark: str | None = None,
    dry_run: bool = False,
) -> Vacuumed:
    """Deletes files that no version within the retention needs. Raises as `Engine.vacuum`."""
    check_retention(retention_hours, force=force)
    with work.running():
        version = _newest(work, place)
        configuration = details(work, place)["properties"] or {}
        hours = retention(retention_hours, State(metadata={"configuration": configuration}), place.url)
        sql = f"VACUUM {table(place)} RETAIN {hours:f} HOURS"
        with work.held(UNCHECKED if hours < LEAST_HOURS else {}):
            files = len(work.spark.sql(f"{sql} DRY RUN").collect())
            told = Vacuumed(
                address=place.address,
                url=place.url,
                version=version,
                retention_hours=hours,
                asked_hours=retention_hours,
                cutoff=cutoff(hours, datetime.now(UTC)),
                files=files,
                bytes=None,
                orphans=None,
                orphan_bytes=None,
                lost=None,
                kept=None,
            )
            if dry_run or not files:
                return told if dry_run else replace(told, deleted=0, freed=0)
            ours = mark or verb_mark("vacuum")
            with work.marked(ours):
                work.spark.sql(sql).collect()
        with work.seen_through():
            return _vacuumed(told, _made(work, place, version, ours, "VACUUM"))


def _vacuumed(told: Vacuumed, made: list[Commit]) -> Vacuumed:
    """With what its commits say; a session may be set to make none."""
    by_name = {str(commit.info["operation"]): counts(commit.info) for commit in made}
    planned, done = by_name.get("VACUUM START", {}), by_name.get("VACUUM END", {})
    deleted = done.get("numDeletedFiles", told.files)
    whole = deleted == planned.get("numFilesToDelete")
    return replace(
        told,
        deleted=deleted,
        freed=planned.get("sizeOfDataToDelete") if whole else None,
        committed=made[-1].version if made else None,
    )


def optimize(work: Work, place: Place, *, mark: str | None = None, dry_run: bool = False) -> Optimized:
    """Joins small files. Spark writes checkpoints by itself. Raises as `Engine.optimize`."""
    with work.running():
        version = _newest(work, place)
        parts = bins(_state(work, place, version), place.url)
        told = Optimized(
            address=place.address,
            url=place.url,
            version=version,
            files=sum(map(len, parts)),
            bytes=sum(one["size"] for part in parts for one in part),
            into=len(parts),
            into_bytes=None,
            parts=joined(parts),
            target_bytes=TARGET_BYTES,
            behind=0,
            checkpoint=False,
        )
        if dry_run or told.changes_nothing:
            return replace(told, done=not dry_run)
        ours = mark or verb_mark("optimize")
        with work.held(OPTIMIZED), work.marked(ours):
            work.spark.sql(f"OPTIMIZE {table(place)}").collect()
        with work.seen_through():
            made = _made(work, place, version, ours, "OPTIMIZE")
    if not made:  # Spark saw nothing that is worth it
        return replace(told, files=0, bytes=0, into=0, parts=(), done=True)
    metrics = counts(made[-1].info)
    return replace(
        told,
        files=metrics.get("numRemovedFiles", told.files),
        bytes=metrics.get("numRemovedBytes", told.bytes),
        into=metrics.get("numAddedFiles", told.into),
        into_bytes=metrics.get("numAddedBytes"),
        done=True,
        committed=made[-1].version,
    )


def _newest(work: Work, place: Place) -> int:
    newest = HistoryLog(work, place).newest
    if newest is None:
        raise no_table(work, place)
    return newest


def _made(work: Work, place: Place, version: int, mark: str, operation: str) -> list[Commit]:
    """The commits of an operation behind a version; those with our mark, unless the session took none."""
    log = HistoryLog(work, place)
    behind = commits(log, range(version + 1, (log.newest or 0) + 1))
    found = [each for each in behind if str(each.info.get("operation", "")).startswith(operation)]
    return [each for each in found if each.info.get("userMetadata") == mark] or found


def _state(work: Work, place: Place, version: int) -> State:
    """The files of a version, as far as which of them are small depends on it."""
    partitions = tuple(details(work, place)["partitionColumns"])
    named = {f"p{i}": f"CAST({quoted(name)} AS string) AS p{i}" for i, name in enumerate(partitions)}
    about = (
        "_metadata.file_path AS path",
        "_metadata.file_size AS size",
        "unix_millis(_metadata.file_modification_time) AS modified",
    )
    files = load(work, place, version).selectExpr(*about, *named.values())
    try:
        rows = files.distinct().collect()
    except Exception as error:
        raise gone(place, version, error) or error from None
    adds = (_add(row, dict(zip(partitions, named, strict=True))) for row in rows)
    return State(version=version, files={(one["path"], ""): one for one in adds})


def _add(row: Any, partitions: Mapping[str, str]) -> Action:
    return {
        "path": row["path"].rpartition("/")[2],
        "size": row["size"],
        "modificationTime": row["modified"],
        "partitionValues": {name: row[column] for name, column in partitions.items()},
    }
