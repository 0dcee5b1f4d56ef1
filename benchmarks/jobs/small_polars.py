"""The same job by hand in polars. Arguments: csv, target folder."""

import sys

import polars as pl

CSV, TARGET = sys.argv[1:3]

clean = (
    pl.scan_csv(CSV, try_parse_dates=True)
    .filter(pl.col("qty") > 0)
    .with_columns(
        pl.col("ts").dt.replace_time_zone("UTC"),
        (pl.col("qty") * pl.col("price")).alias("amount"),
        pl.col("ts").dt.year().alias("year"),
    )
    .collect()
)
clean.write_delta(f"{TARGET}/clean", mode="overwrite")
clean.group_by("year").agg(pl.col("amount").sum()).write_delta(f"{TARGET}/yearly", mode="overwrite")
