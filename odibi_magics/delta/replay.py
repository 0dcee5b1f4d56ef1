"""A Delta table's state at a version, with its actions as the log has them: from a checkpoint and the commits after it.

Deltalake's own state leaves out what a restore must bring back: deletion vectors, tags, row ids, and paths as written.
Source: "Action Reconciliation" and "Checkpoints" in https://github.com/delta-io/delta/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from odibi_magics.delta.log import (
    Commit,
    Log,
    checkpoint_files,
    checkpoints,
    commit_name,
    commits,
    versions_of,
    whole,
)
from odibi_magics.errors import DamagedLog, NoSuchVersion

Action = Mapping[str, Any]

Key = tuple[str, str]
"""A file as the log tells files apart: its path as written, and which rows of it are deleted ("" for none)."""

Decode = Callable[[bytes], Iterable[Action]]
"""The actions in a checkpoint's Parquet, maps as dicts, without what is null in them. Raises ValueError."""

# Commits that are read together where only the newest few may be wanted.
_AHEAD = 32


def key(file: Action) -> Key:
    """Of an add or a remove."""
    vector = file.get("deletionVector")
    if not vector:
        return file["path"], ""
    offset = vector.get("offset")
    found = f"{vector['storageType']}{vector['pathOrInlineDv']}"
    return file["path"], found if offset is None else f"{found}@{offset}"


@dataclass
class State:
    """A table at one version, `apply` takes it on to the next.

    version: -1 before the first. files: the adds in force. tombstones: the removes that no later add took back.
    protocol, metadata: {} before they are told.
    """

    version: int = -1
    protocol: Action = field(default_factory=dict)
    metadata: Action = field(default_factory=dict)
    files: dict[Key, Action] = field(default_factory=dict)
    tombstones: dict[Key, Action] = field(default_factory=dict)
    domains: dict[str, Action] = field(default_factory=dict)

    def apply(self, version: int, actions: Iterable[Action]) -> None:
        """Takes in what a commit or checkpoint says."""
        self.version = version
        added: set[Key] = set()
        for action in actions:
            if one := action.get("add"):
                added.add(found := key(one))
                self.files[found] = one
                self.tombstones.pop(found, None)
            elif one := action.get("remove"):
                if (found := key(one)) not in added:  # the order within a commit means nothing
                    self.files.pop(found, None)
                    self.tombstones[found] = one
            elif one := action.get("metaData"):
                self.metadata = one
            elif one := action.get("protocol"):
                self.protocol = one
            elif one := action.get("domainMetadata"):
                self.domains[one["domain"]] = one

    def copy(self) -> State:
        """The same, to stay as it is; the actions are shared."""
        return State(
            self.version, self.protocol, self.metadata, dict(self.files), dict(self.tombstones), dict(self.domains)
        )  # fmt: skip

    @property
    def configuration(self) -> Mapping[str, str]:
        return self.metadata.get("configuration") or {}

    @property
    def fields(self) -> Sequence[Mapping[str, Any]]:
        """The schema's, as the log writes them."""
        return tuple(json.loads(self.metadata["schemaString"])["fields"])

    @property
    def partition_by(self) -> tuple[str, ...]:
        return tuple(self.metadata.get("partitionColumns") or ())


