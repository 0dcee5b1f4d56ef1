"""The line of commits that made a table what it is: from the newest back, past what a RESTORE took away.

A RESTORE to version r makes the table what it was at r: the commits between r and itself are no part of it any more,
until another RESTORE brings them back. So the line goes on at r, and whatever is met on it has not been undone since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from odibi_magics.delta.log import Commit, Log, commit_name, commits

# Commits that are looked at, newest first. A line of more than that is cut, and says so. So many take 0.2 s of CPU time
# from a local disk; in a storage account they are as many requests, 32 of them at a time.
LOOK_BACK = 10_000

# Files read side by side, growing: what was written last is asked for most.
_FIRST, _MOST = 16, 256

UNDO = "undo"
"""The mode in the mark of a commit that takes a run back."""


@dataclass
class Line:
    """The commits of a table's line, newest first. Raises DamagedLog while it is walked.

    newest: the version to begin at. end: once it was walked, why no more came: "beginning" of the table, "gone" where
    the log was cleaned up, or "limit". looked: how many commits came.
    """

    log: Log
    newest: int
    limit: int = LOOK_BACK
    end: Literal["", "beginning", "gone", "limit"] = ""
    looked: int = 0
    _texts: dict[int, bytes] = field(default_factory=dict, repr=False)
    _ahead: int = _FIRST

    def __iter__(self) -> Iterator[Commit]:
        self.looked, version = 0, self.newest
        while version >= 0:
            if self.looked == self.limit:
                self.end = "limit"
                return
            commit = self._at(version)
            if commit is None:
                self.end = "gone"
                return
            self.looked += 1
            yield commit
            version = -1 if empties(commit) else self._before(commit)
        self.end = "beginning"

    def _before(self, commit: Commit) -> int:
        """The version that a commit was put upon: of a RESTORE the one it went back to."""
        target = restored(commit)
        if target is None:
            return commit.version - 1
        kind, value = target
        return min(value, commit.version - 1) if kind == "version" else self._at_time(value, commit.version)

    def _at_time(self, milliseconds: int, below: int) -> int:
        """The last version made at or before a time; the oldest there is where none was."""
        version = below - 1
        while (commit := self._at(version)) is not None:
            if commit.time.timestamp() * 1000 <= milliseconds or version == 0:
                return version
            version -= 1
        return min(version + 1, below - 1)

    def _at(self, version: int) -> Commit | None:
        if version not in self._texts:
            self._read(version)
        text = self._texts.get(version)
        return None if text is None else Commit(self.log, version, text)

    def _read(self, version: int) -> None:
        """A batch down from a version; the one before it is dropped, for commits of many files are large."""
        versions = range(version, max(version - self._ahead, -1), -1)
        texts = self.log.read([commit_name(each) for each in versions])
        self._texts = {each: text for each, text in zip(versions, texts, strict=True) if text is not None}
        self._ahead = min(self._ahead * 4, _MOST)


def backwards(log: Log, newest: int, limit: int = LOOK_BACK) -> Iterator[Commit]:
    """Every commit, newest first, also those that a RESTORE took away; until the log has no more, or the limit."""
    version, ahead, last = newest, _FIRST, max(newest - limit, -1)
    while version > last:
        versions = range(version, max(version - ahead, last), -1)
        found = commits(log, versions)
        yield from found
        if len(found) < len(versions):
            return
        version, ahead = version - len(versions), min(ahead * 4, _MOST)


def in_batches(log: Log, versions: Sequence[int]) -> Iterator[Commit]:
    """The commits of these versions, read some at a time, for commits of many files are large."""
    for start in range(0, len(versions), _MOST):
        yield from commits(log, versions[start : start + _MOST])


def restored(commit: Commit) -> tuple[Literal["version", "time"], int] | None:
    """What a RESTORE went back to, a version or a time in milliseconds since 1970; None for any other commit.

    Spark says `version` or `timestamp`, deltalake `version` or `datetime`. One that says neither counts as a commit
    like any other: what came before it then counts as being there.
    """
    if b"RESTORE" not in commit.text or commit.info.get("operation") != "RESTORE":
        return None
    parameters = commit.parameters
    if (version := _number(parameters.get("version"))) is not None:
        return "version", version
    told = parameters.get("timestamp") or parameters.get("datetime")
    time = _number(told) if _number(told) is not None else _milliseconds(told)
    return None if time is None else ("time", time)


def empties(commit: Commit) -> bool:
    """Whether it is the undo of a run that had created the table: nothing of before is in it."""
    if UNDO.encode() not in commit.text or restored(commit) is not None:
        return False
    return commit.mark is not None and commit.mark.mode == UNDO


def _number(value: Any) -> int | None:
    """A number from 0 on; None for anything else that stands there."""
    try:
        found = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found >= 0 else None


def _milliseconds(text: Any) -> int | None:
    """A time as Spark writes it, "2026-11-20 18:00:00.0" in the zone of its session; UTC where it names none."""
    from datetime import UTC, datetime

    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() * 1000)
