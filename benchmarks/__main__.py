"""`python -m benchmarks [--quick]`: every figure that README and docs quote."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import ROWS_PER_GB, flights, sales
from benchmarks.jobs import vacuum_preview
from benchmarks.measure import Sample, Spread, apart, in_turn, ratio, run
from benchmarks.tpch import QUERIES, generated

JOBS = Path(__file__).parent / "jobs"
PEERS = ("duckdb", "duckdb_dataset", "polars", "polars_sink", "pandas")
SMALL_PEERS = ("documented", "lean")


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller data and fewer runs: minutes")
    parser.add_argument(
        "--folder", type=Path, default=Path(".cache/benchmarks"), help="where data and tables go"
    )
    parser.add_argument("--only", choices=[*PARTS], help="one part alone")
    options = parser.parse_args()
    print(_machine())
    for name, part in PARTS.items():
        if options.only in (None, name):
            print(f"\n## {name}\n")
            part(options.folder.resolve(), options.quick)


def _machine() -> str:
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("duckdb", "deltalake", "pyarrow", "polars", "pandas")
    )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    python = platform.python_version()
    return (
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, load "
        f"{os.getloadavg()[0]:.1f}, Python {python}, {versions}"
    )


def load_ext(folder: Path, quick: bool) -> None:
    """Milliseconds of `%load_ext odibi_magics` in a running shell, and what heavy libraries it imports."""
    found = [run([str(JOBS / "load_ext.py")]).out.split() for _ in range(6 if quick else 16)][1:]
    took = [Spread.of([float(one[i]) for one in found]) for i in (0, 1)]
    print(f"%load_ext odibi_magics: {took[0]:.1f} ms, cpu {took[1]:.1f} ms; heavy imports: {found[0][2]}")


def small(folder: Path, quick: bool) -> None:
    """Three nodes on 1,000 rows: whole processes, then again in one process."""
    csv = apart(sales, folder / "data", 1000, "sorted")
    names, rounds = ("ours", *SMALL_PEERS), 5 if quick else 15
    targets = _fresh(folder, names)
    commands = {name: [str(JOBS / f"small_{name}.py"), str(csv), str(targets[name])] for name in names}
    samples = in_turn(commands, rounds)
    for peer in SMALL_PEERS:
        apart(same_tables, targets["ours"], targets[peer], ("clean", "yearly"))
    _table(samples, SMALL_PEERS)
    again = run(
        ["-m", "benchmarks.jobs.second_run", str(csv), str(_fresh(folder, ("again",))["again"]), str(rounds)]
    )
    print("\n| again in one process | ms | ours / it |\n|---|---|---|")
    times = list(zip(*([float(one) for one in line.split()] for line in again.out.splitlines()), strict=True))
    for name, took in zip(names, times, strict=True):
        pairs = Spread.of([ours / one for ours, one in zip(times[0], took, strict=True)])
        print(f"| {name} | {Spread.of(took):.0f} | {pairs:.2f} |")


def csv(folder: Path, quick: bool) -> None:
    """CSV to partitioned Delta with a monthly aggregate."""
    rows = ROWS_PER_GB // 10 if quick else ROWS_PER_GB
    for order in ("sorted", "shuffled"):
        source = apart(sales, folder / "data", rows, order)
        names = ("ours", *PEERS)
        targets = _fresh(folder, names)
        commands = {name: [str(JOBS / f"csv_{name}.py"), str(source), str(targets[name])] for name in names}
        samples = in_turn(commands, 3 if quick else 5)
        for peer in PEERS:
            apart(same_tables, targets["ours"], targets[peer], ("clean", "monthly"))
        print(f"\n{order}, {source.stat().st_size / 1e9:.2f} GB\n")
        _table(samples, PEERS)


def memory(folder: Path, quick: bool) -> None:
    """Peak memory of ours on 4 GB over that on 1 GB, and what warnings it gave."""
    rows = ROWS_PER_GB // 10 if quick else ROWS_PER_GB
    for order in ("sorted", "shuffled"):
        target = _fresh(folder, ("ours",))["ours"]
        sources = {n: apart(sales, folder / "data", n, order) for n in (rows, 4 * rows)}
        found = {n: run([str(JOBS / "csv_ours.py"), str(csv), str(target)]) for n, csv in sources.items()}
        _table({f"{n:,} rows, {order}: {one.out}": [one] for n, one in found.items()})
        print(f"\nmemory, four times the rows / once: {found[4 * rows].peak / found[rows].peak:.2f}\n")


def plan(folder: Path, quick: bool) -> None:
    """Seconds to check and plan N SQL nodes."""
    print("| nodes | wall, s | CPU, s |\n|---|---|---|")
    for count in (10, 100, 1000) if quick else (10, 100, 1000, 2000):
        found = [
            run([str(JOBS / "plan_nodes.py"), str(count), str(folder / "plan")]).out.split() for _ in range(5)
        ]
        took = [Spread.of([float(one[i]) for one in found]) for i in (0, 1)]
        print(f"| {count:,} | {took[0]:.2f} | {took[1]:.2f} |")


def adls(folder: Path, quick: bool) -> None:
    """A CSV of 250 MB and the same rows as a Delta table in a storage account: wall, CPU, memory of one aggregate."""
    from odibi_magics.sandbox import Cloud

    csv = apart(sales, folder / "data", ROWS_PER_GB // (40 if quick else 4), "sorted")
    with Cloud.start() as cloud:
        environment = {**cloud.environment, "BENCH_KEY": cloud.storage("account1").key}
        run([str(JOBS / "adls.py"), "prepare", str(csv)], environment)
        for kind, peers in READERS.items():
            commands = {name: [str(JOBS / "adls.py"), name, kind] for name in ("ours", *peers)}
            samples = in_turn(commands, 3 if quick else 5, environment=environment)
            assert len({sample.out for found in samples.values() for sample in found}) == 1, (
                f"{kind}: the answers differ"
            )
            print(f"\n{kind}, from {csv.stat().st_size / 1e6:.0f} MB of CSV\n")
            _table(samples, peers)


READERS = {
    "csv": ("adlfs", "obstore", "pyarrow", "polars"),
    "delta": ("adlfs", "obstore", "pyarrow", "polars", "deltalake"),
}


def secrets(folder: Path, quick: bool) -> None:
    """Keys of N connections out of one vault, with 100 ms added to each answer of vault and token endpoint."""
    from odibi_magics.sandbox import Cloud

    job, rounds = "benchmarks.jobs.vault_keys", 3 if quick else 9
    with Cloud.start() as cloud:
        for i in range(50):
            cloud.vault("company-kv").set(f"key-{i}", "bXkga2V5")
        cloud.delay(100)
        found = json.loads(run(["-m", job, "rounds", str(rounds)], cloud.environment).out)
        new = {n: float(run(["-m", job, "first", n], cloud.environment).out) for n in found}
    one = found["1"]
    for n, times in found.items():
        told = ", ".join(f"{state} {seconds * 1000:.0f} ms" for state, seconds in times.items())
        print(f"{n:>3} connections: {told}; in a new process {new[n] * 1000:.0f} ms")
    for n in ("5", "50"):
        times = found[n]
        print(
            f"{n:>3} / one: cold {times['cold'] / one['cold']:.2f}, warm {times['warm'] / one['warm']:.2f}; "
            f"one after another / at once, warm: {times['one_by_one'] / times['warm']:.1f}"
        )


def history(folder: Path, quick: bool) -> None:
    """Milliseconds of the newest page of 20,000 versions, with and without a checkpoint, against one of 100."""
    job, tables = "benchmarks.jobs.history_page", folder / "history"
    shutil.rmtree(tables, ignore_errors=True)
    run(["-m", job, "prepare", str(tables), "20000"])
    took = json.loads(run(["-m", job, "rounds", str(tables), "3" if quick else "9"]).out)
    print("| | ms | over a page of 100 versions | reading it all over it |\n|---|---|---|---|")
    for name, times in took.items():
        over = Spread.of([one / short for one, short in zip(times, took["page of 100"], strict=True)])
        less = Spread.of([all_ / one for one, all_ in zip(times, took["all of 20,000"], strict=True)])
        print(f"| {name} | {Spread.of(times):.1f} | {over:.2f} | {less:.0f} |")


def diff(folder: Path, quick: bool) -> None:
    """Two versions of a table that differ in one file of a hundred, and that pair of files read by hand."""
    job, rows = "benchmarks.jobs.diff_versions", 1_000_000 if quick else 10_000_000
    table = _fresh(folder, ("diff",))["diff"]
    whole = run(["-m", job, "prepare", str(table), str(rows)]).out
    added, removed, changed, same = map(int, whole.split())
    wholes = f"{added + changed} {removed + changed} - {same}"
    once = {
        way: ["-m", job, "once", str(table), way] for way in ("by_keys", "as_wholes", "duckdb", "pyarrow")
    }
    samples = in_turn(once, 3 if quick else 7)
    for way, answer in (("by_keys", whole), ("as_wholes", wholes)):
        assert {one.out for one in samples[way]} == {answer}, f"{way}: not {answer}"
    print(
        f"{rows:,} rows in 100 files: {added} added, {removed} removed, {changed} changed, as joining all files tells"
    )
    print("\nwhole processes\n")
    _table(samples)
    for peer in ("duckdb", "pyarrow"):
        for way in ("by_keys", "as_wholes"):
            pairs = (f"{ratio(samples[way], samples[peer], what):.2f}" for what in ("wall", "cpu", "peak"))
            print(f"| **{way} / {peer}** | {' | '.join(pairs)} |")
    print("\n| in one process | wall, ms | CPU, ms | / duckdb, CPU | / pyarrow, CPU |\n|---|---|---|---|---|")
    took = json.loads(run(["-m", job, "rounds", str(table), "5" if quick else "21"]).out)
    for way, times in took.items():
        wall, cpu = (Spread.of([one[i] for one in times]) for i in (0, 1))
        over = [
            Spread.of([a[1] / b[1] for a, b in zip(times, took[peer], strict=True)])
            for peer in ("duckdb", "pyarrow")
        ]
        print(f"| {way} | {wall:.0f} | {cpu:.0f} | {over[0]:.2f} | {over[1]:.2f} |")


def guard(folder: Path, quick: bool) -> None:
    """Milliseconds that the append guard takes on tables of so many versions, by which of them holds the append."""
    print(
        "| versions | none holds it | CPU | the newest | CPU | the oldest | CPU |\n|---|---|---|---|---|---|---|"
    )
    for count in (100, 1000) if quick else (100, 1000, 10_000):
        lake = folder / "guard" / str(count)
        shutil.rmtree(lake, ignore_errors=True)
        run([str(JOBS / "guard.py"), "prepare", str(lake), str(count)])
        lines = run([str(JOBS / "guard.py"), "look", str(lake), "5" if quick else "15"]).out.splitlines()
        took = zip(*([float(one) for one in line.split()] for line in lines), strict=True)
        print(f"| {count:,} | {' | '.join(f'{Spread.of(list(each)):.1f}' for each in took)} |")


def vacuum(folder: Path, quick: bool) -> None:
    """Seconds of a vacuum's preview, against one listing and one pass over the commits, and against deltalake's."""
    job, tables = "benchmarks.jobs.vacuum_preview", folder / "vacuum"
    shutil.rmtree(tables, ignore_errors=True)
    apart(vacuum_preview.prepare, tables, 10_000 if quick else 100_000)
    took = json.loads(run(["-m", job, str(tables), "5" if quick else "9"]).out)
    print("| | s | ours / it |\n|---|---|---|")
    for name, times in took.items():
        over = Spread.of([ours / one for ours, one in zip(took["ours"], times, strict=True)])
        print(f"| {name} | {Spread.of(times):.2f} | {over:.2f} |")


def tpch(folder: Path, quick: bool) -> None:
    """TPC-H's 22 queries as pipelines on both engines, equal row for row, with the seconds that each node took."""
    scale = 0.01 if quick else 0.1
    data = apart(generated, folder / "data", scale)
    lakes = _fresh(folder, ("pandas", "spark"))
    took = {
        name: json.loads(run(["-m", "benchmarks.jobs.tpch", str(data), str(lake), name], _spark()).out)
        for name, lake in lakes.items()
    }
    apart(same_tables, lakes["pandas"], lakes["spark"], tuple(QUERIES))
    print(f"scale {scale}, the first run of each in its process, read and written\n")
    print("| | rows | pandas, s | spark, s |\n|---|---|---|---|")
    for name in QUERIES:
        (rows, ours), (_, sparks) = took["pandas"][name], took["spark"][name]
        print(f"| {name} | {rows:,} | {ours:.2f} | {sparks:.2f} |")


