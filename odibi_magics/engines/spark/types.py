"""Spark's types as the language has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odibi_magics.config.types import Column, canonical, split
from odibi_magics.engines.spark.names import quoted


def columns_of(frame: Any) -> tuple[Column, ...]:
    """The columns of a DataFrame. Raises ValueError for types the language lacks, naming the column."""
    return tuple(
        Column(field.name, _type(field.name, field.dataType.simpleString())) for field in frame.schema
    )


def _type(name: str, type_: str) -> str:
    if "void" in type_:
        raise ValueError(
            f"column '{name}': NULL has no type: write CAST(NULL AS string), or the type it stands for"
        )
    try:
        return canonical(type_)
    except ValueError:
        raise ValueError(f"column '{name}': {type_} has no counterpart among the types of tables") from None


def in_utc(frame: Any) -> Any:
    """The DataFrame with `timestamp_ntz` as `timestamp`, taken for UTC: they are one type in the language."""
    columns = columns_of(frame)
    if not any("timestamp_ntz" in column.type for column in columns):
        return frame
    return frame.selectExpr(
        *(cast(c.name, c.type, c.type.replace("timestamp_ntz", "timestamp")) for c in columns)
    )


def cast(name: str, type_: str, wanted: str) -> str:
    """A column as an item of a SELECT, of another type where one is wanted."""
    column = quoted(name)
    return column if type_ == wanted else f"CAST({column} AS {in_sql(wanted)}) AS {column}"


def in_sql(type_: str) -> str:
    """A type of the language as Spark's SQL has it: names of fields quoted."""
    kind, _, inner = type_.partition("<")
    if kind not in ("array", "map", "struct"):
        return type_
    parts = split(inner[:-1])
    if kind != "struct":
        return f"{kind}<{', '.join(map(in_sql, parts))}>"
    fields = (part.partition(":") for part in parts)
    return f"struct<{', '.join(f'{quoted(name)}: {in_sql(of)}' for name, _, of in fields)}>"


def schema_of(columns: Sequence[Column]) -> str:
    """Columns as the text of a schema."""
    return ", ".join(f"{quoted(column.name)} {in_sql(column.type)}" for column in columns)
