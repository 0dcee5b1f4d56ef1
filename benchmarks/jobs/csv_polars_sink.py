"""The same by hand in polars, streaming."""

import sys

import polars as pl

CSV, TARGET = sys.argv[1:3]

(
    pl.scan_csv(CSV, try_parse_dates=True)
    .filter(pl.col("qty") > 0)
    .with_columns(
        pl.col("ts").dt.replace_time_zone("UTC"),
        pl.col("city").str.to_uppercase(),
        (pl.col("qty") * pl.col("price")).alias("amount"),
        pl.col("ts").dt.year().alias("year"),
        pl.col("ts").dt.month().cast(pl.Int32).alias("month"),
    )
    .sink_delta(f"{TARGET}/clean", mode="overwrite", delta_write_options={"partition_by": ["year", "month"]})
)
monthly = (
    pl.scan_delta(f"{TARGET}/clean")
    .group_by("year", "month")
    .agg(
        pl.len().cast(pl.Int64).alias("sales"),
        pl.col("amount").sum(),
        pl.col("price").max().alias("dearest"),
    )
)
monthly.sink_delta(f"{TARGET}/monthly", mode="overwrite")
