"""The same job by hand as both libraries' documentation has it: the second node reads what the first one wrote.

Arguments: csv, target folder.
"""

import sys

import duckdb
from deltalake import DeltaTable, write_deltalake


def job(csv: str, target: str) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    clean = connection.sql(
        "SELECT * REPLACE (ts::TIMESTAMPTZ AS ts), qty * price AS amount, year(ts)::INTEGER AS year "
        f"FROM read_csv('{csv}') WHERE qty > 0"
    )
    write_deltalake(f"{target}/clean", clean.to_arrow_reader(), mode="overwrite")
    connection.register("written", DeltaTable(f"{target}/clean").to_pyarrow_dataset())
    yearly = connection.sql("SELECT year, sum(amount) AS amount FROM written GROUP BY year")
    write_deltalake(f"{target}/yearly", yearly.to_arrow_reader(), mode="overwrite")


if __name__ == "__main__":
    job(*sys.argv[1:3])
