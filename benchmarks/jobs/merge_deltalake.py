"""The same by hand: deltalake's own merge. The source as a table, so that its bounds tell which files to look into."""

import sys

import pyarrow.parquet as pq
from deltalake import DeltaTable

TABLE, SOURCE = sys.argv[1:3]

(
    DeltaTable(TABLE)
    .merge(
        pq.read_table(SOURCE),
        predicate="target.id = source.id",
        source_alias="source",
        target_alias="target",
        streamed_exec=False,
    )
    .when_matched_update_all()
    .when_not_matched_insert_all()
    .execute()
)