def spark(folder: Path, quick: bool) -> None:
    """A job as a pipeline on Spark, and by hand in the same session: pairs in turn, answers compared first."""
    data = apart(generated, folder / "data", 0.1)
    raw = apart(flights, folder / "data")
    rounds = "5" if quick else "15"
    print("| | ours, s | CPU | by hand, s | CPU | ours / by hand | CPU |\n|---|---|---|---|---|---|---|")
    for job, source in (("flights", raw), ("q01", data), ("q05", data)):
        lake = _fresh(folder, ("spark",))["spark"]
        arguments = ["-m", "benchmarks.jobs.spark_cost", job, str(source), str(lake), rounds]
        took = json.loads(run(arguments, _spark()).out.splitlines()[-1])
        shown = [Spread.of([one[i] for one in took[way]]) for way in ("ours", "by_hand") for i in (0, 1)]
        pairs = [
            Spread.of([a[i] / b[i] for a, b in zip(took["ours"], took["by_hand"], strict=True)])
            for i in (0, 1)
        ]
        print(f"| {job} | {' | '.join(f'{one:.2f}' for one in (*shown, *pairs))} |", flush=True)


def _spark() -> dict[str, str]:
    """Where the jars are that `make setup` fetched."""
    return {"ODIBI_CACHE": str(Path(".cache").resolve()), "PYSPARK_PYTHON": sys.executable}


