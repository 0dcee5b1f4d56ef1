"""Files that a log says were removed, and how long a vacuum keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from odibi_magics.delta.log import Commit

LEAST_HOURS = 168
"""A week, Delta's own default: what is younger may be in use."""

KEPT = timedelta(hours=LEAST_HOURS)
"""How long a vacuum keeps files that are no longer the table's, unless it is told otherwise."""

START, END = "VACUUM START", "VACUUM END"
"""Of the two commits that tell of one; Spark writes them where spark.databricks.delta.vacuum.logging.enabled."""

# A vacuum that was stopped or failed may have left any of them.
_DONE = "COMPLETED"


def removed_before(commits: Iterable[Commit], until: datetime) -> dict[str, int]:
    """Files that were removed before a time and not taken back, each with its bytes, 0 where nobody told.

    commits: ascending. Paths as the log writes them. What a vacuum has been over counts no more.
    """
    found: dict[str, int] = {}
    for commit in commits:
        if commit.info.get("operation") == END and commit.parameters.get("status", _DONE) == _DONE:
            found.clear()
        old = commit.time < until
        for file in commit.each("remove"):
            if old:
                found[str(file.get("path"))] = _size(file)
        for file in commit.each("add"):
            found.pop(str(file.get("path")), None)
    return found


def _size(file: Mapping[str, Any]) -> int:
    size = file.get("size")
    return size if isinstance(size, int) and size > 0 else 0
