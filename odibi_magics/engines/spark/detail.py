"""What a Delta table is, and what its state asks for, where only Spark may look: DESCRIBE DETAIL and a few counts."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from odibi_magics.delta.detail import Detail
from odibi_magics.engines.base import Place, Warned
from odibi_magics.engines.condition import many_small_files
from odibi_magics.engines.spark.names import quoted
from odibi_magics.engines.spark.tables import current, details, newest, no_table
from odibi_magics.engines.spark.types import columns_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import ConnectionFailed, EngineError


def detail(work: Work, place: Place) -> Detail:
    """A table as it stands; nobody tells of its log and of files that are none of its own any more.

    Raises EngineError where there is none, ConnectionFailed.
    """
    with work.running():
        version = newest(work, place)
        if version is None:
            raise no_table(work, place)
        about, frame = details(work, place), current(work, place)
        return Detail(
            address=place.address,
            url=place.url,
            version=version,
            created=about["createdAt"].astimezone(UTC) if about["createdAt"] else None,
            name=about["name"],
            description=about["description"],
            format="parquet",
            reader_version=about["minReaderVersion"],
            writer_version=about["minWriterVersion"],
            features=_features(about),
            columns=columns_of(frame),
            partition_by=tuple(about["partitionColumns"]),
            properties=dict(about["properties"] or {}),
            files=about["numFiles"],
            bytes=about["sizeInBytes"],
            rows=frame.count(),  # told by the log's statistics where it has them, without a file being read
            partitions=_partitions(about, frame),
            oldest=None,
            log_files=None,
            log_bytes=None,
            checkpoint=None,
            reclaimable=None,
        )


def _features(about: Any) -> tuple[str, ...]:
    """By name; those that older versions of the protocol bring along are not told."""
    named = about["minReaderVersion"] >= 3 or about["minWriterVersion"] >= 7
    return tuple(sorted(about["tableFeatures"] or ())) if named else ()


def _partitions(about: Any, frame: Any) -> int:
    """How many of them have rows; of the columns that part them, no other is read."""
    names = about["partitionColumns"]
    return max(1, int(frame.select(*map(quoted, names)).distinct().count())) if names else 1


def glance(work: Work, place: Place) -> tuple[Warned, ...]:
    """What a table's state asks for. A table that cannot be looked at has no warnings: whoever reads it is told why."""
    try:
        with work.running():
            about = details(work, place)
    except (EngineError, ConnectionFailed):
        return ()
    if about["partitionColumns"]:  # how many partitions there are would have to be counted
        return ()
    return tuple(many_small_files(place.address, about["numFiles"], about["sizeInBytes"], 1))
