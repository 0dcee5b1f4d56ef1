"""The history of tables: ours, deltalake's, Spark's as its metrics name things, and damaged ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.delta.log import newest_version
from odibi_magics.delta.mark import RunMark, Target
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.engine import PandasEngine
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.errors import DamagedLog, EngineError
from tests.engines import logs
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake

__all__ = ["lake"]

MARK = RunMark("r1", "etl", "clean", "append", "f", (), (Target("clean", "t", "delta", 0),))


def history(where: Lake, path: str = "t", **more: Any) -> History:
    return PandasEngine().history(Place(where.connection, path, "delta"), **more)


def entry(where: Lake, *actions: Mapping[str, Any], **info: Any) -> HistoryEntry:
    """Of version 1 of a table, a commit written by hand."""
    where.put(f"t/_delta_log/{logs.name(0)}", logs.commit(0))
    where.put(f"t/_delta_log/{logs.name(1)}", logs.commit(1, *(actions or ({"txn": {}},)), **info))
    return history(where).entries[0]


def changed(told: HistoryEntry) -> tuple[int | None, ...]:
    return told.rows_inserted, told.rows_changed, told.rows_deleted


def test_a_restore_tells_its_rows(lake: Lake) -> None:
    """By the files that came and went: the log has their statistics."""
    for rows in (3, 4):
        lake.write({"id": list(range(rows))}, mode="append")
    for version in (0, 1):
        PandasEngine().restore(Place(lake.connection, "t", "delta"), version)
    assert list(map(changed, history(lake).entries[:2])) == [(4, 0, 0), (0, 0, 4)]


# Ours and deltalake's -----------------------------------------------------------------------------------------


def test_our_writes(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "p": [1, 1, 2]}, partition_by=["p"])
    lake.write({"id": [4], "p": [1]}, mode="append", mark=MARK.to_json())
    lake.write({"id": [4, 5], "p": [2, 2]}, mode="merge", keys=["id"])
    lake.write({"id": [9], "p": [2]}, replace_where="p = 2")
    found = history(lake)
    assert (found.address, found.newest, found.oldest, found.more) == ("lake:t", 3, 0, 0)
    assert found.url == Place(lake.connection, "t", "delta").url
    assert [one.version for one in found.entries] == [3, 2, 1, 0]
    assert list(map(changed, found.entries)) == [(1, 0, 3), (1, 1, 0), (1, 0, 0), (3, 0, 0)]
    assert found.entries[1].rows == 2
    assert [one.operation for one in found.entries] == ["WRITE", "WRITE", "WRITE", "CREATE TABLE"]
    assert [one.files_added for one in reversed(found.entries)][:2] == [2, 1]
    assert found.entries[-1].parameters["writeMode"] == "overwrite"
    append = found.entries[2]
    assert (append.run, append.pipeline, append.node) == ("r1", "etl", "clean")
    assert (append.files_added, append.files_removed, append.bytes_removed) == (1, 0, 0)
    assert (
        append.bytes_added
        == lake.table(version=1).get_add_actions().to_struct_array().to_pylist()[0]["size_bytes"]
    )
    assert all(abs(one.time - datetime.now(UTC)) < timedelta(minutes=5) for one in found.entries)
    assert all(one.changes_data for one in found.entries)
    assert (found.entries[0].files_removed, (found.entries[0].bytes_removed or 0) > 0) == (2, True)


def test_deltalake_s_own_operations(tmp_path: Path) -> None:
    where = Lake(tmp_path)
    rows = pa.table({"id": [1, 2, 3]})
    url = str(tmp_path / "t")
    for _ in range(2):
        write_deltalake(url, rows, mode="append")
    table = DeltaTable(url)
    table.delete("id = 2")
    table.update({"id": "id + 1"}, predicate="id > 1")
    source = pa.table({"id": [4, 7]})
    merge = table.merge(source, "s.id = t.id", "s", "t")
    merge.when_matched_update_all().when_not_matched_insert_all().execute()
    write_deltalake(url, rows, mode="append")
    table = DeltaTable(url)
    table.optimize.compact()
    table.restore(1)
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    found = {(one.version, one.operation): one for one in history(where).entries}
    told = {
        key: (changed(one), one.files_added, one.files_removed, one.changes_data)
        for key, one in found.items()
    }
    assert told == {
        (0, "WRITE"): ((3, 0, 0), 1, 0, True),
        (1, "WRITE"): ((3, 0, 0), 1, 0, True),
        (2, "DELETE"): ((0, 0, 2), 1, 2, True),
        (3, "UPDATE"): ((0, 2, 0), 1, 1, True),
        (4, "MERGE"): ((1, 2, 0), 1, 1, True),
        (5, "WRITE"): ((3, 0, 0), 1, 0, True),
        (6, "OPTIMIZE"): ((0, 0, 0), 1, 2, False),
        (7, "RESTORE"): ((6, 0, None), 2, 1, True),
        (8, "VACUUM START"): ((0, 0, 0), 0, 0, False),
        (9, "VACUUM END"): ((0, 0, 0), 0, 5, False),
    }
    assert found[8, "VACUUM START"].parameters["numFilesToDelete"] == "5"
    assert found[9, "VACUUM END"].bytes_removed is None
    where.session.close()


# Spark's metrics ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "metrics", "rows"),
    [
        ("WRITE", {"numFiles": "1", "numOutputRows": "7", "numOutputBytes": "5"}, (7, 0, None)),
        ("CREATE TABLE AS SELECT", {"numFiles": "1", "numOutputRows": "7"}, (7, 0, None)),
        ("MERGE", {"numTargetRowsInserted": "2", "numTargetRowsUpdated": "3", "numTargetRowsDeleted": "1",
                   "numTargetRowsCopied": "90", "numOutputRows": "95", "numSourceRows": "6"}, (2, 3, 1)),
        ("UPDATE", {"numUpdatedRows": "4", "numCopiedRows": "90"}, (0, 4, 0)),
        ("DELETE", {"numDeletedRows": "4", "numCopiedRows": "90", "numRemovedFiles": "1"}, (0, 0, 4)),
        ("STREAMING UPDATE", {"numAddedFiles": "1", "numOutputRows": "8"}, (8, 0, None)),
        ("OPTIMIZE", {"numAddedFiles": "1", "numRemovedFiles": "1", "minFileSize": "4"}, (10, 0, None)),
        ("RESTORE", {"numRestoredFiles": "1", "numRemovedFiles": "1", "restoredFilesSize": "1000"}, (10, 0, None)),
    ],
)  # fmt: skip
def test_spark_s_metrics(
    lake: Lake, operation: str, metrics: Mapping[str, str], rows: tuple[int | None, ...]
) -> None:
    actions = (logs.add("b", size=300), logs.remove("part-0.parquet", size=1000))
    found = entry(lake, *actions, operation=operation, operationMetrics=metrics)
    assert (found.operation, changed(found)) == (operation, rows)
    assert (found.files_added, found.files_removed, found.bytes_added, found.bytes_removed) == (
        1,
        1,
        300,
        1000,
    )


def test_without_metrics_the_actions_count(lake: Lake) -> None:
    assert entry(lake, logs.add("b", rows=4), logs.add("c", rows=5)).rows == 9
    assert entry(lake, logs.add("b", rows=4), logs.add("c", stats=None)).rows is None
    gone = logs.remove("part-0.parquet", stats='{"numRecords": 3}')
    assert changed(entry(lake, gone)) == (0, 0, 3)
    assert changed(entry(lake, logs.remove("part-0.parquet"))) == (0, 0, None)
    assert entry(lake, logs.add("b", stats='{"numRecords": -1}')).rows is None
    assert entry(lake, logs.remove("part-0.parquet")).bytes_removed is None


def test_a_new_deletion_vector_is_no_new_file(lake: Lake) -> None:
    vector = {"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 4, "cardinality": 3}
    found = entry(
        lake, logs.add("part-0.parquet", deletionVector=vector), logs.remove("part-0.parquet", size=1000)
    )
    assert (found.files_added, found.files_removed, found.bytes_added, found.bytes_removed) == (0, 0, 0, 0)
    assert entry(lake, logs.add("b", rows=10, deletionVector=vector)).rows == 7


@pytest.mark.parametrize(
    "odd",
    [
        {"operationMetrics": {"numOutputRows": "9" * 6000, "numTargetRowsInserted": "-3", "numDeletedRows": True}},
        {"operationMetrics": [1], "operationParameters": "no", "userName": {"a": 1}, "operation": 7, "engineInfo": [1]},
        {"userMetadata": json.dumps({"odibi": 1, "run": {"a": 1}, "pipeline": 5, "node": [], "mode": "", "fingerprint": "",
                                     "inputs": [], "targets": []})},
        {"userMetadata": 7, "operationParameters": {"a": {"b": [1, None]}, "c": None, "d": 5}},
    ],
)  # fmt: skip
def test_what_no_writer_should_write(lake: Lake, odd: Mapping[str, Any]) -> None:
    found = entry(lake, logs.add("b", rows=4), **odd)
    assert found.rows == 4
    texts = [found.operation, found.user, found.engine, found.run, found.node, *found.parameters.values()]
    assert all(text is None or isinstance(text, str) for text in texts)


# Pages --------------------------------------------------------------------------------------------------------


def test_pages(lake: Lake) -> None:
    for version in range(9):
        lake.put(f"t/_delta_log/{logs.name(version)}", logs.commit(version))
    page = history(lake, limit=4)
    assert ([one.version for one in page.entries], page.more) == ([8, 7, 6, 5], 5)
    below = history(lake, limit=4, before=5)
    assert ([one.version for one in below.entries], below.more, below.newest) == ([4, 3, 2, 1], 1, 8)
    assert (len(history(lake, limit=None).entries), history(lake, limit=None).more) == (9, 0)
    assert (history(lake, before=0).entries, history(lake, before=0).more) == ((), 0)
    assert history(lake, before=700).entries == history(lake).entries


def test_neither_the_table_nor_its_checkpoint_is_opened(lake: Lake) -> None:
    for version in range(5, 9):
        lake.put(f"t/_delta_log/{logs.name(version)}", logs.commit(version))
    lake.put("t/_delta_log/_last_checkpoint", b'{"version": 6}')
    lake.put(f"t/_delta_log/{6:020}.checkpoint.parquet", b"damaged")
    found = history(lake)
    assert ([one.version for one in found.entries], found.oldest, found.more) == ([8, 7, 6, 5], 5, 0)


def test_where_there_is_no_table(lake: Lake) -> None:
    lake.put("folder/a.csv", b"id\n")
    with pytest.raises(EngineError, match=r"^there is no Delta table at lake:none; there: folder$"):
        history(lake, "none")
    with pytest.raises(EngineError, match=r"^lake:folder is no Delta table: it has no _delta_log$"):
        history(lake, "folder")
    with pytest.raises(EngineError, match=r"^lake:folder/a.csv is a file, not a Delta table$"):
        history(lake, "folder/a.csv")


def test_a_table_that_a_catalog_manages_is_refused_by_name(lake: Lake) -> None:
    lake.put(f"t/_delta_log/{logs.name(0)}", logs.commit(0, inCommitTimestamp=logs.START))
    assert len(history(lake).entries) == 1
    staged = f"t/_delta_log/_staged_commits/{1:020}.80a083e8-7026-4e79-81be-64bd76c43a11.json"
    lake.put(staged, logs.commit(1))
    with pytest.raises(EngineError, match=r"is managed by a catalog.*_staged_commits"):
        history(lake)


# Damage -------------------------------------------------------------------------------------------------------


def damaged(where: Lake, damage: Callable[[Path], None]) -> str:
    """What is said of the history after damage to version 4 of 9."""
    folder = logs.long_log(where.folder / "t", 9)
    damage(folder / "_delta_log" / logs.name(4))
    with pytest.raises(DamagedLog) as caught:
        history(where)
    assert history(where, limit=3).entries[-1].version == 6
    return str(caught.value)


@pytest.fixture
def folder(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_a_missing_commit_is_named(folder: Lake) -> None:
    told = damaged(folder, lambda file: file.unlink())
    assert f"_delta_log/{logs.name(4)}: it is missing, and versions after it are there" in told
    assert str(folder.folder / "t") in told


def test_a_cut_commit_is_named(folder: Lake) -> None:
    told = damaged(folder, lambda file: os.truncate(file, file.stat().st_size - 5))
    assert f"{logs.name(4)}: its line 2 is no JSON object" in told


def test_an_empty_commit_is_named(folder: Lake) -> None:
    assert f"{logs.name(4)}: it is empty" in damaged(folder, lambda file: os.truncate(file, 0))


def test_storage_and_log_agree_on_the_newest(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.table().create_checkpoint()
    lake.write({"id": [3]})
    log = StoreLog(open_store(Place(lake.connection, "t", "delta")))
    assert newest_version(log) == lake.table().version() == 2
    assert replace(history(lake), entries=()).newest == 2
