"""`python -m benchmarks [--quick]`: every figure that README and docs quote."""

from __future__ import annotations

import argparse
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import ROWS_PER_GB, sales
from benchmarks.measure import Sample, Spread, in_turn, ratio, run

JOBS = Path(__file__).parent / "jobs"
PEERS = ("duckdb", "polars", "pandas")


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
    return f"{platform.machine()}, Python {platform.python_version()}, {versions}"


def load_ext(folder: Path, quick: bool) -> None:
    """Milliseconds of `%load_ext odibi_magics` in a running shell, and what heavy libraries it imports."""
    found = [run([str(JOBS / "load_ext.py")]).out.split() for _ in range(5 if quick else 15)]
    print(
        f"%load_ext odibi_magics: {Spread.of([float(f[0]) for f in found]):.1f} ms; heavy imports: {found[0][1]}"
    )


def small(folder: Path, quick: bool) -> None:
    """Three nodes on 1,000 rows: whole processes, then again in one process."""
    csv = sales(folder / "data", 1000, "sorted")
    targets = _fresh(folder, ("ours", "peer"))
    commands = {
        name: [str(JOBS / f"small_{name}.py"), str(csv), str(target)] for name, target in targets.items()
    }
    samples = in_turn(commands, 5 if quick else 15)
    same_tables(targets["ours"], targets["peer"], ("clean", "yearly"))
    _row("ours", samples["ours"])
    _row("by hand", samples["peer"])
    print(f"whole process, ours / by hand: {ratio(samples['ours'], samples['peer']):.2f}")
    again = run(["-m", "benchmarks.jobs.second_run", str(csv), str(targets["ours"])]).out.split()
    print(f"again in one process, ours / by hand: {again[0]} ({again[1]} ms / {again[2]} ms)")


def csv(folder: Path, quick: bool) -> None:
    """CSV to partitioned Delta with a monthly aggregate: wall, CPU, memory."""
    rows = ROWS_PER_GB // 10 if quick else ROWS_PER_GB
    for order in ("sorted", "shuffled"):
        source = sales(folder / "data", rows, order)
        names = ("ours", *PEERS)
        targets = _fresh(folder, names)
        commands = {name: [str(JOBS / f"csv_{name}.py"), str(source), str(targets[name])] for name in names}
        samples = in_turn(commands, 3 if quick else 5)
        for peer in PEERS:
            same_tables(targets["ours"], targets[peer], ("clean", "monthly"))
        print(f"{order}, {source.stat().st_size / 1e9:.2f} GB")
        for name in names:
            _row(name, samples[name])
        best = min(PEERS, key=lambda peer: Spread.of([s.wall for s in samples[peer]]).median)
        print(f"ours / {best}: {ratio(samples['ours'], samples[best]):.2f}")


def memory(folder: Path, quick: bool) -> None:
    """Peak memory of ours on 4 GB over that on 1 GB."""
    rows = ROWS_PER_GB // 10 if quick else ROWS_PER_GB
    for order in ("sorted", "shuffled"):
        target = _fresh(folder, ("ours",))["ours"]
        sizes = [rows, 4 * rows]
        found = {
            n: run([str(JOBS / "csv_ours.py"), str(sales(folder / "data", n, order)), str(target)])
            for n in sizes
        }
        for n in sizes:
            _row(f"{n:,} rows {order}", [found[n]])
            print(f"    said: {found[n].out}")
        print(f"memory, four times the rows / once: {found[sizes[1]].peak / found[sizes[0]].peak:.2f}")


def plan(folder: Path, quick: bool) -> None:
    """Seconds to check and plan N SQL nodes."""
    for count in (10, 100, 1000) if quick else (10, 100, 1000, 2000):
        found = [
            float(run([str(JOBS / "plan_nodes.py"), str(count), str(folder / "plan")]).out) for _ in range(5)
        ]
        print(f"{count:>5} nodes: {Spread.of(found):.3f} s")


PARTS = {"load_ext": load_ext, "small": small, "plan": plan, "csv": csv, "memory": memory}


def _fresh(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    targets = {name: folder / "tables" / name for name in names}
    for target in targets.values():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    return targets


def _row(name: str, samples: list[Sample]) -> None:
    wall, cpu = Spread.of([s.wall for s in samples]), Spread.of([s.cpu for s in samples])
    peak = Spread.of([s.peak / 2**20 for s in samples])
    print(f"{name:>12}: wall {wall:.2f} s, cpu {cpu:.2f} s, peak {peak:.0f} MiB")


if __name__ == "__main__":
    main()
