"""A Delta table's log, as its commit files tell it: which versions there are, and what each of them did.

No checkpoint is opened and no table, so the newest versions cost the same however long the log is.
Source: "Delta Log Entries" and "Last Checkpoint File" in https://github.com/delta-io/delta/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

from odibi_magics.delta.mark import RunMark, read_mark
from odibi_magics.errors import DamagedLog

HINT = "_last_checkpoint"
_COMMIT = re.compile(r"(\d{20})\.json")


class Log(Protocol):
    """The files of a table's `_delta_log`. All raise OSError, ConnectionFailed and Cancelled."""

    @property
    def url(self) -> str:
        """The table's, as people read it."""

    def names(self, after: str = "") -> Iterator[str]:
        """The names of the files directly in the log, sorted; those that come after one."""

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        """The files' bytes, side by side; None for one that is not there."""

    def modified(self, name: str) -> datetime:
        """When a file was last written, in UTC."""


@dataclass(frozen=True)
class Commit:
    """One version's file.

    text: JSON, an action in each line.
    """

    log: Log = field(repr=False)
    version: int
    text: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return commit_name(self.version)

    @cached_property
    def actions(self) -> tuple[Mapping[str, Any], ...]:
        """All it did, in the file's order. Raises DamagedLog."""
        return tuple(self._parsed(number, line) for number, line in self._lines)

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the writer said of it (commitInfo); {} where nothing. The other actions are not parsed."""
        for number, line in self._lines:
            if line.lstrip().startswith(b'{"commitInfo"'):
                found: Mapping[str, Any] = self._parsed(number, line)["commitInfo"]
                return found
        return {}

    @property
    def time(self) -> datetime:
        """When it was made, in UTC: as the table's clock, its writer, or else storage tells it."""
        told = self.info.get("inCommitTimestamp") or self.info.get("timestamp")
        if isinstance(told, int):
            return datetime.fromtimestamp(told / 1000, UTC)
        return self.log.modified(self.name)

    @property
    def mark(self) -> RunMark | None:
        """The run that made it, where it was one of ours."""
        return read_mark(self.info.get("userMetadata"))

    def each(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The actions of a kind: "add", "remove", "metaData", "protocol", "cdc". Raises DamagedLog."""
        return (action[kind] for action in self.actions if kind in action)

    @cached_property
    def changes_data(self) -> bool:
        """Whether rows came or went; OPTIMIZE, VACUUM and changes of metadata alone do not count."""
        return any(
            action.get("dataChange", True) for kind in ("add", "remove", "cdc") for action in self.each(kind)
        )

    @cached_property
    def _lines(self) -> list[tuple[int, bytes]]:
        return [(number, line) for number, line in enumerate(self.text.splitlines(), 1) if line.strip()]

    def _parsed(self, number: int, line: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise DamagedLog(self.log.url, self.name, f"its line {number} is no JSON object")
        return found


def commit_name(version: int) -> str:
    """The name of a version's file in the log."""
    return f"{version:020}.json"


def newest_version(log: Log) -> int | None:
    """The number of the newest version; None where there is no log.

    Lists from the last checkpoint on, where the log names one, as readers do.
    """
    hinted = _hinted(log)
    after = "" if hinted is None else f"{hinted:020}"
    found = max(_versions(log.names(after)), default=None)
    if found is None and after:
        found = max(_versions(log.names()), default=None)
    return found


def oldest_version(log: Log) -> int | None:
    """The number of the oldest version whose commit is still in the log."""
    return next(_versions(log.names()), None)


def commits(log: Log, versions: Iterable[int]) -> list[Commit]:
    """The commits of these versions, those that the log still has, in the order asked for."""
    wanted = list(versions)
    texts = log.read([commit_name(version) for version in wanted])
    return [
        Commit(log, version, text) for version, text in zip(wanted, texts, strict=True) if text is not None
    ]


def _versions(names: Iterable[str]) -> Iterator[int]:
    return (int(match[1]) for name in names if (match := _COMMIT.fullmatch(name)))


def _hinted(log: Log) -> int | None:
    """The version of the last checkpoint, where the log tells it; the hint may be missing or damaged."""
    (text,) = log.read([HINT])
    try:
        found = json.loads(text or b"").get("version")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, int) and found >= 0 else None
