"""Back in time: which version a table had at a time, and which of its versions can still be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import unquote

from odibi_magics.delta.log import (
    Commit,
    Log,
    checkpoints,
    newest_version,
    oldest_below,
    versions_of,
    whole,
)
from odibi_magics.errors import NoSuchTime


def version_at(log: Log, when: datetime) -> int | None:
    """The last version committed at or before a time, of which the next one is later; None where there is no log.

    Commits are looked at by halves: 15 of 20,000. Raises NoSuchTime, DamagedLog, OSError, ConnectionFailed.
    """
    if when > datetime.now(UTC):
        raise NoSuchTime(f"{log.url}: the time {shown(when)} lies in the future")
    newest = newest_version(log)
    low = None if newest is None else oldest_below(log, newest)
    if newest is None or low is None:
        return newest
    if _time(log, newest) <= when:
        return newest
    first = _time(log, low)
    if first > when:
        older = f", of version {low}: older ones were cleaned up" if low else ""
        raise NoSuchTime(
            f"{log.url} was not there at {shown(when)}; its first commit is of {shown(first)}{older}"
        )
    high = newest
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _time(log, middle) <= when else (low, middle)
    return low


def _time(log: Log, version: int) -> datetime:
    (commit,) = whole(log, [version])
    return commit.time


def shown(when: datetime) -> str:
    """A time in UTC to the millisecond, as the log holds it: 2026-11-20T18:00:00.000Z."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reconstructable(names: Iterable[str]) -> list[int]:
    """The versions whose state a log still tells, by the names of its files; sorted.

    Each stands on a checkpoint, or on version 0, and on every commit from there on.
    """
    names = list(names)
    begins, there = {*checkpoints(names)}, versions_of(names)
    found = set(begins)
    for version in there:
        if version == 0 or version - 1 in found:
            found.add(version)
    return sorted(found)


def readable(
    log: Log, present: Collection[str], alive: Iterable[str] = (), commits: Iterable[Commit] | None = None
) -> list[int]:
    """The versions that can still be read: the log tells their state, and their files are there; sorted.

    present: paths of the table's files on storage, relative to it, not encoded. alive: the same, of the newest
    version's files. commits: all that the log has, where they were read before.
    """
    names = list(log.names())
    versions = reconstructable(names)
    if not versions:
        return []
    each = whole(log, versions_of(names)) if commits is None else commits
    spans = list(unreadable(each, present, alive, versions[0], versions[-1]))
    return [version for version in versions if not any(first <= version <= last for first, last in spans)]


def unreadable(
    commits: Iterable[Commit], present: Collection[str], alive: Iterable[str], oldest: int, newest: int
) -> Iterator[tuple[int, int]]:
    """First and last version of each span in which a file was the table's that is not there.

    A file added at version a and removed at version r is missed by a to r - 1. commits: ascending.
    """
    born: dict[str, int] = {}
    for commit in commits:
        for path in (unquote(str(file.get("path"))) for file in commit.each("remove")):
            since = born.pop(path, oldest)
            if path not in present:
                yield since, commit.version - 1
        for path in (unquote(str(file.get("path"))) for file in commit.each("add")):
            born[path] = commit.version
    for path in {*born, *alive}:
        if path not in present:
            yield born.get(path, oldest), newest


def spans(versions: Sequence[int]) -> str:
    """Versions in words: "0 to 4, 7", no more than a few of them."""
    runs: list[list[int]] = []
    for version in versions:
        if runs and version == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], version]
        else:
            runs.append([version])
    shown_runs = [" to ".join(map(str, run)) for run in runs]
    more = len(shown_runs) - _RUNS
    return ", ".join(shown_runs if more <= 0 else ["…", *shown_runs[-_RUNS:]])


_RUNS = 6
