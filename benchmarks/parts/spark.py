"""What a pipeline costs on Spark."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.data import flights
from benchmarks.measure import Spread, apart, run
from benchmarks.parts.places import fresh
from benchmarks.report import Report
from benchmarks.tpch import generated


def spark(report: Report) -> None:
    """A job as a pipeline on Spark, and by hand in the same session: pairs in turn, answers compared first."""
    data = apart(generated, report.folder / "data", 0.1)
    raw = apart(flights, report.folder / "data")
    rounds = "5" if report.quick else "15"
    rows = []
    for job, source in (("flights", raw), ("q01", data), ("q05", data)):
        lake = fresh(report.folder, ("spark",))["spark"]
        arguments = ["-m", "benchmarks.jobs.spark_cost", job, str(source), str(lake), rounds]
        took = json.loads(run(arguments, jars()).out.splitlines()[-1])
        shown = [Spread.of([one[i] for one in took[way]]) for way in ("ours", "by_hand") for i in (0, 1)]
        pairs = [
            Spread.of([a[i] / b[i] for a, b in zip(took["ours"], took["by_hand"], strict=True)])
            for i in (0, 1)
        ]
        rows.append([job, *(f"{one:.2f}" for one in (*shown, *pairs))])
        report.record(job=job, took=took)
    report.table(("", "ours, s", "CPU", "by hand, s", "CPU", "ours / by hand", "CPU"), rows)


def jars() -> dict[str, str]:
    """Where the jars are that `make setup` fetched."""
    return {"ODIBI_CACHE": str(Path(".cache").resolve()), "PYSPARK_PYTHON": sys.executable}
