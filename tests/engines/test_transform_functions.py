"""function: steps: frames of the kind asked for, what comes back taken in whole and typed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from odibi_magics.engines.base import Frame
from odibi_magics.errors import EngineError
from tests.engines.conftest import House, only_pandas, rows, types
from tests.engines.test_read_parquet import ALL, put


@pytest.fixture
def orders(house: House) -> Frame:
    return house.csv("id,qty\n1,5\n2,\n9007199254740993,7\n")


def as_pandas(df: pd.DataFrame) -> Any:
    assert isinstance(df, pd.DataFrame)
    return df


def as_nothing(df):  # type: ignore[no-untyped-def]
    assert isinstance(df, pd.DataFrame)
    return df


def as_polars(df: pl.DataFrame) -> Any:
    assert isinstance(df, pl.DataFrame)
    return df


def as_lazy(df: pl.LazyFrame) -> Any:
    assert isinstance(df, pl.LazyFrame)
    return df


def as_arrow(df: pa.Table) -> Any:
    assert isinstance(df, pa.Table)
    return df


def as_reader(df: pa.RecordBatchReader) -> Any:
    assert isinstance(df, pa.RecordBatchReader)
    return df


KINDS = [as_pandas, as_nothing, as_polars, as_lazy, as_arrow, as_reader]


@pytest.mark.parametrize("function", KINDS)
def test_rows_go_through_every_kind_of_frame_unchanged(house: House, orders: Frame, function: Any) -> None:
    frame = house.call(function, {"df": orders})
    assert types(frame.columns) == {"id": "bigint", "qty": "bigint"}
    assert rows(frame) == [(1, 5), (2, None), (9007199254740993, 7)]
    assert frame.inputs == orders.inputs


@pytest.mark.parametrize("function", [as_pandas, as_polars, as_arrow, as_reader])
def test_every_type_goes_through(house: House, function: Any) -> None:
    data = ALL.drop(["struct", "map", "paris", "naive", "nano", "dict", "u"])
    put(house, "a.parquet", data)
    frame = house.read("a.parquet", "parquet")
    changed = {"n"} if function is as_pandas else set()
    made = house.call(function, {"df": frame}, returns=types(frame.columns) if changed else None)
    assert types(made.columns) == types(frame.columns)
    assert rows(made) == rows(frame)


def margin(df: pd.DataFrame, rate: float, *, name: str = "m") -> pd.DataFrame:
    df[name] = df["qty"] * rate
    return df


def test_parameters(house: House, orders: Frame) -> None:
    frame = house.call(margin, {"df": orders}, rate=0.5, name="half")
    assert types(frame.columns)["half"] == "double"
    assert [row[2] for row in rows(frame)] == [2.5, None, 3.5]


def test_frames_by_the_names_of_nodes(house: House, orders: Frame) -> None:
    def join(left: pa.Table, orders: pl.DataFrame, more) -> Any:  # type: ignore[no-untyped-def]
        return {"n": [left.num_rows + orders.height + len(more)]} and pa.table(
            {"n": [left.num_rows + orders.height + len(more)]}
        )

    two = house.sql("SELECT * FROM o WHERE id < 3", o=orders)
    frame = house.call(join, {"df": two, "orders": orders, "more": orders})
    assert rows(frame) == [(8,)]
    with pytest.raises(EngineError, match=r"join\(\): 'orders' takes a frame, but the inputs are df"):
        house.call(join, {"df": two})


def test_free_parameters(house: House, orders: Frame) -> None:
    def free(df, /, **values):  # type: ignore[no-untyped-def]
        return pa.table({key: [value] for key, value in values.items()})

    assert rows(house.call(free, {"df": orders}, a=1, b="x")) == [(1, "x")]


def test_a_stream_is_taken_in_batch_by_batch(house: House, orders: Frame) -> None:
    def many(df: pa.RecordBatchReader) -> pa.RecordBatchReader:
        schema = pa.schema([("n", pa.int64())])
        batches = (
            pa.record_batch([pa.array(range(i * 1000, i * 1000 + 1000))], schema=schema) for i in range(100)
        )
        return pa.RecordBatchReader.from_batches(schema, batches)

    frame = house.call(many, {"df": orders})
    assert frame.count() == 100_000
    assert rows(house.sql("SELECT sum(n) AS s FROM x", x=frame)) == [(4_999_950_000,)]


@pytest.mark.parametrize(
    ("made", "type_", "value"),
    [
        (pa.array([1], pa.uint8()), "smallint", 1),
        (pa.array([2**63], pa.uint64()), "decimal(20,0)", Decimal(2**63)),
        (pa.array(["x"]).dictionary_encode(), "string", "x"),
        (pa.array(["x"], pa.large_string()), "string", "x"),
        (pa.array(["x"], pa.string_view()), "string", "x"),
        (
            pa.array([datetime(2024, 1, 31)], pa.timestamp("s")),
            "timestamp",
            datetime(2024, 1, 31, tzinfo=UTC),
        ),
        (
            pa.array([1_706_659_200_000_001_000], pa.timestamp("ns")),
            "timestamp",
            datetime(2024, 1, 31, 0, 0, 0, 1, UTC),
        ),
        (
            pa.array([datetime(2024, 1, 31, tzinfo=UTC)], pa.timestamp("us", "Asia/Tokyo")),
            "timestamp",
            datetime(2024, 1, 31, tzinfo=UTC),
        ),
        (pa.array([date(2024, 1, 31)], pa.date64()), "date", date(2024, 1, 31)),
        (pa.array([[1]], pa.large_list(pa.int32())), "array<int>", [1]),
        (
            pa.array([[datetime(2024, 1, 31, tzinfo=UTC)]], pa.list_(pa.timestamp("ms", "UTC"))),
            "array<timestamp>",
            [datetime(2024, 1, 31, tzinfo=UTC)],
        ),
    ],
)
def test_types_of_arrow(house: House, orders: Frame, made: pa.Array, type_: str, value: Any) -> None:
    frame = house.call(lambda df: pa.table({"x": made}), {"df": orders})
    assert types(frame.columns) == {"x": type_}
    assert rows(frame) == [(value,)]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            lambda: None,
            r"returned nothing \(None\): is a return missing\?; expected a frame: pandas\.DataFrame",
        ),
        (lambda: 5, "returned a int; expected a frame"),
        (lambda: {"a": [1]}, "returned a dict"),
        (lambda: pd.Series([1], name="a"), "returned a Series"),
        (lambda: pl.Series("a", [1]), "returned a Series"),
        (lambda: pd.DataFrame({"a": [1, "x"]}), "mixed or foreign values.*'?a"),
        (lambda: pd.DataFrame({"a": [1]}, index=pd.Index([7], name="key")), r"index key.*reset_index\(\)"),
        (lambda: pd.DataFrame({"k": [1, 1], "v": [1, 2]}).groupby("k").sum(), "index k"),
        (lambda: pd.DataFrame({0: [1]}), "column named 0"),
        (lambda: pd.DataFrame([[1, 2]], columns=["a", "a"]), "the column 'a' twice"),
        (lambda: pa.table({"a": [1], "A": [2]}), "the column 'A' twice|the column 'a' twice"),
        (lambda: pd.DataFrame(), "without columns"),
        (lambda: pa.table({"a": pa.nulls(1)}), "column 'a': all values are NULL.*returns:"),
        (lambda: pa.table({"a": pa.array([1], pa.time64("us"))}), "column 'a': time64.* no counterpart"),
        (
            lambda: pa.table({"a": pa.array([1_706_659_200_000_000_001], pa.timestamp("ns"))}),
            "'a' with a value that does not fit",
        ),
    ],
)
def test_what_is_no_table_is_told(house: House, orders: Frame, made: Any, says: str) -> None:
    def broken(df: pd.DataFrame) -> Any:
        return made()

    with pytest.raises(EngineError, match=rf"broken\(\).*{says}"):
        house.call(broken, {"df": orders})


def test_an_index_without_a_name_is_dropped(house: House, orders: Frame) -> None:
    frame = house.call(lambda df: df[df.id > 1], {"df": orders})
    assert [column.name for column in frame.columns] == ["id", "qty"]


# returns --------------------------------------------------------------------------------------------------------------


def test_returns_gives_order_and_types_without_loss(house: House, orders: Frame) -> None:
    def make(df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            {"n": [1.0, None], "d": [date(2024, 1, 31), None], "s": ["a", None], "none": [None, None]}
        )

    returns = {"s": "string", "n": "int", "d": "timestamp", "none": "decimal(5,2)"}
    frame = house.call(make, {"df": orders}, returns=returns)
    assert types(frame.columns) == returns
    assert rows(frame) == [("a", 1, datetime(2024, 1, 31, tzinfo=UTC), None), (None, None, None, None)]


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        ({"n": "double"}, "has also s"),
        ({"n": "double", "s": "string", "x": "int"}, "lacks x"),
        ({"n": "bigint", "s": "string"}, r"'n' with a value that does not fit int64: .*1\.5"),
        ({"n": "string", "s": "string"}, "'n' as double, but its returns: says string"),
        ({"n": "double", "s": "bigint"}, "'s' as string, but its returns: says bigint"),
    ],
)
def test_what_does_not_fit_its_returns_is_told(
    house: House, orders: Frame, returns: dict[str, str], says: str
) -> None:
    def make(df: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"n": [1.5], "s": ["1"]})

    with pytest.raises(EngineError, match=rf"make\(\) returned.*{says}"):
        house.call(make, {"df": orders}, returns=returns)


# Errors in the function -----------------------------------------------------------------------------------------------


def test_what_a_function_raises_is_told_with_its_line(house: House, orders: Frame) -> None:
    def inner(df: pd.DataFrame) -> Any:
        return df["nope"]

    def broken(df: pd.DataFrame) -> Any:
        return inner(df)

    with pytest.raises(EngineError) as found:
        house.call(broken, {"df": orders})
    text = str(found.value)
    assert text.startswith("broken() failed, line ")
    assert "test_transform_functions.py: KeyError: 'nope'" in text
    assert 'return df["nope"]' in text and "return inner(df)" in text
    assert "engines/pandas" not in text


def test_what_a_stream_raises_is_told_with_its_line(house: House, orders: Frame) -> None:
    def late(df: pa.RecordBatchReader) -> pa.RecordBatchReader:
        def batches() -> Iterator[pa.RecordBatch]:
            for batch in df:
                yield batch
                raise RuntimeError("half way")

        return pa.RecordBatchReader.from_batches(df.schema, batches())

    with pytest.raises(
        EngineError,
        match=r"late\(\) failed, line \d+ of test_transform_functions\.py: RuntimeError: half way",
    ):
        house.call(late, {"df": orders})


def test_an_input_that_fails_while_the_function_reads_it_is_told_as_itself(house: House) -> None:
    frame = house.csv("id\n" + "1\n" * 20_480 + "x\n")
    with pytest.raises(EngineError, match=r"some\.csv, line 20482: column 'id' holds 'x'"):
        house.call(as_reader, {"df": frame})


@only_pandas
def test_a_kind_the_engine_lacks_is_told(house: House, orders: Frame) -> None:
    def spark(df: pyspark.sql.DataFrame) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return df

    with pytest.raises(EngineError, match="the pandas engine has no spark frames"):
        house.call(spark, {"df": orders})


@pytest.mark.parametrize("engine", ["spark"], indirect=True)
def test_frames_of_spark_go_in_and_come_back_as_they_are(house: House, orders: Frame) -> None:
    computed = []

    def doubled(df: pyspark.sql.DataFrame, by: int) -> Any:  # type: ignore[name-defined]  # noqa: F821
        computed.append(type(df).__module__)
        return df.selectExpr(
            "id", f"qty * {by} AS n", "CAST(NULL AS void) IS NULL AS b", "timestamp_ntz '2024-01-31' AS t"
        )

    frame = house.call(doubled, {"df": orders}, by=2)
    assert types(frame.columns) == {"id": "bigint", "n": "bigint", "b": "boolean", "t": "timestamp"}
    at = datetime(2024, 1, 31, tzinfo=UTC)
    assert rows(frame) == [(1, 10, True, at), (2, None, True, at), (9007199254740993, 14, True, at)]
    assert frame.inputs == orders.inputs
    assert len(computed) == 1 and computed[0].startswith("pyspark.sql")

    def broken(df: pyspark.sql.DataFrame) -> Any:  # type: ignore[name-defined]  # noqa: F821
        return df.select("nope")

    at_once = (
        "classic" in computed[0]
    )  # through Connect a frame is a mere plan until its columns are asked for
    where = (
        r", line \d+ of test_transform_functions\.py: EngineError"
        if at_once
        else ": Spark cannot compute the frame"
    )
    with pytest.raises(EngineError, match=rf"broken\(\) failed{where}.*`nope` cannot be resolved") as raised:
        house.call(broken, {"df": orders})
    assert "site-packages" not in str(raised.value) or at_once