def completion(folder: Path, quick: bool) -> None:
    """Milliseconds of a completion in a cell of 200 nodes, by what is completed: in the kernel, and on the page."""
    rounds = 5 if quick else 51
    took = json.loads(
        run(["-m", "benchmarks.jobs.completion", "200", str(rounds), str(folder / "completion")]).out
    )
    print("| | ms | CPU, ms | the first, ms | CPU, ms |\n|---|---|---|---|---|")
    for name, times in took.items():
        wall, cpu = (Spread.of([one[i] for one in times[-rounds:]]) for i in (0, 1))
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {times[0][0]:.0f} | {times[0][1]:.0f} |")
    shown = json.loads(
        run(["-m", "benchmarks.jobs.completion_browser", "200", str(rounds), str(folder / "browser")]).out
    )
    print("| from Tab to the list on JupyterLab's page | ms |\n|---|---|")
    for name, times in shown.items():
        print(f"| {name} | {Spread.of(times):.0f} |")


def setup(folder: Path, quick: bool) -> None:
    """Milliseconds until a page has the setup wizard, a kernel's first one and later ones."""
    first, *later = json.loads(run(["-m", "benchmarks.jobs.setup_wizard", str(5 if quick else 25)]).out)
    shown, answered = (Spread.of([one[i] for one in later]) for i in (0, 1))
    print(f"%odibi_setup: displayed in {shown:.0f} ms, answered in {answered:.0f} ms")
    print(f"a kernel's first one: {first[0]:.0f} and {first[1]:.0f} ms")


