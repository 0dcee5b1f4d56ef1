"""Rows as Spark reads them and as we do, made alike."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

Rows = list[tuple[Any, ...]]


def read_by_spark(spark: Any, table: Path, where: str = "", version: int | None = None) -> pa.Table:
    """A table's rows as Spark reads them."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    frame = reader.load(str(table))
    return (frame.where(where) if where else frame).toArrow()


def rows(table: pa.Table) -> Rows:
    """The rows of an Arrow table, sorted; instants and local times alike, NaN equal to itself."""
    return in_order(zip(*(column.to_pylist() for column in table.columns), strict=True))


def in_order(found: Iterable[tuple[Any, ...]]) -> Rows:
    """Rows as `rows` gives them."""
    return sorted((tuple(map(_plain, row)) for row in found), key=repr)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, dict) else value
