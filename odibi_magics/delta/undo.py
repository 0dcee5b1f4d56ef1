"""What it takes to undo a run in one table, told by the table's log; and what an undo found and did, table by table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from odibi_magics.delta.held import run_commits
from odibi_magics.delta.line import LOOK_BACK, Line, in_batches, restored
from odibi_magics.delta.log import Commit, Log, commits
from odibi_magics.delta.mark import RunMark
from odibi_magics.delta.restore import Restored
from odibi_magics.delta.told import Told


@dataclass(frozen=True)
class Later:
    """A commit that came behind a run's and that an undo would take away.

    time: UTC. who: its run or user, or "". run: its run, where it is one of ours.
    """

    version: int
    time: datetime
    operation: str
    who: str = ""
    run: str = ""


@dataclass(frozen=True)
class Trace:
    """What a run left in a table.

    marks: of its commits, also of those that were undone. nodes: that wrote, first ones first. first: its first commit
    that is still in the line of the table's commits, None where there is none; back_to: the version before that, None
    where the run created the table. later: what others committed behind it. undone: the commit that took the run's
    away, where one did. newest: the table's version. since: where not all of its history is known, the version that the
    known part begins with.
    """

    newest: int
    marks: tuple[RunMark, ...] = ()
    nodes: tuple[str, ...] = ()
    first: int | None = None
    back_to: int | None = None
    later: tuple[Later, ...] = ()
    undone: Later | None = None
    since: int | None = None


def trace(log: Log, newest: int, run: str, limit: int = LOOK_BACK) -> Trace:
    """Follows a run's commits down the line of a table's commits, and beside it. Raises DamagedLog."""
    line = Line(log, newest, limit)
    versions: list[int] = []
    found = list(run_commits(_noting(line, versions), run))
    marks = tuple(mark for _, mark in found)
    nodes = tuple(dict.fromkeys(mark.node for mark in reversed(marks)))
    if found:
        first = found[-1][0].version
        others = [v for v in versions if v > first and v not in {commit.version for commit, _ in found}]
        later = tuple(told(each) for each in in_batches(log, sorted(others)) if _counts(each))
        return Trace(newest, marks, nodes, first, first - 1 if first else None, later)
    whole = line.end == "beginning"
    if (taken := _taken(log, versions, run, whole=whole)) is None:
        return Trace(newest, since=None if whole else min(versions, default=newest + 1))
    taker, lost = taken
    nodes = tuple(dict.fromkeys(mark.node for mark in lost))
    return Trace(newest, lost, nodes, undone=told(_first_taker(log, taker, run, limit)))


def _taken(
    log: Log, versions: Sequence[int], run: str, *, whole: bool
) -> tuple[int, tuple[RunMark, ...]] | None:
    """The commit that a line passes over a run with, and the run's marks; None where it passes over none."""
    for taker, taken in _beside(versions, whole=whole):
        marks = (each.mark for each in in_batches(log, taken))
        lost = tuple(mark for mark in marks if mark is not None and mark.run == run)
        if lost:
            return taker, lost
    return None


def _first_taker(log: Log, taker: int, run: str, limit: int) -> Commit:
    """What took a run away to begin with: a later undo, of more, passes over that one too."""
    while True:
        line = Line(log, taker - 1, limit)
        versions: list[int] = []
        there = next(run_commits(_noting(line, versions), run), None)
        taken = None if there else _taken(log, versions, run, whole=line.end == "beginning")
        if taken is None:
            (by,) = commits(log, [taker])
            return by
        taker, _ = taken


def _noting(line: Line, versions: list[int]) -> Iterator[Commit]:
    for commit in line:
        versions.append(commit.version)
        yield commit


def _counts(commit: Commit) -> bool:
    """Whether a commit changed the table. A RESTORE on the line made it what it was at a version that is on it too."""
    return restored(commit) is None and _changes(commit)


def _changes(commit: Commit) -> bool:
    """Rows or columns; OPTIMIZE and VACUUM do not."""
    return commit.changes_data or next(commit.each("metaData"), None) is not None


def _beside(versions: Sequence[int], *, whole: bool) -> Iterator[tuple[int, range]]:
    """The commits that a line passes over, newest first, each stretch with the commit that took it away.

    whole: whether the line goes back to the beginning of the table.
    """
    below = [*versions[1:], *([-1] if whole and versions else [])]
    for version, before in zip(versions, below, strict=False):
        if before < version - 1:
            yield version, range(before + 1, version)


def told(commit: Commit) -> Later:
    """A commit in a few words."""
    mark, info = commit.mark, commit.info
    who = f"run {mark.run}" if mark else str(info.get("userName") or info.get("engineInfo") or "")
    return Later(commit.version, commit.time, str(info.get("operation", "")), who, mark.run if mark else "")


def since(log: Log, version: int, newest: int) -> tuple[Later, ...]:
    """What changed the table after a version; OPTIMIZE and VACUUM did not."""
    found = in_batches(log, range(version + 1, newest + 1))
    return tuple(told(each) for each in found if _changes(each))


State = Literal[
    "to undo", "refused", "undone", "undone already", "not written", "gone", "failed", "put back", "untouched"
]


Blocked = Literal["", "later", "moved", "lost"]
"""What an undo is refused for: commits behind the run, another version than the one that was named, or something that
is gone or cannot be read."""

Ended = Literal["preview", "done", "nothing", "failed"]
"""How an undo ended: "nothing" where there was nothing to undo, "preview" where it was only looked at."""


@dataclass(frozen=True)
class UndoneTable:
    """What an undo does, or did, to one table.

    table: as people type it. at: its version when it was looked at; now: after the undo, None where nothing was done.
    back_to: the version it is to be like, None where the run created the table, which is emptied. restored: the files
    and rows that come and go. later: what others committed behind the run, which goes as well. why: it is refused, has
    failed, or is undone already. undone_by: the undo that has done that, by its run id. blocked: what it is refused
    for.
    """

    table: str
    url: str
    nodes: tuple[str, ...]
    state: State
    at: int | None = None
    back_to: int | None = None
    now: int | None = None
    restored: Restored | None = None
    later: tuple[Later, ...] = ()
    why: str = ""
    undone_by: str = ""
    blocked: Blocked = ""

    def ended(self, state: State, *, now: int | None = None, why: str = "") -> UndoneTable:
        """The same table, as it stands after something was tried."""
        return replace(self, state=state, now=now, why=why)


@dataclass(frozen=True)
class Undone(Told):
    """An undo that was looked at, or carried out.

    run: that is undone. undo: the run id of the undo's own commits. left: what it cannot take back, in words.
    """

    run: str
    undo: str
    tables: tuple[UndoneTable, ...]
    left: tuple[str, ...] = ()
    state: Ended = "preview"
    force: bool = False

    @property
    def refused(self) -> tuple[UndoneTable, ...]:
        """The tables that keep it from being carried out."""
        return tuple(table for table in self.tables if table.state == "refused")

    @property
    def to_do(self) -> tuple[UndoneTable, ...]:
        """The tables that are still to be undone."""
        return tuple(table for table in self.tables if table.state in ("to undo", "refused"))
