"""The framework odibi where it can do the work: small jobs, a CSV to Delta, a merge."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import ROWS_PER_GB, sales
from benchmarks.framework import interpreter, versions
from benchmarks.jobs.odibi_project import TUNED, WHOLE
from benchmarks.measure import Spread, apart, asked_in_turn, in_turn, run
from benchmarks.parts.merge import TABLE, cases
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

WAYS = ("ours", "odibi")


def framework(report: Report) -> None:
    """Ours beside the framework: versions and settings first, then job by job."""
    python = interpreter(report.folder)
    shutil.rmtree(report.folder / "framework", ignore_errors=True)
    found = versions(python)
    report.say(", ".join(f"{name} {version}" for name, version in found.items()))
    report.say(f"\n{TUNED}{WHOLE}")
    says = _polars(report, python)
    report.say(f"its polars engine, asked for the small job: {says}")
    report.record(versions=found, settings=TUNED + WHOLE, polars=says)
    small(report, python)
    copied(report, python)
    merges(report, python)


def _polars(report: Report, python: str) -> str:
    """What its other engine says of the small job."""
    csv = apart(sales, report.folder / "data", 1000, "sorted")
    target = fresh(report.folder, ("polars",))["polars"]
    job = ["-m", "benchmarks.jobs.odibi_small", str(csv), str(target), _project(report, "polars")]
    try:
        run([*job, "polars", "tuned"], python=python)
    except RuntimeError as error:
        found = re.search(r"Location: .*?Error: (.*?)\s+Type: ", str(error), re.DOTALL)
        return " ".join(found[1].split()) if found else str(error)[-300:]
    return "done"


def small(report: Report, python: str) -> None:
    """Three nodes on 1,000 rows: whole processes, then again in processes that stay."""
    csv = apart(sales, report.folder / "data", 1000, "sorted")
    ways, rounds = (*WAYS, "odibi_guided", "odibi_plain"), 5 if report.quick else 15

    def command(way: str, target: Path) -> list[str]:
        if way == "ours":
            return [str(JOBS / "small_ours.py"), str(csv), str(target)]
        job = ["-m", "benchmarks.jobs.odibi_small", str(csv), str(target), _project(report, way)]
        return [*job, "pandas", way.partition("_")[2] or "tuned"]

    _compared(report, python, command, ("clean", "yearly"), rounds, {"job": "small"}, ways=ways)
    _again(report, python, str(csv), rounds)


def _again(report: Report, python: str, csv: str, rounds: int) -> None:
    """odibi reads its project anew for each run, as ours does, or is kept open."""
    ways = ("ours", "odibi", "odibi_kept")
    targets = dict(zip(ways, fresh(report.folder, [f"again_{way}" for way in ways]).values(), strict=True))
    commands = {
        way: ["-m", "benchmarks.jobs.small_again", csv, str(target), way] for way, target in targets.items()
    }
    took = asked_in_turn(commands, rounds, 2, dict.fromkeys(ways[1:], python))
    for way in ways[1:]:
        apart(same_tables, targets["ours"], targets[way], ("clean", "yearly"))
    report.say("\nagain in a process each, in turn\n")
    heads = ("", "wall, ms", "CPU, ms", "CPU behind it, ms", "ours / it, wall", "ours / it, all CPU")
    report.table(heads, [(way, *_row(took["ours"], took[way])) for way in ways])
    report.record(job="again", milliseconds=took)


def _row(ours: list[list[float]], theirs: list[list[float]]) -> list[str]:
    shown = [f"{Spread.of(list(each)):.0f}" for each in zip(*theirs, strict=True)]
    pairs = list(zip(ours, theirs, strict=True))
    wall = Spread.of([a[0] / b[0] for a, b in pairs])
    cpu = Spread.of([(a[1] + a[2]) / (b[1] + b[2]) for a, b in pairs])
    return [*shown, f"{wall:.2f}", f"{cpu:.2f}"]


def copied(report: Report, python: str) -> None:
    """A CSV to partitioned Delta with a monthly aggregate, at a quarter of a gigabyte and at one."""
    unit = ROWS_PER_GB // (40 if report.quick else 1)
    for rows, rounds in ((unit // 4, 5), (unit, 3)):
        csv = apart(sales, report.folder / "data", rows, "sorted")

        def command(way: str, target: Path, csv: Path = csv) -> list[str]:
            if way == "ours":
                return [str(JOBS / "csv_ours.py"), str(csv), str(target)]
            return ["-m", "benchmarks.jobs.odibi_csv", str(csv), str(target), _project(report, "csv")]

        report.say(f"\n{rows:,} rows, {csv.stat().st_size / 1e9:.2f} GB of CSV\n")
        case = {"job": "csv", "rows": rows}
        _compared(report, python, command, ("clean", "monthly"), 3 if report.quick else rounds, case)


def merges(report: Report, python: str) -> None:
    """A merge, by where its changed rows lie."""
    for case in cases(report):

        def command(way: str, target: Path, source: Path = case.source) -> list[str]:
            if way == "ours":
                return [str(JOBS / "merge_ours.py"), str(target / TABLE), str(source)]
            job = ["-m", "benchmarks.jobs.odibi_merge", str(target / TABLE), str(source)]
            return [*job, _project(report, "merge")]

        told = {"job": "merge", "where": case.where, "rows": case.rows}
        _compared(report, python, command, (TABLE,), 3 if report.quick else 5, told, case.before)


def _compared(
    report: Report,
    python: str,
    command: Callable[[str, Path], list[str]],
    tables: tuple[str, ...],
    rounds: int,
    case: Mapping[str, object],
    before: Callable[[Path], None] = lambda target: None,
    ways: tuple[str, ...] = WAYS,
) -> None:
    """All in turn, their tables compared before their figures are shown."""
    places = fresh(report.folder, [f"framework_{way}" for way in ways])
    targets = dict(zip(ways, places.values(), strict=True))
    commands = {way: command(way, target) for way, target in targets.items()}
    pythons = dict.fromkeys(ways[1:], python)
    samples = in_turn(commands, rounds, targets=targets, before=before, pythons=pythons)
    for way in ways[1:]:
        apart(same_tables, targets["ours"], targets[way], tables)
    report.samples(samples, ways[1:], **case)


def _project(report: Report, job: str) -> str:
    """The folder of its project, which stays from round to round, as a user's does."""
    return str(report.folder / "framework" / job)
