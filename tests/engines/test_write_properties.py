"""Random sequences of writes against a model of the table in plain Python."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engines.writing import Lake

Row = tuple[int, str | None, int | None]

rows_ = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", None]), st.integers(0, 3) | st.none()),
    max_size=6,
    unique_by=lambda row: row[0],
)
modes = st.sampled_from(
    ["overwrite", "append", "append_once", "merge", "merge_part", "partitions", "replace"]
)


def modelled(there: list[Row], mode: str, rows: list[Row]) -> list[Row]:
    keys = {row[0]: row for row in rows}
    if mode == "overwrite":
        return rows
    if mode == "append":
        return there + rows
    if mode == "append_once":
        old = {row[0] for row in there}
        return there + [row for row in rows if row[0] not in old]
    if mode == "partitions":
        new = {row[1] for row in rows}
        return [row for row in there if row[1] not in new] + rows
    if mode == "replace":
        return [row for row in there if not (row[2] is not None and row[2] >= 2)] + rows
    old = {row[0] for row in there}
    if mode == "merge_part":  # the source lacks the partition column
        kept = [(r[0], r[1], keys[r[0]][2]) if r[0] in keys else r for r in there]
        return kept + [(row[0], None, row[2]) for row in rows if row[0] not in old]
    return [keys.get(row[0], row) for row in there] + [row for row in rows if row[0] not in old]


def as_table(rows: list[Row], names: tuple[str, ...] = ("id", "p", "v")) -> pa.Table:
    types = {"id": pa.int64(), "p": pa.string(), "v": pa.int64()}
    columns = {
        name: pa.array([row[i] for row in rows], types[name]) for i, name in enumerate(("id", "p", "v"))
    }
    return pa.table({name: columns[name] for name in names})


def written(lake: Lake, mode: str, rows: list[Row]) -> Any:
    data = as_table(rows)
    if mode == "replace":
        return lake.write(data, replace_where="v >= 2")
    if mode == "partitions":
        return lake.write(data, mode="overwrite_partitions")
    if mode == "merge_part":
        return lake.write(as_table(rows, ("v", "id")), mode="merge", keys=["id"])
    return lake.write(data, mode=mode, keys=["id"] if mode in ("merge", "append_once") else ())


@settings(max_examples=60, deadline=None)
@given(rows_, st.sampled_from([[], ["p"], ["p", "v"]]), st.lists(st.tuples(modes, rows_), max_size=6))
def test_a_table_holds_what_its_writes_say(
    first: list[Row], partition_by: list[str], steps: list[tuple[str, list[Row]]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder))
        lake.write(as_table(first), partition_by=partition_by)
        model = first
        for number, (mode, rows) in enumerate(steps, 1):
            if mode == "partitions" and not partition_by:
                mode = "append"
            if mode == "partitions" and partition_by == ["p", "v"]:
                mode = "overwrite"
            if mode == "replace":
                rows = [row for row in rows if row[2] is not None and row[2] >= 2]
            model = modelled(model, mode, rows)
            done = written(lake, mode, rows)
            assert done.version_after == number
            assert done.rows == len(rows)
            assert lake.rows() == sorted(model, key=repr)
            assert sum(lake.table().get_add_actions()["num_records"].to_pylist()) == len(model)
        assert lake.stray() == []
        lake.session.close()
