"""The same by hand: duckdb streams into write_deltalake."""

import sys

import duckdb
from deltalake import DeltaTable, write_deltalake

CSV, TARGET = sys.argv[1:3]

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
connection.execute("SET preserve_insertion_order = false")
clean = connection.sql(
    "SELECT id, ts::TIMESTAMPTZ AS ts, customer, product, qty, price, upper(city) AS city, note, "
    "qty * price AS amount, year(ts)::INTEGER AS year, month(ts)::INTEGER AS month "
    f"FROM read_csv('{CSV}') WHERE qty > 0"
)
write_deltalake(
    f"{TARGET}/clean", clean.to_arrow_reader(122_880), mode="overwrite", partition_by=["year", "month"]
)
written = DeltaTable(f"{TARGET}/clean").file_uris()
monthly = connection.sql(
    "SELECT year, month, count(*) AS sales, sum(amount) AS amount, max(price) AS dearest "
    f"FROM read_parquet({written}, hive_types = {{year: INTEGER, month: INTEGER}}) GROUP BY year, month"
)
write_deltalake(f"{TARGET}/monthly", monthly.to_arrow_reader(), mode="overwrite")