@dataclass(frozen=True)
class Versions:
    """Which versions a log can give, from one listing of it.

    names: of all files in it. decode: for its checkpoints.
    """

    log: Log = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    decode: Decode = field(repr=False)

    @cached_property
    def versions(self) -> frozenset[int]:
        """Those whose commit is there."""
        return frozenset(versions_of(self.names))

    @cached_property
    def newest(self) -> int:
        """Raises DamagedLog for a log without commits."""
        if not self.versions:
            raise DamagedLog(self.log.url, commit_name(0), "there is no commit in it")
        return max(self.versions)

    @cached_property
    def oldest(self) -> int:
        """The oldest version that can be put together from what is there."""
        if self._whole_from == 0:
            return 0
        return min((k for k in self._checkpoints if k >= self._whole_from - 1), default=self.newest + 1)

    def state(self, version: int) -> State:
        """The table at a version. Raises NoSuchVersion, DamagedLog, and what the log raises."""
        base = self._base(version)
        for _ in self.onward(base, version):
            pass
        return base

    def onward(self, state: State, version: int) -> Iterator[Commit]:
        """Takes a state on to a later version, commit by commit; each is given once it is taken in.

        Raises DamagedLog where one is missing.
        """
        for commit in whole(self.log, range(state.version + 1, version + 1)):
            with self._damage_told(commit.name):
                state.apply(commit.version, commit.actions)
            yield commit
        with self._damage_told(commit_name(state.version)):
            if not (state.protocol and state.fields):
                raise KeyError("protocol or columns")

    def commit(self, version: int) -> Commit:
        """Raises DamagedLog where it is missing."""
        (found,) = whole(self.log, [version])
        return found

    def newest_first(self) -> Iterator[Commit]:
        """The commits that the log still has, from the newest on; some are read ahead."""
        for high in range(self.newest + 1, 0, -_AHEAD):
            yield from reversed(commits(self.log, range(max(0, high - _AHEAD), high)))

    def first(self) -> State:
        """The table at the oldest version that can be put together."""
        return self.state(self.oldest)

    def _base(self, version: int) -> State:
        """Where to begin for a version: the last checkpoint that commits lead on from, or nothing."""
        if self.oldest > self.newest:
            raise DamagedLog(
                self.log.url, commit_name(self._whole_from - 1), "it is missing, and no checkpoint follows it"
            )
        if not self.oldest <= version <= self.newest:
            raise NoSuchVersion(f"{self.log.told} has no version {version}: {self._told()}")
        usable = [k for k in self._checkpoints if k <= version and self._leads(k, version)]
        if usable:
            return self._checkpoint(max(usable))
        if not self._leads(-1, version):
            missing = next(v for v in range(version + 1) if v not in self.versions)
            raise DamagedLog(self.log.url, commit_name(missing), "it is missing")
        return State()

    def _leads(self, after: int, version: int) -> bool:
        return all(one in self.versions for one in range(after + 1, version + 1))

    def _told(self) -> str:
        if self.oldest == self.newest:
            return f"its only version is {self.newest}"
        return f"its versions are {self.oldest} to {self.newest}"

    @cached_property
    def _whole_from(self) -> int:
        """The version from which on every commit is there."""
        version = self.newest
        while version - 1 in self.versions:
            version -= 1
        return version

    @cached_property
    def _checkpoints(self) -> frozenset[int]:
        """Those that are whole."""
        return frozenset(checkpoints(self.names))

    def _checkpoint(self, version: int) -> State:
        names = checkpoint_files(self.names, version)
        top = [action for name in names for action in self._actions(name)]
        sidecars = [f"_sidecars/{_last(one['sidecar']['path'])}" for one in top if one.get("sidecar")]
        below = (action for name in sidecars for action in self._actions(name))
        state = State()
        with self._damage_told(names[0]):
            state.apply(version, (action for part in (top, below) for action in part))
        return state

    @contextmanager
    def _damage_told(self, name: str) -> Iterator[None]:
        """Raises DamagedLog for actions that lack what the protocol asks of them."""
        try:
            yield
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            why = f"what the protocol asks for is missing in it, or of another kind ({error})"
            raise DamagedLog(self.log.url, name, why) from None

    def _actions(self, name: str) -> Iterable[Action]:
        (text,) = self.log.read([name])
        if text is None:
            raise DamagedLog(self.log.url, name, "it is missing")
        if name.endswith(".json"):
            return Commit(self.log, int(name[:20]), text).actions
        try:
            return list(self.decode(text))
        except ValueError as error:
            raise DamagedLog(self.log.url, name, str(error)) from None


def _last(path: str) -> str:
    return path.rpartition("/")[2]
