"""Which files of a table's folder no version needs any more, and which versions need those that go.

As Spark's VACUUM has it (`VacuumCommand.scala` of delta-io/delta): a file goes that the newest version does not name,
that was removed before the retention began, and was last written before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from odibi_magics.delta.lifetimes import Lifetimes, Span, runs
from odibi_magics.delta.log import Commit
from odibi_magics.delta.paths import stored
from odibi_magics.delta.removed import END, LEAST_HOURS, START
from odibi_magics.delta.replay import Action, State
from odibi_magics.delta.restore import check_copied, written_by
from odibi_magics.delta.told import Told
from odibi_magics.errors import EngineError, UsageError, WriteConflict

RETENTION = "delta.deletedFileRetentionDuration"

LONGEST = timedelta(days=1)
"""A vacuum that did not tell of its end for so long was killed."""


class Stored(NamedTuple):
    """A file in a table's folder.

    path: relative to it. modified: milliseconds since 1970. linked: whether the way to it leads through a link, so that
    it may belong to someone else.
    """

    path: str
    bytes: int
    modified: int
    linked: bool = False


@dataclass(frozen=True)
class Vacuumed(Told):
    """What a vacuum would delete, or did.

    version: the newest when it was looked at. retention_hours: how long ago a file must have been removed; asked_hours:
    what the call said. cutoff: that time, in UTC. files, bytes: that go, orphans among them. orphans, orphan_bytes:
    those that no version in the log names. lost: versions that can be read before and not afterwards, as first and last
    of each run of them; kept: those that can still be read afterwards. Where only a Spark session can open the table,
    nobody tells of bytes, orphans, lost and kept: they are None.
    deleted, freed: files and bytes that storage confirmed; None where it was only asked for, or nobody tells. folders:
    partitions left empty that went too. committed: the version that told of the end, None for none.
    """

    address: str
    url: str
    version: int
    retention_hours: float
    asked_hours: float
    cutoff: datetime
    files: int
    bytes: int | None
    orphans: int | None
    orphan_bytes: int | None
    lost: tuple[Span, ...] | None
    kept: tuple[Span, ...] | None
    deleted: int | None = None
    freed: int | None = None
    folders: int = 0
    committed: int | None = None


@dataclass(frozen=True)
class Cleaning:
    """What would go. orphans: those of the files that no version names."""

    files: tuple[Stored, ...]
    orphans: tuple[Stored, ...]
    lost: tuple[Span, ...]
    kept: tuple[Span, ...]


def check_retention(hours: float, *, force: bool) -> None:
    """Raises UsageError for a retention that is none, or too short without force."""
    if not (math.isfinite(hours) and hours >= 0):
        raise UsageError(f"a retention is a number of hours from 0 on, not {hours:g}")
    if hours < LEAST_HOURS and not force:
        raise UsageError(
            f"a retention of {hours:g} hours is below {LEAST_HOURS} (a week). Who reads the table now, or writes to "
            "it, may need files that are younger than that, and fails without them or loses what it wrote; and "
            "versions of the last week could not be read, diffed or restored any more. Where nobody is at work on the "
            "table and its past may go: --force (in Python force=True)"
        )


def retention(asked: float, state: State, url: str) -> float:
    """The hours that hold: what was asked, or what the table itself keeps where that is longer. Raises EngineError."""
    own = state.configuration.get(RETENTION)
    return asked if own is None else max(asked, _hours(own, url))


_UNITS = {
    "week": 168.0, "day": 24.0, "hour": 1.0, "minute": 1 / 60, "second": 1 / 3600, "millisecond": 1 / 3.6e6,
    "microsecond": 1 / 3.6e9, "nanosecond": 1 / 3.6e12,
}  # fmt: skip
_INTERVAL = re.compile(r"\s*(?:interval\s+)?((?:\d+\s+[a-z]+\s*)+)", re.IGNORECASE)


def _hours(text: str, url: str) -> float:
    """`interval 30 days` in hours. What is not understood is no reason to delete more."""
    match = _INTERVAL.fullmatch(text)
    found = re.findall(r"(\d+)\s+([a-z]+)", match[1].lower()) if match else []
    try:
        if not found:
            raise KeyError
        return sum(int(number) * _UNITS[unit.removesuffix("s")] for number, unit in found)
    except KeyError:
        raise EngineError(
            f"{url}: its property {RETENTION} is '{text}', which is no interval of weeks, days, hours, minutes or "
            "seconds: mend it. Nothing was deleted"
        ) from None


def cutoff(hours: float, now: datetime) -> datetime:
    """The time before which a file must have been removed."""
    try:
        return now - timedelta(hours=hours)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def cleaning(lived: Lifetimes, listing: Sequence[Stored], before: datetime, url: str) -> Cleaning:
    """What goes of a listing of the table's folder. Raises EngineError for features that may name files elsewhere."""
    state = lived.newest
    check_copied(state, url)
    limit = int(before.timestamp() * 1000)
    needed = set(_needed(state, limit, url))
    hidden, others = _Hidden(state.partition_by), _tables_below(listing)
    going = tuple(
        one
        for one in listing
        if one.modified < limit and one.path not in needed and not one.linked and not hidden.holds(one.path)
        and not (others and one.path.startswith(others))
    )  # fmt: skip
    there = {one.path for one in listing}
    gone = [path for path in lived.spans if path not in there]
    before_it, after_it = lived.readable(gone), lived.readable([*gone, *(one.path for one in going)])
    staying = set(after_it)
    lost = [version for version in before_it if version not in staying]
    orphans = tuple(one for one in going if not (one.path in lived.spans or one.path in lived.named))
    return Cleaning(going, orphans, runs(lost), runs(after_it))


