"""A practice cloud: storage and vaults that take their time."""

from __future__ import annotations

import json

from benchmarks.data import ROWS_PER_GB, sales
from benchmarks.measure import apart, in_turn, run
from benchmarks.parts.places import JOBS
from benchmarks.report import Report

READERS = {
    "csv": ("adlfs", "obstore", "pyarrow", "polars"),
    "delta": ("adlfs", "obstore", "pyarrow", "polars", "deltalake"),
}


def adls(report: Report) -> None:
    """One aggregate over a CSV of 250 MB, and over the same rows as a Delta table, in a storage account that answers
    at once, and 20 ms later."""
    from odibi_magics.sandbox import Cloud

    csv = apart(sales, report.folder / "data", ROWS_PER_GB // (40 if report.quick else 4), "sorted")
    with Cloud.start() as cloud:
        account = cloud.storage("account1")
        environment = {**cloud.environment, "BENCH_KEY": account.key}
        run([str(JOBS / "adls.py"), "prepare", str(csv)], environment)
        for milliseconds in (0, 20):
            account.delay(milliseconds)
            for kind, peers in READERS.items():
                commands = {name: [str(JOBS / "adls.py"), name, kind] for name in ("ours", *peers)}
                samples = in_turn(commands, 3 if report.quick else 5, environment=environment)
                assert len({sample.out for found in samples.values() for sample in found}) == 1, (
                    f"{kind}: the answers differ"
                )
                size = csv.stat().st_size / 1e6
                report.say(f"\n{kind}, from {size:.0f} MB of CSV, each answer {milliseconds} ms later\n")
                report.samples(samples, peers, kind=kind, delay=milliseconds)


def secrets(report: Report) -> None:
    """Keys of N connections out of one vault, with 100 ms added to each answer of vault and token endpoint."""
    from odibi_magics.sandbox import Cloud

    job, rounds = "benchmarks.jobs.vault_keys", 3 if report.quick else 9
    with Cloud.start() as cloud:
        for i in range(50):
            cloud.vault("company-kv").set(f"key-{i}", "bXkga2V5")
        cloud.delay(100)
        found = json.loads(run(["-m", job, "rounds", str(rounds)], cloud.environment).out)
        new = {n: float(run(["-m", job, "first", n], cloud.environment).out) for n in found}
    report.record(seconds=found, first=new)
    one = found["1"]
    for n, times in found.items():
        told = ", ".join(f"{state} {seconds * 1000:.0f} ms" for state, seconds in times.items())
        report.say(f"{n:>3} connections: {told}; in a new process {new[n] * 1000:.0f} ms")
    for n in ("5", "50"):
        times = found[n]
        report.say(
            f"{n:>3} / one: cold {times['cold'] / one['cold']:.2f}, warm {times['warm'] / one['warm']:.2f}; "
            f"one after another / at once, warm: {times['one_by_one'] / times['warm']:.1f}"
        )
