"""Back in time: which version a table had at a time, and versions in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from odibi_magics.config.times import written
from odibi_magics.delta.log import Log, newest_version, oldest_below, whole
from odibi_magics.errors import NoSuchTime


def version_at(log: Log, when: datetime) -> int | None:
    """The last version committed at or before a time, of which the next one is later; None where there is no log.

    Commits are looked at by halves: 15 of 20,000. Raises NoSuchTime, DamagedLog, OSError, ConnectionFailed.
    """
    if when.replace(microsecond=0) > datetime.now(UTC):  # the second that is running is no future
        raise NoSuchTime(f"{log.told}: the time {shown(when)} lies in the future")
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
            f"{log.told} was not there at {shown(when)}; its first commit is of {shown(first)}{older}"
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
    """A time in UTC to the millisecond, as the log holds it: 2026-11-20T18:00:00.000Z; a whole second without one."""
    return written(when.astimezone(UTC), "milliseconds").replace("+00:00", "Z")


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
