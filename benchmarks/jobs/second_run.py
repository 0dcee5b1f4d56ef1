"""The small job run again in one process, ours and by hand in turn; prints the median ratio and both times."""

import statistics
import sys
import time

import duckdb
from deltalake import DeltaTable, write_deltalake

from odibi_magics import Project

CSV, TARGET = sys.argv[1:3]


def ours(text: str) -> float:
    start = time.perf_counter()
    Project.from_yaml(text).run()
    return time.perf_counter() - start


def by_hand() -> float:
    start = time.perf_counter()
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    clean = connection.sql(
        "SELECT * REPLACE (ts::TIMESTAMPTZ AS ts), qty * price AS amount, year(ts)::INTEGER AS year "
        f"FROM read_csv('{CSV}') WHERE qty > 0"
    )
    write_deltalake(f"{TARGET}/hand/clean", clean.to_arrow_reader(), mode="overwrite")
    written = DeltaTable(f"{TARGET}/hand/clean").to_pyarrow_dataset()
    assert written is not None
    yearly = connection.sql("SELECT year, sum(amount) AS amount FROM written GROUP BY year")
    write_deltalake(f"{TARGET}/hand/yearly", yearly.to_arrow_reader(), mode="overwrite")
    return time.perf_counter() - start


def main() -> None:
    from benchmarks.jobs.small_ours import TEXT

    pairs = [(ours(TEXT), by_hand()) for _ in range(16)][1:]
    ratio = statistics.median(a / b for a, b in pairs)
    mine, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{ratio:.2f} {mine * 1000:.0f} {theirs * 1000:.0f}")


if __name__ == "__main__":
    main()
