"""Rows that messages show, as texts that come out of Spark's own jobs: in an error, or in what a write observes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.checks import Flag
from odibi_magics.engines.spark.names import quoted

_SHOWN = 5  # columns of a row that fails, beside those in question
_LONGEST = 100  # characters of a text that go with a write; messages show fewer

# Types whose texts `value_of` takes for the very values, and that Spark can put in order.
_EXACT = frozenset(
    ("tinyint", "smallint", "int", "bigint", "double", "boolean", "string", "date", "timestamp")
)


def to_show(first: Sequence[str], columns: Sequence[Column]) -> list[Column]:
    """Some columns of a row: those in question before others."""
    wanted = [name.lower() for name in first]
    ordered = sorted(columns, key=lambda column: column.name.lower() not in wanted)
    return ordered[: max(len(wanted), _SHOWN)]


def as_json(columns: Iterable[Column], of: str = "") -> str:
    """SQL for columns as texts. of: SQL of the struct that holds them, where they do not stand in the row itself."""
    names = (quoted(column.name) for column in columns)
    items = (f"CAST({f'{of}.{name}' if of else name} AS string) AS {name}" for name in names)
    return f"to_json(struct({', '.join(items)}), map('ignoreNullFields', 'false'))"


def values(text: str, columns: Sequence[Column]) -> dict[str, Any]:
    """Columns out of what `as_json` made of them and maybe of others."""
    texts = json.loads(text)
    return {column.name: _value(texts[column.name], column.type) for column in columns}


def _value(text: str | None, type_: str) -> Any:
    """A value from Spark's text of it, as Python shows it."""
    if text is None:
        return None
    if type_ in ("tinyint", "smallint", "int", "bigint"):
        return int(text)
    if type_ in ("float", "double"):
        return float(text)
    if type_ == "boolean":
        return text == "true"
    if type_ == "date" and len(text) == 10:
        return date.fromisoformat(text)
    if type_ == "timestamp" and len(text) >= 19 and text[4] == "-":
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    return text


# On the way into a write ----------------------------------------------------------------------------------------------


def met(flag: Flag, columns: Sequence[Column]) -> str | None:
    """SQL of an aggregate that keeps some rows for which a flag is TRUE; None where only a look at them can show them.

    They are the lowest one, the highest, and two that a hash picks: what keeps more of them keeps them all, on the way.
    """
    shown = to_show(flag.columns, columns)
    if any(column.type not in _EXACT for column in shown):
        return None
    names = ", ".join(quoted(column.name) for column in shown)
    row = f"CASE WHEN {flag.bad} THEN struct({', '.join(map(_short, shown))}) END"
    picked = f"CASE WHEN {flag.bad} THEN xxhash64({names}) END"
    kept = f"min({row}), max({row}), min_by({row}, {picked}), max_by({row}, {picked})"
    return f"transform(array({kept}), r -> {as_json(shown, 'r')})"


def _short(column: Column) -> str:
    name = quoted(column.name)
    return f"left({name}, {_LONGEST}) AS {name}" if column.type == "string" else name


def told(
    kept: Sequence[str], count: int, flag: Flag, columns: Sequence[Column]
) -> list[dict[str, Any]] | None:
    """Up to three rows out of what `met` kept of `count` of them; None where it did not keep as many."""
    shown = to_show(flag.columns, columns)
    low, high, *picked = (values(text, shown) for text in kept)
    if count < 3:
        return [low, high][:count]
    third = low if low == high else next((row for row in picked if row not in (low, high)), None)
    return None if third is None else [low, high, third]
