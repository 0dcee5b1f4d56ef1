"""The same job by hand in duckdb and deltalake. Arguments: csv, target folder."""

import sys

import duckdb
from deltalake import DeltaTable, write_deltalake

CSV, TARGET = sys.argv[1:3]

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")
clean = connection.sql(
    "SELECT * REPLACE (ts::TIMESTAMPTZ AS ts), qty * price AS amount, year(ts)::INTEGER AS year "
    f"FROM read_csv('{CSV}') WHERE qty > 0"
)
write_deltalake(f"{TARGET}/clean", clean.to_arrow_reader(), mode="overwrite")
written = DeltaTable(f"{TARGET}/clean").to_pyarrow_dataset()
yearly = connection.sql("SELECT year, sum(amount) AS amount FROM written GROUP BY year")
write_deltalake(f"{TARGET}/yearly", yearly.to_arrow_reader(), mode="overwrite")
print("done")
