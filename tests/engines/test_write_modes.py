"""Each write mode: which rows stand there afterwards, what was counted, and that nothing else is left in the folder."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.engines.base import Written
from odibi_magics.engines.pandas.datafiles import FileRows
from odibi_magics.errors import EngineError
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake
from tests.engines.writing import lake as here

__all__ = ["here", "lake"]

START = {"id": [1, 2, 3], "y": [2020, 2020, 2021], "v": ["a", "b", None]}


@pytest.fixture(params=[[], ["y"]], ids=["flat", "partitioned"])
def there(request: pytest.FixtureRequest, lake: Lake) -> Lake:
    lake.write(START, partition_by=request.param)
    return lake


def counted(written: Written) -> tuple[int, int | None, int | None, int | None]:
    return written.rows, written.rows_inserted, written.rows_updated, written.rows_deleted


def clean(lake: Lake, expected: list[tuple[Any, ...]]) -> None:
    assert lake.rows() == sorted(expected, key=repr)
    assert lake.stray() == []


def test_the_first_write_makes_the_table(lake: Lake) -> None:
    written = lake.write(START, partition_by=["y"])
    assert (written.version_before, written.version_after, written.rows, written.files) == (None, 0, 3, 2)
    assert written.bytes == sum(lake.table().get_add_actions()["size_bytes"].to_pylist())
    clean(lake, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])


def test_overwrite_replaces_every_row(there: Lake) -> None:
    written = there.write({"id": [9], "y": [2030], "v": ["n"]})
    assert counted(written) == (1, 1, None, 3)
    assert (written.version_before, written.version_after) == (0, 1)
    clean(there, [(9, 2030, "n")])


def test_overwrite_with_no_rows_leaves_an_empty_table(there: Lake) -> None:
    there.write(there.sql("SELECT 1::BIGINT AS id, 2::BIGINT AS y, 'x' AS v WHERE false"))
    clean(there, [])
    assert there.table().version() == 1


def test_append_adds(there: Lake) -> None:
    assert counted(there.write(START, mode="append")) == (3, 3, None, None)
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)] * 2)


def test_append_of_no_rows_still_leaves_its_mark(there: Lake) -> None:
    written = there.write(
        there.sql("SELECT 1::BIGINT AS id WHERE false"), mode="append", mark='{"run":"empty"}'
    )
    assert (written.rows, written.files, written.version_after) == (0, 0, 1)
    assert there.table().history(1)[0]["userMetadata"] == '{"run":"empty"}'
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])


def test_append_once_adds_the_rows_whose_keys_are_new(there: Lake) -> None:
    data = {"id": [2, 3, 4], "y": [2020, 1999, 2020], "v": ["X", "Y", "Z"]}
    assert counted(there.write(data, mode="append_once", keys=["id"])) == (3, 1, None, None)
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None), (4, 2020, "Z")])
    assert counted(there.write(data, mode="append_once", keys=["id"])) == (3, 0, None, None)
    assert len(there.rows()) == 4


def test_merge_updates_and_inserts(there: Lake) -> None:
    written = there.write({"id": [2, 4], "y": [2021, 2022], "v": ["B", "N"]}, mode="merge", keys=["id"])
    assert counted(written) == (2, 1, 1, None)
    clean(there, [(1, 2020, "a"), (2, 2021, "B"), (3, 2021, None), (4, 2022, "N")])


def test_merge_keeps_the_columns_that_did_not_come_out(there: Lake) -> None:
    there.write({"ID": [2, 4], "V": ["B", "N"]}, mode="merge", keys=["id"])
    clean(there, [(1, 2020, "a"), (2, 2020, "B"), (3, 2021, None), (4, None, "N")])


def test_merge_sets_null_where_the_source_has_null(there: Lake) -> None:
    there.write(there.sql("SELECT 1::BIGINT AS id, NULL::VARCHAR AS v"), mode="merge", keys=["id"])
    there.write(
        there.sql("SELECT 2::BIGINT AS id, 2020::BIGINT AS y, NULL::VARCHAR AS v"), mode="merge", keys=["id"]
    )
    clean(there, [(1, 2020, None), (2, 2020, None), (3, 2021, None)])


def test_merge_updates_every_row_of_the_table_with_the_key(lake: Lake) -> None:
    lake.write({"id": [1, 1, 2], "v": ["a", "b", "c"]})
    written = lake.write({"id": [1, 3], "v": ["n", "m"]}, mode="merge", keys=["id"])
    assert counted(written) == (2, 1, 2, None)
    clean(lake, [(1, "n"), (1, "n"), (2, "c"), (3, "m")])


def test_merge_writes_only_the_files_it_touches_anew(lake: Lake) -> None:
    lake.write(START, partition_by=["y"])
    before = {uri for uri in lake.table().file_uris() if "y=2021" in uri}
    lake.write({"id": [1], "y": [2020], "v": ["A"]}, mode="merge", keys=["id", "y"])
    assert before < set(lake.table().file_uris())


def test_merge_of_no_rows_changes_nothing(there: Lake) -> None:
    written = there.write(there.sql("SELECT 1::BIGINT AS id WHERE false"), mode="merge", keys=["id"])
    assert counted(written) == (0, 0, 0, None)
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])


@pytest.mark.parametrize("mode", ["merge", "append_once"])
def test_keys_that_come_twice_are_refused_with_examples(there: Lake, mode: str) -> None:
    data = {"id": [7, 7, 8], "y": [1, 2, 3], "v": ["a", "b", "c"]}
    with pytest.raises(
        EngineError, match=r"keys: \[id\]: 1 row has the same keys .*id=7, rows=2.*Nothing was written"
    ):
        there.write(data, mode=mode, keys=["id"])
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])
    assert there.table().version() == 0


@pytest.mark.parametrize("mode", ["merge", "append_once"])
def test_null_keys_are_refused_with_examples(there: Lake, mode: str) -> None:
    with pytest.raises(EngineError, match=r"keys: \[id, y\]: 2 rows have NULL in a key.*id=7, y=NULL"):
        there.write(
            {"id": [7, None, 8], "y": [None, 2, 3], "v": ["a", "b", "c"]}, mode=mode, keys=["id", "y"]
        )
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])


def test_overwrite_partitions_replaces_those_in_the_data(lake: Lake) -> None:
    lake.write(START, partition_by=["y"])
    written = lake.write({"id": [7, 8], "y": [2020, 2022], "v": ["n", "m"]}, mode="overwrite_partitions")
    assert counted(written) == (2, 2, None, 2)
    clean(lake, [(3, 2021, None), (7, 2020, "n"), (8, 2022, "m")])


def test_overwrite_partitions_knows_null(lake: Lake) -> None:
    lake.write({"id": [1, 2], "y": ["a", None]}, partition_by=["y"])
    lake.write({"id": [3], "y": pa.array([None], pa.string())}, mode="overwrite_partitions")
    clean(lake, [(1, "a"), (3, None)])


def test_overwrite_partitions_needs_partitions(lake: Lake) -> None:
    lake.write(START)
    with pytest.raises(EngineError, match=r"overwrite_partitions needs a partitioned table.*replace_where"):
        lake.write(START, mode="overwrite_partitions")
    assert lake.stray() == []


def test_replace_where_replaces_the_rows_it_holds_for(there: Lake) -> None:
    written = there.write({"id": [9], "y": [2020], "v": ["n"]}, replace_where="y = 2020")
    assert counted(written) == (1, 1, None, 2)
    clean(there, [(3, 2021, None), (9, 2020, "n")])


def test_replace_where_keeps_other_rows_of_the_same_file(there: Lake) -> None:
    there.write({"id": [1], "y": [2020], "v": ["n"]}, replace_where="id = 1 OR v = 'a'")
    clean(there, [(1, 2020, "n"), (2, 2020, "b"), (3, 2021, None)])


def test_replace_where_keeps_rows_it_cannot_tell(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "v": ["a", None, "c"]})
    lake.write({"id": [9], "v": ["a"]}, replace_where="v = 'a'")
    clean(lake, [(9, "a"), (2, None), (3, "c")])


@pytest.mark.parametrize("value", ["2021", "NULL"])
def test_replace_where_refuses_rows_outside(there: Lake, value: str) -> None:
    frame = there.sql(f"SELECT 9::BIGINT AS id, {value}::BIGINT AS y, 'n' AS v")
    with pytest.raises(EngineError, match=r"replace_where y = 2020: at least 1 row fails, for example id=9"):
        there.write(frame, replace_where="y = 2020")
    clean(there, [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)])


def test_replace_where_that_does_not_fit_the_columns(there: Lake) -> None:
    with pytest.raises(
        EngineError, match=r"replace_where y = 'x' does not fit the columns.*bigint and string are compared"
    ):
        there.write(START, replace_where="y = 'x'")


def test_replace_where_on_a_field_of_a_struct(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "s": [{"a": 1}, {"a": 2}, None], "a": [7, 8, 9]})
    lake.write({"id": [4], "s": [{"a": 1}], "a": [0]}, replace_where="s.a = 1")
    assert [row[0] for row in lake.rows()] == [2, 3, 4]


def test_replace_where_on_a_timestamp(lake: Lake) -> None:
    lake.write(lake.sql("SELECT i AS id, TIMESTAMP '2024-01-01' + INTERVAL (i) DAY AS at FROM range(5) t(i)"))
    lake.write(
        lake.sql("SELECT 9::BIGINT AS id, TIMESTAMP '2024-01-04' AS at"),
        replace_where="at >= TIMESTAMP '2024-01-03'",
    )
    assert [row[0] for row in lake.rows()] == [0, 1, 9]


def test_error_refuses_a_table_and_makes_one(lake: Lake) -> None:
    assert lake.write(START, mode="error").version_after == 0
    with pytest.raises(EngineError, match=r"mode: error: the table lake:t is there already, at version 0"):
        lake.write(START, mode="error")


def test_ignore_skips_a_table_and_makes_one(lake: Lake) -> None:
    assert lake.write(START, mode="ignore").skipped == ""
    written = lake.write({"other": [1]}, mode="ignore")
    assert (written.skipped, written.version_after, written.rows) == ("exists already", 0, 0)


def test_the_commit_says_what_it_was(there: Lake) -> None:
    there.write(START, mode="merge", keys=["id"], mark='{"run":"r1"}')
    commit = there.table().history(1)[0]
    assert commit["userMetadata"] == '{"run":"r1"}'
    assert commit["isBlindAppend"] is False
    assert commit["operationParameters"]["writeMode"] == "merge"
    assert json.loads(commit["operationParameters"]["keys"]) == ["id"]
    there.write({"id": [9]}, mode="append")
    assert there.table().history(1)[0]["isBlindAppend"] is True


def test_checkpoints_are_written_at_the_table_s_interval(lake: Lake) -> None:
    lake.write({"id": [0]})
    lake.table().alter.set_table_properties({"delta.checkpointInterval": "3"})
    for i in range(1, 5):
        lake.write({"id": [i]}, mode="append")
    assert "_delta_log/_last_checkpoint" in lake.paths()
    assert lake.rows() == [(i,) for i in range(5)]


@pytest.mark.parametrize("name", ["raw.csv", "part-00000-6f2c-c000.snappy.parquet", "y=1/data.parquet"])
def test_a_folder_of_other_files_does_not_become_a_table(lake: Lake, name: str) -> None:
    lake.put(f"t/{name}", b"id\n1\n")
    with pytest.raises(EngineError, match=rf"lake:t is no Delta table but holds other files \({name}\)"):
        lake.write(START)
    assert lake.paths() == [name]


def test_a_folder_of_our_own_parquet_files_does_not_become_a_table(lake: Lake) -> None:
    lake.write(START, format="parquet", mode="append")
    with pytest.raises(EngineError, match="lake:t is no Delta table but holds other files"):
        lake.write(START)


@pytest.mark.parametrize("path", ["a%20b", "a\tb", "a\\b", "a\x7f", "%2e/t"])
def test_a_path_that_deltalake_misreads_is_refused(here: Lake, path: str) -> None:
    with pytest.raises(EngineError, match=r"a Delta table cannot be opened at .*: deltalake misreads '"):
        here.write(START, path=path)
    assert list(here.folder.iterdir()) == []
    here.write({"id": [1]}, path=path, format="csv")


@pytest.mark.parametrize("path", ["a b", "a#b", "ü/日本", "100%", "a'b", "a:b+c&d=e"])
def test_paths_of_many_kinds(lake: Lake, path: str) -> None:
    lake.write({"id": [1]}, path=path)
    lake.write({"id": [1, 2]}, path=path, mode="merge", keys=["id"])
    assert (lake.rows(path), lake.stray(path)) == ([(1,), (2,)], [])


def test_a_log_that_cannot_be_read_is_told_in_one_line(lake: Lake) -> None:
    lake.write(START)
    lake.put(f"t/_delta_log/{1:020}.json", b'{"add": nonsense')
    with pytest.raises(EngineError) as raised:
        lake.write(START, mode="append")
    assert str(raised.value).startswith(f"the log of the Delta table {lake.connection.url('t')} is damaged: ")
    assert "\n" not in str(raised.value) and "<unknown>" not in str(raised.value)


def test_a_failed_first_write_leaves_no_folder(lake: Lake) -> None:
    with pytest.raises(EngineError, match=r"cast|convert|Conversion"):
        lake.write(
            lake.sql(
                "SELECT CAST(CASE WHEN i = 299999 THEN 'x' ELSE '1' END AS INT) AS id FROM range(300000) t(i)"
            )
        )
    assert lake.paths() == [] and not (lake.folder / "t").exists()


def test_a_merge_of_plain_files_goes_past_arrows_datasets(
    here: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.write(START)
    here.write({"id": [7], "y": [2022], "v": ["g"]}, mode="append")
    monkeypatch.setattr(FileRows, "opener", None)
    written = here.write({"id": [1, 7, 8], "y": [1, 7, 8], "v": ["n", "o", "p"]}, mode="merge", keys=["id"])
    assert counted(written) == (3, 1, 2, None)
    clean(here, [(1, 1, "n"), (2, 2020, "b"), (3, 2021, None), (7, 7, "o"), (8, 8, "p")])
