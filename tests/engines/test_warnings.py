"""Warnings say the number they saw and the remedy; a good layout gets none."""

from __future__ import annotations

from odibi_magics.engines.base import Written
from odibi_magics.engines.file_sinks import sink_warnings
from tests.engines.writing import Lake, lake

__all__ = ["lake"]


def codes(written: Written) -> list[str]:
    return [warning.code for warning in written.warnings]


def test_months_of_flights_are_fine(lake: Lake) -> None:
    flights = lake.sql("SELECT i AS flight, 1 + i % 12 AS month FROM range(336776) t(i)")
    assert lake.write(flights, partition_by=["month"]).warnings == ()
    assert lake.write(flights, partition_by=["month"]).warnings == ()
    assert lake.write(flights, mode="overwrite_partitions").warnings == ()


def test_a_small_table_in_parts_is_fine(lake: Lake) -> None:
    assert lake.write({"id": [1, 2, 3], "region": ["a", "b", "c"]}, partition_by=["region"]).warnings == ()


def test_days_of_few_rows_are_not(lake: Lake) -> None:
    days = lake.sql("SELECT i AS id, DATE '2024-01-01' + CAST(i % 200 AS INT) AS day FROM range(20000) t(i)")
    (warning,) = lake.write(days, partition_by=["day"]).warnings
    assert warning.code == "small-partitions"
    assert "partition_by: day made 200 files of" in warning.message
    assert "100 rows on average" in warning.message
    assert "a month instead of a day" in warning.remedy


def test_a_unique_partition_column(lake: Lake) -> None:
    (warning,) = lake.write(
        lake.sql("SELECT i AS id, i AS k FROM range(150) t(i)"), partition_by=["id"]
    ).warnings
    assert warning.code == "high-cardinality-partition"
    assert "column 'id' has 150 values in 150 rows" in warning.message
    assert "leave partition_by out" in warning.remedy


def test_a_table_of_many_small_files(lake: Lake) -> None:
    lake.write({"id": [0]})
    for i in range(49):
        assert lake.write({"id": [i]}, mode="append").warnings == ()
    (warning,) = lake.write({"id": [50]}, mode="append").warnings
    assert warning.code == "many-small-files"
    assert "lake:t now has 51 files of 0.5 kB on average" in warning.message
    assert "compact it" in warning.remedy
    assert lake.write({"id": [1]}).warnings == ()


def test_one_partition_that_overwrote_all(lake: Lake) -> None:
    data = {"id": [1, 2, 3], "day": ["mon", "tue", None]}
    assert lake.write(data, partition_by=["day"]).warnings == ()
    (warning,) = lake.write({"id": [4], "day": ["tue"]}).warnings
    assert warning.code == "one-partition-overwrote-all"
    assert "replaced all 3 partitions of lake:t by rows of one (day=tue)" in warning.message
    assert "replace_where: \"day = 'tue'\"; version 0 holds the rows" in warning.remedy
    assert lake.write({"id": [4], "day": ["mon"]}).warnings == ()  # it has but one partition now


def test_replace_where_is_no_such_overwrite(lake: Lake) -> None:
    lake.write({"id": [1, 2], "day": ["mon", "tue"]}, partition_by=["day"])
    assert lake.write({"id": [4], "day": ["tue"]}, replace_where="day = 'tue'").warnings == ()


def test_csv_is_warned_of_before_the_run_and_delta_is_not(lake: Lake) -> None:
    (warning,) = sink_warnings(lake.sink("out.csv", format="csv"))
    assert (warning.code, "lake:out.csv is csv" in warning.message) == ("csv-sink", True)
    assert sink_warnings(lake.sink()) == ()
    assert codes(lake.write({"id": [1]}, path="out.csv", format="csv")) == ["csv-sink"]
