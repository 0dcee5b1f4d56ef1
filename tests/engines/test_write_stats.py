"""What the log says of each file is true of its rows, so that readers may skip files by it."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, Field, Schema
from deltalake.schema import PrimitiveType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics.errors import ValidationFailed
from tests.engines.writing import Lake, lake

__all__ = ["lake"]

_MICROSECONDS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59))
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
COLUMNS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "i": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "sm": (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    "d": (pa.float64(), st.floats()),
    "f": (pa.float32(), st.floats(width=32)),
    "dc": (pa.decimal128(30, 4), st.decimals(-(10**25), 10**25, places=4)),
    "s": (pa.string(), st.one_of(_TEXT, st.text("é\U0010ffffz", min_size=30, max_size=36))),
    "da": (pa.date32(), st.dates()),
    "ts": (pa.timestamp("us", "UTC"), _MICROSECONDS),
    "b": (pa.bool_(), st.booleans()),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(1, 12))
    columns = {
        name: pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), type_)
        for name, (type_, values) in COLUMNS.items()
    }
    return pa.table({**columns, "p": draw(st.lists(st.integers(0, 2), min_size=rows, max_size=rows))})


def logged(lake: Lake, path: str = "t") -> list[tuple[dict[str, Any], pa.Table]]:
    """Each file's statistics as they stand in the log, numbers exact, and its rows."""
    lines = (
        (lake.folder / path / "_delta_log" / f"{lake.table(path).version():020}.json")
        .read_text()
        .splitlines()
    )
    adds = [json.loads(line)["add"] for line in lines if '"add"' in line[:8]]
    return [
        (
            json.loads(add["stats"], parse_float=Decimal),
            pq.ParquetFile(lake.folder / path / unquote(add["path"])).read(),
        )
        for add in adds
    ]


def bound(name: str, value: Any) -> Any:
    if name == "da":
        return date.fromisoformat(value)
    if name == "ts":
        return datetime.fromisoformat(value.replace("Z", "")).replace(tzinfo=UTC)
    return value


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(tables())
def test_statistics_hold_for_every_value(lake: Lake, data: pa.Table) -> None:
    lake.write(data, partition_by=["p"])
    files = logged(lake)
    assert sum(rows.num_rows for _, rows in files) == data.num_rows
    for stats, rows in files:
        assert stats["numRecords"] == rows.num_rows
        for name in COLUMNS:
            values = [value for value in rows[name].to_pylist() if value is not None]
            assert stats["nullCount"].get(name) in (rows.num_rows - len(values), None)
            if name in stats["minValues"]:
                low = bound(name, stats["minValues"][name])
                assert all(low <= value for value in values)
            if name in stats["maxValues"]:
                high = bound(name, stats["maxValues"][name])
                assert all(value <= high for value in values)


def test_bounds_are_there_and_close(lake: Lake) -> None:
    at = datetime(2024, 1, 1, 1, 2, 3, 456789)
    lake.write(
        pa.table(
            {
                "i": [1, 5], "dc": pa.array([Decimal("1.10"), Decimal("12345678901234567890.12")]),
                "s": ["a" * 40, "b" * 40], "ts": pa.array([at, at + timedelta(hours=1)], pa.timestamp("us", "UTC")),
                "da": [date(2024, 1, 1), date(2024, 2, 1)], "b": [True, False], "l": [[1], [2]],
                "n": pa.array([None, None], pa.int32()),
            }
        )
    )  # fmt: skip
    ((stats, _),) = logged(lake)
    assert stats["minValues"] == {
        "i": 1, "dc": Decimal("1.10"), "s": "a" * 32, "ts": "2024-01-01T01:02:03.456Z",
        "da": "2024-01-01",
    }  # fmt: skip
    assert stats["maxValues"] == {
        "i": 5, "dc": Decimal("12345678901234567890.12"), "s": "b" * 32 + "\U0010ffff",
        "ts": "2024-01-01T02:02:03.457Z", "da": "2024-02-01",
    }  # fmt: skip
    assert stats["nullCount"] == {"i": 0, "dc": 0, "s": 0, "ts": 0, "da": 0, "b": 0, "n": 2}


def footers(lake: Lake) -> dict[str, bool]:
    """Which columns have bounds in the footer of the table's only file."""
    (path,) = (lake.folder / "t").glob("*.parquet")
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return {one.path_in_schema: bool(one.statistics and one.statistics.has_min_max) for one in columns}


def test_floats_have_no_bounds_because_bounds_do_not_know_nan(lake: Lake) -> None:
    """Spark and DuckDB order NaN above all numbers, and would skip it with a maximum of 1."""
    lake.write({"id": [1, 2], "d": [1.0, math.nan], "s": [{"d": 1.0, "i": 1}] * 2, "l": [[1.0], []]})
    assert footers(lake) == {"id": True, "d": False, "s.d": False, "s.i": True, "l.list.element": False}
    ((stats, _),) = logged(lake)
    assert (stats["minValues"], stats["maxValues"], stats["nullCount"]) == ({"id": 1}, {"id": 2}, {"id": 0})
    (path,) = (lake.folder / "t").glob("*.parquet")
    assert len(lake.session.run(f"SELECT id FROM read_parquet('{path}') WHERE d > 5")) == 1


