"""{{ variables }} in SQL: a literal outside quotes, escaped text inside them, never SQL."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from odibi_magics.config.sqltext import templates
from odibi_magics.sql.problems import SqlErrors, SqlProblem


@dataclass(frozen=True)
class Filled:
    """Text with its variables filled in.

    pieces: (offset in `text`, offset in the original, whether a value begins here) of each stretch, in order.
    """

    text: str
    pieces: tuple[tuple[int, int, bool], ...] = ((0, 0, False),)

    def origin(self, offset: int) -> int:
        """Where the character at `offset` stood before; inside a value: where its `{{` stood."""
        at = bisect_right(self.pieces, offset, key=lambda piece: piece[0]) - 1
        start, origin, value = self.pieces[max(at, 0)]
        return origin if value else origin + offset - start


def fill(text: str, values: Mapping[str, object], dialect: str = "spark") -> Filled:
    """Replaces each {{ name }} of SQL: by a literal, inside quotes by escaped text; comments stay.

    Raises SqlErrors for names without a value, and values that cannot stand where they are asked for.
    """
    if "{{" not in text:
        return Filled(text)
    problems: list[SqlProblem] = []
    parts, pieces, length, last = [], [], 0, 0
    for match, kind in templates(text, dialect):
        if match["variable"] is None:
            continue
        parts.append(text[last : match.start()])
        pieces.append((length, last, False))
        length += len(parts[-1])
        parts.append(_value(match, kind, values, dialect, problems))
        pieces.append((length, match.start(), True))
        length += len(parts[-1])
        last = match.end()
    pieces.append((length, last, False))
    if problems:
        raise SqlErrors(problems)
    return Filled("".join([*parts, text[last:]]), tuple(pieces))


def _value(
    match: re.Match[str],
    kind: str,
    values: Mapping[str, object],
    dialect: str,
    problems: list[SqlProblem],
) -> str:
    name = match["variable"]
    try:
        if name not in values:
            raise ValueError(f"unknown variable '{name}'")
        value = values[name]
        return _ESCAPES[dialect, kind](_plain(value)) if kind else _literal_at(match, value, dialect)
    except ValueError as error:
        problems.append(SqlProblem(str(error), match.start(), match.end()))
        return ""


def _literal_at(match: re.Match[str], value: object, dialect: str) -> str:
    """A list is written without its brackets where the text has them: IN ({{ regions }})."""
    text = match.string
    bracketed = text[: match.start()].rstrip().endswith("(") and text[match.end() :].lstrip().startswith(")")
    if isinstance(value, (list, tuple)) and bracketed:
        return _items(value, dialect)
    return literal(value, dialect)


def literal(value: object, dialect: str = "spark") -> str:
    """A Python value as a SQL literal; a list as `(1, 2)`, negative numbers in brackets (`a -{{ x }}`).

    Raises ValueError for values that SQL has no literal for.
    """
    if isinstance(value, str):
        return f"'{_ESCAPES[dialect, 'single'](_whole(value))}'"
    if isinstance(value, (list, tuple)):
        return f"({_items(value, dialect)})"
    for kind, write in _LITERALS:
        if isinstance(value, kind):
            return write(value)
    raise ValueError(f"a {type(value).__name__} cannot stand in SQL")


def _integer(value: int) -> str:
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit a bigint")
    return _signed(str(value))


def _float(value: float) -> str:
    if not math.isfinite(value):
        return f"CAST('{'NaN' if math.isnan(value) else 'Infinity' if value > 0 else '-Infinity'}' AS DOUBLE)"
    text = repr(value)  # the exponent makes it a double: 1.5 alone is a decimal in Spark
    return _signed(text if "e" in text else text + "E0")


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no decimal of SQL")
    plain = format(value, "f")
    return _signed(plain) if "." in plain else f"CAST({plain} AS DECIMAL({len(plain.lstrip('-'))}, 0))"


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _timestamp(value: datetime) -> str:
    instant = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return f"TIMESTAMP '{instant.isoformat(' ')}'"


def _items(values: list[object] | tuple[object, ...], dialect: str) -> str:
    return ", ".join(literal(value, dialect) for value in values) or "NULL"


_LITERALS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (type(None), lambda _: "NULL"),
    (bool, lambda value: "TRUE" if value else "FALSE"),
    (int, _integer),
    (float, _float),
    (Decimal, _decimal),
    (datetime, _timestamp),
    (date, lambda value: f"DATE '{value.isoformat()}'"),
)


def _plain(value: object) -> str:
    if value is None or isinstance(value, (list, tuple, dict)):
        raise ValueError(
            "null cannot stand inside quotes" if value is None else "a list cannot stand inside quotes"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return _whole(str(value))


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the value holds half a character: U+{ord(text[error.start]):04X}") from None
    return text


def _backslashed(quote: str) -> Callable[[str], str]:
    return lambda text: text.replace("\\", "\\\\").replace(quote, "\\" + quote)


def _doubled(quote: str) -> Callable[[str], str]:
    return lambda text: text.replace(quote, quote * 2)


def _unquoted(text: str) -> str:
    if "'" in text or '"' in text:
        raise ValueError("a value with quotes cannot stand in a raw string r'..': use '..'")
    return text


def _nowhere(text: str) -> str:
    raise ValueError("a variable cannot stand in E'..' or $$..$$: use '..'")


_ESCAPES: dict[tuple[str, str], Callable[[str], str]] = {
    ("spark", "single"): _backslashed("'"),
    ("spark", "double"): _backslashed('"'),
    ("spark", "raw"): _unquoted,
    ("spark", "name"): _doubled("`"),
    ("duckdb", "single"): _doubled("'"),
    ("duckdb", "double"): _doubled('"'),
    ("duckdb", "escaped"): _nowhere,
    ("duckdb", "dollars"): _nowhere,
}
