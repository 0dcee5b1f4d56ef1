"""Restoring tables with features: what comes back with the files, what must never be turned back, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.delta.features import merged_protocol
from odibi_magics.engines.pandas.restore import empty, restore
from odibi_magics.errors import EngineError
from tests.engines import delta_tables
from tests.engines.delta_tables import deleted, field
from tests.engines.test_restore import newest, place, state
from tests.engines.writing import Lake, lake

__all__ = ["lake"]


def table(lake: Lake, *features: str, rows: int = 2, **more: Any) -> Path:
    folder = lake.folder / "t"
    delta_tables.table(folder, pa.table({"id": list(range(rows))}), reader=3, features=features, **more)
    return folder


def commit(folder: Path, version: int, *actions: dict[str, Any]) -> None:
    (folder / "_delta_log" / f"{version:020}.json").write_text("\n".join(map(json.dumps, actions)))


def remove(**more: Any) -> dict[str, Any]:
    return {"remove": {"path": "part-0.parquet", "dataChange": True, "deletionTimestamp": 5, **more}}


def add(folder: Path, **more: Any) -> dict[str, Any]:
    size = (folder / "part-0.parquet").stat().st_size
    return {
        "add": {
            "path": "part-0.parquet", "partitionValues": {}, "size": size, "modificationTime": 0, "dataChange": True,
            "stats": '{"numRecords":4}', **more,
        }
    }  # fmt: skip


def metadata(folder: Path, **configuration: str) -> dict[str, Any]:
    """The table's, with these properties."""
    for line in (folder / "_delta_log" / f"{0:020}.json").read_text().splitlines():
        if "metaData" in line:
            found = json.loads(line)
            found["metaData"]["configuration"] = configuration
            return dict(found)
    raise AssertionError("no metadata")


def test_rows_that_were_deleted_come_back(lake: Lake) -> None:
    """The same file with and without a deletion vector is two files to the log."""
    folder = table(lake, "deletionVectors", rows=4)
    vector = deleted([0, 3])
    commit(folder, 1, remove(), add(folder, **vector))
    told = restore(place(lake), 0, dry_run=True)
    assert (told.back.rows, told.gone.rows, told.before.rows, told.after.rows) == (4, 2, 2, 4)
    assert restore(place(lake), 0).committed == 2
    assert lake.table().count() == 4
    assert restore(place(lake), 1).committed == 3
    ((_, one),) = state(lake).files.items()
    assert one["deletionVector"] == vector["deletionVector"]
    assert pa.table(lake.table().scan()).column("id").to_pylist() == [1, 2]


def test_row_ids_come_back_with_their_files(lake: Lake) -> None:
    folder = table(
        lake,
        "rowTracking",
        "domainMetadata",
        add={"baseRowId": 7, "defaultRowCommitVersion": 0, "tags": {"a": "b"}},
    )
    mark = {
        "domainMetadata": {
            "domain": "delta.rowTracking",
            "configuration": '{"rowIdHighWaterMark":9}',
            "removed": False,
        }
    }
    commit(folder, 1, remove(baseRowId=7, defaultRowCommitVersion=0), mark)
    restore(place(lake), 0)
    ((_, one),) = state(lake).files.items()
    assert (one["baseRowId"], one["defaultRowCommitVersion"], one["tags"]) == (7, 0, {"a": "b"})
    assert state(lake).domains["delta.rowTracking"] == mark["domainMetadata"]  # it only ever goes up


def test_files_without_row_ids_are_left_to_spark(lake: Lake) -> None:
    folder = table(lake, "rowTracking")
    commit(folder, 1, remove())
    with pytest.raises(EngineError, match="uses rowTracking, and files of that version have no row ids yet"):
        restore(place(lake), 0)


def test_a_table_s_own_clock_goes_on(lake: Lake) -> None:
    on = {"delta.enableInCommitTimestamps": "true"}
    folder = table(lake, "inCommitTimestamp")
    late = 4_000_000_000_000
    commit(folder, 1, {"commitInfo": {"inCommitTimestamp": late}}, metadata(folder, **on), remove())
    restore(place(lake), 0)
    assert newest(lake)["inCommitTimestamp"] == late + 1
    first = (folder / "_delta_log" / f"{2:020}.json").read_text().splitlines()[0]
    assert first.startswith('{"commitInfo":{"inCommitTimestamp":')
    assert state(lake).configuration == on


