"""One job as a pipeline and as PySpark by hand, in turn in one session: seconds of wall and of CPU, Spark's included.

python -m benchmarks.jobs.spark_cost flights|q01|q05 DATA LAKE ROUNDS
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchmarks.compare import same_tables
from benchmarks.jobs import spark_flights
from benchmarks.tpch import QUERIES, TABLES, project
from odibi_magics import Project
from odibi_magics.engines.spark.session import found_or_started

WARM_UP = 4  # rounds until Java has compiled what both need


def main() -> None:
    job, data, lake, rounds = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    spark = found_or_started()
    spark.conf.set("spark.sql.ansi.enabled", "true")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    ways = _flights(spark, data, lake) if job == "flights" else _query(spark, job, data, lake)
    tables = ("flights", "daily") if job == "flights" else (job,)
    for way in ways.values():
        way()
    same_tables(lake / "ours", lake / "by_hand", tables)
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for at in range(WARM_UP + rounds):
        names = list(ways) if at % 2 else list(ways)[::-1]
        for name in names:
            shutil.rmtree(lake / name)
            found = _timed(spark, ways[name])
            print(at, name, *found, file=sys.stderr, flush=True)
            if at >= WARM_UP:
                took[name].append(found)
    print(json.dumps(took))


def _timed(spark: Any, way: Callable[[], None]) -> tuple[float, float]:
    processes = [psutil.Process(), psutil.Process(spark.sparkContext._gateway.proc.pid)]

    def cpu() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    wall, busy = time.perf_counter(), cpu()
    way()
    return time.perf_counter() - wall, cpu() - busy


def _run(text: str) -> None:
    result = Project.from_yaml(text).run(engine="spark")
    assert result.state == "done"


def _query(spark: Any, name: str, data: Path, lake: Path) -> dict[str, Callable[[], None]]:
    used = [table for table in TABLES if table in QUERIES[name]]
    text = project(data, lake / "ours", [name], used)

    def by_hand() -> None:
        for table in used:
            spark.read.parquet(str(data / f"{table}.parquet")).createOrReplaceTempView(table)
        target = str(lake / "by_hand" / name)
        spark.sql(QUERIES[name]).write.format("delta").mode("overwrite").save(target)

    return {"ours": lambda: _run(text), "by_hand": by_hand}


def _flights(spark: Any, data: Path, lake: Path) -> dict[str, Callable[[], None]]:
    text = spark_flights.PIPELINE.format(data=data, lake=lake / "ours")
    return {
        "ours": lambda: _run(text),
        "by_hand": lambda: spark_flights.by_hand(spark, data, lake / "by_hand"),
    }


if __name__ == "__main__":
    main()
