"""Tables that the pandas engine wrote, as Spark sees them: rows, history, skipped files; and written by both in turn."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from tests.spark.conftest import Lake
from tests.spark.reading import in_order, rows

pytestmark = pytest.mark.classic

DAYS = [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(40)]


def _data(first: int) -> pa.Table:
    ids = list(range(first, first + 10))
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "name": [f"n{i:02}" for i in ids],
            "price": pa.array([Decimal(i) / 4 for i in ids], pa.decimal128(10, 2)),
            "day": pa.array([DAYS[i].date() for i in ids], pa.date32()),
            "at": pa.array([DAYS[i] for i in ids], pa.timestamp("us", "UTC")),
            "p": pa.array([first // 10] * 10, pa.int32()),
        }
    )


@pytest.fixture(scope="module")
def written(lake: Lake) -> str:
    """Four files of ten rows, by four commits."""
    for first in range(0, 40, 10):
        lake.write(_data(first), "ours", "append", mark=json.dumps({"run": f"r{first}"}), partition_by=["p"])
    return "ours"


@pytest.mark.parametrize(
    "where",
    [
        "id = 15",
        "name = 'n15'",
        "price = 3.75",
        "day = DATE'2024-01-16'",
        "at = TIMESTAMP'2024-01-16 00:00:00'",
        "p = 1",
    ],
)
def test_spark_skips_files(lake: Lake, written: str, where: str) -> None:
    frame = lake.spark.read.format("delta").load(str(lake.folder / written)).where(where)
    found = frame.collect()
    plan = frame._jdf.queryExecution().executedPlan()
    leaf = plan.collectLeaves().head()
    assert leaf.metrics().apply("numFiles").value() == 1
    assert 15 in [row.id for row in found] and len(found) in (1, 10)


def test_spark_reads_what_was_written(lake: Lake, written: str) -> None:
    assert rows(lake.by_spark(written)) == rows(lake.read(written))
    assert lake.by_spark(written).num_rows == 40
    assert lake.by_spark(written, version=1).num_rows == 20


def test_spark_s_history_tells_of_our_runs(lake: Lake, written: str) -> None:
    history = lake.query(f"DESCRIBE HISTORY delta.`{lake.folder / written}`")
    assert [row["version"] for row in history] == [3, 2, 1, 0]
    assert [json.loads(row["userMetadata"])["run"] for row in history] == ["r30", "r20", "r10", "r0"]
    assert {row["operation"] for row in history[:3]} == {"WRITE"}
    assert history[0]["operationMetrics"]["numOutputRows"] == "10"
    assert history[0]["operationParameters"]["writeMode"] == "append"


def test_both_write_in_turn(lake: Lake, written: str) -> None:
    both = lake.copy(written)
    table = f"delta.`{lake.folder / both}`"
    lake.spark.sql(f"UPDATE {table} SET name = 'spark' WHERE id = 3")
    lake.write({"id": [3, 100], "price": [Decimal("1.25"), Decimal("2.50")]}, both, "merge", keys=["id"])
    lake.spark.sql(
        f"INSERT INTO {table} VALUES (101, 'x', 1.5, DATE'2024-05-01', TIMESTAMP'2024-05-01 00:00:00', NULL)"
    )
    lake.spark.sql(f"OPTIMIZE {table}")
    lake.write({"id": [101], "name": ["ours"]}, both, "merge", keys=["id"])
    found = lake.by_spark(both)
    assert rows(lake.read(both)) == rows(found)
    by_id = {row["id"]: row for row in found.to_pylist()}
    assert len(by_id) == found.num_rows == 42
    assert (by_id[3]["name"], by_id[3]["price"]) == ("spark", Decimal("1.25"))
    assert (by_id[101]["name"], by_id[101]["day"]) == ("ours", date(2024, 5, 1))
    assert in_order([(by_id[100]["name"], by_id[100]["p"])]) == [(None, None)]
