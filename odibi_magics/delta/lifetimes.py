"""Which versions of a table need a file, and so which can be read without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from odibi_magics.delta.paths import stored
from odibi_magics.delta.replay import Action, Key, State, Versions, key

Span = tuple[int, int]
"""A first and a last version."""


@dataclass(frozen=True)
class Lifetimes:
    """All versions of a table that its log can give.

    first: the oldest of them. newest: the table as it is. spans: of each file on storage, relative to the table, the
    versions that need it. named: files that the log names and no version needs: what was removed before the first, and
    changes between versions, which the change data feed reads.
    """

    first: int
    newest: State
    spans: Mapping[str, list[Span]] = field(repr=False)
    named: frozenset[str] = frozenset()

    def readable(self, lacking: Iterable[str]) -> list[int]:
        """The versions that need none of these files, sorted."""
        steps = [0] * (self.newest.version - self.first + 2)
        for name in lacking:
            for low, high in self.spans.get(name, ()):
                steps[low - self.first] += 1
                steps[high - self.first + 1] -= 1
        needed = accumulate(steps[:-1])
        return [version for version, count in enumerate(needed, self.first) if not count]


def lifetimes(versions: Versions) -> Lifetimes:
    """Follows the table through all its versions. Raises NoSuchVersion, DamagedLog, and what the log raises."""
    state, url = versions.first(), versions.log.url
    living = _Living(state)
    living.begin(state.version, state.files.values(), url)
    first = state.version
    named = {name for one in state.tombstones.values() for name in stored(one, url)}
    for commit in versions.onward(state, versions.newest):
        living.end(commit.version - 1, map(key, commit.each("remove")))
        living.begin(commit.version, commit.each("add"), url)
        named.update(name for one in commit.each("cdc") for name in stored(one, url))
    living.end(versions.newest, list(living.since), whole=True)
    return Lifetimes(first, state, living.spans, frozenset(named))


class _Living:
    """since: of the files that the state at hand needs, the version that began it, and their names on storage."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.since: dict[Key, tuple[int, list[str]]] = {}
        self.spans: dict[str, list[Span]] = {}

    def begin(self, version: int, adds: Iterable[Action], url: str) -> None:
        for one in adds:
            if (found := key(one)) in self._state.files and found not in self.since:
                self.since[found] = version, stored(one, url)

    def end(self, version: int, files: Iterable[Key], *, whole: bool = False) -> None:
        """whole: also of those that are still there."""
        for found in files:
            if found in self.since and (whole or found not in self._state.files):
                since, names = self.since.pop(found)
                for name in names:
                    self.spans.setdefault(name, []).append((since, version))


def runs(versions: Iterable[int]) -> tuple[Span, ...]:
    """Versions, sorted, as the runs they come in."""
    found: list[Span] = []
    for version in versions:
        if found and found[-1][1] == version - 1:
            found[-1] = (found[-1][0], version)
        else:
            found.append((version, version))
    return tuple(found)
