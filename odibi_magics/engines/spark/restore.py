"""A table back to one of its versions where only Spark may write it: Spark's own RESTORE and DELETE.

What a restore would do is told by the rows of both versions, file by file. Properties and partitioning of an older
version are told by nobody, so that only columns are among what else changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from odibi_magics.delta.log import Commit, commits
from odibi_magics.delta.mark import verb_mark
from odibi_magics.delta.restore import Files, Restored, TableChange, changed_columns, refuse_changed
from odibi_magics.delta.travel import version_at
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.upkeep import changes_table
from odibi_magics.engines.spark.contents import contents, told_columns, totals
from odibi_magics.engines.spark.log import HistoryLog
from odibi_magics.engines.spark.names import is_named, table
from odibi_magics.engines.spark.tables import current, load, no_table
from odibi_magics.engines.spark.types import columns_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError, NoSuchVersion, WriteConflict

_NONE = Files(0, 0, 0)


def restore(
    work: Work,
    place: Place,
    version: int | datetime,
    *,
    at: int | None = None,
    mark: str | None = None,
    dry_run: bool = False,
) -> Restored:
    """Makes a new version that is like an older one. Parameters and errors as of `Engine.restore`."""
    with work.running():
        log, newest, at = _looked_at(work, place, at)
        wanted = version if isinstance(version, int) else _at(log, version)
        if wanted > newest:
            raise NoSuchVersion(
                f"{place.address} has no version {wanted}: its versions are {log.oldest} to {newest}"
            )
        then, now = contents(work, place, wanted), contents(work, place, newest)
        told = Restored(
            address=place.address,
            url=place.url,
            version=wanted,
            time=next((commit.time for commit in commits(log, [wanted])), None),
            at=newest,
            committed=None,
            back=totals(then.keys() - now.keys(), then),
            gone=totals(now.keys() - then.keys(), now),
            before=totals(now, now),
            after=totals(then, then),
            changes=_changes(work, place, newest, wanted),
        )
        if dry_run or (told.changes_nothing and mark is None):
            return told
        sql = f"RESTORE TABLE {table(place)} TO VERSION AS OF {wanted}"
        return _Deed(work, place, "RESTORE", mark).done(told, lambda: work.spark.sql(sql).collect())


def empty(
    work: Work, place: Place, *, at: int | None = None, mark: str | None = None, dry_run: bool = False
) -> Restored:
    """Makes a new version without rows. Parameters and errors as of `Engine.restore`."""
    with work.running():
        _, newest, at = _looked_at(work, place, at)
        now = contents(work, place, newest)
        all_ = totals(now, now)
        told = Restored(place.address, place.url, None, None, newest, None, _NONE, all_, all_, _NONE)
        if dry_run or (told.changes_nothing and mark is None):
            return told
        if now:
            sql = f"DELETE FROM {table(place)}"
            return _Deed(work, place, "DELETE", mark).done(told, lambda: work.spark.sql(sql).collect())
        return _Deed(work, place, "WRITE", mark).done(told, lambda: _write_nothing(work, place))


def _at(log: HistoryLog, when: datetime) -> int:
    found = version_at(log, when)
    assert found is not None  # there is a table
    return found


def _looked_at(work: Work, place: Place, at: int | None) -> tuple[HistoryLog, int, int]:
    """The log, its newest version, and the one that was looked at. Raises as `restore`."""
    log = HistoryLog(work, place)
    newest = log.newest
    if newest is None:
        raise no_table(work, place)
    at = newest if at is None else at
    changed = (each for each in commits(log, range(at + 1, newest + 1)) if changes_table(each))
    refuse_changed(place.address, changed, at, newest)
    return log, newest, at


def _changes(work: Work, place: Place, newest: int, wanted: int) -> tuple[TableChange, ...]:
    frames = (load(work, place, version) for version in (newest, wanted))
    return changed_columns(*(told_columns(frame, columns_of(frame)) for frame in frames))


def _write_nothing(work: Work, place: Place) -> None:
    """A commit for its mark alone: DELETE makes none in a table that has no rows."""
    writer = current(work, place).limit(0).write.format("delta").mode("append")
    if is_named(place):
        writer.saveAsTable(table(place))
    else:
        writer.save(place.url)


@dataclass(frozen=True)
class _Deed:
    """A commit of Spark's that makes a table what it was, or takes its rows."""

    work: Work
    place: Place
    operation: str
    mark: str | None

    def done(self, told: Restored, act: Callable[[], object]) -> Restored:
        """Acts, and finds its commit. Spark asks nobody what came since the table was looked at: what it took away of
        that is put back. Raises WriteConflict then."""
        mark = self.mark or verb_mark(self.operation.lower())
        with self.work.marked(mark):
            act()
        with self.work.seen_through():
            ours, between = self._landed(told, mark)
            if not between:
                return replace(told, committed=ours.version)
            with self.work.marked(mark):
                sql = f"RESTORE TABLE {table(self.place)} TO VERSION AS OF {ours.version - 1}"
                self.work.spark.sql(sql).collect()
        raise WriteConflict(
            f"{self.place.address} was changed by version {between[-1].version} while it was restored. What came was "
            f"put back: the table is as at version {ours.version - 1}. Look at it, and restore again if it may go"
        )

    def _landed(self, told: Restored, mark: str) -> tuple[Commit, list[Commit]]:
        """Our commit, and what changed the table before it behind the version that was looked at."""
        log = HistoryLog(self.work, self.place)
        behind = commits(log, range(told.at + 1, (log.newest or 0) + 1))
        ours = [each for each in behind if each.info.get("userMetadata") == mark] or [
            each for each in behind if each.info.get("operation") == self.operation
        ]
        if not ours:
            raise EngineError(
                f"{self.place.address} was changed, but no commit of it is found: see its history"
            )
        return ours[-1], [each for each in behind if each.version < ours[-1].version and changes_table(each)]
