"""What a source gives of its columns, and what may be asked of them: the same words on every engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.errors import EngineError, suggest

Columns = tuple[Column, ...]


def chosen(source: Source, columns: Columns) -> Columns:
    """`columns:` of a source among those there are, in the order asked for. Raises EngineError."""
    return (
        columns
        if source.columns is None
        else tuple(column_of(source, name, columns) for name in source.columns)
    )


def column_of(source: Source, name: str, columns: Sequence[Column]) -> Column:
    """A column by its name, whatever its case. Raises EngineError with the nearest one."""
    for column in columns:
        if column.name.lower() == name.lower():
            return column
    names = [column.name for column in columns]
    raise EngineError(f"{source.place.url} has no column '{name}' ({suggest(name, names)})")


# newer_than -----------------------------------------------------------------------------------------------------------

_ORDERED = ("tinyint", "smallint", "int", "bigint", "float", "double", "date", "timestamp", "string")
_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


def check_comparable(source: Source, column: Column, written: Column) -> None:
    """Raises EngineError where the column has no order, or another type in the table that was written."""
    if not column.type.startswith((*_ORDERED, "decimal")):
        raise EngineError(f"newer_than: the column '{column.name}' is {column.type}, which has no order")
    numbers = column.type.startswith(_NUMBERS) and written.type.startswith(_NUMBERS)
    if column.type != written.type and not numbers:
        url = source.watermark.url if source.watermark else ""
        raise EngineError(
            f"newer_than: '{column.name}' is {column.type} in {source.place.url}, but {written.type} in {url}"
        )


def check_highest(source: Source, written: Column, highest: str) -> None:
    """Raises EngineError where nothing is above the highest value written, as SQL tells it."""
    assert source.watermark is not None
    if highest.lower() == "nan" and written.type in ("float", "double"):
        raise EngineError(
            f"newer_than: '{written.name}' is NaN in {source.watermark.url}, and nothing is above it: take those rows "
            "out of the table, or name another column"
        )


def lag_of(lag: timedelta, column: Column) -> int:
    """A lag in microseconds. Raises EngineError where the column is no time."""
    if column.type not in ("date", "timestamp"):
        raise EngineError(
            f"lag: goes with a date or a timestamp, and newer_than: '{column.name}' is {column.type}"
        )
    return lag // timedelta(microseconds=1)
