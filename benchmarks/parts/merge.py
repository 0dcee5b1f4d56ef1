"""A merge into a table of many files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.compare import same_tables
from benchmarks.data import merged, merged_into
from benchmarks.measure import apart, in_turn
from benchmarks.parts.places import JOBS, fresh
from benchmarks.report import Report

PEERS = ("deltalake", "duckdb", "polars")
TABLE = "records"


@dataclass(frozen=True)
class Case:
    """A source for the table. where: its changed rows lie there. rows: those of the table, which stands in a folder."""

    where: str
    source: Path
    rows: int
    table: Path

    def before(self, target: Path) -> None:
        """Gives a way its table: linked, not copied, because none writes into a file that is there."""
        shutil.copytree(self.table, target / TABLE, copy_function=os.link)


def cases(report: Report) -> Iterator[Case]:
    """1 % of its rows into a table of 10,000,000 in 100 files, by where its changed rows lie; each is said."""
    data, (rows, files) = report.folder / "data", (1_000_000, 20) if report.quick else (10_000_000, 100)
    table = apart(merged_into, data, rows, files)
    for where in ("clustered", "spread"):
        report.say(f"\n{where}, {rows // 100:,} rows into {rows:,} in {files} files\n")
        yield Case(where, apart(merged, data, rows, where), rows, table)


def merge(report: Report) -> None:
    """Ours beside the merges of deltalake, DuckDB and polars."""
    for case in cases(report):
        targets = fresh(report.folder, [f"merge_{way}" for way in ("ours", *PEERS)])
        targets = {name.removeprefix("merge_"): target for name, target in targets.items()}
        commands = {
            way: [str(JOBS / f"merge_{way}.py"), str(target / TABLE), str(case.source)]
            for way, target in targets.items()
        }
        samples = in_turn(commands, 3 if report.quick else 5, targets=targets, before=case.before)
        for peer in PEERS:
            apart(same_tables, targets["ours"], targets[peer], (TABLE,))
        report.samples(samples, PEERS, where=case.where, rows=case.rows)
