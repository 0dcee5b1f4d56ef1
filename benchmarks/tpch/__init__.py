"""TPC-H as pipelines: its 22 queries with the specification's own parameters, over generated data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent

TABLES = ("customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier")
QUERIES = {file.stem: file.read_text() for file in sorted(Path(__file__).parent.glob("q*.sql"))}


def generated(folder: Path, scale: float) -> Path:
    """The folder of the eight tables as Parquet files; made once. scale: 1 is a gigabyte."""
    made = folder / f"tpch-{scale}"
    if not made.exists():
        part = made.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        tool = Path(sys.executable).parent / "tpchgen-cli"
        command = [tool, "parquet", "--scale-factor", str(scale), "--output-dir", part]
        subprocess.run(list(map(str, command)), check=True, capture_output=True)
        part.rename(made)
    return made


def project(data: Path, lake: Path, names: Iterable[str] = QUERIES, tables: Iterable[str] = TABLES) -> str:
    """The text of a project that writes each query's rows to a table of its name. data: where the files are."""
    reads = "".join(
        f"  - name: {table}\n    read: {{connection: raw, path: {table}.parquet}}\n" for table in tables
    )
    return (
        f"connections:\n  raw: {{type: local, base_path: {data}}}\n  lake: {{type: local, base_path: {lake}}}\n"
        f"nodes:\n{reads}{''.join(map(_node, names))}"
    )


def _node(name: str) -> str:
    sql = indent(QUERIES[name], " " * 12)
    return (
        f"  - name: {name}\n    transform:\n      steps:\n        - sql: |\n{sql}\n"
        f"    write: {{connection: lake, path: {name}}}\n"
    )
