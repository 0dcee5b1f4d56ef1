"""Which versions of a table can still be read: those all of whose files are on storage."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import unquote

from odibi_magics.delta.log import Commit, Log, commits

# Commits looked at, from the newest version back; a question of seconds in a storage account.
LOOKED_AT = 1000

_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\b.*\.parquet|(\d{20})\.checkpoint\..*\.json")


def readable_versions(log: Log, newest: int, files: Iterable[str], there: Collection[str]) -> list[int]:
    """Those that still read among the newest LOOKED_AT, in order.

    newest, files: the newest version and its files. there: the files on storage. All paths are relative to the table,
    as they are on storage. Raises DamagedLog, OSError, ConnectionFailed, Cancelled.
    """
    oldest = max(_oldest(log, newest), newest - LOOKED_AT + 1)
    gone = {path for path in files if path not in there}
    found = [] if gone else [newest]
    expected = range(newest, oldest, -1)
    for version, commit in zip(expected, commits(log, expected), strict=False):
        if commit.version != version:
            break  # one is missing, and what it did with it
        # What a commit did, undone; a file that comes with another deletion vector is in both.
        gone.difference_update(_paths(commit, "add"))
        gone.update(path for path in _paths(commit, "remove") if path not in there)
        if not gone:
            found.append(version - 1)
    return found[::-1]


def _oldest(log: Log, newest: int) -> int:
    """The version from which on the log tells every file: 0, or that of the oldest checkpoint."""
    names = list(log.names())
    if f"{0:020}.json" in names:
        return 0
    return min(
        (int(match[1] or match[2]) for name in names if (match := _CHECKPOINT.fullmatch(name))),
        default=newest,
    )


def _paths(commit: Commit, kind: str) -> Iterator[str]:
    return (unquote(action["path"]) for action in commit.each(kind))


def in_words(versions: Iterable[int]) -> str:
    """`3, 5 to 7`."""
    runs: list[list[int]] = []
    for version in versions:
        if runs and version == runs[-1][-1] + 1:
            runs[-1].append(version)
        else:
            runs.append([version])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