def test_only_the_first_columns_get_statistics(lake: Lake) -> None:
    lake.write({f"c{i}": [i] for i in range(40)})
    ((stats, _),) = logged(lake)
    assert list(stats["minValues"]) == [f"c{i}" for i in range(32)]


AT = datetime(2024, 1, 1, 10)

VALUES = pa.table(
    {
        "id": [1, 2, 3, 4],
        "s": ["a b", "x/y~*é%=&#?+", 'it\'s "so"', None],
        "b": [True, False, None, True],
        "d": [date(2024, 1, 1), None, date(1, 1, 1), date(9999, 12, 31)],
        "ts": pa.array(
            [
                datetime(2024, 1, 1, 1, 2, 3, 456789),
                None,
                datetime(1, 1, 1),
                datetime(9999, 12, 31, 23, 59, 59, 999999),
            ],
            pa.timestamp("us", "UTC"),
        ),
        "sm": pa.array([1, -2, 3, None], pa.int16()),
    }
)


@pytest.mark.parametrize("partition_by", [["s"], ["b", "d"], ["ts"], ["sm", "s"]])
def test_partition_values_come_back_as_they_were(lake: Lake, partition_by: list[str]) -> None:
    lake.write(VALUES, partition_by=partition_by)
    expected = sorted(zip(*(column.to_pylist() for column in VALUES.columns), strict=True), key=repr)
    assert lake.rows() == expected
    lake.write(VALUES, mode="merge", keys=["id"])
    assert (lake.rows(), lake.stray()) == (expected, [])


def test_partition_values_are_written_as_the_protocol_has_them(lake: Lake) -> None:
    lake.write(VALUES.slice(0, 2), partition_by=["s", "b", "d", "ts", "sm"])
    log = (lake.folder / "t" / "_delta_log" / f"{0:020}.json").read_text().splitlines()
    adds = {add["partitionValues"]["s"]: add for add in (json.loads(line).get("add") for line in log) if add}
    assert adds["a b"]["partitionValues"] == {
        "s": "a b", "b": "true", "d": "2024-01-01", "ts": "2024-01-01T01:02:03.456789Z", "sm": "1",
    }  # fmt: skip
    assert adds["x/y~*é%=&#?+"]["partitionValues"] == {
        "s": "x/y~*é%=&#?+", "b": "false", "d": None, "ts": None, "sm": "-2",
    }  # fmt: skip
    assert all((lake.folder / "t" / unquote(add["path"])).is_file() for add in adds.values())


@pytest.mark.parametrize("written", ["2024-01-01 10:00:00", "2024-01-01T10:00:00.000000Z"])
def test_instants_as_other_writers_name_their_partitions(lake: Lake, written: str) -> None:
    lake.write({"id": [1, 2], "at": [AT, None]}, partition_by=["at"])
    log = lake.folder / "t" / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace('"at":"2024-01-01T10:00:00.000000Z"', f'"at":"{written}"'))
    lake.write({"id": [1], "at": [AT]}, mode="overwrite_partitions")
    lake.write({"id": [1, 3], "at": [AT, None]}, mode="merge", keys=["id"])
    assert lake.rows() == [(1, AT.replace(tzinfo=UTC)), (2, None), (3, None)]
    assert lake.stray() == []


def test_times_without_a_zone_stay_without_one(lake: Lake) -> None:
    fields = [Field("id", PrimitiveType("long")), Field("at", PrimitiveType("timestamp_ntz"))]
    DeltaTable.create(str(lake.folder / "t"), Schema(fields), partition_by=["at"])
    for _ in range(2):
        lake.write({"id": [1, 2], "at": [AT, None]}, mode="merge", keys=["id"])
        lake.write({"id": [1], "at": [AT]}, mode="overwrite_partitions")
    assert lake.rows() == [(1, AT), (2, None)]
    log = (lake.folder / "t" / "_delta_log" / f"{1:020}.json").read_text()
    assert '"at":"2024-01-01 10:00:00.000000"' in log


@pytest.mark.parametrize("value", ["", "__HIVE_DEFAULT_PARTITION__", "a\0b"])
def test_texts_that_no_partition_can_hold_are_refused(lake: Lake, value: str) -> None:
    with pytest.raises(
        ValidationFailed,
        match=r"partition_by s: at least 1 row fails, for example s=.*id=1\. .*nullif\(s, ''\)",
    ):
        lake.write({"id": [1, 2], "s": [value, None]}, partition_by=["s"])
    assert not (lake.folder / "t").exists()
    lake.write({"id": [1, 2], "s": [value, None], "p": ["x", None]}, partition_by=["p"])
    assert lake.rows() == [(1, value, "x"), (2, None, None)]
