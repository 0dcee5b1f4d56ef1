"""The same by hand: duckdb streams into Arrow's dataset writer, and deltalake commits its files: less memory."""

import json
import os
import sys
import time
from urllib.parse import unquote

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable, Schema, write_deltalake
from deltalake.transaction import AddAction, create_table_with_add_actions

CSV, TARGET = sys.argv[1:3]
BY = ["year", "month"]

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("SET preserve_insertion_order = false")
clean = connection.sql(
    "SELECT id, ts::TIMESTAMPTZ AS ts, customer, product, qty, price, upper(city) AS city, note, "
    "qty * price AS amount, year(ts)::INTEGER AS year, month(ts)::INTEGER AS month "
    f"FROM read_csv('{CSV}') WHERE qty > 0"
)
reader = clean.to_arrow_reader(122_880)
table = f"{TARGET}/clean"
adds: list[AddAction] = []


def visit(file: ds.WrittenFile) -> None:
    path = os.path.relpath(file.path, table)
    partition = dict(unquote(part).split("=", 1) for part in path.split("/")[:-1])
    stats = json.dumps({"numRecords": file.metadata.num_rows})
    adds.append(AddAction(path, os.path.getsize(file.path), partition, int(time.time() * 1000), True, stats))


ds.write_dataset(
    reader,
    table,
    basename_template=f"part-{time.time_ns()}-{{i}}.parquet",
    format="parquet",
    partitioning=ds.partitioning(pa.schema([reader.schema.field(name) for name in BY]), flavor="hive"),
    max_rows_per_group=131_072,
    min_rows_per_group=32_768,
    preserve_order=False,
    existing_data_behavior="overwrite_or_ignore",
    file_visitor=visit,
)
create_table_with_add_actions(table, Schema.from_arrow(reader.schema), adds, "overwrite", BY)
written = DeltaTable(table).file_uris()
monthly = connection.sql(
    "SELECT year, month, count(*) AS sales, sum(amount) AS amount, max(price) AS dearest "
    f"FROM read_parquet({written}, hive_types = {{year: INTEGER, month: INTEGER}}) GROUP BY year, month"
)
write_deltalake(f"{TARGET}/monthly", monthly.to_arrow_reader(), mode="overwrite")
