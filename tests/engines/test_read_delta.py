"""Delta tables: plain ones, partitioned ones, those with features, and as they were."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics.errors import EngineError
from tests.engines import delta_tables
from tests.engines.conftest import House, only_pandas, rows, types
from tests.engines.delta_tables import deleted, field
from tests.engines.test_read_parquet import ALL


def write(house: House, path: str, data: Any, **more: Any) -> None:
    write_deltalake(str(house.folder / path), data if isinstance(data, pa.Table) else pa.table(data), **more)


def test_every_type(house: House) -> None:
    kept = ALL.drop(["u", "nano", "naive", "paris", "dict"])
    write(house, "t", kept)
    frame = house.read("t", "delta")
    assert types(frame.columns) == house.describe("t", "delta")
    assert types(frame.columns)["utc"] == "timestamp"
    assert frame.to_arrow().to_pylist() == kept.to_pylist()


def test_a_time_without_a_zone_is_taken_for_utc(house: House) -> None:
    write(house, "t", {"t": pa.array([datetime(2024, 1, 31, 10)], pa.timestamp("us"))})
    frame = house.read("t", "delta")
    assert types(frame.columns) == {"t": "timestamp"} == house.describe("t", "delta")
    assert rows(frame) == [(datetime(2024, 1, 31, 10, tzinfo=UTC),)]


def test_columns_that_older_files_lack_are_null(house: House) -> None:
    write(house, "t", {"id": [1]})
    write(
        house,
        "t",
        {"id": [2], "x": ["a"], "t": [datetime(2024, 1, 1, tzinfo=UTC)]},
        mode="append",
        schema_mode="merge",
    )
    assert sorted(rows(house.read("t", "delta"))) == [
        (1, None, None),
        (2, "a", datetime(2024, 1, 1, tzinfo=UTC)),
    ]


def test_an_empty_table_has_columns(house: House) -> None:
    write(house, "t", pa.schema([("id", pa.int64())]).empty_table())
    DeltaTable(str(house.folder / "t")).delete()
    frame = house.read("t", "delta")
    assert types(frame.columns) == {"id": "bigint"}
    assert rows(frame) == []


@pytest.mark.parametrize("values", [
    pa.array(["a b/c", "é%41", "x=y&z", "a+b", "__x", "a:b#c?d*[1]", None]), pa.array([1, -5, None]),
    pa.array([date(2024, 1, 31), None]), pa.array([True, False, None]), pa.array([0.5, 3.0, 1e20, None]),
    pa.array([Decimal("1.50"), None], pa.decimal128(5, 2)),
    pa.array([datetime(2024, 1, 31, 10, 0, 0, 5, UTC), None], pa.timestamp("us", "UTC")),
])  # fmt: skip
def test_partition_values_come_from_the_log(house: House, values: pa.Array) -> None:
    data = pa.table({"id": list(range(len(values))), "p": values})
    write(house, "t", data, partition_by=["p"])
    assert sorted(rows(house.read("t", "delta"))) == sorted(
        zip(range(len(values)), values.to_pylist(), strict=True)
    )


def test_partition_values_in_folders_of_other_names(house: House) -> None:
    """The protocol gives folders no meaning."""
    fields = [field("id", "long"), field("p", "string"), field("q", "date")]
    for folder in ("f1", "p=other/q=2000-01-01"):
        delta_tables.table(
            house.folder / "t", pa.table({"id": [1, 2]}), fields=fields, partitions=["p", "q"], file=f"{folder}/a.parquet",
            add={"partitionValues": {"p": "it's", "q": "2024-01-31"}},
        )  # fmt: skip
        assert rows(house.read("t", "delta")) == [
            (1, "it's", date(2024, 1, 31)),
            (2, "it's", date(2024, 1, 31)),
        ]


def test_filters_find_the_right_partitions(house: House) -> None:
    data = pa.table(
        {
            "id": list(range(60)),
            "year": [2000 + i // 12 for i in range(60)],
            "month": [i % 12 for i in range(60)],
        }
    )
    write(house, "t", data, partition_by=["year", "month"])
    frame = house.sql(
        "SELECT id FROM t WHERE year = 2003 AND month IN (2, 5) ORDER BY id", t=house.read("t", "delta")
    )
    assert rows(frame) == [(38,), (41,)]


def test_years_far_away(house: House) -> None:
    moments = [datetime(year, 12, 31, tzinfo=UTC) for year in (1, 1816, 9999)]
    data = pa.table({"t": pa.array(moments, pa.timestamp("us", "UTC"))})
    for int96 in (True, False):
        delta_tables.table(house.folder / f"t{int96}", data, use_deprecated_int96_timestamps=int96)
        assert [moment for (moment,) in rows(house.read(f"t{int96}", "delta"))] == moments


# Features -------------------------------------------------------------------------------------------------------------


def test_deleted_rows_stay_deleted(house: House) -> None:
    moments = pa.array(
        [datetime(2024, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)], pa.timestamp("us", "UTC")
    )
    data = pa.table({"id": pa.array([0, 1, 2, 3]), "t": moments})
    delta_tables.table(house.folder / "t", data, reader=3, features=["deletionVectors"], add=deleted([1, 2]))
    frame = house.read("t", "delta")
    assert types(frame.columns) == {"id": "bigint", "t": "timestamp"}
    assert sorted(rows(frame)) == [
        (0, datetime(2024, 1, 1, tzinfo=UTC)),
        (3, datetime(2024, 1, 4, tzinfo=UTC)),
    ]
    joined = house.sql("SELECT a.id FROM t a JOIN t b ON a.id = b.id WHERE a.id > 0", t=frame)
    assert rows(joined) == [(3,)]
    assert frame.count() == 2


@only_pandas  # Spark wants the names of files in the log encoded
def test_deleted_rows_of_several_files_and_beside_columns_of_any_name(house: House) -> None:
    for name in ("file", "row", "gone", "filename", "file_row_number"):
        data = pa.table({"id": pa.array([0, 1, 2, 3]), name: ["a", "b", "c", "d"]})
        features = {"reader": 3, "features": ["deletionVectors"], "add": deleted([1, 2])}
        delta_tables.table(house.folder / name, data, file="a b%[1]é.parquet", **features)  # type: ignore[arg-type]
        assert sorted(rows(house.read(name, "delta", columns=(name,), filter="id <> 5"))) == [("a",), ("d",)]


def test_int96_beside_deleted_rows(house: House) -> None:
    moments = [datetime(year, 12, 31, tzinfo=UTC) for year in (1, 1816, 9999, 2024)]
    data = pa.table({"id": [0, 1, 2, 3], "t": pa.array(moments, pa.timestamp("us", "UTC"))})
    delta_tables.table(
        house.folder / "t", data, reader=3, features=["deletionVectors"], add=deleted([1, 3]),
        use_deprecated_int96_timestamps=True,
    )  # fmt: skip
    assert sorted(rows(house.read("t", "delta"))) == [(0, moments[0]), (2, moments[2])]


@only_pandas
@pytest.mark.parametrize("year", [1816, 9999])
def test_a_scan_that_would_misread_times_is_refused(house: House, year: int) -> None:
    moments = [datetime(year, 12, 31, tzinfo=UTC), None]
    data = pa.table({"col-1": [0, 1], "col-2": pa.array(moments, pa.timestamp("us", "UTC"))})
    fields = [
        field(name, type_, **{"delta.columnMapping.id": i, "delta.columnMapping.physicalName": f"col-{i}"})
        for i, (name, type_) in enumerate([("id", "long"), ("t", "timestamp")], 1)
    ]
    delta_tables.table(
        house.folder / "t", data, reader=2, fields=fields, use_deprecated_int96_timestamps=True,
        configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"},
    )  # fmt: skip
    if year == 1816:
        assert sorted(rows(house.read("t", "delta"))) == [(0, moments[0]), (1, None)]
    else:
        with pytest.raises(EngineError, match=r"holds INT96 timestamps.*read it with Spark"):
            house.read("t", "delta")


@pytest.mark.parametrize("reader", [2, 3])
def test_mapped_columns_hold_their_values(house: House, reader: int) -> None:
    data = pa.table({"col-1": [1, 2], "col-2": ["a", "b"]})
    fields = [
        field(name, type_, **{"delta.columnMapping.id": i, "delta.columnMapping.physicalName": f"col-{i}"})
        for i, (name, type_) in enumerate([("my id", "long"), ("Name", "string")], 1)
    ]
    delta_tables.table(
        house.folder / "t", data, reader=reader, features=["columnMapping"] if reader == 3 else (), fields=fields,
        configuration={"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "2"},
    )  # fmt: skip
    frame = house.read("t", "delta", columns=("Name", "my id"), filter="`my id` > 1")
    assert rows(frame) == [("b", 2)]


def test_a_feature_that_cannot_be_read_is_refused_by_name(house: House) -> None:
    delta_tables.table(house.folder / "t", pa.table({"id": [1]}), reader=3, features=["someNewThing"])
    with pytest.raises(EngineError, match=r"(?i)/t\"? .*someNewThing"):
        house.read("t", "delta")


@only_pandas
def test_a_shallow_clone_is_refused(house: House) -> None:
    delta_tables.table(house.folder / "t", pa.table({"id": [1]}), add={"path": "file:///elsewhere/a.parquet"})
    with pytest.raises(EngineError, match="shallow clone"):
        house.read("t", "delta")


def test_file_names_that_the_log_encodes(house: House) -> None:
    name = "a b%[1]é.parquet"
    delta_tables.table(house.folder / "t", pa.table({"id": [1]}), file=name, add={"path": quote(name)})
    assert rows(house.read("t", "delta")) == [(1,)]


# As it was ------------------------------------------------------------------------------------------------------------


def test_versions(house: House) -> None:
    for i in range(3):
        write(house, "t", {"id": [i]}, mode="append")
    assert len(rows(house.read("t", "delta", version=0))) == 1
    made = str(DeltaTable(house.folder / "t").metadata().id)
    for version in (0, 1):  # the first of which says what the table is
        pin = {"url": str(house.folder / "t"), "version": version, "id": made}
        assert house.read("t", "delta", version=version).inputs == (pin,)
    with pytest.raises(EngineError, match=r"^lake:t has no version 7: its versions are 0 to 2"):
        house.read("t", "delta", version=7)


def test_times(house: House) -> None:
    write(house, "t", {"id": [0]})
    time.sleep(0.02)
    between = datetime.now(UTC)
    time.sleep(0.02)
    write(house, "t", {"id": [1]}, mode="append")
    assert rows(house.read("t", "delta", timestamp=between)) == [(0,)]
    assert len(rows(house.read("t", "delta", timestamp=datetime.now(UTC)))) == 2
    with pytest.raises(
        EngineError, match=r"^lake:t was not there at 2001-01-01T00:00:00.000Z; its first commit is of 20"
    ):
        house.read("t", "delta", timestamp=datetime(2001, 1, 1, tzinfo=UTC))
    with pytest.raises(EngineError, match="lies in the future"):
        house.read("t", "delta", timestamp=datetime.now(UTC) + timedelta(days=1))


def test_a_frame_stays_at_its_version(house: House) -> None:
    write(house, "t", {"id": [0]})
    frame = house.read("t", "delta")
    write(house, "t", {"id": [1, 2]}, mode="overwrite")
    assert rows(frame) == [(0,)]
    assert len(rows(house.read("t", "delta"))) == 2


def test_what_is_no_table_is_told(house: House) -> None:
    house.file("a.csv", "id\n1\n")
    house.file("empty/a.csv", "id\n1\n")
    house.file("begun/_delta_log/.tmp", "")
    write(house, "shop/t", {"id": [0]})
    part = house.folder / "shop/t/month=1"
    part.mkdir()
    for name in "abcdef":
        (house.folder / f"many/{name}/_delta_log").mkdir(parents=True)
    for path, says in {
        "none": "there is no Delta table at lake:none; there: a.csv, begun, empty, many, shop",
        "shop/tt": "there is no Delta table at lake:shop/tt: did you mean 't'?",
        "nowhere/t": f"there is no Delta table at lake:nowhere/t, nor a folder {house.folder}/nowhere",
        "empty": "lake:empty is no Delta table: it has no _delta_log",
        "begun": "lake:begun is no Delta table yet: its _delta_log holds no commit",
        "shop": "lake:shop is no Delta table: it holds the table t",
        "many": "lake:many is no Delta table: it holds the tables a, b, c, d, e, …",
        "shop/t/month=1": "lake:shop/t/month=1 is no Delta table: it lies in the table lake:shop/t",
        "shop/t/_delta_log": "lake:shop/t/_delta_log is no Delta table: it lies in the table lake:shop/t",
        "a.csv": "lake:a.csv is a file, not a Delta table",
        next(part.parent.glob("*.parquet"))
        .relative_to(house.folder)
        .as_posix(): "it lies in the table lake:shop/t",
    }.items():
        with pytest.raises(EngineError, match=re.escape(says) + "$"):
            house.read(path, "delta")


@only_pandas
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    names=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8),
        max_size=6,
        unique=True,
    ),
    number=st.integers(0, 10**9),
)
def test_any_text_is_a_partition_value(house: House, names: list[str], number: int) -> None:
    # Four spellings stand for other things in folder names, and deltalake reads them so itself.
    names = [name for name in names if name.strip(".") and name != "__HIVE_DEFAULT_PARTITION__"] or ["a"]
    path = f"t{number}-{time.monotonic_ns()}"
    write(house, path, {"id": list(range(len(names))), "p": names}, partition_by=["p"])
    assert sorted(rows(house.read(path, "delta"))) == list(enumerate(names))


def test_odd_texts_are_partition_values(house: House) -> None:
    """Each character of ASCII, and some that fold, in one table: on Spark a table for each example takes seconds."""
    alone = [chr(i) for i in range(32, 127) if chr(i) != "."]
    names = [
        *alone,
        "..a",
        "a%20b",
        "%2F",
        "a=b/c",
        "a\\b",
        "ü",
        "u\u0308",
        "名",
        "😀",
        "\u2028",
        "İ",
        "null",
        "NaN",
    ]
    write(house, "t", {"id": list(range(len(names))), "p": names}, partition_by=["p"])
    assert sorted(rows(house.read("t", "delta"))) == list(enumerate(names))


@only_pandas
def test_how_many_rows_there_are_is_known_before_a_join(house: House) -> None:
    for ids in (range(1000), range(1000, 5000)):
        write(house, "t", {"id": list(ids), "v": ["a"] * len(ids)}, mode="append")
    assert " rows" in plan_of(house.read("t", "delta"))


@only_pandas
def test_files_of_other_columns_or_types_are_read_as_the_table_has_them(house: House) -> None:
    write(house, "t", {"id": [1]})
    write(house, "t", {"id": [2], "v": ["b"]}, mode="append", schema_mode="merge")
    frame = house.read("t", "delta")
    assert " rows" not in plan_of(frame)
    assert sorted(rows(frame)) == [(1, None), (2, "b")]


@only_pandas
def test_a_table_named_twice_is_read_with_each_ones_conditions(house: House) -> None:
    write(house, "t", {"id": list(range(9)), "v": ["a"] * 9})
    query = "SELECT a.id FROM t a JOIN t b ON a.id = b.id + 1 WHERE a.id > 7 AND b.v = 'a'"
    frame = house.sql(query, t=house.read("t", "delta"))
    assert "CTE" not in plan_of(frame)
    assert rows(frame) == [(8,)]


@only_pandas
def test_an_average_for_each_row_is_computed_for_each_group(house: House) -> None:
    amounts = pa.array([Decimal(n % 7) for n in range(500)], pa.decimal128(9, 2))
    write(house, "sales", pa.table({"shop": [n % 50 for n in range(500)], "amount": amounts}))
    query = (
        "SELECT count(*) AS n FROM sales s WHERE amount > (SELECT 2 * avg(amount) / 7.0 FROM sales t "
        "WHERE t.shop = s.shop)"
    )
    frame = house.sql(query, sales=house.read("sales", "delta"))
    assert "Window" not in plan_of(frame)  # would number the rows of a product
    assert rows(frame) == [(421,)]


def plan_of(frame: Any) -> str:
    """What DuckDB would do."""
    return str(frame.session.run(f"EXPLAIN {frame.sql}", frame.tables)[0][1])
