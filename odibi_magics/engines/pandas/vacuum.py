"""Files that no version needs any more, deleted: exactly those that were looked at.

Deltalake's own vacuum lists anew when it acts, tells no sizes, and knows no age of orphans.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from odibi_magics.delta.lifetimes import Lifetimes, lifetimes
from odibi_magics.delta.log import commits
from odibi_magics.delta.replay import Action, Versions
from odibi_magics.delta.vacuum import (
    LEAST_HOURS,
    Cleaning,
    Stored,
    Vacuumed,
    check_retention,
    cleaning,
    cutoff,
    retention,
    still_going,
)
from odibi_magics.delta.writing import Deed
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.commit import Conflict
from odibi_magics.engines.pandas.put_commit import put_commit
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.pandas.upkeep import uncollected, versions_among
from odibi_magics.errors import Cancelled, ConnectionFailed, EngineError, OdibiError, WriteConflict
from odibi_magics.quoting import Data, Quoting

# Files between two looks at the log: a commit in between may have brought some of them back.
_AT_ONCE = 1000

_ATTEMPTS = 5

_LOG = "_delta_log/"


def vacuum(
    place: Place,
    *,
    retention_hours: float = LEAST_HOURS,
    force: bool = False,
    mark: str | None = None,
    dry_run: bool = False,
) -> Vacuumed:
    """Deletes files that no version within the retention needs, and orphans that are older.

    Raises UsageError for a retention below a week without `force`, EngineError for a table whose features this engine
    does not know, ConnectionFailed and EngineError where deleting breaks off, which say how many files went, Cancelled.
    mark: userMetadata of the two commits that tell of it.
    """
    check_retention(retention_hours, force=force)
    store = open_store(place)
    for _ in range(_ATTEMPTS):
        look = _Look(store, retention_hours, datetime.now(UTC))
        with uncollected():
            told = look.told(place)
        if dry_run or not look.cleaning.files:
            return told if dry_run else replace(told, deleted=0, freed=0)
        with suppress(Conflict):
            return _Work(look, told, mark).done()
    raise WriteConflict(
        f"{store.url}: other writers commit to it all the time. Nothing was deleted; try again"
    )


@dataclass(frozen=True)
class _Look:
    """A table's folder and its log, as one listing has them."""

    store: Store
    asked: float
    now: datetime

    @cached_property
    def listing(self) -> tuple[Stored, ...]:
        """Whole: before the log is read, so that a file whose commit comes in between is too young to go."""
        return tuple(Stored(*one) for one in self.store.listing())

    @cached_property
    def versions(self) -> Versions:
        names = (one.path.removeprefix(_LOG) for one in self.listing if one.path.startswith(_LOG))
        return versions_among(self.store, (name for name in names if "/" not in name))

    @cached_property
    def lived(self) -> Lifetimes:
        return lifetimes(self.versions)

    @property
    def hours(self) -> float:
        return retention(self.asked, self.lived.newest, self.store.url)

    @cached_property
    def cleaning(self) -> Cleaning:
        return cleaning(self.lived, self.listing, cutoff(self.hours, self.now), self.store.url)

    def told(self, place: Place) -> Vacuumed:
        found = self.cleaning
        return Vacuumed(
            address=place.address,
            url=self.store.url,
            version=self.versions.newest,
            retention_hours=self.hours,
            asked_hours=self.asked,
            cutoff=cutoff(self.hours, self.now),
            files=len(found.files),
            bytes=sum(one.bytes for one in found.files),
            orphans=len(found.orphans),
            orphan_bytes=sum(one.bytes for one in found.orphans),
            lost=found.lost,
            kept=found.kept,
        )


class _Work:
    """Deletes what was looked at. deleted, freed: files and bytes so far, each confirmed."""

    def __init__(self, look: _Look, told: Vacuumed, mark: str | None) -> None:
        self._look, self._told, self._mark = look, told, mark
        self._store = look.store
        self._seen = told.version
        self._back: list[Action] = []
        self.deleted: list[Stored] = []

    def done(self) -> Vacuumed:
        """Raises Conflict where the table is no more as it was looked at; then nothing was deleted."""
        self._seen = self._begin()
        try:
            self._delete()
        except (OSError, OdibiError, KeyboardInterrupt) as error:
            raise self._broken_off(error) from None
        folders = self._store.prune_above([one.path for one in self.deleted])
        committed = self._end("COMPLETED", folders)
        return replace(
            self._told, deleted=len(self.deleted), freed=self._freed, folders=folders, committed=committed
        )

    @property
    def _freed(self) -> int:
        return sum(one.bytes for one in self.deleted)

    def _delete(self) -> None:
        files = list(self._look.cleaning.files)
        for start in range(0, len(files), _AT_ONCE):
            part = {one.path: one for one in self._not_brought_back(files[start : start + _AT_ONCE])}
            for path in self._store.delete_files(list(part)):
                self.deleted.append(part[path])

    def _not_brought_back(self, files: list[Stored]) -> Iterator[Stored]:
        """Without those that a commit since the look needs again."""
        while found := commits(self._look.versions.log, [self._seen + 1]):
            self._back += found[0].each("add")
            self._seen += 1
        return still_going(files, self._back, self._store.url)

    def _broken_off(self, error: BaseException) -> BaseException:
        told = (
            f"{len(self.deleted):,} of {self._told.files:,} files ({self._freed:,} bytes) of {self._store.url} were "
            "deleted. The table is whole; vacuum again to go on"
        )
        if isinstance(error, KeyboardInterrupt):
            return Cancelled(f"stopped; {told}. Files whose deletion was under way may go too")
        with suppress(OSError, OdibiError):
            self._end("FAILED", 0)
        if isinstance(error, ConnectionFailed):
            return ConnectionFailed(Quoting(error.text, f". {told}"), transient=error.transient)
        return EngineError(Quoting("a file could not be deleted: ", Data(str(error)), f". {told}"))

    def _begin(self) -> int:
        """Its commit follows the version that was looked at, or none is made: what came since may need a file."""
        checked = self._told.asked_hours >= LEAST_HOURS
        parameters = {
            "retentionCheckEnabled": checked,
            "specifiedRetentionMillis": int(self._told.asked_hours * 3_600_000),
            "defaultRetentionMillis": LEAST_HOURS * 3_600_000,
        }
        metrics = {"numFilesToDelete": self._told.files, "sizeOfDataToDelete": self._told.bytes}
        return self._commit(self._told.version, Deed("VACUUM START", parameters, metrics, self._mark))

    def _end(self, status: str, folders: int) -> int | None:
        """None where others commit all the time: it is for people to read."""
        metrics = {"numDeletedFiles": len(self.deleted), "numVacuumedDirectories": folders}
        deed = Deed("VACUUM END", {"status": status}, metrics, self._mark)
        for _ in range(_ATTEMPTS):
            with suppress(Conflict):
                return self._commit(self._seen, deed)
            list(self._not_brought_back([]))
        return None

    def _commit(self, version: int, deed: Deed) -> int:
        (last,) = commits(self._look.versions.log, [version])
        return put_commit(self._store, last, deed, (), self._look.lived.newest.configuration)
