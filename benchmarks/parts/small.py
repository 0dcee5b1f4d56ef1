"""Small jobs and many nodes: what is paid beside the rows."""

from __future__ import annotations

from benchmarks.compare import same_tables
from benchmarks.data import sales
from benchmarks.measure import Spread, apart, in_turn, run
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

SMALL_PEERS = ("documented", "lean", "polars", "pandas")
AGAIN = ("ours", "documented", "lean")


def small(report: Report) -> None:
    """Three nodes on 1,000 rows: whole processes, then again in one process."""
    csv = apart(sales, report.folder / "data", 1000, "sorted")
    names, rounds = ("ours", *SMALL_PEERS), 5 if report.quick else 15
    targets = fresh(report.folder, names)
    commands = {name: [str(JOBS / f"small_{name}.py"), str(csv), str(targets[name])] for name in names}
    samples = in_turn(commands, rounds, targets=targets)
    for peer in SMALL_PEERS:
        apart(same_tables, targets["ours"], targets[peer], ("clean", "yearly"))
    report.samples(samples, SMALL_PEERS)
    target = fresh(report.folder, ("again",))["again"]
    again = run(["-m", "benchmarks.jobs.second_run", str(csv), str(target), str(rounds)])
    for peer in AGAIN[1:]:
        apart(same_tables, target / "ours", target / peer, ("clean", "yearly"))
    report.say()
    times = list(zip(*([float(one) for one in line.split()] for line in again.out.splitlines()), strict=True))
    pairs = (Spread.of([ours / one for ours, one in zip(times[0], took, strict=True)]) for took in times)
    report.table(
        ("again in one process", "ms", "ours / it"),
        [
            (name, f"{Spread.of(took):.0f}", f"{over:.2f}")
            for name, took, over in zip(AGAIN, times, pairs, strict=True)
        ],
    )
    report.record(again=dict(zip(AGAIN, times, strict=True)))


def plan(report: Report) -> None:
    """Seconds to check and plan N SQL nodes, and what of it is reading the YAML; how that grows with the nodes."""
    rows, before = [], None
    for count in (10, 100, 1000) if report.quick else (10, 100, 1000, 2000):
        command = [str(JOBS / "plan_nodes.py"), str(count), str(report.folder / "plan")]
        found = [[float(one) for one in run(command).out.split()] for _ in range(5)]
        wall, cpu, parse = (Spread.of(took) for took in zip(*found, strict=True))
        grown = f"{wall.median / before[1]:.1f} for {count / before[0]:.0f} times the nodes" if before else ""
        over = f"{wall.median / parse.median:.1f}"
        rows.append((f"{count:,}", f"{wall:.2f}", f"{cpu:.2f}", f"{parse:.4f}", over, grown))
        before = count, wall.median
        report.record(nodes=count, seconds=found)
    report.table(("nodes", "wall, s", "CPU, s", "the YAML alone, s", "wall over it", "grown"), rows)
