"""The framework odibi where it can do the work: small jobs, a CSV to Delta, a merge."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import ROWS_PER_GB, merged, merged_into, sales
from benchmarks.framework import interpreter, versions
from benchmarks.measure import Spread, apart, asked_in_turn, in_turn, run
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

WAYS = ("ours", "odibi")
TABLE = "records"


def framework(report: Report) -> None:
    """Ours beside the framework: versions and settings first, then job by job."""
    python = interpreter(report.folder)
    shutil.rmtree(report.folder / "framework", ignore_errors=True)
    found = versions(python)
    report.say(", ".join(f"{name} {version}" for name, version in found.items()))
    settings = (JOBS / "odibi_project.py").read_text()
    report.say("\n" + settings.split('SETTINGS = """\\\n')[1].split('"""')[0] + "\n")
    report.record(versions=found)
    report.say(f"its polars engine: {_polars(report, python)}")
    small(report, python)
    copied(report, python)
    merges(report, python)


def _polars(report: Report, python: str) -> str:
    """What its other engine says of the small job."""
    csv = apart(sales, report.folder / "data", 1000, "sorted")
    target = fresh(report.folder, ("polars",))["polars"]
    job = [
        "-m",
        "benchmarks.jobs.odibi_small",
        str(csv),
        str(target),
        _project(report, "polars"),
        "polars",
    ]
    try:
        run(job, python=python)
    except RuntimeError as error:
        found = re.search(r"Error: (.*?)\s+Type: ", str(error), re.DOTALL)
        return " ".join(found[1].split()) if found else str(error)[-300:]
    return "does the job"


def small(report: Report, python: str) -> None:
    """Three nodes on 1,000 rows: whole processes, then again in processes that stay."""
    csv = apart(sales, report.folder / "data", 1000, "sorted")

    def command(way: str, target: Path) -> list[str]:
        if way == "ours":
            return [str(JOBS / "small_ours.py"), str(csv), str(target)]
        return [
            "-m",
            "benchmarks.jobs.odibi_small",
            str(csv),
            str(target),
            _project(report, "small"),
            "pandas",
        ]

    rounds = 5 if report.quick else 15
    _compared(report, python, command, ("clean", "yearly"), rounds, {"job": "small"})
    ways = ("ours", "odibi", "odibi_kept")
    targets = fresh(report.folder, [f"again_{way}" for way in ways])
    job = ["-m", "benchmarks.jobs.small_again", str(csv)]
    took = asked_in_turn(
        {way: [*job, str(targets[f"again_{way}"]), way] for way in ways},
        rounds,
        2,
        dict.fromkeys(ways[1:], python),
    )
    report.record(job="again", milliseconds=took)
    report.say("\nagain in one process each, in turn\n")
    report.table(
        ("", "wall, ms", "CPU, ms", "CPU behind it, ms", "ours / it, wall", "ours / it, all CPU"),
        [(way, *_again(took["ours"], took[way])) for way in ways],
    )


def _again(ours: list[list[float]], theirs: list[list[float]]) -> list[str]:
    wall, cpu, behind = (f"{Spread.of(list(each)):.0f}" for each in zip(*theirs, strict=True))
    pairs = list(zip(ours, theirs, strict=True))
    over = Spread.of([a[0] / b[0] for a, b in pairs])
    busy = Spread.of([(a[1] + a[2]) / (b[1] + b[2]) for a, b in pairs])
    return [wall, cpu, behind, f"{over:.2f}", f"{busy:.2f}"]


def copied(report: Report, python: str) -> None:
    """A CSV to partitioned Delta with a monthly aggregate, at a quarter of a gigabyte and at one."""
    unit = ROWS_PER_GB // (40 if report.quick else 1)
    for rows in (unit // 4, unit):
        csv = apart(sales, report.folder / "data", rows, "sorted")

        def command(way: str, target: Path, csv: Path = csv) -> list[str]:
            if way == "ours":
                return [str(JOBS / "csv_ours.py"), str(csv), str(target)]
            return ["-m", "benchmarks.jobs.odibi_csv", str(csv), str(target), _project(report, "csv")]

        report.say(f"\n{rows:,} rows, {csv.stat().st_size / 1e9:.2f} GB of CSV\n")
        case = {"job": "csv", "rows": rows}
        _compared(report, python, command, ("clean", "monthly"), 3 if report.quick else 5, case)


def merges(report: Report, python: str) -> None:
    """1 % of its rows into a table of 10,000,000 in 100 files, by where its changed rows lie."""
    data, (rows, files) = report.folder / "data", (1_000_000, 20) if report.quick else (10_000_000, 100)
    table = apart(merged_into, data, rows, files)

    def before(target: Path) -> None:
        # Linked, not copied: neither writes into a file that is there.
        shutil.copytree(table, target / TABLE, copy_function=os.link)

    for where in ("clustered", "spread"):
        source = apart(merged, data, rows, where)

        def command(way: str, target: Path, source: Path = source) -> list[str]:
            if way == "ours":
                return [str(JOBS / "merge_ours.py"), str(target / TABLE), str(source)]
            job = ["-m", "benchmarks.jobs.odibi_merge", str(target / TABLE), str(source)]
            return [*job, _project(report, "merge")]

        report.say(f"\n{where}, {rows // 100:,} rows into {rows:,} in {files} files\n")
        case = {"job": "merge", "where": where, "rows": rows}
        _compared(report, python, command, (TABLE,), 3 if report.quick else 5, case, before)


def _compared(
    report: Report,
    python: str,
    command: Callable[[str, Path], list[str]],
    tables: tuple[str, ...],
    rounds: int,
    case: Mapping[str, object],
    before: Callable[[Path], None] = lambda target: None,
) -> None:
    """Both in turn, their tables compared before their figures are shown."""
    targets = dict(
        zip(WAYS, fresh(report.folder, [f"framework_{way}" for way in WAYS]).values(), strict=True)
    )
    commands = {way: command(way, target) for way, target in targets.items()}
    samples = in_turn(commands, rounds, targets=targets, before=before, pythons={"odibi": python})
    apart(same_tables, targets["ours"], targets["odibi"], tables)
    report.samples(samples, ("odibi",), **case)


def _project(report: Report, job: str) -> str:
    """The folder of its project, which stays from round to round, as a user's does."""
    return str(report.folder / "framework" / job)
