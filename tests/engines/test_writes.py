"""What every engine's writes must do alike: rows, counts, marks, refusals and words; read back by deltalake alone."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from deltalake import DeltaTable, Field, Schema, write_deltalake
from deltalake.schema import PrimitiveType

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Check, Engine, Frame, RowCheck, Sink, TableCheck, Written
from odibi_magics.engines.checks import Flag, cut
from odibi_magics.engines.spark.checks import rows_of
from odibi_magics.errors import (
    EngineError,
    KeysRefused,
    PartitionsRefused,
    TargetExists,
    ValidationFailed,
    WriteConflict,
)
from odibi_magics.sql.predicates import between, is_in, not_null
from tests.engines.conftest import House, rows, types

START = {"id": [1, 2, 3], "y": [2020, 2020, 2021], "v": ["a", "b", None]}
AS_IT_WAS = [(1, 2020, "a"), (2, 2020, "b"), (3, 2021, None)]


class Lake:
    """A house with tables in it: data goes in as Arrow, and is read back by deltalake."""

    def __init__(self, house: House) -> None:
        self.house = house

    def frame(self, data: Mapping[str, Any] | pa.Table) -> Frame:
        table = data if isinstance(data, pa.Table) else pa.table(dict(data))
        name = f"in/{uuid.uuid4().hex}.parquet"
        pq.write_table(table, self.house.file(name, b""))
        return self.house.read(name, "parquet")

    def sink(self, mode: str = "overwrite", path: str = "t", format_: str = "delta", **more: Any) -> Sink:
        for name in ("keys", "partition_by"):
            more[name] = tuple(more.get(name, ()))
        return Sink(self.house.place(path, format_), mode, **more)

    def write(
        self, data: Any, mode: str = "overwrite", *, checks: Sequence[Check] = (), mark: str = "", **more: Any
    ) -> Written:
        frame = self.frame(data) if isinstance(data, (dict, pa.Table)) else data
        mark = mark or json.dumps({"run": uuid.uuid4().hex})
        return self.house.run.write(
            frame, self.sink(mode, **more), checks=checks, mark=mark, progress=lambda rows: None
        )

    def table(self, path: str = "t") -> DeltaTable:
        return DeltaTable(str(self.house.folder / path))

    def holds(self, expected: Sequence[tuple[Any, ...]], path: str = "t") -> bool:
        table = self.table(path).to_pyarrow_table()
        found = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        assert sorted(found, key=repr) == sorted(expected, key=repr)
        return True

    def types(self) -> dict[str, str]:
        fields = json.loads(self.table().schema().to_json())["fields"]
        return {field["name"]: field["type"] for field in fields}


@pytest.fixture
def lake(house: House) -> Lake:
    return Lake(house)


def counted(written: Written) -> tuple[int, int | None, int | None]:
    return written.rows, written.rows_inserted, written.rows_updated


def empty(**types_: pa.DataType) -> pa.Table:
    return pa.schema(list(types_.items())).empty_table()


# Modes ----------------------------------------------------------------------------------------------------------------


def test_the_first_write_makes_the_table_and_overwrite_replaces_every_row(lake: Lake) -> None:
    first = lake.write(START, partition_by=["y"], mark='{"run":"r1"}')
    assert (first.version_before, first.version_after, first.rows, first.files) == (None, 0, 3, 2)
    added = pa.table(lake.table().get_add_actions())
    assert first.bytes == sum(added["size_bytes"].to_pylist())
    assert lake.table().metadata().partition_columns == ["y"]
    assert lake.table().history(1)[0]["userMetadata"] == '{"run":"r1"}'
    again = lake.write({"id": [9], "y": [2030], "v": ["n"]})
    assert (*counted(again), again.version_before, again.version_after) == (1, 1, None, 0, 1)
    assert lake.holds([(9, 2030, "n")])
    lake.write(empty(id=pa.int64(), y=pa.int64(), v=pa.string()))
    assert (lake.holds([]), lake.table().version()) == (True, 2)


def test_append_adds_and_leaves_its_mark_with_no_rows_too(lake: Lake) -> None:
    lake.write(START)
    assert counted(lake.write({"V": ["c"], "ID": [4]}, "append")) == (1, 1, None)
    assert lake.holds([*AS_IT_WAS, (4, None, "c")])
    none = lake.write(empty(id=pa.int64()), "append", mark='{"run":"empty"}')
    assert (none.rows, none.version_after) == (0, 2)
    assert lake.table().history(1)[0]["userMetadata"] == '{"run":"empty"}'


@pytest.mark.parametrize("partition_by", [[], ["y"]])
def test_append_once_adds_the_rows_whose_keys_are_new(lake: Lake, partition_by: list[str]) -> None:
    lake.write(START, partition_by=partition_by)
    data = {"id": [2, 3, 4], "y": [2020, 1999, 2020], "v": ["X", "Y", "Z"]}
    done = lake.write(data, "append_once", keys=["id"], mark='{"run":"once"}')
    assert counted(done) == (3, 1, None)
    assert lake.table().history(1)[0]["userMetadata"] == '{"run":"once"}'
    again = lake.write(data, "append_once", keys=["id"])
    assert (*counted(again), again.version_after) == (3, 0, None, 2)
    assert lake.holds([*AS_IT_WAS, (4, 2020, "Z")])


def test_merge_updates_inserts_and_keeps_the_columns_that_did_not_come_out(lake: Lake) -> None:
    lake.write(START)
    done = lake.write({"ID": [2, 4], "V": ["B", None]}, "merge", keys=["id"], mark='{"run":"m"}')
    assert (*counted(done), done.version_after) == (2, 1, 1, 1)
    assert lake.table().history(1)[0]["userMetadata"] == '{"run":"m"}'
    assert lake.holds([(1, 2020, "a"), (2, 2020, "B"), (3, 2021, None), (4, None, None)])
    none = lake.write(empty(id=pa.int64()), "merge", keys=["id"], mark='{"run":"none"}')
    assert (*counted(none), none.version_after) == (0, 0, 0, 2)


def test_merge_and_append_once_make_a_table(lake: Lake) -> None:
    for mode in ("merge", "append_once"):
        assert counted(lake.write(START, mode, keys=["id"], path=mode))[:2] == (3, 3)
        assert lake.holds(AS_IT_WAS, mode)


@pytest.mark.parametrize("mode", ["merge", "append_once"])
def test_keys_that_are_null_or_come_twice_are_refused_with_examples(lake: Lake, mode: str) -> None:
    lake.write(START)
    with pytest.raises(
        KeysRefused, match=r"keys: \[id\]: 1 row has the same keys .*id=7, rows=2.*Nothing was written"
    ):
        lake.write({"id": [7, 7, 8], "v": ["a", "b", "c"]}, mode, keys=["id"])
    with pytest.raises(KeysRefused, match=r"keys: \[id, y\]: 2 rows have NULL in a key.*id=7, y=NULL"):
        lake.write({"id": [7, None, 8], "y": [None, 2, 3]}, mode, keys=["id", "y"])
    assert (lake.holds(AS_IT_WAS), lake.table().version()) == (True, 0)


def test_overwrite_partitions_replaces_those_in_the_data(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "y": ["a", "b", None]}, partition_by=["y"])
    new = {"id": [7, 8], "y": pa.array([None, "c"], pa.string())}
    assert counted(lake.write(new, "overwrite_partitions")) == (2, 2, None)
    assert lake.holds([(1, "a"), (2, "b"), (7, None), (8, "c")])
    lake.write(START, path="flat")
    with pytest.raises(EngineError, match=r"overwrite_partitions needs a partitioned table.*replace_where"):
        lake.write(START, "overwrite_partitions", path="flat")


def test_replace_where_replaces_the_rows_it_holds_for_and_refuses_others(lake: Lake) -> None:
    lake.write({**START, "v": ["a", None, "c"]})
    done = lake.write({"id": [9], "y": [2020], "v": ["a"]}, replace_where="v = 'a' OR id = 3")
    assert (*counted(done), done.rows_deleted) == (1, 1, None, 2)
    assert lake.holds([(9, 2020, "a"), (2, 2020, None)])
    for value in (2021, None):
        outside = {"id": [9], "y": pa.array([value], pa.int64()), "v": ["n"]}
        with pytest.raises(
            ValidationFailed, match=r"replace_where y = 2020: at least 1 row fails, for example id=9"
        ):
            lake.write(outside, replace_where="y = 2020")
    with pytest.raises(EngineError, match=r"does not fit the columns.*bigint and string are compared"):
        lake.write(START, replace_where="y = 'x'")
    assert lake.table().version() == 1


def test_error_refuses_a_table_and_ignore_skips_it(lake: Lake) -> None:
    assert lake.write(START, "error").version_after == 0
    with pytest.raises(TargetExists, match=r"mode: error: the table lake:t is there already, at version 0"):
        lake.write(START, "error")
    skipped = lake.write({"other": [1]}, "ignore")
    assert (skipped.skipped, skipped.version_after, skipped.rows) == ("exists already", 0, 0)
    assert lake.write(START, "ignore", path="new").skipped == ""


def test_a_folder_of_other_files_or_a_file_does_not_become_a_table(lake: Lake) -> None:
    lake.house.file("t/raw.csv", "id\n1\n")
    with pytest.raises(EngineError, match=r"lake:t is no Delta table but holds other files \(raw\.csv\)"):
        lake.write(START)
    with pytest.raises(EngineError, match=r"lake:t is no Delta table but holds other files \(raw\.csv\)"):
        lake.house.engine.target(Sink(lake.house.place("t", "delta")))
    with pytest.raises(EngineError, match=r"lake:t/raw\.csv is a file, not a folder for a table"):
        lake.house.engine.target(Sink(lake.house.place("t/raw.csv", "delta")))
    with pytest.raises(EngineError, match=r"lake:t/raw\.csv is a file, not a folder for a table"):
        lake.write(START, path="t/raw.csv")


@pytest.mark.parametrize(
    "name", [".keep", "_SUCCESS", "a/.hidden", "a/_SUCCESS", f"k=1/part-0-0-{'0' * 32}.parquet"]
)
def test_what_no_reader_sees_is_in_no_table_s_way(lake: Lake, name: str) -> None:
    lake.house.file(f"t/{name}", "")
    (lake.house.folder / "t" / "empty" / "folder").mkdir(parents=True)
    assert lake.write(START).version_after == 0


@pytest.mark.parametrize("options", [{"quote": "'"}, {"quote": "'", "escape": "\\"}, {}], ids=str)
def test_a_csv_is_read_as_it_was_written(lake: Lake, options: dict[str, str]) -> None:
    texts = ["it's", "a,b", "'", 'x"y', "plain", None]
    query = " UNION ALL ".join(
        f"SELECT {number}L AS id, CAST({value} AS decimal(20,10)) AS x"
        for number, value in enumerate(("0", "'0.0000000001'", "1.5", "-3", "NULL", "0"))
    )
    numbers = lake.house.sql(query)
    frame = lake.house.sql(
        "SELECT t.id, t.s, n.x FROM t JOIN n USING (id)",
        t=lake.frame({"id": list(range(6)), "s": texts}),
        n=numbers,
    )
    lake.write(frame, path="out", format_="csv", options=options)
    schema = {"id": "bigint", "s": "string", "x": "decimal(20,10)"}
    read = lake.house.read("out", "csv", schema=schema, options=options)
    assert sorted(rows(read), key=repr) == sorted(rows(frame), key=repr)


def test_a_table_does_not_come_to_be_in_another_ones_folder(lake: Lake) -> None:
    lake.write(START)
    for path in ("t/inner", "t/a/b"):
        with pytest.raises(
            EngineError, match=rf"lake:{path} lies in the folder of the Delta table lake:t, whose VACUUM"
        ):
            lake.house.engine.target(Sink(lake.house.place(path, "delta")))
    for path in ("t/_hidden", "beside"):
        assert not lake.house.engine.target(Sink(lake.house.place(path, "delta"))).exists


# Columns --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "more", "expected"),
    [
        ("append", {}, [(1, 1, None), (2, 1, "n"), (2, 1, None), (3, 2, None)]),
        ("merge", {"keys": ["id"]}, [(1, 1, None), (2, 1, "n"), (3, 2, None)]),
        ("overwrite", {}, [(2, 1, "n")]),
        ("overwrite", {"replace_where": "id = 2"}, [(1, 1, None), (2, 1, "n"), (3, 2, None)]),
        ("overwrite_partitions", {}, [(2, 1, "n"), (3, 2, None)]),
    ],
)
def test_merge_schema_adds_a_column_in_one_commit(
    lake: Lake, mode: str, more: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    lake.write({"id": [1, 2, 3], "y": [1, 1, 2]}, partition_by=["y"])
    data = {"id": [2], "y": [1], "extra": ["n"]}
    with pytest.raises(EngineError, match=r"lake:t has no column extra string. merge_schema: true"):
        lake.write(data, mode, **more)
    lake.write(data, mode, merge_schema=True, **more)
    assert lake.holds(expected)
    assert lake.types() == {"id": "long", "y": "long", "extra": "string"}
    assert lake.table().version() == 1


def test_overwrite_schema_takes_the_new_columns_types_and_partitions(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    with pytest.raises(PartitionsRefused, match=r"is partitioned by y, not by id.*overwrite_schema: true"):
        lake.write({"id": [1], "y": [1]}, partition_by=["id"])
    lake.write({"id": ["a"], "y": [2], "z": [3]}, overwrite_schema=True)
    assert (lake.types(), lake.table().metadata().partition_columns) == (
        {"id": "string", "y": "long", "z": "long"},
        ["y"],
    )
    lake.write({"id": ["b"], "z": [3]}, overwrite_schema=True, partition_by=["z"])
    assert (lake.table().metadata().partition_columns, lake.holds([("b", 3)])) == (["z"], True)


def test_types_widen_and_never_narrow(lake: Lake) -> None:
    lake.write({"id": pa.array([1], pa.int64()), "x": [1.5]})
    lake.write({"id": pa.array([2], pa.int16()), "x": pa.array([3], pa.int32())}, "append")
    with pytest.raises(EngineError, match=r"column 'id' is double, in the table lake:t it is bigint"):
        lake.write({"id": [1.5], "x": [1.5]}, "append")
    with pytest.raises(EngineError, match="column 'x' of the table lake:t did not come out of the node"):
        lake.write({"id": [1]})
    assert lake.holds([(1, 1.5), (2, 3.0)])


def test_not_null_columns_and_empty_partition_values_are_refused(lake: Lake) -> None:
    fields = [Field("id", PrimitiveType("long"), nullable=False), Field("v", PrimitiveType("string"))]
    DeltaTable.create(str(lake.house.folder / "t"), Schema(fields))
    with pytest.raises(ValidationFailed, match="NOT NULL id: at least 1 row fails, for example id=NULL, v=b"):
        lake.write({"id": [1, None], "v": ["a", "b"]}, "append")
    lake.write({"id": [1], "v": ["a"]}, "append")
    assert lake.holds([(1, "a")])
    with pytest.raises(ValidationFailed, match=r"partition_by v: at least 1 row fails.*nullif\(v, ''\)"):
        lake.write({"id": [1], "v": [""]}, path="p", partition_by=["v"])


# Checks ---------------------------------------------------------------------------------------------------------------

CHECKED = {"id": [1, 2, 2, 4], "v": ["a", "b", None, "x" * 100], "q": [1, 50, None, 7]}
ROW_CHECKS = [
    ("no_nulls v", not_null("v"), ("v",), "1 row fails, for example v=NULL"),
    ("accepted_values v", is_in("v", ["a", "b"]), ("v",), f"1 row fails, for example v={'x' * 60}…"),
    ("range q", between("q", 1, 10), ("q",), "1 row fails, for example q=50"),
    ("expression id < 4", "id < 4", (), "1 row fails, for example id=4, v=x"),
]


def test_warnings_are_counted_in_a_write_and_without_one(lake: Lake) -> None:
    checks: list[Check] = [RowCheck(label, text, "warn", columns) for label, text, columns, _ in ROW_CHECKS]
    frame = lake.frame(CHECKED)
    for results in (lake.house.run.check(frame, checks), lake.write(frame, checks=checks).checks):
        assert [(one.label, one.failed, one.at_least) for one in results] == [
            (label, 1, False) for label, *_ in ROW_CHECKS
        ]
        assert all(words in one.message for one, (*_, words) in zip(results, ROW_CHECKS, strict=True))
    merged = lake.write({"id": [1], "v": ["a"], "q": [77]}, "merge", keys=["id"], checks=checks)
    assert [one.failed for one in merged.checks] == [0, 0, 1, 0]


def test_rows_of_a_warning_are_shown_without_a_second_look(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []

    def look(spark: Any, flag: Flag, columns: Sequence[Column]) -> list[dict[str, Any]]:
        looks.append(flag.label)
        return rows_of(spark, flag, columns)

    monkeypatch.setattr("odibi_magics.engines.spark.write.rows_of", look)
    ids = range(40)
    data: dict[str, list[Any]] = {
        "id": list(ids),
        "v": [f"é'\"\\{i}" if i else "x" * 1000 for i in ids],
        "x": [i / 3 for i in ids],
        "t": [datetime(2024, 1, 31, 10, i, tzinfo=UTC) for i in ids],
        "same": ["s" for _ in ids],
    }
    counts = {"id > 50": 40, "id > 1": 2, "id > 0": 1, "same <> 's'": 40, "id >= 0": 0}
    checks = [RowCheck(text, text, "warn", ("same",) if "same" in text else ()) for text in counts]
    results = lake.write(data, checks=checks).checks
    assert {one.label: one.failed for one in results} == counts
    for one in results:
        shown = [int(row["id"]) for row in one.examples]
        assert (len(shown), len(set(shown))) == (min(one.failed, 3), len(shown))
        assert list(one.examples) == [{name: cut(data[name][i]) for name in data} for i in shown]
    assert looks == []
    (result,) = lake.write(
        {"id": [1], "b": [b"x"]}, path="b", checks=[RowCheck("c", "id > 1", "warn")]
    ).checks
    assert result.examples == ({"id": 1, "b": b"x"},)


@pytest.mark.parametrize(("label", "text", "columns", "words"), ROW_CHECKS)
def test_a_row_that_fails_ends_the_write(
    lake: Lake, label: str, text: str, columns: tuple[str, ...], words: str
) -> None:
    with pytest.raises(
        ValidationFailed, match=f"validation failed, nothing was written: {label}: at least"
    ) as raised:
        lake.write(CHECKED, checks=[RowCheck(label, text, columns=columns)])
    (result,) = raised.value.checks  # type: ignore[attr-defined]
    assert (result.failed, result.at_least, len(result.examples)) == (1, True, 1)
    assert words in str(raised.value)
    assert not lake.house.engine.target(lake.sink()).exists


def test_checks_over_all_rows_come_before_the_commit(lake: Lake) -> None:
    unique = TableCheck("unique id", "unique", columns=("id",))
    with pytest.raises(
        ValidationFailed, match="unique id: 1 row repeats an earlier one, for example id=2, rows=2"
    ):
        lake.write(CHECKED, checks=[unique])
    with pytest.raises(ValidationFailed, match="row_count: 4 rows came out, expected at least 5"):
        lake.write(CHECKED, checks=[TableCheck("row_count", "row_count", min=5)])
    with pytest.raises(ValidationFailed, match="not_empty: 0 rows came out, expected at least 1"):
        lake.write(empty(id=pa.int64()), checks=[TableCheck("not_empty", "not_empty")])
    assert not lake.house.engine.target(lake.sink()).exists
    checks: list[Check] = [
        RowCheck("a", "id > 0"), RowCheck("b", "id > 3", "warn"), TableCheck("c", "unique", "warn", ("id",)),
        TableCheck("d", "unique", columns=("id", "v")), TableCheck("e", "row_count", min=4, max=4),
    ]  # fmt: skip
    written = lake.write(CHECKED, checks=checks)
    assert [(one.label, one.failed) for one in written.checks] == [
        ("a", 0),
        ("b", 3),
        ("c", 1),
        ("d", 0),
        ("e", 0),
    ]


def test_a_check_that_does_not_fit_its_column_is_told(lake: Lake) -> None:
    with pytest.raises(
        ValidationFailed, match="range v does not fit the columns that came out: string and int are compared"
    ):
        lake.write(CHECKED, checks=[RowCheck("range v", between("v", 1, 10), "warn")])


# Files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_files_are_written_replaced_and_added_to(lake: Lake, kind: str) -> None:
    checks: list[Check] = [RowCheck("positive", "id > 0")]
    house, first = lake.house, lake.write({"id": [1, 2]}, path="a", format_=kind, checks=checks)
    assert (first.rows, first.version_after, first.bytes > 0) == (2, None, True)
    lake.write({"id": [3]}, path="a", format_=kind)
    with pytest.raises(ValidationFailed, match="positive: at least 1 row fails, for example id=-1"):
        lake.write({"id": [-1]}, path="a", format_=kind, checks=checks)
    assert rows(house.read("a", kind)) == [(3,)]
    for i in range(2):
        lake.write({"id": [i]}, "append", path="parts", format_=kind)
    assert sorted(rows(house.read("parts", kind))) == [(0,), (1,)]
    assert lake.write({"id": [3]}, "ignore", path="a", format_=kind).skipped == "exists already"
    with pytest.raises(TargetExists, match="mode: error: lake:a is there already"):
        lake.write({"id": [3]}, "error", path="a", format_=kind)
    with pytest.raises(EngineError, match=f"mode: merge needs a Delta table; {kind} knows overwrite"):
        lake.write({"id": [3]}, "merge", path="a", format_=kind, keys=["id"])
    lake.write({"id": [3]})
    with pytest.raises(EngineError, match="lake:t is a Delta table"):
        lake.write({"id": [3]}, path="t", format_=kind)


def test_a_part_of_other_columns_is_refused(lake: Lake) -> None:
    lake.write({"id": [1], "v": ["a"]}, "append", path="parts", format_="csv")
    with pytest.raises(
        EngineError, match="lake:parts could not be read with one more part: the new part lacks v; the first"
    ):
        lake.write({"id": [2]}, "append", path="parts", format_="csv")
    assert rows(lake.house.read("parts", "csv")) == [(1, "a")]


# Side by side ---------------------------------------------------------------------------------------------------------


def test_writers_side_by_side_lose_no_rows(lake: Lake) -> None:
    lake.write({"id": [0], "v": [0]})
    frames = {i: lake.frame({"id": [i, 0], "v": [i, i]}) for i in (1, 2, 3)}
    landed: list[int] = []

    def work(i: int) -> None:
        try:
            lake.write(frames[i], "merge" if i == 1 else "append", keys=["id"] if i == 1 else ())
            landed.append(i)
        except WriteConflict:  # told, and nothing of it is there
            pass

    threads = [threading.Thread(target=work, args=(i,)) for i in frames]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lake.table().to_pyarrow_table()["id"].to_pylist()
    assert {i for i in (1, 2, 3) if i in found} == set(landed)
    assert len(landed) >= 1 and lake.table().version() == len(landed)


def test_engines_read_and_merge_into_one_another_s_tables(house: House, engine: Engine) -> None:
    """Written by one engine, changed by the other, read by the first."""
    from odibi_magics.engines.registry import choose_engine

    if engine.name == "pandas":
        pytest.skip("needs two engines: the other turn has them")
    ours, theirs = Lake(house), Lake(House(choose_engine("pandas"), house.folder))
    theirs.write(START, partition_by=["y"])
    ours.write({"id": [2], "v": ["B"]}, "merge", keys=["id"])
    theirs.write({"id": [4], "y": [2022], "v": ["n"]}, "merge", keys=["id"])
    expected = [(1, 2020, "a"), (2, 2020, "B"), (3, 2021, None), (4, 2022, "n")]
    for lake in (ours, theirs):
        frame = lake.house.read("t", "delta")
        assert sorted(rows(frame)) == sorted(expected, key=repr)
        assert types(frame.columns) == {"id": "bigint", "y": "bigint", "v": "string"}
    theirs.house.run.close()


# What is measured of what was written ---------------------------------------------------------------------------------


def codes(written: Written) -> list[str]:
    return [warning.code for warning in written.warnings]


def test_what_a_write_left_is_measured(lake: Lake) -> None:
    ids = list(range(21))
    unique = lake.write({"id": ids, "k": ids}, partition_by=["k"])
    assert codes(unique) == ["high-cardinality-partition"]
    assert "column 'k' has 21 values in 21 rows" in unique.warnings[0].message
    days = {"id": [1, 2, 3], "day": ["mon", "tue", None]}
    assert codes(lake.write(days, path="days", partition_by=["day"])) == []
    (one,) = lake.write({"id": [4], "day": ["tue"]}, path="days").warnings
    assert one.code == "one-partition-overwrote-all"
    assert "replaced all 3 partitions of lake:days by rows of one (day=tue)" in one.message
    assert "replace_where: \"day = 'tue'\"; version 0 holds the rows" in one.remedy
    assert codes(lake.write({"id": [4], "day": ["mon"]}, path="days", mode="append")) == []


@pytest.mark.parametrize(
    ("of", "value", "condition"),
    [
        ([1, 2], 2, "k = 2"),
        ([True, False], True, "k = true"),
        (["it's", 'say "x"'], "it's", None),
        ([date(2026, 1, 1), date(2026, 1, 2)], date(2026, 1, 2), "k = CAST('2026-01-02' AS DATE)"),
        ([None, "x"], None, "k IS NULL"),
    ],
    ids=str,
)
def test_the_condition_of_one_partition_can_be_pasted(
    lake: Lake, of: list[Any], value: Any, condition: str | None
) -> None:
    lake.write({"id": [1, 2], "k": of}, partition_by=["k"])
    alone = pa.table({"id": [3], "k": pa.array([value], pa.array(of).type)})
    (warning,) = lake.write(alone).warnings
    told = warning.remedy.partition("replace_where: ")[2].partition("; version")[0]
    given = yaml.safe_load(told)
    assert condition is None or given == condition
    assert lake.write(alone, replace_where=given).rows_inserted == 1


def test_a_table_of_many_small_files_is_told(lake: Lake) -> None:
    schema = pa.schema([("id", pa.int64())])
    for i in range(50):
        write_deltalake(lake.house.folder / "small", pa.table({"id": [i]}, schema), mode="append")
    (warning,) = lake.write({"id": [50]}, path="small", mode="append").warnings
    assert warning.code == "many-small-files"
    assert "small now has 51 files" in warning.message
