"""What Spark wrote is read row for row as Spark reads it, or refused by the feature's name."""

from __future__ import annotations

import pytest

from odibi_magics.errors import EngineError
from tests.spark.conftest import Lake
from tests.spark.reading import in_order, rows
from tests.spark.tables import TABLES, Made

pytestmark = pytest.mark.classic


@pytest.mark.parametrize("made", [made for made in TABLES if not made.unread], ids=lambda made: made.name)
def test_read_as_spark_reads_it(lake: Lake, made: Made) -> None:
    table = lake.make(made)
    ours, sparks = lake.read(made.name), lake.by_spark(made.name)
    assert ours.column_names == sparks.column_names
    assert rows(ours) == rows(sparks)
    newest = lake.newest(table)
    older = {newest - 1, 2} & set(range(newest)) if made.name != "vacuumed" else set()
    for version in older:
        assert rows(lake.read(made.name, version=version)) == rows(lake.by_spark(made.name, version=version))
    id_ = ours.column_names.index("id")
    backwards = lake.read(made.name, filter="id IN (2, 3)", columns=tuple(ours.column_names[::-1]))
    assert backwards.column_names == ours.column_names[::-1]
    assert in_order(row[::-1] for row in rows(backwards)) == [
        row for row in rows(sparks) if row[id_] in (2, 3)
    ]


@pytest.mark.parametrize("made", [made for made in TABLES if made.unread], ids=lambda made: made.name)
def test_refused_by_name(lake: Lake, made: Made) -> None:
    lake.make(made)
    with pytest.raises(EngineError, match=made.unread) as refused:
        lake.read(made.name)
    assert made.name in str(refused.value) and "Spark" in str(refused.value)


@pytest.mark.parametrize(
    "name", ["partition_types", "odd_partitions", "ntz", "statistics_as_struct", "vectors_in_partitions"]
)
def test_partitions_are_found_by_their_values(lake: Lake, name: str) -> None:
    made = next(made for made in TABLES if made.name == name)
    lake.make(made)
    column = {"partition_types": "d", "statistics_as_struct": "p"}.get(name, "p")
    for where in (
        f"`{column}` IS NULL",
        f"`{column}` IS NOT NULL",
        f"`{column}` >= (CAST('2024-01-03' AS DATE))",
    ):
        if "DATE" in where and name not in ("partition_types", "statistics_as_struct"):
            continue
        assert rows(lake.read(name, filter=where)) == rows(lake.by_spark(name, where=where))
