"""{{ variables }} in SQL: a literal outside quotes, escaped text inside them, never SQL."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from odibi_magics.sql.problems import SqlErrors, SqlProblem

_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
# Stretches that hide what stands in them: comments, and the four kinds of quotes.
_STRETCH = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<raw>\b[rR](?:'[^']*'|"[^"]*"))
      | (?P<single>'(?:[^'\\]|\\.)*(?:'|\Z)) | (?P<double>"(?:[^"\\]|\\.)*(?:"|\Z))
      | (?P<name>`[^`]*(?:`|\Z))""",
    re.VERBOSE | re.DOTALL,
)


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


def fill(text: str, values: Mapping[str, object]) -> Filled:
    """Replaces each {{ name }} of Spark SQL: by a literal, inside quotes by escaped text; comments stay.

    Raises SqlErrors for names without a value, and values that cannot stand where they are asked for.
    """
    if "{{" not in text:
        return Filled(text)
    problems: list[SqlProblem] = []
    parts, pieces, length, last = [], [], 0, 0
    for match, kind in _variables(text):
        parts.append(text[last : match.start()])
        pieces.append((length, last, False))
        length += len(parts[-1])
        parts.append(_value(match, kind, values, text, problems))
        pieces.append((length, match.start(), True))
        length += len(parts[-1])
        last = match.end()
    pieces.append((length, last, False))
    if problems:
        raise SqlErrors(problems)
    return Filled("".join([*parts, text[last:]]), tuple(pieces))


def _variables(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each {{ name }} outside comments, with the kind of quotes it stands in ("" for none)."""
    at = 0
    while at < len(text):
        stretch, variable = _STRETCH.search(text, at), _VARIABLE.search(text, at)
        if variable is None:
            return
        if stretch is None or variable.start() < stretch.start():
            yield variable, ""
            at = variable.end()
            continue
        kind = stretch.lastgroup or ""
        if kind != "comment":
            yield from ((found, kind) for found in _VARIABLE.finditer(text, stretch.start(), stretch.end()))
        at = stretch.end()


def _value(
    match: re.Match[str], kind: str, values: Mapping[str, object], text: str, problems: list[SqlProblem]
) -> str:
    try:
        if match[1] not in values:
            raise ValueError(f"variable '{match[1]}' has no value")
        value = values[match[1]]
        return _ESCAPES[kind](value) if kind else _literal_at(match, value, text)
    except ValueError as error:
        problems.append(SqlProblem(str(error), match.start(), match.end()))
        return ""


def _literal_at(match: re.Match[str], value: object, text: str) -> str:
    """A list is written without its brackets where the text has them: IN ({{ regions }})."""
    bracketed = text[: match.start()].rstrip().endswith("(") and text[match.end() :].lstrip().startswith(")")
    if isinstance(value, (list, tuple)) and bracketed:
        return _items(value)
    return literal(value)


def literal(value: object) -> str:
    """A Python value as a Spark SQL literal; a list as `(1, 2)`, negative numbers in brackets (`a -{{ x }}`).

    Raises ValueError for values that SQL has no literal for.
    """
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


def _items(values: list[object] | tuple[object, ...]) -> str:
    return ", ".join(map(literal, values)) or "NULL"


_LITERALS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (type(None), lambda _: "NULL"),
    (bool, lambda value: "TRUE" if value else "FALSE"),
    (int, _integer),
    (float, _float),
    (Decimal, _decimal),
    (str, lambda value: f"'{_escaped(value, chr(39))}'"),
    (datetime, _timestamp),
    (date, lambda value: f"DATE '{value.isoformat()}'"),
    ((list, tuple), lambda value: f"({_items(value)})"),
)


def _plain(value: object) -> str:
    if value is None or isinstance(value, (list, tuple, dict)):
        raise ValueError(
            "null cannot stand inside quotes" if value is None else "a list cannot stand inside quotes"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, "\\" + quote)


def _raw(value: object) -> str:
    text = _plain(value)
    if "'" in text or '"' in text:
        raise ValueError("a value with quotes cannot stand in a raw string r'..': use '..'")
    return text


_ESCAPES: dict[str, Callable[[object], str]] = {
    "single": lambda value: _escaped(_plain(value), "'"),
    "double": lambda value: _escaped(_plain(value), '"'),
    "raw": _raw,
    "name": lambda value: _plain(value).replace("`", "``"),
}
