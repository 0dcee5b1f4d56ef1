"""Column statistics of a data file, as the JSON that Delta's log keeps beside it so that readers can skip files.

Made from the Parquet footer, so they cost no second look at the data. A bound that cannot be told exactly is left
out: readers then open the file, which is never wrong. Format: the Delta protocol's "Per-file Statistics".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

# Longer text is cut in the log; both bounds stay true. Spark cuts at the same length.
TEXT = 32

# Delta's default for `delta.dataSkippingNumIndexedCols`: statistics of later columns only make the log larger.
INDEXED = 32

_LAST = "\U0010ffff"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Bounds = tuple[Any, Any]


@dataclass(frozen=True)
class _Kind:
    """How a type's bounds are taken from a row group's statistics, and written as JSON; None: no such bound."""

    bounds: Callable[[Any], Bounds]
    low: Callable[[Any], str | None]
    high: Callable[[Any], str | None]


def bounded(schema: pa.Schema) -> list[str]:
    """The columns whose bounds a file's footer may hold, as paths of Parquet: all but floating point and lists.

    Parquet leaves NaN out of its bounds, and Spark orders it above all numbers: a row group of 1 and NaN would be
    skipped where more than 5 is asked for. Whether there is a NaN is known when it is too late to leave them out.
    """
    return [path for field in schema for path in _bounded(field, field.name)]


def _bounded(field: pa.Field, path: str) -> Iterator[str]:
    if pa.types.is_struct(field.type):
        for member in field.type:
            yield from _bounded(member, f"{path}.{member.name}")
    elif not (pa.types.is_nested(field.type) or pa.types.is_floating(field.type)):
        yield path


def stats_json(footer: Any, schema: pa.Schema, *, indexed: int = INDEXED) -> str:
    """numRecords, nullCount, minValues and maxValues of one file, as far as its footer tells them.

    footer: its pyarrow.parquet.FileMetaData. schema: its columns, in order. indexed: how many columns get statistics;
    -1 for all.
    """
    nulls, lows, highs = {}, {}, {}
    for name, kind, leaf in list(_flat_columns(schema))[: None if indexed < 0 else indexed]:
        chunks = [footer.row_group(i).column(leaf) for i in range(footer.num_row_groups)]
        if (count := _nulls(chunks)) is not None:
            nulls[name] = str(count)
        bounds = _bounds(chunks, kind) if kind else None
        if kind is None or bounds is None:
            continue
        if (low := kind.low(bounds[0])) is not None:
            lows[name] = low
        if (high := kind.high(bounds[1])) is not None:
            highs[name] = high
    parts = {"minValues": lows, "maxValues": highs, "nullCount": nulls}
    return _object(
        {"numRecords": str(footer.num_rows), **{key: _object(value) for key, value in parts.items()}}
    )


def _object(members: dict[str, str]) -> str:
    """A JSON object of members that are JSON already: json.dumps would turn decimals into floats."""
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for key, value in members.items()) + "}"


def _flat_columns(schema: pa.Schema) -> Iterator[tuple[str, _Kind | None, int]]:
    """Top-level columns that are no list, map or struct, each with its number among the Parquet leaves."""
    leaf = 0
    for field in schema:
        if not pa.types.is_nested(field.type):
            yield field.name, _kind(field.type), leaf
        leaf += _leaves(field.type)


def _leaves(type_: pa.DataType) -> int:
    if pa.types.is_map(type_):
        return _leaves(type_.key_type) + _leaves(type_.item_type)
    if pa.types.is_struct(type_):
        return sum(_leaves(field.type) for field in type_)
    return _leaves(type_.value_type) if pa.types.is_nested(type_) else 1


def _nulls(chunks: list[Any]) -> int | None:
    found = [chunk.statistics for chunk in chunks]
    if any(one is None or not one.has_null_count for one in found):
        return None
    return sum(int(one.null_count) for one in found)


def _bounds(chunks: list[Any], kind: _Kind) -> Bounds | None:
    """Over all row groups; None where one that holds values has no bounds."""
    found = []
    for chunk in chunks:
        stats = chunk.statistics
        if stats is not None and stats.has_min_max:
            found.append(kind.bounds(stats))
        elif stats is None or not stats.has_null_count or stats.null_count < chunk.num_values:
            return None
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _kind(type_: pa.DataType) -> _Kind | None:
    is_ = pa.types
    if is_.is_integer(type_):
        return _Kind(_raw, str, str)
    if is_.is_decimal(type_):
        return _Kind(_value, _decimal, _decimal)
    if is_.is_string(type_) or is_.is_large_string(type_):
        return _Kind(_value, _text_low, _text_high)
    if is_.is_date32(type_):
        return _Kind(_raw, _date, _date)
    if is_.is_timestamp(type_):
        zone = "Z" if type_.tz else ""
        return _Kind(_raw, lambda us: _time(us // 1000, zone), lambda us: _time(-(-us // 1000), zone))
    return None


def _raw(stats: Any) -> Bounds:
    return stats.min_raw, stats.max_raw


def _value(stats: Any) -> Bounds:
    return stats.min, stats.max


def _decimal(value: Decimal) -> str:
    return format(value, "f")


def _text_low(text: str) -> str:
    return json.dumps(text[:TEXT])


def _text_high(text: str) -> str | None:
    """The text, or its start with the last code point behind it, which sorts above everything it was cut from."""
    if len(text) <= TEXT:
        return json.dumps(text)
    return None if text[TEXT] == _LAST else json.dumps(text[:TEXT] + _LAST)


def _date(days: int) -> str | None:
    try:
        return json.dumps((date(1970, 1, 1) + timedelta(days=days)).isoformat())
    except OverflowError:
        return None


def _time(milliseconds: int, zone: str) -> str | None:
    """ISO 8601 with milliseconds; None outside of the years 1 to 9999."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
    return json.dumps(moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + zone)
