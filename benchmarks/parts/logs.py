"""Long logs and many files: history, vacuum, diff, the append guard."""

from __future__ import annotations

import json
import shutil

from benchmarks.jobs import vacuum_preview
from benchmarks.measure import Spread, apart, in_turn, ratio, run
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report


def history(report: Report) -> None:
    """Milliseconds of the newest page of 20,000 versions, with and without a checkpoint, against one of 100."""
    job, tables = "benchmarks.jobs.history_page", report.folder / "history"
    shutil.rmtree(tables, ignore_errors=True)
    run(["-m", job, "prepare", str(tables), "20000"])
    took = json.loads(run(["-m", job, "rounds", str(tables), "3" if report.quick else "9"]).out)
    report.record(milliseconds=took)
    report.say("| | ms | over a page of 100 versions | reading it all over it |\n|---|---|---|---|")
    for name, times in took.items():
        over = Spread.of([one / short for one, short in zip(times, took["page of 100"], strict=True)])
        less = Spread.of([all_ / one for one, all_ in zip(times, took["all of 20,000"], strict=True)])
        report.say(f"| {name} | {Spread.of(times):.1f} | {over:.2f} | {less:.0f} |")


def vacuum(report: Report) -> None:
    """Seconds of a vacuum's preview, against one listing and one pass over the commits, and against deltalake's."""
    job, tables = "benchmarks.jobs.vacuum_preview", report.folder / "vacuum"
    shutil.rmtree(tables, ignore_errors=True)
    apart(vacuum_preview.prepare, tables, 10_000 if report.quick else 100_000)
    took = json.loads(run(["-m", job, str(tables), "5" if report.quick else "9"]).out)
    report.record(seconds=took)
    report.say("| | s | ours / it |\n|---|---|---|")
    for name, times in took.items():
        over = Spread.of([ours / one for ours, one in zip(took["ours"], times, strict=True)])
        report.say(f"| {name} | {Spread.of(times):.2f} | {over:.2f} |")


def diff(report: Report) -> None:
    """Two versions of a table that differ in one file of a hundred, and that pair of files read by hand."""
    job, rows = "benchmarks.jobs.diff_versions", 1_000_000 if report.quick else 10_000_000
    table = fresh(report.folder, ("diff",))["diff"]
    whole = run(["-m", job, "prepare", str(table), str(rows)]).out
    added, removed, changed, same = map(int, whole.split())
    wholes = f"{added + changed} {removed + changed} - {same}"
    once = {
        way: ["-m", job, "once", str(table), way] for way in ("by_keys", "as_wholes", "duckdb", "pyarrow")
    }
    samples = in_turn(once, 3 if report.quick else 7)
    for way, answer in (("by_keys", whole), ("as_wholes", wholes)):
        assert {one.out for one in samples[way]} == {answer}, f"{way}: not {answer}"
    report.say(
        f"{rows:,} rows in 100 files: {added} added, {removed} removed, {changed} changed, as joining all files tells"
    )
    report.say("\nwhole processes\n")
    report.samples(samples)
    for peer in ("duckdb", "pyarrow"):
        for way in ("by_keys", "as_wholes"):
            pairs = (f"{ratio(samples[way], samples[peer], what):.2f}" for what in ("wall", "cpu", "peak"))
            report.say(f"| **{way} / {peer}** | {' | '.join(pairs)} |")
    report.say()
    report.say(
        "| in one process | wall, ms | CPU, ms | / duckdb, CPU | / pyarrow, CPU |\n|---|---|---|---|---|"
    )
    took = json.loads(run(["-m", job, "rounds", str(table), "5" if report.quick else "21"]).out)
    report.record(milliseconds=took)
    for way, times in took.items():
        wall, cpu = (Spread.of([one[i] for one in times]) for i in (0, 1))
        over = [
            Spread.of([a[1] / b[1] for a, b in zip(times, took[peer], strict=True)])
            for peer in ("duckdb", "pyarrow")
        ]
        report.say(f"| {way} | {wall:.0f} | {cpu:.0f} | {over[0]:.2f} | {over[1]:.2f} |")


def guard(report: Report) -> None:
    """Milliseconds that the append guard takes on tables of so many versions, by which of them holds the append."""
    looks = ("none holds it", "the newest", "the oldest", "one pass")
    rows = []
    for count in (100, 1000) if report.quick else (100, 1000, 10_000):
        lake = report.folder / "guard" / str(count)
        shutil.rmtree(lake, ignore_errors=True)
        run([str(JOBS / "guard.py"), "prepare", str(lake), str(count)])
        lines = run(
            [str(JOBS / "guard.py"), "look", str(lake), "5" if report.quick else "15"]
        ).out.splitlines()
        took = list(zip(*([float(one) for one in line.split()] for line in lines), strict=True))
        report.record(versions=count, milliseconds=took)
        rows.append((f"{count:,}", *(f"{Spread.of(list(each)):.1f}" for each in took)))
    report.table(("versions", *(head for look in looks for head in (look, "CPU"))), rows)
