"""Small files joined into good ones: which of them, and into how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from odibi_magics.delta.features import unsupported
from odibi_magics.delta.paths import inside
from odibi_magics.delta.replay import Action, State
from odibi_magics.delta.told import Told
from odibi_magics.errors import EngineError

TARGET_BYTES = 128 << 20
"""What a good file has on storage: enough to be read at full speed, and few enough for one reader."""

# Files that are nearly as large are left alone: rewriting them would gain nothing.
_LARGE = 3 / 4

TAG = "OPTIMIZE_TARGET_SIZE"
"""On files that were joined: compressed together they may be smaller than planned, and are not joined again."""

# Of what unsupported() tells, that which the same rows in other files cannot break.
_KEPT = {
    "appendOnly", "changeDataFeed", "checkConstraints", "invariants", "generatedColumns", "identityColumns",
    "allowColumnDefaults", "deletionVectors",
}  # fmt: skip

# Every reader takes all commits behind the last checkpoint, and a log without one from its beginning.
CHECKPOINT_AFTER, FIRST_AFTER = 100, 10


@dataclass(frozen=True)
class Joined:
    """The small files of one partition. partition: "" for a table without partitions. bytes: theirs on storage."""

    partition: str
    files: int
    bytes: int
    into: int


@dataclass(frozen=True)
class Optimized(Told):
    """What an optimize would do, or did.

    version: the newest when it was looked at. files, bytes: small files that are read and written anew, on storage.
    into, into_bytes: how many files they become, and their bytes; None while nothing is written. parts: the same for
    each partition, those with most files first. target_bytes: of a good file. behind: versions that the log has behind
    its last checkpoint, 0 where nobody tells. checkpoint: whether one is due, or was written. done: whether it was
    done. committed: the version made; None for none.
    """

    address: str
    url: str
    version: int
    files: int
    bytes: int
    into: int
    into_bytes: int | None
    parts: tuple[Joined, ...]
    target_bytes: int
    behind: int
    checkpoint: bool
    done: bool = False
    committed: int | None = None

    @property
    def changes_nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.files or self.checkpoint)


Bin = tuple[Action, ...]
"""Adds of one partition that become one file."""


def check_joinable(state: State, url: str) -> None:
    """Raises EngineError for features under which files cannot be written anew here."""
    protocol = state.protocol
    named = {*(protocol.get("writerFeatures") or ()), *(protocol.get("readerFeatures") or ())}
    found = unsupported(
        protocol.get("minWriterVersion", 1),
        named,
        state.configuration,
        state.fields,
        reads=True,
        removes=True,
    )
    if names := sorted(found.keys() - _KEPT):
        raise EngineError(
            f"{url} uses {', '.join(names)}, under which this engine cannot write files anew: optimize it with Spark. "
            "Nothing was changed"
        )


def bins(state: State, url: str, target: int = TARGET_BYTES) -> list[Bin]:
    """Small files, by partition, as they are to be joined; older ones first, so that rows stay near their time."""
    small: dict[tuple[tuple[str, str | None], ...], list[Action]] = {}
    for one in state.files.values():
        if _is_small(one, url, target):
            small.setdefault(tuple(sorted(one["partitionValues"].items())), []).append(one)
    found = (part for files in small.values() for part in _packed(files, target))
    return [part for part in found if len(part) > 1 and not all(map(_was_joined, part))]


def _is_small(file: Action, url: str, target: int) -> bool:
    """Files with deleted rows are left to Spark, and those of other tables where they are."""
    return (
        file["size"] < target * _LARGE
        and not file.get("deletionVector")
        and inside(file["path"], url) is not None
    )


def _packed(files: Iterable[Action], target: int) -> Iterator[Bin]:
    waiting: list[Action] = []
    size = 0
    for one in sorted(files, key=lambda one: (one.get("modificationTime") or 0, one["path"])):
        if size + one["size"] > target:
            yield tuple(waiting)
            waiting, size = [], 0
        waiting.append(one)
        size += one["size"]
    yield tuple(waiting)


def _was_joined(file: Action) -> bool:
    return TAG in (file.get("tags") or {})


def joined(parts: Sequence[Bin]) -> tuple[Joined, ...]:
    """What becomes of each partition, those with most files first."""
    by_name: dict[str, list[Bin]] = {}
    for part in parts:
        by_name.setdefault(_partition(part[0]), []).append(part)
    found = [
        Joined(name, sum(map(len, own)), sum(one["size"] for part in own for one in part), len(own))
        for name, own in by_name.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.files, one.partition)))


def _partition(file: Action) -> str:
    values = file["partitionValues"].items()
    return ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in values)


def checkpoint_due(behind: int, newest: int) -> bool:
    """behind: versions behind the last checkpoint; newest + 1 where there is none."""
    return behind >= (FIRST_AFTER if behind > newest else CHECKPOINT_AFTER)


def stored_path(file: Action) -> str:
    """As it is on storage, relative to the table."""
    return unquote(file["path"])
