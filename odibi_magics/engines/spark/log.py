"""A Delta table's log: its files, and where only Spark may read them what DESCRIBE HISTORY tells.

That names no files. What the log is asked for (which rows are still there, what changed a table) is told by kinds of
operations instead, each taken for what may have happened at most: in doubt rows are there, and a table was changed.
Operations: `DeltaOperations.scala` of delta-io/delta.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from odibi_magics.delta.history import counts
from odibi_magics.delta.log import HINT, Log, commit_name, versions_of
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.spark.failures import no_such_place
from odibi_magics.engines.spark.names import table
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

# Versions that are asked for first, and how many times as many after that.
_FIRST, _MORE = 16, 8

_COLUMNS = (
    "version", "unix_millis(timestamp)", "operation", "operationParameters", "operationMetrics", "userMetadata",
    "userName", "userId", "engineInfo",
)  # fmt: skip

_SAME_ROWS = ("OPTIMIZE", "REORG", "VACUUM START", "VACUUM END")

# These change a table, and none of its rows.
_METADATA = frozenset(
    {
        "SET TBLPROPERTIES", "UNSET TBLPROPERTIES", "ADD COLUMNS", "DROP COLUMNS", "RENAME COLUMN", "CHANGE COLUMN",
        "CHANGE COLUMNS", "REPLACE COLUMNS", "UPDATE COLUMN METADATA", "UPDATE SCHEMA", "ADD CONSTRAINT",
        "DROP CONSTRAINT", "UPGRADE PROTOCOL", "CREATE TABLE", "CLUSTER BY", "ADD FEATURE", "DROP FEATURE",
    }
)  # fmt: skip

_NONE_ADDED = ("DELETE", "TRUNCATE", "REPLACE TABLE", "CREATE OR REPLACE TABLE")

# One name for all rows, since nothing tells them apart.
_ROWS = {"path": "rows", "dataChange": True}


@contextmanager
def reading(work: Work, place: Place) -> Iterator[Log]:
    """A table's log. DESCRIBE HISTORY is a job of Spark's; its files take a hundredth of that to be read.

    Raises EngineError for what cannot be read, ConnectionFailed.
    """
    if place.connection.only_spark:
        yield HistoryLog(work, place)
        return
    try:
        yield StoreLog(open_store(place))
    except OSError as error:
        why = error.strerror or error
        raise EngineError(f"the log of {place.address} cannot be read: {why}") from None


@dataclass
class HistoryLog:
    """odibi_magics.delta.log.Log over DESCRIBE HISTORY, as it stood when it was first asked; more of it where asked.

    Raises EngineError, ConnectionFailed.
    """

    work: Work = field(repr=False)
    place: Place
    _commits: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    _newest: int | None = None
    _asked: bool = False
    _whole: bool = False

    @property
    def url(self) -> str:
        return self.place.url

    @property
    def told(self) -> str:
        return self.place.address

    @property
    def newest(self) -> int | None:
        """The newest version; None where there is no table."""
        if not self._asked:
            self._ask(_FIRST)
        return self._newest

    def infos(self, low: int) -> Mapping[int, Mapping[str, Any]]:
        """What is told of each version, as a commit's `commitInfo`; those from `low` on are among them."""
        newest = self.newest
        while newest is not None and not self._whole and low not in self._commits:
            self._ask(max(newest - low + 1, len(self._commits) * _MORE))
        return self._commits

    @property
    def oldest(self) -> int:
        """The oldest version that Spark still tells of."""
        return min(self.infos(0))

    def names(self, after: str = "") -> Iterator[str]:
        first = next(iter(versions_of([f"{after[:20]}.json"])), 0)
        found = (commit_name(version) for version in sorted(self.infos(first)))
        return (name for name in found if name > after)

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        """The newest version stands in for the last checkpoint: whoever looks for the newest begins there."""
        return [self._hint() if name == HINT else self._text(name) for name in names]

    def there(self, names: Sequence[str]) -> list[bool]:
        return [text is not None for text in self.read(names)]

    def modified(self, name: str) -> datetime:
        (version,) = versions_of([name])
        return datetime.fromtimestamp(self.infos(version)[version]["timestamp"] / 1000, UTC)

    @property
    def lists_from(self) -> bool:
        return True

    def staged(self) -> bool:
        return False

    def _hint(self) -> bytes | None:
        return None if self.newest is None else json.dumps({"version": self.newest}).encode()

    def _text(self, name: str) -> bytes | None:
        version = next(iter(versions_of([name])), None)
        if version is None or self.newest is None or version > self.newest:
            return None
        info = self.infos(version).get(version)
        if info is None:
            return None
        actions = [{"commitInfo": info}, *actions_of(info)]
        return b"\n".join(json.dumps(action, ensure_ascii=False).encode() for action in actions)

    def _ask(self, count: int) -> None:
        """Takes up the newest versions, so many. What was committed since the first time is left out."""
        with self.work.running():
            try:
                history = self.work.spark.sql(f"DESCRIBE HISTORY {table(self.place)} LIMIT {count}")
                found = [_info(row) for row in history.selectExpr(*_COLUMNS).collect()]
            except Exception as error:
                if not no_such_place(error):
                    raise
                found = []
        if not self._asked:
            self._asked, self._newest = True, max((version for version, _ in found), default=None)
        self._whole = len(found) < count
        self._commits |= {v: info for v, info in found if self._newest is not None and v <= self._newest}


