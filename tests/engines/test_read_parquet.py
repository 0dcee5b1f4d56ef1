"""parquet files: read as they are, instants in UTC, files with other columns refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odibi_magics.errors import EngineError
from tests.engines.conftest import House, only_pandas, rows, types


def put(house: House, path: str, table: pa.Table, **more: Any) -> Path:
    target = house.file(path, b"")
    pq.write_table(table, target, **more)
    return target


ALL = pa.table({
    "b": pa.array([True, None]),
    "t": pa.array([1, None], pa.int8()), "s": pa.array([1, None], pa.int16()), "i": pa.array([1, None], pa.int32()),
    "l": pa.array([2**62, None], pa.int64()), "u": pa.array([2**63, None], pa.uint64()),
    "f": pa.array([0.5, None], pa.float32()), "d": pa.array([0.1, None]),
    "n": pa.array([Decimal("12.34"), None], pa.decimal128(10, 2)),
    "x": pa.array(["é", None]), "y": pa.array([b"\x00\xff", None]), "day": pa.array([date(2024, 1, 31), None]),
    "utc": pa.array([datetime(2024, 1, 31, 10, 0, 0, 1, UTC), None], pa.timestamp("us", "UTC")),
    "paris": pa.array([datetime(2024, 1, 31, 10, tzinfo=UTC), None], pa.timestamp("us", "Europe/Paris")),
    "naive": pa.array([datetime(2024, 1, 31, 10), None], pa.timestamp("ms")),
    "nano": pa.array([1_706_695_200_000_000_000, None], pa.timestamp("ns")),
    "list": pa.array([[datetime(2024, 1, 31, tzinfo=UTC)], None], pa.list_(pa.timestamp("us", "UTC"))),
    "map": pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    "struct": pa.array([{"a b": 1}, None], pa.struct([("a b", pa.int64())])),
    "dict": pa.array(["x", None]).dictionary_encode(),
})  # fmt: skip


def test_every_type(house: House) -> None:
    nano = ["nano"] if house.engine.name == "spark" else []  # which Spark cannot read
    put(house, "a.parquet", ALL.drop(nano))
    frame = house.read("a.parquet", "parquet")
    told = types(frame.columns) | dict.fromkeys(nano, "timestamp")
    assert told == {
        "b": "boolean", "t": "tinyint", "s": "smallint", "i": "int", "l": "bigint", "u": "decimal(20,0)", "f": "float",
        "d": "double", "n": "decimal(10,2)", "x": "string", "y": "binary", "day": "date", "utc": "timestamp",
        "paris": "timestamp", "naive": "timestamp", "nano": "timestamp", "list": "array<timestamp>",
        "map": "map<string,bigint>", "struct": "struct<a b:bigint>", "dict": "string",
    }  # fmt: skip
    table = frame.to_arrow()
    assert {field.type for field in table.schema if field.name in ("utc", "paris", "naive", "nano")} == {
        pa.timestamp("us", "UTC")
    }
    expected = ALL.drop(nano).to_pylist()
    for name in {"naive", "nano"} - {*nano}:
        expected[0][name] = datetime(2024, 1, 31, 10, tzinfo=UTC)
    assert table.to_pylist() == expected


@pytest.mark.parametrize("year", [1, 1600, 1816, 2024, 9999])
@pytest.mark.parametrize("int96", [True, False])
def test_years_far_away(house: House, year: int, int96: bool) -> None:
    moment = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    put(
        house,
        "a.parquet",
        pa.table({"t": pa.array([moment], pa.timestamp("us", "UTC"))}),
        use_deprecated_int96_timestamps=int96,
    )
    assert rows(house.read("a.parquet", "parquet")) == [(moment,)]


def test_files_may_order_their_columns_as_they_like(house: House) -> None:
    put(house, "in/a.parquet", pa.table({"id": [1], "x": ["a"]}))
    put(house, "in/b.parquet", pa.table({"x": ["b"], "id": [2]}))
    assert rows(house.read("in/*.parquet", "parquet")) == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"id": [2], "y": ["b"]}, "lacks x and has also y"),
        ({"id": [2.5], "x": ["b"]}, "has id as DOUBLE, not BIGINT"),
        ({"id": [2]}, "lacks x"),
    ],
)
def test_files_with_other_columns_are_refused(house: House, other: dict[str, Any], says: str) -> None:
    put(house, "in/a.parquet", pa.table({"id": [1], "x": ["a"]}))
    put(house, "in/b.parquet", pa.table(other))
    with pytest.raises(EngineError, match=rf"in/b\.parquet {says}"):
        house.read("in", "parquet")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a", "A"], r" has two columns 'a' and 'A', and SQL knows no capitals"),
        (["a", "a"], r" has two columns 'a' and 'a'"),
        (["É", "é"], r" has two columns 'É' and 'é'"),
        (["a", ""], r": the name of column 2 is empty"),
    ],
)
def test_names_that_no_table_can_have_are_refused(house: House, names: list[str], says: str) -> None:
    put(house, "a.parquet", pa.Table.from_arrays([pa.array([i]) for i in range(len(names))], names=names))
    with pytest.raises(EngineError, match=rf"a\.parquet{says}"):
        house.read("a.parquet", "parquet")


def test_names_that_no_struct_can_have_are_refused(house: House) -> None:
    put(
        house, "a.parquet", pa.table({"s": pa.array([(1, 2)], pa.struct({"x": pa.int64(), "X": pa.int64()}))})
    )
    with pytest.raises(EngineError, match=r"a\.parquet has two columns 's\.x' and 's\.X'"):
        house.read("a.parquet", "parquet")


@pytest.mark.parametrize("name", ["x:y", "x,y", "x<y", "x)", 'x"y', " x"])
def test_names_that_no_type_can_hold_are_refused(house: House, name: str) -> None:
    put(house, "a.parquet", pa.table({"s": [[{name: 1, "b": 2}]]}))
    with pytest.raises(
        EngineError, match=rf"no type can hold the name of the field 's\..*{re.escape(name)}'"
    ):
        house.read("a.parquet", "parquet")


def test_names_that_look_like_renamed_ones_stay(house: House) -> None:
    put(house, "a.parquet", pa.table({"a": [1], "a_1": [2], "C0": [3], "s": [{"a (b)": 4, "a_1": 5}]}))
    frame = house.read("a.parquet", "parquet")
    assert list(types(frame.columns)) == ["a", "a_1", "C0", "s"]
    assert rows(frame) == [(1, 2, 3, {"a (b)": 4, "a_1": 5})]


def test_a_decimal_of_more_digits_than_38_is_refused(house: House) -> None:
    put(house, "a.parquet", pa.table({"n": pa.array([Decimal(10**49)], pa.decimal256(50, 0))}))
    with pytest.raises(EngineError, match=r"a\.parquet: column 'n' has 50 digits, a decimal at most 38"):
        house.read("a.parquet", "parquet")


@only_pandas
def test_a_column_of_only_nulls_has_the_type_it_has_in_the_other_files(house: House) -> None:
    kinds = pa.struct({"NULL": pa.int64(), "n": pa.null(), "l": pa.list_(pa.null())})
    inside = pa.array([(1, None, [None])], kinds)
    put(house, "inside.parquet", pa.table({"s": inside}))
    frame = house.read("inside.parquet", "parquet")
    assert types(frame.columns) == {"s": "struct<NULL:bigint,n:string,l:array<string>>"}
    assert rows(frame) == [({"NULL": 1, "n": None, "l": [None]},)]
    nulls = pa.table({"id": [1], "x": pa.nulls(1)})
    put(house, "alone.parquet", nulls)
    frame = house.read("alone.parquet", "parquet")
    assert (types(frame.columns), rows(frame)) == ({"id": "bigint", "x": "string"}, [(1, None)])
    put(house, "in/a.parquet", nulls)
    put(house, "in/b.parquet", pa.table({"id": pa.nulls(1, pa.int64()), "x": [2.5]}))
    put(house, "in/c.parquet", nulls)
    frame = house.read("in", "parquet")
    assert types(frame.columns) == {"id": "bigint", "x": "double"}
    assert rows(frame) == [(1, None), (None, 2.5), (1, None)]
    put(house, "in/c.parquet", pa.table({"id": [1], "y": pa.nulls(1)}))
    with pytest.raises(EngineError, match=r"c\.parquet lacks x and has also y"):
        house.read("in", "parquet")


@only_pandas
@pytest.mark.parametrize("zone", ["UTC", None])
def test_nanoseconds_that_a_timestamp_cannot_hold_are_told(house: House, zone: str | None) -> None:
    whole = 1_706_695_200_000_001_000
    put(house, "a.parquet", pa.table({"t": pa.array([whole, None], pa.timestamp("ns", zone))}))
    frame = house.read("a.parquet", "parquet")
    assert types(frame.columns) == {"t": "timestamp"}
    assert rows(frame) == [(datetime(2024, 1, 31, 10, 0, 0, 1, UTC),), (None,)]
    put(house, "b.parquet", pa.table({"t": pa.array([whole + 1], pa.timestamp("ns", zone))}))
    with pytest.raises(
        EngineError, match=r"b\.parquet: column 't' holds 2024-01-31 10:00:00\.000001001.*microseconds"
    ):
        house.read("b.parquet", "parquet").to_arrow()


def test_a_folder_of_parts_a_table_and_partitions(house: House) -> None:
    put(house, "out/part-0.snappy.parquet", pa.table({"id": [1]}))
    put(house, "out/part-1.snappy.parquet", pa.table({"id": [2]}))
    house.file("out/_SUCCESS", "")
    house.file("out/._SUCCESS.crc", "")
    assert rows(house.read("out", "parquet")) == [(1,), (2,)]
    put(house, "by/year=2024/a.parquet", pa.table({"id": [1]}))
    with pytest.raises(EngineError, match=r"partition folders \(year=2024\)"):
        house.read("by", "parquet")
    house.file("t/_delta_log/0.json", "")
    with pytest.raises(EngineError, match="is a Delta table: read it with format: delta"):
        house.read("t", "parquet")
    house.file("none/readme.md", "")
    with pytest.raises(EngineError, match=r"holds no parquet files; there: readme\.md"):
        house.read("none", "parquet")


def test_what_is_no_parquet_is_told(house: House) -> None:
    house.file("a.parquet", "hello")
    with pytest.raises(EngineError, match=r"a\.parquet is no parquet file that can be read"):
        house.read("a.parquet", "parquet")
    put(house, "b.parquet", pa.table({"t": pa.array([1], pa.time64("us"))}))
    with pytest.raises(EngineError, match=r"b\.parquet: column 't': TIME.* has no counterpart"):
        house.read("b.parquet", "parquet")


def test_names_with_patterns_in_them(house: House) -> None:
    put(house, "a[1].parquet", pa.table({"id": [1]}))
    put(house, "a1.parquet", pa.table({"id": [2]}))
    assert rows(house.read("a[1].parquet", "parquet")) == [(1,)]
