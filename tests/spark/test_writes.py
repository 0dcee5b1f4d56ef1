"""What the pandas engine writes onto Spark's tables, Spark reads back; what it cannot write it refuses by name."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.errors import EngineError, ValidationFailed
from tests.spark.conftest import Lake
from tests.spark.reading import in_order, rows
from tests.spark.tables import TABLES, Made

pytestmark = pytest.mark.classic

OTHERS = ("variant", "variant_shredded", "void")  # of types that no frame has
MODES = {"append": "adds", "merge": "changes", "overwrite": "changes"}


@pytest.mark.parametrize("made", TABLES, ids=lambda made: made.name)
def test_written_right_or_refused(lake: Lake, made: Made) -> None:
    lake.make(made)
    data = (
        pa.table({"id": [1, 2], "v": ["a", "b"]})
        if made.name.startswith(("variant", "void"))
        else lake.by_spark(made.name)
    )
    for mode, kind in MODES.items():
        source, wanted = _change(data, mode)
        copy = lake.copy(made.name)
        before = lake.newest(lake.folder / copy)
        keys = {"keys": ["id"]} if mode == "merge" else {}
        if refusal := getattr(made, kind):
            with pytest.raises(EngineError, match=refusal) as refused:
                lake.write(source, copy, mode, **keys)
            assert copy in str(refused.value)
            assert lake.newest(lake.folder / copy) == before
            continue
        lake.write(source, copy, mode, **keys)
        assert lake.newest(lake.folder / copy) == before + 1
        assert rows(lake.by_spark(copy)) == in_order(wanted), mode


def _change(data: pa.Table, mode: str) -> tuple[pa.Table, list[tuple[Any, ...]]]:
    """Rows to write, and what the table should hold then. A merge gives each id another row's values, and adds one."""
    there = list(zip(*(column.to_pylist() for column in data.columns), strict=True))
    place = data.column_names.index("id")
    ids = [row[place] for row in there]
    other = [_with_id(row, place, ids[number - 1]) for number, row in enumerate(there)]
    new = [_with_id(row, place, row[place] + 100) for row in there] or [(1, *[None] * (data.num_columns - 1))]
    if mode == "append":
        return _table(data.schema, new), there + new
    return _table(data.schema, other + new[:1]), other + new[:1]


def _with_id(row: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*row[:place], value, *row[place + 1 :])


def _table(schema: pa.Schema, found: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*found, strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema.names
    )


def test_text_longer_than_its_column_is_refused(lake: Lake) -> None:
    made = next(made for made in TABLES if made.name == "char")
    lake.make(made)
    copy = lake.copy("char")
    for row in ({"id": [9], "c": ["123456"], "v": ["a"]}, {"id": [9], "c": ["a"], "v": ["123456"]}):
        with pytest.raises(ValidationFailed, match=r"char\(5\)"):
            lake.write(row, copy, "append")
    lake.write({"id": [9], "c": ["äöüß1"], "v": ["12345"]}, copy, "append")
    assert rows(lake.read(copy)) == rows(lake.by_spark(copy))
