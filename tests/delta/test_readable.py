"""Which versions can still be read, by commits and the files that are left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from odibi_magics.delta.readable import LOOKED_AT, in_words, readable_versions


@dataclass(frozen=True)
class Memory:
    """A log of commits given as (added, removed), the first of them version `first`. more: names of other files."""

    commits: Sequence[tuple[str, str]]
    first: int = 0
    more: tuple[str, ...] = ()
    url: str = "t"

    def names(self, after: str = "") -> Iterator[str]:
        return iter(sorted([*(f"{self.first + i:020}.json" for i in range(len(self.commits))), *self.more]))

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        return [self._text(int(name[:20]) - self.first) for name in names]

    def modified(self, name: str) -> datetime:
        return datetime.now(UTC)

    def _text(self, i: int) -> bytes | None:
        if not 0 <= i < len(self.commits):
            return None
        actions = [
            {kind: {"path": path}}
            for kind, paths in zip(("add", "remove"), self.commits[i], strict=True)
            for path in paths
        ]
        return "\n".join(map(json.dumps, actions)).encode()


# Letters are files: a and b come, b is replaced by c, c gets a deletion vector, a and c by d, and a comes back.
COMMITS = [("a", ""), ("b", ""), ("c", "b"), ("c", "c"), ("d", "ac"), ("a", "d")]


@pytest.mark.parametrize(("there", "versions"), [
    ("abcd", [0, 1, 2, 3, 4, 5]), ("acd", [0, 2, 3, 4, 5]), ("abd", [0, 1, 4, 5]), ("abc", [0, 1, 2, 3, 5]), ("bcd", [4]), ("", []),
])  # fmt: skip
def test_versions_all_of_whose_files_are_there(there: str, versions: list[int]) -> None:
    assert readable_versions(Memory(COMMITS), 5, "a", set(there)) == versions


def test_versions_before_the_oldest_checkpoint_are_gone() -> None:
    checkpoint = f"{4:020}.checkpoint.parquet"
    log = Memory([*COMMITS][3:], 3, (checkpoint, f"{5:020}.checkpoint.0.1.parquet"))
    assert readable_versions(log, 5, "a", set("abcd")) == [4, 5]
    assert readable_versions(Memory(COMMITS[3:], 3), 5, "a", set("abcd")) == [5]


def test_a_commit_that_is_missing_ends_what_can_be_told() -> None:
    log = Memory(COMMITS[4:], 4, (f"{0:020}.json",))
    assert readable_versions(log, 5, "a", set("abcd")) == [3, 4, 5]


def test_only_the_newest_are_looked_at() -> None:
    many = [("a", ""), *[("b", "b")] * LOOKED_AT]
    assert readable_versions(Memory(many), LOOKED_AT, "ab", set("ab")) == list(range(1, LOOKED_AT + 1))


def test_encoded_paths_are_those_on_storage() -> None:
    log = Memory([(["a%20b"], []), ([], ["a%20b"])])  # type: ignore[list-item]
    assert readable_versions(log, 1, [], {"a b"}) == [0, 1]
    assert readable_versions(log, 1, [], {"a%20b"}) == [1]


def test_versions_in_words() -> None:
    assert in_words([0]) == "0"
    assert in_words([0, 2, 3, 4, 6, 7]) == "0, 2 to 4, 6 to 7"
