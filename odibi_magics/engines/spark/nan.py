"""NaN in files whose bounds leave it out, as deltalake's and pyarrow's do, though it is above every number.

Spark skips files and row groups by these bounds, so that `x > 10` would miss a NaN among small numbers. It looks up
bounds for columns, not for what is made of them: floating point columns are read through nanvl(x, x), which is x.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.config.types import Column, split
from odibi_magics.engines.spark.names import quoted

FLOATING = ("float", "double")


def found(frame: Any, columns: Sequence[Column]) -> Any:
    """The DataFrame, in which conditions find NaN whatever the statistics of its files say."""
    made = [(_made(quoted(column.name), column.type), quoted(column.name)) for column in columns]
    if all(sql == name for sql, name in made):
        return frame
    return frame.selectExpr(*(name if sql == name else f"{sql} AS {name}" for sql, name in made))


def _made(value: str, type_: str) -> str:
    """SQL for a value that is the same, and no column. Arrays and maps have no bounds."""
    if type_ in FLOATING:
        return f"nanvl({value}, {value})"
    if not type_.startswith("struct<"):
        return value
    members = [member.partition(":") for member in split(type_[len("struct<") : -1])]
    made = [(name, f"{value}.{quoted(name)}", of) for name, _, of in members]
    if all(_made(inner, of) == inner for _, inner, of in made):
        return value
    items = ", ".join(f"{_made(inner, of)} AS {quoted(name)}" for name, inner, of in made)
    return f"CASE WHEN {value} IS NOT NULL THEN struct({items}) END"


def in_condition(text: str, columns: Sequence[Column]) -> str:
    """A condition that finds NaN too, where Spark looks it up in the statistics of a table's files by itself."""
    from odibi_magics.sql.check import check_predicate

    types = {column.name.lower(): column.type for column in columns}
    for start, end, names in reversed(check_predicate(text).columns()):
        if _type_at(names, types) in FLOATING:
            value = text[start:end]
            text = f"{text[:start]}nanvl({value}, {value}){text[end:]}"
    return text


def _type_at(names: Sequence[str], types: Mapping[str, str]) -> str:
    """The type of a column, or of a field in a struct; "" where there is none."""
    found = types.get(names[0].lower(), "")
    for name in names[1:]:
        members = split(found[len("struct<") : -1]) if found.startswith("struct<") else []
        found = next(
            (of for known, _, of in (m.partition(":") for m in members) if known.lower() == name.lower()), ""
        )
    return found
