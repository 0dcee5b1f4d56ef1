"""TPC-H's queries over Delta tables, as pipelines and by hand. Arguments: data, rounds, ways.

Prints as JSON what each query took in each round, [wall, CPU] in seconds: from a text, or the tables' names, to an
Arrow table; nothing is written. With "once" in place of rounds: each query once, and no figures; answers are
compared in the rounds.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import rotated
from benchmarks.tpch import QUERIES, TABLES, over_delta

Way = Callable[[Path, str], Any]
Row = tuple[str | float, ...]


def ours(data: Path, name: str) -> Any:
    from odibi_magics import Project

    return Project.from_yaml(over_delta(data, name)).run()[name].to_arrow()


def duckdb(data: Path, name: str) -> Any:
    """A view over the files that each table's log names."""
    import duckdb
    from deltalake import DeltaTable

    with duckdb.connect() as connection:
        for table in _named(name):
            files = DeltaTable(str(data / table)).file_uris()
            connection.read_parquet(files).create_view(table)
        return connection.sql(QUERIES[name]).to_arrow_table()


_kept: list[Any] = []


def duckdb_kept(data: Path, name: str) -> Any:
    """As `duckdb`, in a connection that stays from query to query."""
    import duckdb
    from deltalake import DeltaTable

    if not _kept:
        _kept.append(duckdb.connect())
    for table in _named(name):
        files = DeltaTable(str(data / table)).file_uris()
        _kept[0].read_parquet(files).create_view(table, replace=True)
    return _kept[0].sql(QUERIES[name]).to_arrow_table()


def dataset(data: Path, name: str) -> Any:
    """A dataset of deltalake's for each table, as its documentation has it."""
    import duckdb
    from deltalake import DeltaTable

    with duckdb.connect() as connection:
        for table in _named(name):
            connection.register(table, DeltaTable(str(data / table)).to_pyarrow_dataset())
        return connection.sql(QUERIES[name]).to_arrow_table()


def polars(data: Path, name: str) -> Any:
    import polars as pl

    tables = {table: pl.scan_delta(str(data / table)) for table in _named(name)}
    return pl.SQLContext(tables).execute(QUERIES[name]).collect(engine="streaming").to_arrow()


def _named(name: str) -> list[str]:
    return [table for table in TABLES if table in QUERIES[name]]


WAYS: dict[str, Way] = {
    "ours": ours,
    "duckdb": duckdb,
    "duckdb_kept": duckdb_kept,
    "dataset": dataset,
    "polars": polars,
}


def main(data: Path, rounds: int, ways: list[str]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """By query and way; a way that cannot run a query has none there."""
    took: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for name in QUERIES:
        able = {way: found for way in ways if (found := _tried(way, data, name)) is not None}
        for way, found in able.items():
            assert alike(found, able[ways[0]]), f"{name}: {way} answers otherwise"
        took[name] = {way: [] for way in able}
        for number in range(rounds):
            for way in rotated([*able], number):
                took[name][way].append(_timed(WAYS[way], data, name))
    return took


def _timed(way: Way, data: Path, name: str) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    way(data, name)
    return time.perf_counter() - start, time.process_time() - cpu


def _tried(way: str, data: Path, name: str) -> list[Row] | None:
    """The answer; None where the library cannot."""
    try:
        return answer(WAYS[way](data, name))
    except Exception as error:  # polars has one for each thing its SQL lacks
        if way != "polars":
            raise
        print(f"{name}: {way}: {str(error).splitlines()[0]}", file=sys.stderr)
        return None


def answer(table: Any) -> list[Row]:
    """The rows, sorted: dates and texts as texts, all numbers as doubles."""
    rows = [
        tuple(map(_plain, row)) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)
    ]
    return sorted(rows, key=lambda row: [f"{one:.2f}" if isinstance(one, float) else one for one in row])


def _plain(value: Any) -> str | float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)[:10] if hasattr(value, "year") else str(value)


def alike(one: list[Row], other: list[Row]) -> bool:
    """Numbers may differ in the fifth digit: a quotient of decimals ends after six places in ours, as in Spark."""
    pairs = [
        (a, b) for left, right in zip(one, other, strict=False) for a, b in zip(left, right, strict=True)
    ]
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=2e-5) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in pairs
    )


if __name__ == "__main__":
    if sys.argv[2] == "once":
        for query in QUERIES:
            WAYS[sys.argv[3]](Path(sys.argv[1]), query)
    else:
        print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
