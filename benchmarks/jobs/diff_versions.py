"""Two versions of a table that differ in one file of a hundred: their diff, and that pair of files read by hand.

`prepare FOLDER ROWS` makes the table and prints what differs, found by joining both versions whole. `rounds FOLDER N`
prints milliseconds of wall and CPU by way as JSON, in one process, the ways in turn. `once FOLDER WAY` is one way in a
process of its own, which prints what it found.

By hand: `duckdb` and `pyarrow` read all columns of the two files into Arrow tables.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILES, PICKED = 100, 42
OLD, NEW = f"part-{PICKED:03}.parquet", "part-new.parquet"


def prepare(folder: Path, rows: int) -> str:
    """Version 0 in a hundred files; version 1 with one of them anew: some rows changed, some gone, some new."""
    import duckdb
    from deltalake import DeltaTable, Schema
    from deltalake.transaction import RemoveAction, create_table_with_add_actions

    from benchmarks.data import sales_query

    folder.mkdir(parents=True, exist_ok=True)
    each = rows // FILES
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        zoned = f"SELECT * REPLACE (ts::TIMESTAMPTZ AS ts) FROM ({sales_query(rows)})"
        connection.execute(f"CREATE TABLE sales AS {zoned}")
        part = "SELECT * FROM sales WHERE id // {} = {}"
        adds = [_add(connection, folder / f"part-{i:03}.parquet", part.format(each, i)) for i in range(FILES)]
        schema = Schema.from_arrow(connection.sql("SELECT * FROM sales LIMIT 0").to_arrow_table().schema)
        create_table_with_add_actions(str(folder), schema, adds, "overwrite", [])
        old = part.format(each, PICKED)
        changed = f"SELECT * REPLACE (qty + CAST(id % 100 = 7 AS INTEGER) AS qty) FROM ({old}) WHERE id % 1000 <> 500"
        new = f"SELECT * REPLACE (id + {rows} AS id) FROM ({old}) WHERE id % 1000 = 501"
        added = _add(connection, folder / NEW, f"{changed} UNION ALL {new}")
        removed = RemoveAction(OLD, True, int(time.time() * 1000), (folder / OLD).stat().st_size, {})
        DeltaTable(str(folder)).create_write_transaction([added, removed], "append", schema)
        return _joined(connection, folder)


def _add(connection: Any, path: Path, query: str) -> Any:
    from deltalake.transaction import AddAction

    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    count, low, high = connection.sql(f"SELECT count(*), min(id), max(id) FROM '{path}'").fetchall()[0]
    bounds = {"minValues": {"id": low}, "maxValues": {"id": high}, "nullCount": {"id": 0}}
    stats = json.dumps({"numRecords": count, **bounds})
    return AddAction(path.name, path.stat().st_size, {}, int(time.time() * 1000), True, stats)


def _joined(connection: Any, folder: Path) -> str:
    """Rows added, removed, changed and the same, from all files of both versions."""
    files = [[str(folder / f"part-{i:03}.parquet") for i in range(FILES)] for _ in range(2)]
    files[1][PICKED] = str(folder / NEW)
    old, new = (f"read_parquet({names})" for names in files)
    columns = [name for name, *_ in connection.sql(f"DESCRIBE SELECT * FROM {old}").fetchall()]
    differs = " OR ".join(f"a.{name} IS DISTINCT FROM b.{name}" for name in columns)
    kinds = (
        "a.id IS NULL",
        "b.id IS NULL",
        f"a.id = b.id AND ({differs})",
        f"a.id = b.id AND NOT ({differs})",
    )
    counts = ", ".join(f"count(*) FILTER ({kind})" for kind in kinds)
    return _line(
        connection.sql(f"SELECT {counts} FROM {old} a FULL JOIN {new} b ON a.id = b.id").fetchall()[0]
    )


def _line(counts: Any) -> str:
    return " ".join("-" if count is None else str(count) for count in counts)


# Ways -------------------------------------------------------------------------------------------------------


def by_keys(folder: Path) -> str:
    return _diff(folder, ("id",))


def as_wholes(folder: Path) -> str:
    return _diff(folder, ())


def _diff(folder: Path, keys: tuple[str, ...]) -> str:
    from odibi_magics import Project

    text = f"connections: {{lake: {{type: local, base_path: '{folder.parent}'}}}}"
    tables = Project.from_yaml(text).engine
    found = tables.diff_delta(connection="lake", path=folder.name, version=0, other_version=1, keys=keys)
    return _line((found.added, found.removed, found.changed, found.unchanged))


def duckdb(folder: Path) -> str:
    import duckdb

    with duckdb.connect() as connection:
        tables = [connection.sql(f"SELECT * FROM '{folder / name}'").to_arrow_table() for name in (OLD, NEW)]
    return _line(table.num_rows for table in tables)


def pyarrow(folder: Path) -> str:
    import pyarrow.parquet as pq

    return _line(pq.read_table(folder / name).num_rows for name in (OLD, NEW))


WAYS: dict[str, Callable[[Path], str]] = {
    "by_keys": by_keys, "as_wholes": as_wholes, "duckdb": duckdb, "pyarrow": pyarrow,
}  # fmt: skip


def rounds(folder: Path, count: int) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of wall and CPU of each way; the first round, which imports, does not count."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in WAYS}
    for number in range(count + 1):
        for name, way in WAYS.items():
            began = time.perf_counter(), time.process_time()
            way(folder)
            ended = time.perf_counter(), time.process_time()
            if number:
                took[name].append(((ended[0] - began[0]) * 1000, (ended[1] - began[1]) * 1000))
    return took


def main() -> None:
    does, folder, argument = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if does == "prepare":
        print(prepare(folder, int(argument)))
    elif does == "rounds":
        print(json.dumps(rounds(folder, int(argument))))
    else:
        print(WAYS[argument](folder))


if __name__ == "__main__":
    main()
