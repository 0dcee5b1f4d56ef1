"""Files that no version needs any more, deleted: exactly those that were looked at.

Deltalake's own vacuum lists anew when it acts, tells no sizes, and knows no age of orphans.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from threading import Event, Thread

from odibi_magics.delta.lifetimes import Lifetimes, lifetimes
from odibi_magics.delta.log import commits
from odibi_magics.delta.removed import END, LEAST_HOURS, START
from odibi_magics.delta.replay import Action, Versions
from odibi_magics.delta.vacuum import (
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
from odibi_magics.engines.pandas.upkeep import versions_among
from odibi_magics.engines.waiting import GLANCE
from odibi_magics.errors import Cancelled, ConnectionFailed, EngineError, OdibiError, WriteConflict
from odibi_magics.garbage import uncollected
from odibi_magics.quoting import Data, Quoting

# Files between two looks at the log: a commit in between may have brought some of them back.
_AT_ONCE = 1000

# Deletions that go side by side on storage: a stop comes between them, so that it is known which were made.
_UNSTOPPED = 32

_ATTEMPTS = 5

# Seconds that a stop waits for the deletions under way; then they go on to their end behind it.
_PATIENCE = 1.0

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
    """Deletes what was looked at. deleted: so far, each confirmed.

    It has a thread of its own, which a stop ends after the deletions under way: that they are over must be in the log,
    or nobody knows whether a file that is still there is just going.
    """

    def __init__(self, look: _Look, told: Vacuumed, mark: str | None) -> None:
        self._look, self._told, self._mark = look, told, mark
        self._store = look.store
        self._seen = told.version
        self._back: list[Action] = []
        self._stopped, self._over = Event(), Event()
        self._error: Exception | None = None
        self._result = told
        self.deleted: list[Stored] = []

    def done(self) -> Vacuumed:
        """Raises Conflict where the table is no more as it was looked at; then nothing was deleted."""
        self._seen = self._begin()
        try:
            Thread(target=self._run, name="odibi-vacuum").start()
            while not self._over.wait(GLANCE):
                pass
        except KeyboardInterrupt:
            self._stopped.set()
            over = self._over.wait(_PATIENCE)
            going = "" if over else ". Files whose deletion is under way go too"
            raise Cancelled(f"stopped; {self._so_far}{going}") from None
        if self._error is not None:
            raise self._broken_off(self._error)
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._outcome()
        except Exception as error:
            self._error = error
            with suppress(OSError, OdibiError):
                self._end("FAILED", 0)
        finally:
            self._over.set()

    def _outcome(self) -> Vacuumed:
        self._delete()
        folders = self._store.prune_above([one.path for one in self.deleted])
        committed = self._end("STOPPED" if self._stopped.is_set() else "COMPLETED", folders)
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
            paths = list(part)
            for few in range(0, len(paths), _UNSTOPPED):
                if self._stopped.is_set():
                    return
                for path in self._store.delete_files(paths[few : few + _UNSTOPPED]):
                    self.deleted.append(part[path])

    def _not_brought_back(self, files: list[Stored]) -> Iterator[Stored]:
        """Without those that a commit since the look needs again."""
        while found := commits(self._look.versions.log, [self._seen + 1]):
            self._back += found[0].each("add")
            self._seen += 1
        return still_going(files, self._back, self._store.url)

    @property
    def _so_far(self) -> str:
        return (
            f"{len(self.deleted):,} of {self._told.files:,} files ({self._freed:,} bytes) of {self._store.url} were "
            "deleted. The table is whole; vacuum again to go on"
        )

    def _broken_off(self, error: Exception) -> Exception:
        if isinstance(error, ConnectionFailed):
            return ConnectionFailed(Quoting(error.text, f". {self._so_far}"), transient=error.transient)
        return EngineError(Quoting("a file could not be deleted: ", Data(str(error)), f". {self._so_far}"))

    def _begin(self) -> int:
        """Its commit follows the version that was looked at, or none is made: what came since may need a file."""
        checked = self._told.asked_hours >= LEAST_HOURS
        parameters = {
            "retentionCheckEnabled": checked,
            "specifiedRetentionMillis": int(self._told.asked_hours * 3_600_000),
            "defaultRetentionMillis": LEAST_HOURS * 3_600_000,
        }
        metrics = {"numFilesToDelete": self._told.files, "sizeOfDataToDelete": self._told.bytes or 0}
        return self._commit(self._told.version, Deed(START, parameters, metrics, self._mark))

    def _end(self, status: str, folders: int) -> int | None:
        """None where others commit all the time: it is for people to read."""
        metrics = {"numDeletedFiles": len(self.deleted), "numVacuumedDirectories": folders}
        deed = Deed(END, {"status": status}, metrics, self._mark)
        for _ in range(_ATTEMPTS):
            with suppress(Conflict):
                return self._commit(self._seen, deed)
            list(self._not_brought_back([]))
        return None

    def _commit(self, version: int, deed: Deed) -> int:
        (last,) = commits(self._look.versions.log, [version])
        return put_commit(self._store, last, deed, (), self._look.lived.newest.configuration)