def live(folder: Path, quick: bool) -> None:
    """What the live view of a run costs, of the run's time and of the kernel's CPU."""
    rows, rounds = (1_000_000, 5) if quick else (10_000_000, 11)
    took = json.loads(
        run(["-m", "benchmarks.jobs.live_view", str(folder / "live"), str(rows), str(rounds)]).out
    )
    for i, name in enumerate(("wall", "CPU")):
        off, on = ([one[i] for one in took[way]] for way in ("off", "live"))
        over = Spread.of([with_ / without for with_, without in zip(on, off, strict=True)])
        print(f"{name}: {Spread.of(off):.2f} s without, {Spread.of(on):.2f} s with it, {over:.3f} ×")


PARTS = {
    "load_ext": load_ext, "small": small, "plan": plan, "csv": csv, "memory": memory, "adls": adls,
    "secrets": secrets, "history": history, "vacuum": vacuum, "diff": diff, "guard": guard,
    "tpch": tpch, "spark": spark,
    "completion": completion, "setup": setup, "live": live,
}  # fmt: skip


def _fresh(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    targets = {name: folder / "tables" / name for name in names}
    for target in targets.values():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    return targets


def _table(samples: Mapping[str, Sequence[Sample]], peers: Sequence[str] = ()) -> None:
    """Prints a table in Markdown: what each took, then ours over each peer, pair by pair."""
    print("| | wall, s | CPU, s | peak, MiB |\n|---|---|---|---|")
    for name, taken in samples.items():
        wall, cpu = Spread.of([one.wall for one in taken]), Spread.of([one.cpu for one in taken])
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {Spread.of([one.peak / 2**20 for one in taken]):.0f} |")
    for peer in peers:
        found = (ratio(samples["ours"], samples[peer], what) for what in ("wall", "cpu", "peak"))
        print(f"| **ours / {peer}** | {' | '.join(f'{one:.2f}' for one in found)} |")


if __name__ == "__main__":
    main()
