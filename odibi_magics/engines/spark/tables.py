"""Delta tables as Spark tells of them: what stands at a place, its versions, what a commit did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Place, Source, TargetState
from odibi_magics.engines.spark.failures import no_such_place
from odibi_magics.engines.spark.names import is_named, table
from odibi_magics.engines.spark.types import columns_of, in_utc
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError, NoSuchTime, NoSuchVersion

# Commits that are asked for first: seldom are there more behind the version that a write began with.
_FEW = 5


@dataclass(frozen=True)
class Commit:
    """A version of a table. mark: its userMetadata. metrics: as Spark's history names them, numbers as text."""

    version: int
    time: datetime
    mark: str
    metrics: Mapping[str, str]

    def number(self, name: str) -> int | None:
        """A metric; None where the commit does not tell it."""
        found = self.metrics.get(name)
        return None if found is None else int(found)


def newest(work: Work, place: Place) -> Commit | None:
    """The newest version of a table; None where there is none."""
    try:
        found = _commits(work, place, "LIMIT 1")
    except Exception as error:
        if no_such_place(error):
            return None
        raise
    return found[0] if found else None


def commits_after(work: Work, place: Place, version: int | None) -> list[Commit]:
    """The versions behind one, newest first; with None all. No more of the history is read than it takes."""
    limit = _FEW
    while True:
        found = _commits(work, place, f"LIMIT {limit}")
        behind = [commit for commit in found if commit.version > (-1 if version is None else version)]
        if len(behind) < len(found) or len(found) < limit:
            return behind
        limit *= 10


def _commits(work: Work, place: Place, more: str = "") -> list[Commit]:
    history = work.spark.sql(f"DESCRIBE HISTORY {table(place)} {more}")
    rows = history.selectExpr(
        "version", "unix_micros(timestamp)", "userMetadata", "operationMetrics"
    ).collect()
    return [Commit(row[0], _utc(row[1]), row[2] or "", row[3] or {}) for row in rows]


def _utc(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)


def pinned(work: Work, source: Source) -> int:
    """The version to read; of one that is named `load` tells whether it is there. Raises EngineError where there is no
    table, or not at that time."""
    if source.version is not None:
        return source.version
    latest = newest(work, source.place)
    if latest is None:
        raise EngineError(no_table(work, source.place))
    if source.timestamp is not None:
        return version_at(work, source.place, source.timestamp)
    return latest.version


def _missing(work: Work, place: Place, version: int) -> NoSuchVersion:
    there = [commit.version for commit in _commits(work, place)]
    first, last = there[-1], there[0]
    told = f"its versions are {first} to {last}" if first < last else f"its only version is {first}"
    return NoSuchVersion(f"{place.url} has no version {version}: {told}")


def version_at(work: Work, place: Place, when: datetime) -> int:
    """The last version committed at or before a time; Spark itself refuses times behind the newest commit."""
    if when > datetime.now(UTC):
        raise NoSuchTime(f"{place.url}: the time {_told(when)} lies in the future")
    found = _commits(work, place)
    before = [commit.version for commit in found if commit.time <= when]
    if not before:
        raise NoSuchTime(
            f"{place.url} was not there at {_told(when)}; its first commit is of {_told(found[-1].time)}"
        )
    return max(before)


def _told(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def no_table(work: Work, place: Place) -> str:
    """Why there is none to be read."""
    from odibi_magics.engines.pandas.files import hint
    from odibi_magics.engines.pandas.trees import tree_of
    from odibi_magics.engines.spark.places import is_known

    url = place.url
    if is_named(place) and is_known(work, place):
        return f"{url} is a view, or a table of another format than Delta: it has no versions to be pinned"
    if place.connection.only_spark:  # there is no telling what else lies around it
        return f"there is no Delta table {'' if is_named(place) else 'at '}{url}"
    tree = tree_of(place.connection)
    there = tree.at(url)
    if there is not None and not there.is_folder:
        return f"{url} is a file, not a Delta table: name its format: in read:"
    if there is not None:
        return f"{url} is no Delta table: it has no _delta_log; for a folder of files name their format: in read:"
    return f"there is no Delta table at {url}{hint(tree, url)}"


def load(work: Work, place: Place, version: int) -> Any:
    """The rows of a version, lazily. Raises NoSuchVersion where there is none, EngineError where there is no table."""
    try:
        if is_named(place):
            found = work.spark.sql(f"SELECT * FROM {table(place)} VERSION AS OF {version}")
        else:
            found = work.spark.read.format("delta").option("versionAsOf", version).load(place.url)
        found.schema  # noqa: B018  a Connect session looks only when it is asked
    except Exception as error:
        if "VERSION_NOT_FOUND" in str(error):
            raise _missing(work, place, version) from None
        if newest(work, place) is None:
            raise EngineError(no_table(work, place)) from None
        raise
    return found


def current(work: Work, place: Place) -> Any:
    """The rows as they are now, lazily."""
    if is_named(place):
        return work.spark.table(table(place))
    return work.spark.read.format("delta").load(place.url)


def state(work: Work, place: Place) -> TargetState:
    """What stands at a place; the log alone is read."""
    latest = newest(work, place)
    if latest is None:
        _look(place)
        return TargetState(False)
    detail = details(work, place)
    frame = current(work, place)
    return TargetState(
        exists=True,
        version=latest.version,
        columns=columns_of(frame),
        partition_by=tuple(detail["partitionColumns"]),
        files=detail["numFiles"],
        bytes=detail["sizeInBytes"],
        not_null=tuple(field.name for field in frame.schema if not field.nullable),
    )


def details(work: Work, place: Place) -> Any:
    """What DESCRIBE DETAIL tells of a table, as a row."""
    return work.spark.sql(f"DESCRIBE DETAIL {table(place)}").collect()[0]


def pin(work: Work, place: Place, version: int) -> dict[str, Any]:
    """What tells the rows that were read from any others: a table that was made anew has another id."""
    return {"url": place.url, "version": version, "id": details(work, place)["id"]}


def _look(place: Place) -> None:
    """Whether a table could come to be there: Spark takes a container that is not there for an empty one.

    Raises ConnectionFailed.
    """
    if place.connection.libraries:  # a storage account that others than Spark can open
        from odibi_magics.engines.pandas.trees import tree_of

        tree_of(place.connection).at(place.url)


def utc_columns(work: Work, place: Place, version: int) -> tuple[Any, tuple[Column, ...]]:
    """The rows of a version with the types of the language, and its columns."""
    frame = in_utc(load(work, place, version))
    return frame, columns_of(frame)
