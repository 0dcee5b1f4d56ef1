"""A table back to one of its versions, as a new version of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from odibi_magics.delta.lifetimes import lifetimes
from odibi_magics.delta.log import commits, whole
from odibi_magics.delta.paths import stored
from odibi_magics.delta.replay import State, Versions
from odibi_magics.delta.restore import (
    Restoration,
    Restored,
    emptying,
    refuse_changed,
    restoration,
    table_changes,
    totals,
)
from odibi_magics.delta.travel import spans
from odibi_magics.delta.vacuum import refuse_while_running
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.commit import Conflict
from odibi_magics.engines.pandas.put_commit import put_commit
from odibi_magics.engines.pandas.snapshot import told_type
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.pandas.upkeep import changes_table, versions_of, wanted_version
from odibi_magics.errors import NoSuchVersion, WriteConflict
from odibi_magics.quoting import Data, Quoting

# Only commits that change nothing are followed, and no table is optimized twice in a second.
_ATTEMPTS = 5

_NAMED = 3


def restore(
    place: Place,
    version: int | datetime,
    *,
    at: int | None = None,
    mark: str | None = None,
    dry_run: bool = False,
) -> Restored:
    """Makes a new version that is like an older one: files, schema, partitioning and properties.

    version: or a time, for the version that stood then. at: the newest version that was looked at; None: as it is now.
    mark: the commit's userMetadata; with one it commits also where everything is so already, for the mark to be found.
    Raises WriteConflict where anything but OPTIMIZE and VACUUM was committed after `at`, or where files come back while
    a vacuum runs, NoSuchVersion where the version, or one of its files, is gone, NoSuchTime, EngineError,
    ConnectionFailed, Cancelled.
    """
    store = open_store(place)
    wanted = wanted_version(store, version)

    def look(versions: Versions) -> _Found:
        then = versions.state(wanted)
        now = then.copy()
        for _ in versions.onward(now, versions.newest):
            pass
        _check_files(store, versions, then)
        does = restoration(now, then, store.url)
        if does.adds:
            refuse_while_running(store.url, versions.newest_first(), datetime.now(UTC))
        return _Found(does, now, then)

    return _Work(place, store, wanted, {"version": wanted}, look).carried_out(at, mark, dry_run)


def empty(place: Place, *, at: int | None = None, mark: str | None = None, dry_run: bool = False) -> Restored:
    """Makes a new version without rows; everything else stays. Parameters and errors as of `restore`."""
    store = open_store(place)

    def look(versions: Versions) -> _Found:
        now = versions.state(versions.newest)
        return _Found(emptying(now, store.url), now, replace(now, files={}))

    return _Work(place, store, None, {"predicate": '["true"]'}, look).carried_out(at, mark, dry_run)


@dataclass(frozen=True)
class _Found:
    """A table as it is and as it shall be."""

    does: Restoration
    now: State
    then: State

    @property
    def metadata(self) -> Any:
        return self.does.metadata or self.now.metadata


@dataclass(frozen=True)
class _Work:
    """version: that the table is to be like; None for one without rows. parameters: as its history will tell them."""

    place: Place
    store: Store
    version: int | None
    parameters: dict[str, Any]
    look: Callable[[Versions], _Found]

    def carried_out(self, at: int | None, mark: str | None, dry_run: bool) -> Restored:
        """Looks, and commits upon what it saw. Raises as `restore`."""
        for _ in range(_ATTEMPTS):
            versions = versions_of(self.store)
            at = versions.newest if at is None else at
            self._check_unchanged(versions, at)
            found = self.look(versions)
            told = self._told(versions, found)
            if dry_run or (told.changes_nothing and mark is None):
                return told
            try:
                return replace(told, committed=self._commit(versions, found, told, mark))
            except Conflict:
                continue
        raise WriteConflict(
            f"{self.store.url}: other writers commit to it all the time. Nothing was changed; try again"
        )

    def _commit(self, versions: Versions, found: _Found, told: Restored, mark: str | None) -> int:
        last = versions.commit(versions.newest)
        deed = found.does.deed(self.parameters, told.after, mark)
        configuration = found.metadata.get("configuration") or {}
        return put_commit(self.store, last, deed, found.does.actions(), configuration)

    def _check_unchanged(self, versions: Versions, at: int) -> None:
        later = whole(versions.log, range(at + 1, versions.newest + 1))
        changed = (commit for commit in later if changes_table(commit))
        refuse_changed(self.place.address, changed, at, versions.newest)

    def _told(self, versions: Versions, found: _Found) -> Restored:
        does = found.does
        return Restored(
            address=self.place.address,
            url=self.store.url,
            version=self.version,
            time=self._time(versions),
            at=versions.newest,
            committed=None,
            back=totals(does.adds),
            gone=totals(does.removes),
            before=totals(found.now.files.values()),
            after=totals(found.then.files.values()),
            changes=table_changes(found.now.metadata, found.metadata, told_type),
        )

    def _time(self, versions: Versions) -> datetime | None:
        """Of the version; its commit may be gone although a checkpoint still tells what it was."""
        found = [] if self.version is None else commits(versions.log, [self.version])
        return found[0].time if found else None


def _check_files(store: Store, versions: Versions, then: State) -> None:
    """Raises NoSuchVersion where a file of that version is no more on storage."""
    names = sorted({name for file in then.files.values() for name in stored(file, store.url)})
    gone = store.missing(names)
    if not gone:
        return
    lived = lifetimes(versions)
    every = store.missing(list(lived.spans))
    named = ", ".join(gone[:_NAMED]) + (", …" if len(gone) > _NAMED else "")
    raise NoSuchVersion(
        Quoting(
            f"version {then.version} of {store.told} cannot be brought back: {len(gone)} of its {len(names)} files "
            "went missing, as after a vacuum (",
            Data(named),
            f"). Versions that can still be read: {spans(lived.readable(every)) or 'none'}",
        )
    )
