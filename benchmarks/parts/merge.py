"""A merge into a table of many files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import merged, merged_into
from benchmarks.measure import apart, in_turn
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

PEERS = ("deltalake", "duckdb", "polars")
TABLE = "records"


def merge(report: Report) -> None:
    """1 % of its rows into a table of 10,000,000 in 100 files, by where its changed rows lie."""
    data, (rows, files) = report.folder / "data", (1_000_000, 20) if report.quick else (10_000_000, 100)
    table = apart(merged_into, data, rows, files)

    def before(target: Path) -> None:
        # Linked, not copied: no way writes into a file that is there.
        shutil.copytree(table, target / TABLE, copy_function=os.link)

    for where in ("clustered", "spread"):
        source = apart(merged, data, rows, where)
        targets = fresh(report.folder, [f"merge_{way}" for way in ("ours", *PEERS)])
        targets = {name.removeprefix("merge_"): target for name, target in targets.items()}
        commands = {
            way: [str(JOBS / f"merge_{way}.py"), str(target / TABLE), str(source)]
            for way, target in targets.items()
        }
        samples = in_turn(commands, 3 if report.quick else 5, targets=targets, before=before)
        for peer in PEERS:
            apart(same_tables, targets["ours"], targets[peer], (TABLE,))
        report.say(f"\n{where}, {rows // 100:,} rows into {rows:,} in {files} files\n")
        report.samples(samples, PEERS, where=where, rows=rows)
