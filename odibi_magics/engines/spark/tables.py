"""Delta tables as Spark tells of them: what stands at a place, its versions, what a commit did."""

from __future__ import annotations

from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.delta.log import Commit, commit_name, commits, newest_version, oldest_below
from odibi_magics.delta.travel import version_at
from odibi_magics.engines.base import Place, Source, TargetState
from odibi_magics.engines.spark.log import reading
from odibi_magics.engines.spark.names import is_named, table
from odibi_magics.engines.spark.types import columns_of, in_utc
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError, NoSuchVersion


def newest(work: Work, place: Place) -> int | None:
    """The newest version of a table; None where there is none."""
    with reading(work, place) as log:
        return newest_version(log)


def commits_after(work: Work, place: Place, version: int | None) -> list[Commit]:
    """The versions behind one, the oldest first; with None all."""
    with reading(work, place) as log:
        last = newest_version(log)
        return [] if last is None else commits(log, range(0 if version is None else version + 1, last + 1))


def pinned(work: Work, source: Source) -> int:
    """The version to read; of one that is named `load` tells whether it is there. Raises EngineError where there is no
    table, or not at that time."""
    if source.version is not None:
        return source.version
    with reading(work, source.place) as log:
        found = newest_version(log) if source.timestamp is None else version_at(log, source.timestamp)
    if found is None:
        raise no_table(work, source.place)
    return found


def _missing(work: Work, place: Place, version: int) -> NoSuchVersion:
    with reading(work, place) as log:
        last = newest_version(log) or 0
        first = oldest_below(log, last)
    first = last if first is None else first
    told = f"its versions are {first} to {last}" if first < last else f"its only version is {first}"
    return NoSuchVersion(f"{place.address} has no version {version}: {told}")


def no_table(work: Work, place: Place) -> EngineError:
    """The error for a place where a table was looked for in vain."""
    from odibi_magics.engines.pandas.no_table import none_at
    from odibi_magics.engines.pandas.trees import tree_of
    from odibi_magics.engines.spark.places import is_known

    if is_named(place) and is_known(work, place):
        return EngineError(
            f"{place.url} is a view, or a table of another format than Delta: it has no versions to be pinned"
        )
    if place.connection.only_spark:  # there is no telling what else lies around it
        return EngineError(f"there is no Delta table {'' if is_named(place) else 'at '}{place.url}")
    return none_at(tree_of(place.connection), place.url.rstrip("/"), place.address)


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
            raise no_table(work, place) from None
        raise
    return found


def current(work: Work, place: Place) -> Any:
    """The rows as they are now, lazily."""
    if is_named(place):
        return work.spark.table(table(place))
    return work.spark.read.format("delta").load(place.url)


def state(work: Work, place: Place) -> TargetState:
    """What stands at a place; the log alone is read."""
    with reading(work, place) as log:
        version = newest_version(log)
        if version is None:
            _look(place)
            return TargetState(False)
        (text,) = log.read([commit_name(version)])
    found = work.states.get(place, text) if text is not None else None
    if found is None:
        found = _state(work, place, version)
        if text is not None:
            work.states.put(place, text, found)
    return found


def _state(work: Work, place: Place, version: int) -> TargetState:
    detail = details(work, place)
    frame = current(work, place)
    return TargetState(
        exists=True,
        version=version,
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
    with work.running():
        id_ = _id_in_commit(work, place, version) or details(work, place)["id"]
    return {"url": place.url, "version": version, "id": id_}


def _id_in_commit(work: Work, place: Place, version: int) -> str | None:
    """The table's id, where this commit made the table; DESCRIBE DETAIL takes jobs of Spark's for it."""
    if place.connection.only_spark:
        return None
    with reading(work, place) as log:
        told = (metadata for commit in commits(log, [version]) for metadata in commit.each("metaData"))
        return next((metadata.get("id") for metadata in told), None)


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
