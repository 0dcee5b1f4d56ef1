"""A practice cloud: storage and vaults that take their time."""

from __future__ import annotations

import json

from benchmarks.data import ROWS_PER_GB, sales
from benchmarks.measure import Spread, apart, in_turn, run
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
        for n, took in found.items():
            took["first"] = [
                float(run(["-m", job, "first", n], cloud.environment).out) for _ in range(rounds)
            ]
    report.record(seconds=found)
    states = [*found["1"]]
    report.table(
        ("connections", *(f"{state}, ms" for state in states)),
        [
            (n, *(f"{Spread.of([s * 1000 for s in took[state]]):.0f}" for state in states))
            for n, took in found.items()
        ],
    )
    report.say()
    pairs = (("cold", "cold_by_hand"), ("warm", "warm_by_hand"), ("one_by_one", "warm"))
    report.table(
        ("connections", *(f"{a} / {b}" for a, b in pairs), "cold / of one", "warm / of one"),
        [
            (
                n,
                *(_over(took[a], took[b]) for a, b in pairs),
                *(_over(took[s], found["1"][s]) for s in ("cold", "warm")),
            )
            for n, took in found.items()
        ],
    )


def _over(ours: list[float], theirs: list[float]) -> str:
    return f"{Spread.of([a / b for a, b in zip(ours, theirs, strict=True)]):.2f}"
