"""A Delta checkpoint's Parquet as the actions in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_KINDS = ("add", "remove", "metaData", "protocol", "domainMetadata", "sidecar")


def decoded(text: bytes) -> Iterator[Mapping[str, Any]]:
    """odibi_magics.delta.replay.Decode."""
    try:
        file = pq.ParquetFile(pa.BufferReader(text))
        kinds = [name for name in _KINDS if name in file.schema_arrow.names]
        for batch in file.iter_batches(columns=kinds):
            for kind in kinds:
                yield from ({kind: one} for one in _actions(batch.column(kind)))
    except pa.ArrowException as error:
        raise ValueError(f"it is no checkpoint: {str(error).splitlines()[0]}") from None


def _actions(column: pa.StructArray) -> Iterator[Mapping[str, Any]]:
    """Column by column, which takes a third of the time of row by row."""
    there = column.filter(column.is_valid())
    if not len(there):
        return
    names = [field.name for field in there.type if not field.name.endswith("_parsed")]
    values = [_values(there.field(name)) for name in names]
    if "stats" not in names and (counts := _counts(there)) is not None:
        names, values = [*names, "stats"], [*values, counts]
    for row in zip(*values, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _counts(adds: pa.StructArray) -> list[str | None] | None:
    """Of a checkpoint that has statistics as Parquet alone, the numbers of rows as JSON: the rest only skips files."""
    if adds.type.get_field_index("stats_parsed") < 0:
        return None
    parsed = adds.field("stats_parsed")
    if parsed.type.get_field_index("numRecords") < 0:
        return None
    rows = parsed.flatten()[parsed.type.get_field_index("numRecords")].to_pylist()
    return [None if one is None else json.dumps({"numRecords": one}) for one in rows]


def _values(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_map(column.type):
        return [None if one is None else dict(one) for one in values]
    if pa.types.is_struct(column.type):
        return [_without_nulls(column.type, one) for one in values]
    return values


def _without_nulls(type_: pa.StructType, value: Any) -> Any:
    if value is None:
        return None
    maps = {field.name for field in type_ if pa.types.is_map(field.type)}
    return {name: dict(one) if name in maps else one for name, one in value.items() if one is not None}
