"""One aggregate over a CSV and over a Delta table in a storage account, read in several ways: `adls.py WAY KIND`."""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from typing import Any

KEY = os.environ["BENCH_KEY"]
ACCOUNT, CONTAINER = "account1", "raw"
HOST = f"abfss://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net"
WHAT = "city, count(*) AS n, sum(qty * price) AS amount, max(note) AS note"
QUERY = f"SELECT {WHAT} FROM sales WHERE qty > 0 GROUP BY city"


def prepare(csv: str) -> None:
    """Puts both into the account."""
    import duckdb
    from deltalake import write_deltalake

    with open(csv, "rb") as file:
        _store().put("bench/sales.csv", file)
    rows = duckdb.sql(f"SELECT * FROM read_csv('{csv}')")
    assert rows is not None
    write_deltalake(
        f"{HOST}/bench/sales", rows.to_arrow_reader(122_880), mode="overwrite", storage_options=_options()
    )


def ours(kind: str) -> Any:
    from odibi_magics import Project

    path = "bench/sales.csv" if kind == "csv" else "bench/sales"
    text = f"""
connections:
  lake:
    type: azure_adls
    account: {ACCOUNT}
    container: {CONTAINER}
    auth_mode: direct_key
    account_key: "${{BENCH_KEY}}"
nodes:
  - {{name: sales, read: {{connection: lake, path: {path}}}}}
  - {{name: cities, transform: {{steps: [{{sql: "{QUERY}"}}]}}}}
"""
    return Project.from_yaml(text).run()["cities"].to_arrow()


def adlfs(kind: str) -> Any:
    """DuckDB over adlfs."""
    import duckdb
    from adlfs import AzureBlobFileSystem

    connection = duckdb.connect()
    connection.register_filesystem(AzureBlobFileSystem(account_name=ACCOUNT, account_key=KEY))
    names = [f"abfs://{CONTAINER}/{key}" for key in _keys(kind)]
    return _answered(connection, QUERY.replace("FROM sales", f"FROM {_reader(kind)}({names})"))


def obstore(kind: str) -> Any:
    """Fetched whole into a folder of this machine, then DuckDB."""
    import duckdb

    folder, store = tempfile.mkdtemp(), _store()
    try:
        names = []
        for i, key in enumerate(_keys(kind)):
            names.append(f"{folder}/{i}")
            with open(names[-1], "wb") as file:
                file.writelines(store.get(key).stream(8 << 20))
        return _answered(duckdb.connect(), QUERY.replace("FROM sales", f"FROM {_reader(kind)}({names})"))
    finally:
        shutil.rmtree(folder)


def pyarrow(kind: str) -> Any:
    """A dataset over pyarrow's own file system for Azure, scanned by DuckDB."""
    from pyarrow import csv, dataset, fs

    files = [f"{CONTAINER}/{key}" for key in _keys(kind)]
    system = fs.AzureFileSystem(ACCOUNT, account_key=KEY)
    text = dataset.CsvFileFormat(convert_options=csv.ConvertOptions(strings_can_be_null=True))
    sales = dataset.dataset(files, filesystem=system, format=text if kind == "csv" else "parquet")
    return _asked(sales)


def polars(kind: str) -> Any:
    import polars as pl

    options = {"account_name": ACCOUNT, "account_key": KEY}
    if kind == "csv":
        sales = pl.scan_csv(f"{HOST}/bench/sales.csv", storage_options=options, try_parse_dates=True)
    else:
        sales = pl.scan_delta(f"{HOST}/bench/sales", storage_options=_options())
    return sales.sql(QUERY.replace("FROM sales", "FROM self")).collect(engine="streaming").to_arrow()


def deltalake(kind: str) -> Any:
    """deltalake's dataset, scanned by DuckDB."""
    from deltalake import DeltaTable

    return _asked(DeltaTable(f"{HOST}/bench/sales", storage_options=_options()).to_pyarrow_dataset())


def _asked(sales: Any) -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.register("sales", sales)
    return _answered(connection, QUERY)


def _answered(connection: Any, query: str) -> Any:
    return connection.sql(query).to_arrow_table()


def _store() -> Any:
    from obstore.store import AzureStore

    return AzureStore(CONTAINER, account_name=ACCOUNT, account_key=KEY)


def _options() -> dict[str, str]:
    return {"account_name": ACCOUNT, "account_key": KEY}


def _keys(kind: str) -> list[str]:
    if kind == "csv":
        return ["bench/sales.csv"]
    from deltalake import DeltaTable

    uris = DeltaTable(f"{HOST}/bench/sales", storage_options=_options()).file_uris()
    return ["bench/sales/" + uri.rsplit("/", 1)[1] for uri in uris]


def _reader(kind: str) -> str:
    return "read_csv" if kind == "csv" else "read_parquet"


def answer(table: Any) -> str:
    """The rows, so that they can be compared: sorted, sums to four places."""
    found = [(row["city"], row["n"], round(row["amount"], 4), row["note"]) for row in table.to_pylist()]
    return json.dumps(sorted(found, key=repr))


WAYS: dict[str, Callable[[str], Any]] = {
    "ours": ours, "adlfs": adlfs, "obstore": obstore, "pyarrow": pyarrow, "polars": polars, "deltalake": deltalake,
}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2])
    else:
        print(answer(WAYS[sys.argv[1]](sys.argv[2])))
