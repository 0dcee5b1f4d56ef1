"""What is amiss with a log that readers stumble upon: the file at fault, and what is enough to mend it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from odibi_magics.delta.log import (
    HINT,
    Commit,
    Log,
    checkpoints,
    commit_name,
    last_checkpoint,
    versions_of,
    whole,
)
from odibi_magics.errors import DamagedLog

EMPTY_COMMIT = "it is empty, as after a write that broke off"


def find_damage(log: Log, version: int | None = None) -> None:
    """Reads all that a reader of a version needs, of the newest without one.

    Raises DamagedLog for what is amiss; OSError, ConnectionFailed.
    """
    names = list(log.names())
    there = versions_of(names)
    bases = checkpoints(names)
    if version is None:
        _check_hint(log, bases, alone=bool(bases) or there[:1] == [0])
    last = max(there, default=-1) if version is None else version
    base = max((one for one in bases if one <= last), default=-1)
    _check_checkpoint(log, names, base, alone=there[: base + 1] == [*range(base + 1)])
    for commit in whole(log, range(base + 1, last + 1)):
        _check_commit(log, commit)


def _check_hint(log: Log, bases: Sequence[int], *, alone: bool) -> None:
    """alone: whether the log can be read without the hint."""
    hinted = last_checkpoint(log)
    if hinted is not None and hinted not in bases:
        remedy = "; readers do without it, so deleting it is enough" if alone else ""
        raise DamagedLog(
            log.url, HINT, f"it names a checkpoint of version {hinted}, which is not there{remedy}"
        )


def _check_checkpoint(log: Log, names: Sequence[str], version: int, *, alone: bool) -> None:
    """alone: whether the log can be read without the checkpoint."""
    parquet = [
        one for one in names if one.startswith(f"{version:020}.checkpoint.") and one.endswith(".parquet")
    ]
    for name, text in zip(parquet, log.read(parquet), strict=True):
        if text is not None and not (len(text) >= 12 and text[:4] == text[-4:] == b"PAR1"):
            remedy = f"; all commits are there, so deleting it and {HINT} is enough" if alone else ""
            raise DamagedLog(log.url, name, f"it is no whole Parquet file{remedy}")


def _check_commit(log: Log, commit: Commit) -> None:
    """Raises DamagedLog too where a line of the commit is no JSON."""
    if not commit.text:
        raise DamagedLog(log.url, commit.name, EMPTY_COMMIT)
    for metadata in commit.each("metaData"):
        try:
            json.loads(metadata.get("schemaString", ""))
        except ValueError:
            raise DamagedLog(log.url, commit.name, "the columns in its metaData are no JSON") from None
    if commit.version == 0:
        for kind in ("protocol", "metaData"):
            if not any(commit.each(kind)):
                raise DamagedLog(log.url, commit_name(0), f"it has no {kind}, with which a table begins")