def _info(row: Sequence[Any]) -> tuple[int, dict[str, Any]]:
    version, time, operation, parameters, metrics, mark, user, user_id, engine = row
    found = {
        "timestamp": time, "operation": operation, "operationParameters": dict(parameters or {}),
        "operationMetrics": dict(metrics or {}), "userMetadata": mark, "userName": user, "userId": user_id,
        "engineInfo": engine,
    }  # fmt: skip
    return int(version), {name: value for name, value in found.items() if value is not None}


def actions_of(info: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a commit did at most, as actions: whether rows came, whether all went, whether the table itself changed."""
    operation = str(info.get("operation", "")).upper()
    if operation in _SAME_ROWS:
        return []
    if operation in _METADATA and not any(_rows(info)):  # ours and deltalake's CREATE TABLE brings rows along
        return [{"metaData": {}}]
    adds = [] if operation in _NONE_ADDED or _moved_none(info) else [{"add": _ROWS}]
    removes = [{"remove": _ROWS}] if _replaces(operation, info) else []
    if removes or operation in _NONE_ADDED:
        return [*removes, *adds] or [{"cdc": _ROWS}]
    return adds


def _replaces(operation: str, info: Mapping[str, Any]) -> bool:
    """Whether nothing is left of the rows that were there."""
    told = info.get("operationParameters", {})
    some = any(_says(value) for key, value in told.items() if key == "predicate" or "replace" in key.lower())
    dynamic = "true" in str(told.get("isDynamicPartitionOverwrite", "")).lower()
    if operation == "DELETE":
        return not some or told.get("predicate") in ('["true"]', "true")
    mode = told.get("writeMode") or told.get("mode", "")  # ours, beside which deltalake's says something else
    whole = str(mode).lower() == "overwrite" or "REPLACE TABLE" in operation
    return operation == "TRUNCATE" or (whole and not some and not dynamic)


def _says(value: Any) -> bool:
    return value not in (None, "", "[]", "null", "false")


_MERGED = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
_WROTE = ("numOutputRows", "numAddedRows", "numUpdatedRows")


def _rows(info: Mapping[str, Any]) -> list[int]:
    """How many rows a commit brought, or changed, as far as it tells; a MERGE's output counts what it only copied."""
    metrics = counts(info)
    return [metrics[name] for name in (_MERGED if "numSourceRows" in metrics else _WROTE) if name in metrics]


def _moved_none(info: Mapping[str, Any]) -> bool:
    """Whether all that a commit tells of rows is that there were none."""
    told = _rows(info)
    return bool(told) and not any(told)
