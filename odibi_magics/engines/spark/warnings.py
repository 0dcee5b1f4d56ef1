"""What a write left, by its commit; a commit that only DESCRIBE HISTORY tells names no files, and gets no warning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from odibi_magics.delta.log import Commit
from odibi_magics.engines.align import Layout
from odibi_magics.engines.base import Place, Sink, TargetState, Warned
from odibi_magics.engines.size_warnings import File, Left, Partition, Stands
from odibi_magics.errors import ConnectionFailed, EngineError


def left_warnings(sink: Sink, layout: Layout, there: TargetState, commit: Commit) -> tuple[Warned, ...]:
    """there: what stood before. commit: the write's. Nothing where partitions go by other names than their columns'."""
    adds, removes = (list(commit.each(kind)) for kind in ("add", "remove"))
    if not all(
        "size" in add and set(add.get("partitionValues", ())) == set(layout.partition_by) for add in adds
    ):
        return ()
    added = [File(_partition(add), add["size"], _rows(add)) for add in adds]
    same = there.exists and there.partition_by == layout.partition_by
    before = {_partition(remove) for remove in removes} if same else None
    return Left(sink, layout, added, _stands(there, adds, removes), before, there.version).warnings()


def _partition(action: Mapping[str, Any]) -> Partition:
    return tuple(sorted((action.get("partitionValues") or {}).items()))


def _rows(add: Mapping[str, Any]) -> int | None:
    found = json.loads(add.get("stats") or "{}").get("numRecords")
    return found if isinstance(found, int) else None


def _stands(
    there: TargetState, adds: list[Mapping[str, Any]], removes: list[Mapping[str, Any]]
) -> Stands | None:
    """The files of a table without partitions; of another one only a look into all of its log tells how many it has."""
    if there.partition_by or any(add["partitionValues"] for add in adds):
        return None
    size = sum(add["size"] for add in adds) - sum(remove.get("size", 0) for remove in removes)
    return Stands((there.files or 0) + len(adds) - len(removes), (there.bytes or 0) + size, 1)


def log_warnings(place: Place, there: TargetState) -> tuple[Warned, ...]:
    """What the log asks for, looked at before the write; nothing where only Spark may read it."""
    from odibi_magics.engines.pandas import glance
    from odibi_magics.engines.pandas.log import StoreLog
    from odibi_magics.engines.pandas.storage import open_store

    if there.version is None or place.connection.only_spark:
        return ()
    try:
        return glance.log_warnings(
            place.address, StoreLog(open_store(place)), there.version, there.bytes or 0
        )
    except (OSError, EngineError, ConnectionFailed):
        return ()
