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


def as_delta(folder: Path, scale: float) -> Path:
    """The folder of the eight tables as Delta tables; made once."""
    made = folder / f"tpch-{scale}-delta"
    if not made.exists():
        import duckdb
        from deltalake import write_deltalake

        source, part = generated(folder, scale), made.with_suffix(".part")
        for table in TABLES:
            with duckdb.connect() as connection:
                rows = connection.read_parquet(str(source / f"{table}.parquet"))
                write_deltalake(part / table, rows.to_arrow_reader(122_880), mode="overwrite")
        part.rename(made)
    return made


def over_delta(data: Path, name: str) -> str:
    """The text of a project that makes one query's rows from Delta tables and writes nothing."""
    reads = "".join(
        f"  - name: {table}\n    read: {{connection: raw, path: {table}}}\n"
        for table in TABLES
        if table in QUERIES[name]
    )
    return f"connections:\n  raw: {{type: local, base_path: {data}}}\nnodes:\n{reads}{_query(name)}"


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
    return f"{_query(name)}    write: {{connection: lake, path: {name}}}\n"


def _query(name: str) -> str:
    sql = indent(QUERIES[name], " " * 12)
    return f"  - name: {name}\n    transform:\n      steps:\n        - sql: |\n{sql}\n"
