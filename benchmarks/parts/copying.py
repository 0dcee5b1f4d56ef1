"""A CSV to partitioned Delta with a monthly aggregate: beside other ways, and how that grows."""

from __future__ import annotations

import statistics

from benchmarks.compare import same_tables
from benchmarks.data import ROWS_PER_GB, sales
from benchmarks.measure import Sample, apart, in_turn, run
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

PEERS = ("duckdb", "duckdb_dataset", "polars", "polars_sink", "pandas")

# Those that keep to a memory of their own size; polars and pandas hold all rows.
LARGE_PEERS = ("duckdb", "duckdb_dataset", "polars_sink")


def csv(report: Report) -> None:
    """CSV to partitioned Delta with a monthly aggregate, a quarter of a gigabyte, one and four."""
    unit = ROWS_PER_GB // (40 if report.quick else 1)
    sizes = ((unit // 4, 5, PEERS), (unit, 5, PEERS), (4 * unit, 3, LARGE_PEERS))
    for order in ("sorted", "shuffled"):
        taken = {rows: _copied(report, rows, order, peers, rounds) for rows, rounds, peers in sizes}
        large = taken[4 * unit]
        for rows, times in ((unit, "four"), (unit // 4, "sixteen")):
            report.say(f"\n{order}, {4 * unit:,} rows over {rows:,}, {times} times as many\n")
            report.table(
                ("", "wall", "CPU", "peak"),
                [(way, *_grown(taken[rows][way], large[way])) for way in ("ours", *LARGE_PEERS)],
            )


def _copied(
    report: Report, rows: int, order: str, peers: tuple[str, ...], rounds: int
) -> dict[str, list[Sample]]:
    source = apart(sales, report.folder / "data", rows, order)
    names = ("ours", *peers)
    targets = fresh(report.folder, names)
    commands = {name: [str(JOBS / f"csv_{name}.py"), str(source), str(targets[name])] for name in names}
    samples = in_turn(commands, 3 if report.quick else rounds, targets=targets)
    for peer in peers:
        apart(same_tables, targets["ours"], targets[peer], ("clean", "monthly"))
    gigabytes = source.stat().st_size / 1e9
    told = ", ".join({one.out for one in samples["ours"]})
    report.say(f"\n{order}, {rows:,} rows, {gigabytes:.2f} GB; state and warnings of ours: {told}\n")
    # How often such a source can be read at all.
    samples["reading it"] = [run([str(JOBS / "csv_read.py"), str(source)]) for _ in range(3)]
    report.samples(samples, peers, order=order, rows=rows, gigabytes=gigabytes)
    return samples


def _grown(small: list[Sample], large: list[Sample]) -> list[str]:
    return [f"{_median(large, what) / _median(small, what):.2f}" for what in ("wall", "cpu", "peak")]


def _median(samples: list[Sample], what: str) -> float:
    return statistics.median(float(getattr(one, what)) for one in samples)
