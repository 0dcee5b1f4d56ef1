"""The same by hand in polars."""

import sys

import polars as pl

TABLE, SOURCE = sys.argv[1:3]

merger = pl.read_parquet(SOURCE).write_delta(
    TABLE,
    mode="merge",
    delta_merge_options={
        "predicate": "target.id = source.id",
        "source_alias": "source",
        "target_alias": "target",
        "streamed_exec": False,
    },
)
assert merger is not None
merger.when_matched_update_all().when_not_matched_insert_all().execute()