def test_identity_columns_count_on(lake: Lake) -> None:
    def fields(mark: int) -> list[dict[str, Any]]:
        return [
            field(
                "id",
                "long",
                **{"delta.identity.start": 1, "delta.identity.step": 1, "delta.identity.highWaterMark": mark},
            )
        ]

    folder = table(lake, "identityColumns", fields=fields(2))
    later = metadata(folder)
    later["metaData"]["schemaString"] = json.dumps({"type": "struct", "fields": fields(9)})
    commit(folder, 1, later, remove())
    restore(place(lake), 0)
    assert state(lake).fields[0]["metadata"]["delta.identity.highWaterMark"] == 9


def test_column_mapping(lake: Lake) -> None:
    folder = table(
        lake,
        "columnMapping",
        configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "3"},
    )
    commit(
        folder,
        1,
        metadata(folder, **{"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "5"}),
        remove(),
    )
    restore(place(lake), 0)
    assert state(lake).configuration["delta.columnMapping.maxColumnId"] == "5"


def test_a_version_from_before_column_mapping_is_refused(lake: Lake) -> None:
    folder = table(lake, "columnMapping")
    commit(folder, 1, metadata(folder, **{"delta.columnMapping.mode": "name"}))
    with pytest.raises(EngineError, match="from before column mapping was switched on"):
        restore(place(lake), 0)


def test_a_change_feed_gets_no_files_of_its_own(lake: Lake) -> None:
    folder = table(lake, "changeDataFeed", configuration={"delta.enableChangeDataFeed": "true"})
    commit(
        folder,
        1,
        remove(),
        {"cdc": {"path": "_change_data/x.parquet", "partitionValues": {}, "size": 1, "dataChange": False}},
    )
    restore(place(lake), 0)
    text = (folder / "_delta_log" / f"{2:020}.json").read_text()
    assert '"cdc"' not in text and '"dataChange":true' in text
    assert len(state(lake).files) == 1


@pytest.mark.parametrize("work", [lambda where: restore(where, 0), empty])
def test_an_append_only_table_loses_nothing(lake: Lake, work: Any) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]}, mode="append")
    lake.table().alter.set_table_properties({"delta.appendOnly": "true"})
    with pytest.raises(EngineError, match="is append-only"):
        work(place(lake))
    assert len(lake.rows()) == 2


@pytest.mark.parametrize("feature", ["catalogManaged", "icebergCompatV3", "somethingNew"])
@pytest.mark.parametrize("work", [lambda where: restore(where, 0), empty])
def test_unknown_features_are_refused_by_name(lake: Lake, feature: str, work: Any) -> None:
    table(lake, feature)
    with pytest.raises(EngineError, match=f"uses {feature}, which this engine cannot write"):
        work(place(lake))


def test_a_protocol_is_never_lowered() -> None:
    old = {"minReaderVersion": 1, "minWriterVersion": 2}
    new: dict[str, Any] = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": ["deletionVectors"],
           "writerFeatures": ["appendOnly", "invariants", "deletionVectors"]}  # fmt: skip
    assert merged_protocol(new, old) is None
    assert merged_protocol(old, old) is None
    both = merged_protocol(old, new)
    assert both == {**new, "writerFeatures": sorted(new["writerFeatures"])}
    mapped = merged_protocol({"minReaderVersion": 2, "minWriterVersion": 5}, new)
    assert mapped is not None
    assert mapped["readerFeatures"] == ["columnMapping", "deletionVectors"]
    assert {"columnMapping", "checkConstraints", "changeDataFeed"} <= set(mapped["writerFeatures"])


def test_paths_as_other_writers_leave_them(lake: Lake) -> None:
    """Spark leaves letters outside of ASCII as they are; the log's own spelling is kept."""
    folder = lake.folder / "t"
    delta_tables.table(
        folder,
        pa.table({"id": [1, 2]}),
        file="p=a b/ü.parquet",
        partitions=(),
        add={"path": "p=a%20b/ü.parquet"},
    )
    commit(folder, 1, {"remove": {"path": "p=a%20b/ü.parquet", "dataChange": True, "deletionTimestamp": 1}})
    assert restore(place(lake), 0).committed == 2
    assert [path for path, _ in state(lake).files] == ["p=a%20b/ü.parquet"]
