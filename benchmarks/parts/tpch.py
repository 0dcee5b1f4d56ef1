"""TPC-H's 22 queries."""

from __future__ import annotations

import json
import statistics

from benchmarks.compare import same_tables
from benchmarks.measure import Spread, apart, in_turn, run
from benchmarks.parts.places import fresh
from benchmarks.parts.spark import jars
from benchmarks.report import Report
from benchmarks.tpch import QUERIES, as_delta, generated

WAYS = ("ours", "duckdb", "duckdb_kept", "dataset", "polars")
PEERS = WAYS[1:]


def tpch(report: Report) -> None:
    """The queries over Delta tables, each from its text to an Arrow table with no sink, beside the same by hand."""
    for scale in (0.01, 0.1) if report.quick else (0.1, 1):
        _at(report, scale)


def _at(report: Report, scale: float) -> None:
    rounds = 3 if report.quick else 7
    data = apart(as_delta, report.folder / "data", scale)
    job = ["-m", "benchmarks.jobs.tpch_delta", str(data)]
    took = json.loads(run([*job, str(rounds), *WAYS]).out)
    whole = {way: [*job, "once", way] for way in WAYS if all(way in found for found in took.values())}
    report.say(f"\nscale {scale}, {rounds} rounds in one process, answers compared; seconds\n")
    heads = ["", *WAYS, *(f"ours / {peer}" for peer in PEERS), "ours / duckdb, CPU"]
    report.table(heads, [_row(name, took[name]) for name in QUERIES])
    report.say()
    for peer in PEERS:
        wall, cpu = ([_median(took[name], peer, i) for name in QUERIES if peer in took[name]] for i in (0, 1))
        means = [f"{statistics.geometric_mean(found):.2f}" for found in (wall, cpu)]
        report.say(f"ours / {peer}, geometric mean of {len(wall)}: {means[0]} wall, {means[1]} CPU")
    sums = {
        way: sum(statistics.median(one[0] for one in took[name][way]) for name in QUERIES) for way in whole
    }
    report.say("\nall 22: " + ", ".join(f"{way} {seconds:.2f} s" for way, seconds in sums.items()))
    report.record(scale=scale, seconds=took)
    report.say("\nwhole processes, all 22 once\n")
    report.samples(in_turn(whole, 3 if report.quick else 5), [*whole][1:], scale=scale)


def _row(name: str, took: dict[str, list[list[float]]]) -> list[str]:
    seconds = [f"{Spread.of([one[0] for one in took[way]]):.3f}" if way in took else "cannot" for way in WAYS]
    over = [f"{_spread(took, peer, 0):.2f}" if peer in took else "" for peer in PEERS]
    return [name, *seconds, *over, f"{_spread(took, 'duckdb', 1):.2f}"]


def _spread(took: dict[str, list[list[float]]], peer: str, i: int) -> Spread:
    return Spread.of([ours[i] / one[i] for ours, one in zip(took["ours"], took[peer], strict=True)])


def _median(took: dict[str, list[list[float]]], peer: str, i: int) -> float:
    return _spread(took, peer, i).median


def engines(report: Report) -> None:
    """TPC-H's 22 queries as pipelines on both engines, equal row for row, with the seconds that each node took."""
    scale = 0.01 if report.quick else 0.1
    data = apart(generated, report.folder / "data", scale)
    lakes = fresh(report.folder, ("pandas", "spark"))
    took = {
        name: json.loads(run(["-m", "benchmarks.jobs.tpch", str(data), str(lake), name], jars()).out)
        for name, lake in lakes.items()
    }
    apart(same_tables, lakes["pandas"], lakes["spark"], tuple(QUERIES))
    report.say(f"scale {scale}, the first run of each in its process, read and written\n")
    pairs = ((name, took["pandas"][name], took["spark"][name]) for name in QUERIES)
    report.table(
        ("", "rows", "pandas, s", "spark, s"),
        [(name, f"{rows:,}", f"{ours:.2f}", f"{sparks:.2f}") for name, (rows, ours), (_, sparks) in pairs],
    )
    report.record(scale=scale, took=took)
