"""In a notebook: loading, completion, the wizard, the live view of a run."""

from __future__ import annotations

import json

from benchmarks.measure import Spread, run
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report


def load_ext(report: Report) -> None:
    """Milliseconds of `%load_ext odibi_magics` in a running shell, and what heavy libraries it imports."""
    found = [run([str(JOBS / "load_ext.py")]).out.split() for _ in range(6 if report.quick else 16)][1:]
    took = [Spread.of([float(one[i]) for one in found]) for i in (0, 1)]
    report.record(milliseconds=found)
    report.say(
        f"%load_ext odibi_magics: {took[0]:.1f} ms, cpu {took[1]:.1f} ms; heavy imports: {found[0][2]}"
    )


def completion(report: Report) -> None:
    """Milliseconds of a completion in a cell of 200 nodes, by what is completed: in the kernel, and on the page."""
    rounds = 5 if report.quick else 51
    took = json.loads(
        run(["-m", "benchmarks.jobs.completion", "200", str(rounds), str(report.folder / "completion")]).out
    )
    heads = ("", "ms", "CPU, ms", "the first of its kind, ms", "CPU, ms")
    rows = []
    for name, times in took.items():
        wall, cpu = (Spread.of([one[i] for one in times[-rounds:]]) for i in (0, 1))
        rows.append((name, f"{wall:.1f}", f"{cpu:.1f}", f"{times[0][0]:.0f}", f"{times[0][1]:.0f}"))
    report.table(heads, rows)
    report.record(kernel=took)
    _first(report)
    served = str(fresh(report.folder, ("browser",))["browser"])
    shown = json.loads(run(["-m", "benchmarks.jobs.completion_browser", "200", str(rounds), served]).out)
    report.say()
    report.table(
        ("from Tab to the list on JupyterLab's page", "ms"),
        [(name, f"{Spread.of(times):.0f}") for name, times in shown.items()],
    )
    report.record(page=shown)


def _first(report: Report) -> None:
    """The first completion of a fresh kernel, right behind `%load_ext`: a new process for each."""
    job = "benchmarks.jobs.first_completion"
    found = [
        [float(one) for one in run(["-m", job, str(report.folder / "completion")]).out.split()]
        for _ in range(3 if report.quick else 9)
    ]
    shown = [f"{Spread.of(took):.0f}" for took in zip(*found, strict=True)]
    report.say()
    heads = ("", "the first, ms", "CPU, ms", "the second, ms", "CPU, ms")
    report.table(heads, [("a key, in a fresh kernel", *shown)])
    report.record(first=found)


def setup(report: Report) -> None:
    """Milliseconds until a page has the setup wizard, a kernel's first one and later ones."""
    first, *later = times = json.loads(
        run(["-m", "benchmarks.jobs.setup_wizard", str(5 if report.quick else 25)]).out
    )
    shown, answered = (Spread.of([one[i] for one in later]) for i in (0, 1))
    report.record(milliseconds=times)
    report.say(f"%odibi_setup: displayed in {shown:.0f} ms, answered in {answered:.0f} ms")
    report.say(f"a kernel's first one: {first[0]:.0f} and {first[1]:.0f} ms")


def live(report: Report) -> None:
    """What the live view of a run costs, of the run's time and of the kernel's CPU."""
    rows, rounds = (1_000_000, 5) if report.quick else (10_000_000, 11)
    took = json.loads(
        run(["-m", "benchmarks.jobs.live_view", str(report.folder / "live"), str(rows), str(rounds)]).out
    )
    report.record(seconds=took)
    for i, name in enumerate(("wall", "CPU")):
        off, on = ([one[i] for one in took[way]] for way in ("off", "live"))
        over = Spread.of([with_ / without for with_, without in zip(on, off, strict=True)])
        report.say(f"{name}: {Spread.of(off):.2f} s without, {Spread.of(on):.2f} s with it, {over:.3f} ×")
