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
# Classic, in parts, and v2 with its UUID.
_CHECKPOINT = re.compile(
    r"(\d{20})\.checkpoint(\.(?P<part>\d{10})\.(?P<parts>\d{10})\.parquet|\.parquet|\.[0-9a-f-]{36}\.(json|parquet))"
)
_INFO = re.compile(rb'\s*\{\s*"commitInfo"\s*:')

# Versions are asked for so many at once: 20,000 of them take six rounds, and a listing would take a page for 5,000.
_FAN = 8

# Commits whose text is in memory at once, where many are asked for.
_CHUNK = 200


class Log(Protocol):
    """The files of a table's `_delta_log`. All raise OSError, ConnectionFailed and Cancelled."""

    @property
    def url(self) -> str:
        """The table's, as people read it."""

    @property
    def told(self) -> str:
        """The table as people typed it, for errors that are not about a file of the log."""

    def names(self, after: str = "") -> Iterator[str]:
        """The names of the files directly in the log, sorted; those that come after one."""

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        """The files' bytes, side by side; None for one that is not there."""

    def there(self, names: Sequence[str]) -> list[bool]:
        """Whether each file is there, asked side by side."""

    def modified(self, name: str) -> datetime:
        """When a file was last written, in UTC."""

    @property
    def lists_from(self) -> bool:
        """Whether a listing costs only what comes after the name it begins at, and not the whole folder."""

    def staged(self) -> bool:
        """Whether commits lie beside the log, of which only a catalog can tell which are the table's."""


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
        if (found := self._parsed_together()) is not None:
            return found
        return tuple(self._parsed(number, line) for number, line in self._lines)

    @cached_property
    def info(self) -> Mapping[str, Any]:
        """What the writer said of it (commitInfo); {} where nothing. The other actions are not parsed."""
        for number, line in self._lines:
            if _INFO.match(line):
                found = self._parsed(number, line)["commitInfo"]
                return found if isinstance(found, dict) else {}
        return {}

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Of its operation; {} where nothing of the kind."""
        found = self.info.get("operationParameters")
        return found if isinstance(found, dict) else {}

    @property
    def time(self) -> datetime:
        """When it was made, in UTC: as the table's clock, its writer, or else storage tells it."""
        told = moment(self.info.get("inCommitTimestamp")) or moment(self.info.get("timestamp"))
        return told or self.log.modified(self.name)

    @property
    def mark(self) -> RunMark | None:
        """The run that made it, where it was one of ours."""
        return read_mark(self.info.get("userMetadata"))

    def each(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The actions of a kind: "add", "remove", "metaData", "protocol", "cdc". Raises DamagedLog."""
        for action in self.actions:
            found = action.get(kind)
            if isinstance(found, dict):
                yield found

    @cached_property
    def changes_data(self) -> bool:
        """Whether rows came or went; OPTIMIZE, VACUUM and changes of metadata alone do not count."""
        return any(
            action.get("dataChange", True) for kind in ("add", "remove", "cdc") for action in self.each(kind)
        )

    @cached_property
    def _lines(self) -> list[tuple[int, bytes]]:
        found = [(number, line) for number, line in enumerate(self.text.splitlines(), 1) if line.strip()]
        if not found:
            raise DamagedLog(self.log.url, self.name, "it is empty")
        return found

    def _parsed_together(self) -> tuple[Mapping[str, Any], ...] | None:
        """All lines at once, in two thirds of the time; None where it takes one by one to tell which is damaged."""
        lines = [line.strip() for _, line in self._lines]
        if not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
            return None
        try:
            found = json.loads(b"[" + b",".join(lines) + b"]")
        except (ValueError, RecursionError):
            return None
        whole = len(found) == len(lines) and all(isinstance(one, dict) for one in found)
        return tuple(found) if whole else None

    def _parsed(self, number: int, line: bytes) -> Mapping[str, Any]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise DamagedLog(self.log.url, self.name, f"its line {number} is no JSON object")
        return found


def commit_name(version: int) -> str:
    """The name of a version's file in the log."""
    return f"{version:020}.json"


def newest_version(log: Log) -> int | None:
    """The number of the newest version; None where there is no log. Raises DamagedLog where one before it is missing.

    Asks for single files, from the last checkpoint on where the log names one: how many versions there are hardly
    matters. No folder is listed but where that is cheap, or where the log does not begin where it should.
    """
    start = last_checkpoint(log) or 0
    if start and log.lists_from:
        found = sorted(_versions(log.names(f"{start:020}")))
        return _unbroken(log, found) if found else _listed_newest(log)
    if not _are_there(log, [start])[0]:
        return _listed_newest(log)
    newest = _last(log, start)
    _check_last(log, newest)
    return newest


def oldest_version(log: Log) -> int | None:
    """The number of the oldest version whose commit is still in the log; None where there is none.

    Raises DamagedLog where older ones are missing and no checkpoint stands in for them.
    """
    newest = newest_version(log)
    return None if newest is None else oldest_below(log, newest)


def oldest_below(log: Log, newest: int) -> int | None:
    """As `oldest_version`, where the newest one is known."""
    zero, last = _are_there(log, [0, newest])
    if zero:
        return 0
    if not last:
        return next(_versions(log.names()), None)
    low, high = 0, newest  # the first is missing, the last is there
    while high - low > 1:
        points = _between(low, high)
        present = [point for point, there in zip(points, _are_there(log, points), strict=True) if there]
        high = min(present, default=high)
        low = max((point for point in points if point < high), default=low)
    if not _stands_in(log, high - 1):
        why = f"it is missing, the log begins at version {high}, and no checkpoint stands in for what was before"
        raise DamagedLog(log.url, commit_name(high - 1), why)
    return high


def commits(log: Log, versions: Iterable[int]) -> list[Commit]:
    """The commits of these versions, those that the log still has, in the order asked for."""
    wanted = list(versions)
    texts = log.read([commit_name(version) for version in wanted])
    return [
        Commit(log, version, text) for version, text in zip(wanted, texts, strict=True) if text is not None
    ]


def whole(log: Log, versions: Sequence[int]) -> Iterator[Commit]:
    """The commits of these versions, all of which must be there. Raises DamagedLog naming the one that is not."""
    for start in range(0, len(versions), _CHUNK):
        wanted = versions[start : start + _CHUNK]
        found = {one.version: one for one in commits(log, wanted)}
        for version in wanted:
            if version not in found:
                raise DamagedLog(
                    log.url, commit_name(version), "it is missing, and versions after it are there"
                )
            yield found[version]


def checkpoints(names: Iterable[str]) -> list[int]:
    """The versions of which the log has a whole checkpoint, by the names of its files; sorted."""
    whole: set[int] = set()
    parts: dict[tuple[int, int], set[int]] = {}
    for name in names:
        if match := _CHECKPOINT.fullmatch(name):
            version = int(match[1])
            if match["part"] is None:
                whole.add(version)
            else:
                parts.setdefault((version, int(match["parts"])), set()).add(int(match["part"]))
    whole |= {version for (version, count), found in parts.items() if len(found) == count}
    return sorted(whole)


def checkpoint_files(names: Iterable[str], version: int) -> list[str]:
    """The files of a version's checkpoint: of one of them, where there are several."""
    found = [name for name in names if name.startswith(f"{version:020}.checkpoint")]
    kinds = {name: match for name in found if (match := _CHECKPOINT.fullmatch(name))}
    single = sorted(name for name, match in kinds.items() if match["part"] is None)
    if single:
        return single[:1]
    count = next(
        parts for parts in {match["parts"] for match in kinds.values()}
        if sum(match["parts"] == parts for match in kinds.values()) == int(parts)
    )  # fmt: skip
    return sorted(name for name, match in kinds.items() if match["parts"] == count)


def versions_of(names: Iterable[str]) -> list[int]:
    """The versions whose commits are among these names, sorted."""
    return sorted(_versions(names))


def _versions(names: Iterable[str]) -> Iterator[int]:
    return (int(match[1]) for name in names if (match := _COMMIT.fullmatch(name)))


def _are_there(log: Log, versions: Sequence[int]) -> list[bool]:
    return log.there([commit_name(version) for version in versions])


def _last(log: Log, start: int) -> int:
    """The last of the versions from one that is there on. One missing among them is passed over."""
    low, high = _bounds(log, start)
    while high - low > 1:
        points = _between(low, high)
        present = [point for point, there in zip(points, _are_there(log, points), strict=True) if there]
        low = max(present, default=low)
        high = min((point for point in points if point > low), default=high)
    return low


def _bounds(log: Log, start: int) -> tuple[int, int]:
    """A version that is there, and one above it that is not."""
    steps = [_FAN**power for power in range(_FAN)]
    present = [
        start + step
        for step, there in zip(steps, _are_there(log, [start + s for s in steps]), strict=True)
        if there
    ]
    low = max(present, default=start)
    return low, next((start + step for step in steps if start + step > low), low * _FAN)


def _between(low: int, high: int) -> list[int]:
    """Versions that part what lies between two into pieces of one size, or all of them."""
    return sorted({low + (high - low) * part // _FAN for part in range(1, _FAN)} - {low, high})


def _check_last(log: Log, newest: int) -> None:
    """Raises DamagedLog where versions come after the last one that was found: the one between is missing."""
    if log.lists_from:
        later = next(_versions(log.names(commit_name(newest))), None)
    else:
        points = sorted(
            {newest + 1 + step for step in (*range(1, _FAN**2), *(_FAN**power for power in range(2, 6)))}
        )
        later = next(
            (point for point, there in zip(points, _are_there(log, points), strict=True) if there), None
        )
    if later is not None and later > newest + 1:
        raise DamagedLog(log.url, commit_name(newest + 1), f"it is missing, and version {later} is there")


def _listed_newest(log: Log) -> int | None:
    """From the names of all files: commits, and where those were cleaned up, the last checkpoint."""
    names = list(log.names())
    found = versions_of(names)
    return _unbroken(log, found) if found else max(checkpoints(names), default=None)


def _unbroken(log: Log, found: Sequence[int]) -> int:
    """The last of sorted versions. Raises DamagedLog where one before it is missing, unless a checkpoint stands in."""
    last = found[-1]
    gap = next(
        (high - 1 for low, high in zip(found[-2::-1], found[:0:-1], strict=True) if high - low > 1), None
    )
    if gap is not None and not _stands_in(log, gap):
        raise DamagedLog(log.url, commit_name(gap), f"it is missing, and version {gap + 1} is there")
    return last


def _stands_in(log: Log, version: int) -> bool:
    """Whether a checkpoint at a version or above it makes up for commits that are gone."""
    return (last_checkpoint(log) or -1) >= version or max(checkpoints(log.names()), default=-1) >= version


def last_checkpoint(log: Log) -> int | None:
    """The version of the last checkpoint, where the log tells it; the hint may be missing or damaged."""
    (text,) = log.read([HINT])
    try:
        found = json.loads(text or b"").get("version")
    except (ValueError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, int) and 0 <= found < 10**19 else None


def moment(milliseconds: Any) -> datetime | None:
    """A time as writers tell it, since 1970; None for what is none."""
    if not isinstance(milliseconds, int) or isinstance(milliseconds, bool):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds > 0 else None
    except (OverflowError, ValueError, OSError):
        return None