def _tables_below(listing: Iterable[Stored]) -> tuple[str, ...]:
    """The folders of other tables inside of this one, whose files this one's log does not know."""
    found = (one.path.partition(_LOG) for one in listing if _LOG in one.path)
    return tuple({f"{folder}/" for folder, _, _ in found})


_LOG = "/_delta_log/"


def still_going(files: Iterable[Stored], adds: Iterable[Action], url: str) -> Iterator[Stored]:
    """The files that no add of a newer commit brings back, as a restore may."""
    back = {name for one in adds for name in _names(one, url)}
    return (one for one in files if one.path not in back)


def still_running(newest_first: Iterable[Commit], now: datetime) -> Commit | None:
    """The begin of a vacuum that may be deleting now: the log does not tell of its end.

    Looks no further back than LONGEST. An end belongs to the newest begin before it that has none.
    """
    ends = 0
    for commit in newest_first:
        if commit.time < now - LONGEST:
            return None
        operation = commit.info.get("operation")
        if operation == START and not ends:
            return commit
        ends += (operation == END) - (operation == START)
    return None


def refuse_while_running(url: str, newest_first: Iterable[Commit], now: datetime) -> None:
    """Raises WriteConflict where one may be deleting now: files that come back may be just going, and no commit calls a
    deletion back."""
    found = still_running(newest_first, now)
    if found is not None:
        raise WriteConflict(
            f"a vacuum of {url} may be running: version {found.version}{written_by(found)} began it at "
            f"{found.time:%Y-%m-%d %H:%M:%S} UTC, and its end is not in the log. Files that a restore brings back may "
            "be going. Nothing was changed; restore once it has ended. If its process was killed, it counts as ended "
            f"from {found.time + LONGEST:%Y-%m-%d %H:%M:%S} UTC on"
        )


def _needed(state: State, limit: int, url: str) -> Iterator[str]:
    for one in state.files.values():
        yield from _names(one, url)
    for one in state.tombstones.values():
        if (one.get("deletionTimestamp") or 0) >= limit:
            yield from _names(one, url)


def _names(file: Action, url: str) -> Iterator[str]:
    """Also as written: old writers did not encode paths."""
    yield from stored(file, url)
    yield file["path"]


class _Hidden:
    """Folders and files that are none of the table's data: the log, and what other programs keep beside it.

    Those of Spark: names with `_` or `.` before them, but for changes of the change data feed, indexes, and partitions
    whose column's name begins so; and the metadata that Iceberg readers of the table get.
    """

    def __init__(self, partition_by: Sequence[str]) -> None:
        self._partitions = tuple(f"{name}=" for name in partition_by)

    def holds(self, path: str) -> bool:
        if path[0] not in "._m" and "/_" not in path and "/." not in path:
            return False
        return any(map(self._is, path.split("/"))) or path.startswith("metadata/")

    def _is(self, name: str) -> bool:
        seen = name.startswith((*_SEEN, *self._partitions))
        return name.startswith(("_", ".")) and not seen


_SEEN = ("_delta_index", "_change_data")
