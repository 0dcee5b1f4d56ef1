"""The same by hand: duckdb finds the files that hold the source's keys and writes them anew, deltalake commits."""

import json
import os
import sys
import time

import duckdb
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction

TABLE, SOURCE = sys.argv[1:3]

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("SET preserve_insertion_order = false")
connection.execute(f"CREATE TABLE source AS SELECT * FROM read_parquet('{SOURCE}')")
(low, high), *_ = connection.sql("SELECT min(id), max(id) FROM source").fetchall()

table = DeltaTable(TABLE)
there = duckdb.arrow(table.get_add_actions(flatten=True))
near = there.filter(f'"max.id" >= {low} AND "min.id" <= {high}').project("path, size_bytes").fetchall()
sizes = {f"{TABLE}/{path}": size for path, size in near}
hit = connection.execute(
    "SELECT DISTINCT filename FROM read_parquet($files, filename = true) WHERE id IN (SELECT id FROM source)",
    {"files": list(sizes)},
).fetchall()
touched = [path for (path,) in hit]

name = f"part-{time.time_ns()}.parquet"
kept = (
    f"SELECT * FROM read_parquet({touched}) ANTI JOIN source USING (id) UNION ALL BY NAME" if touched else ""
)
connection.execute(
    f"COPY ({kept} SELECT * FROM source) TO '{TABLE}/{name}' (FORMAT parquet, COMPRESSION zstd)"
)
bounds = f"SELECT count(*), min(id), max(id) FROM read_parquet('{TABLE}/{name}')"
(rows, low, high), *_ = connection.sql(bounds).fetchall()
stats = {"numRecords": rows, "minValues": {"id": low}, "maxValues": {"id": high}, "nullCount": {"id": 0}}
now = int(time.time() * 1000)
table.create_write_transaction(
    [
        AddAction(name, os.path.getsize(f"{TABLE}/{name}"), {}, now, True, json.dumps(stats)),
        *(RemoveAction(os.path.relpath(path, TABLE), True, now, sizes[path], {}) for path in touched),
    ],
    "append",
    table.schema(),
)
