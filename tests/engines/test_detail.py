"""What a table is, what its state asks for, and which of its versions still read."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from odibi_magics.config.types import Column
from odibi_magics.delta.detail import Detail
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.condition import warnings_of
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.errors import DamagedLog, NoSuchTime, NoSuchVersion
from tests.engines import logs
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake

__all__ = ["lake"]


@pytest.fixture
def folder(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def place(where: Lake) -> Place:
    return Place(where.connection, "t", "delta")


def detail(where: Lake) -> Detail:
    return PandasEngine().detail(place(where))


def read(where: Lake, **at: Any) -> list[Any]:
    run = PandasEngine().open([place(where)])
    try:
        return sorted(run.read(Source(place(where), **at)).to_arrow()["id"].to_pylist())
    finally:
        run.close()


def vacuum(where: Lake) -> None:
    """All that the newest version does not need."""
    table = where.table()
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


def test_a_table_s_detail(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "p": ["a", "a", "b"]}, partition_by=["p"])
    lake.write({"id": [4], "p": ["a"]}, mode="append")
    lake.table().create_checkpoint()
    lake.write({"id": [5], "p": ["b"]}, mode="append")
    lake.put("t/stray.parquet", b"12345")
    found = detail(lake)
    assert (found.address, found.url) == ("lake:t", place(lake).url)
    assert (found.version, found.checkpoint, found.since_checkpoint, found.oldest) == (2, 1, 1, 0)
    assert (found.files, found.rows, found.partitions) == (4, 5, 2)
    sizes = [one["size_bytes"] for one in lake.table().get_add_actions().to_struct_array().to_pylist()]
    assert found.bytes == sum(sizes)
    assert found.columns == (Column("id", "bigint"), Column("p", "string"))
    assert (found.partition_by, found.format, found.reader_version, found.features) == (
        ("p",),
        "parquet",
        1,
        (),
    )
    assert found.created is not None
    assert abs(found.created - datetime.now(UTC)) < timedelta(minutes=5)
    log = [path for path in lake.paths() if path.startswith("_delta_log/")]
    assert (found.log_files, (found.log_bytes or 0) > 500, found.reclaimable) == (len(log), True, 0)
    assert warnings_of(found) == ()


# Versions that still read -------------------------------------------------------------------------------------


def test_after_a_vacuum_versions_that_still_read_are_named(lake: Lake) -> None:
    for i in range(3):
        lake.write({"id": [i]})
    lake.write({"id": [3]}, mode="append")
    vacuum(lake)
    with pytest.raises(
        NoSuchVersion,
        match=r"cannot be read at version 1 any more, 1 of its 1 files went missing.*still read: 2 to 5",
    ):
        read(lake, version=1)
    assert (read(lake, version=2), read(lake, version=3), detail(lake).oldest) == ([2], [2, 3], 2)


def test_after_a_clean_up_versions_that_still_read_are_named(folder: Lake) -> None:
    for i in range(5):
        folder.write({"id": [i]}, mode="append")
    DeltaTable(str(folder.folder / "t"), 3).create_checkpoint()
    for version in range(3):
        (folder.folder / "t/_delta_log" / logs.name(version)).unlink()
    with pytest.raises(
        NoSuchVersion,
        match=r"version 1 any more, its commits were cleaned up: versions that still read: 3 to 4",
    ):
        read(folder, version=1)
    assert (read(folder, version=3), detail(folder).oldest) == ([0, 1, 2, 3], 3)
    with pytest.raises(NoSuchVersion, match="has no version 9: its versions are 3 to 4"):
        read(folder, version=9)


def test_damage_is_not_taken_for_a_clean_up(folder: Lake) -> None:
    for i in range(5):
        folder.write({"id": [i]}, mode="append")
    (folder.folder / "t/_delta_log" / logs.name(2)).write_bytes(b"{")
    for version in (3, None):
        with pytest.raises(DamagedLog, match=f"{logs.name(2)}: its line 1 is no JSON object"):
            read(folder, version=version)
    (folder.folder / "t/_delta_log" / logs.name(2)).unlink()
    for version in (3, None):
        with pytest.raises(DamagedLog, match=f"{logs.name(2)}: it is missing"):
            read(folder, version=version)


def test_a_damaged_checkpoint_is_named(folder: Lake) -> None:
    folder.write({"id": [1]})
    folder.table().create_checkpoint()
    folder.write({"id": [2]}, mode="append")
    (folder.folder / "t/_delta_log" / f"{0:020}.checkpoint.parquet").write_bytes(b"PAR1")
    with pytest.raises(DamagedLog, match=f"{0:020}.checkpoint.parquet: it is no whole Parquet file"):
        detail(folder)


def test_a_table_at_a_time(lake: Lake) -> None:
    for version in range(4):
        lake.write({"id": [version]}, mode="append")
    at = PandasEngine().history(place(lake)).entries
    assert read(lake, timestamp=at[2].time) == [0, 1]
    assert read(lake, timestamp=at[1].time - timedelta(milliseconds=1)) in ([0, 1], [0])
    assert read(lake, timestamp=datetime.now(UTC)) == [0, 1, 2, 3]
    with pytest.raises(NoSuchTime, match="was not there at 2001"):
        read(lake, timestamp=datetime(2001, 1, 1, tzinfo=UTC))


# What its state asks for --------------------------------------------------------------------------------------


def glance(where: Lake) -> dict[str, str]:
    return {one.code: f"{one.message} → {one.remedy}" for one in PandasEngine().glance(place(where))}


def test_a_good_table_gets_none(lake: Lake) -> None:
    lake.write({"id": [1]})
    assert lake.write({"id": [2]}).warnings == ()
    assert glance(lake) == {}


def test_what_cannot_be_looked_at_has_none(lake: Lake) -> None:
    assert glance(lake) == {}
    lake.put(f"t/_delta_log/{logs.name(0)}", b"{")
    assert glance(lake) == {}


def test_many_small_files(folder: Lake) -> None:
    logs.long_log(folder.folder / "t", 51)
    assert set(glance(folder)) == {"many-small-files"}
    told = glance(folder)["many-small-files"]
    assert "lake:t now has 51 files of 1.0 kB on average" in told
    assert "%odibi_optimize lake:t" in told


def test_a_long_log_without_a_checkpoint(folder: Lake) -> None:
    logs.long_log(folder.folder / "t", 199)
    assert "long-log" not in glance(folder)
    logs.long_log(folder.folder / "u", 201)
    shutil.rmtree(folder.folder / "t")
    (folder.folder / "u").rename(folder.folder / "t")
    told = glance(folder)["long-log"]
    assert "reads 201 versions one by one" in told
    assert "%odibi_optimize lake:t" in told
    assert any(one.code == "long-log" for one in warnings_of(detail(folder)))
    warned = folder.write({"id": [1]}, mode="append").warnings
    assert [one.code for one in warned if one.code == "long-log"] == ["long-log"]
    DeltaTable(str(folder.folder / "t")).create_checkpoint()
    assert "long-log" not in glance(folder)


def tombstones(where: Lake, age: timedelta, size: int) -> None:
    """A table of which a file was replaced so long ago."""
    when = int((datetime.now(UTC) - age).timestamp() * 1000)
    log = "t/_delta_log/{:020}.json"
    where.put(log.format(0), logs.commit(0, logs.add("a", size=size), timestamp=when - 1000))
    where.put(
        log.format(1),
        logs.commit(1, logs.remove("a", size=size, deletionTimestamp=when), logs.add("b"), timestamp=when),
    )


def test_bytes_that_a_vacuum_would_free(lake: Lake) -> None:
    tombstones(lake, timedelta(days=8), 3_200_000_000)
    told = glance(lake)["reclaimable-files"]
    assert "at least 3.2 GB below lake:t" in told
    assert "%odibi_vacuum lake:t" in told
    assert "reclaimable-files" in [one.code for one in lake.write({"id": [1]}, mode="append").warnings]
    stopped = {"operation": "VACUUM END", "operationParameters": {"status": "STOPPED"}}
    lake.put(f"t/_delta_log/{logs.name(3)}", logs.commit(3, {"txn": {}}, **stopped))
    assert "reclaimable-files" in glance(lake)
    lake.put(f"t/_delta_log/{logs.name(4)}", logs.commit(4, {"txn": {}}, operation="VACUUM END"))
    assert glance(lake) == {}


@pytest.mark.parametrize(("days", "size"), [(6, 3_200_000_000), (8, 900_000_000)])
def test_what_a_vacuum_would_not_free_is_no_matter(lake: Lake, days: int, size: int) -> None:
    tombstones(lake, timedelta(days=days), size)
    assert glance(lake) == {}


def test_detail_counts_only_files_that_are_there(lake: Lake) -> None:
    tombstones(lake, timedelta(days=8), 3_200_000_000)
    assert detail(lake).reclaimable == 0
    lake.put("t/a", b"12345")
    assert detail(lake).reclaimable == 5
