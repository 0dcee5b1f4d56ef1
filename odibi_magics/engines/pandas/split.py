"""A batch by the values of its partition columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Key = tuple[Any, ...]
"""The values of a partition, in the order of its columns."""


def split(stored: pa.RecordBatch, by: Sequence[pa.Array]) -> Iterator[tuple[Key, pa.RecordBatch]]:
    """Rows by the partition they belong to, in which they keep their order. by: the partition columns, at least one."""
    codes, keys = _codes(by)
    if len(keys) == 1:
        yield keys[0], stored
        return
    order = pc.array_sort_indices(codes)
    counts = {one["values"]: one["counts"] for one in pc.value_counts(codes).to_pylist()}
    start = 0
    for code, key in enumerate(keys):
        yield key, stored.take(order.slice(start, counts[code]))
        start += counts[code]


def _codes(columns: Sequence[pa.Array]) -> tuple[pa.Array, list[Key]]:
    """A number for each row's partition, from 0, and the partitions' values in that order."""
    codes: pa.Array = pa.nulls(0, pa.int64())
    keys: list[Key] = [()]
    for column in columns:
        encoded = column.dictionary_encode(null_encoding="encode")
        values, indices = encoded.dictionary.to_pylist(), encoded.indices.cast(pa.int64())
        if len(keys) > 1:  # numbers stay below the square of the batch's rows
            indices = pc.add(pc.multiply(codes, _repeated(len(values), len(codes))), indices)
        found = indices.dictionary_encode()
        keys = [
            (*keys[pair // len(values)], values[pair % len(values)]) for pair in found.dictionary.to_pylist()
        ]
        codes = found.indices.cast(pa.int64())
    return codes, keys


def _repeated(number: int, rows: int) -> pa.Array:
    """A number for each row. Made of bytes: pa.array() and pa.scalar() would import pandas, 0.2 s."""
    return pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(array("q", [number]) * rows)])
