"""Casts with Spark's ANSI answers: what cannot be cast raises, on both engines for the same values."""

from __future__ import annotations

import re
from datetime import datetime

from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import INTEGRAL, VOID, decimal, element, entries, in_duckdb, is_decimal, kind

# Text that both engines read alike; other text raises, where Spark may still read some rarely used forms.
_SPACE = " *"
_WHOLE = rf"^{_SPACE}[+-]?\d+{_SPACE}$"
_NUMBER = rf"^{_SPACE}[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?{_SPACE}$"
_DOUBLE = rf"^{_SPACE}([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:nan|[+-]?inf(inity)?)){_SPACE}$"
_DATE = rf"^{_SPACE}\d{{4}}-\d{{1,2}}-\d{{1,2}}{_SPACE}$"
_TIMESTAMP = (
    rf"^{_SPACE}\d{{4}}-\d{{1,2}}-\d{{1,2}}"
    rf"([T ]\d{{1,2}}:\d{{1,2}}:\d{{1,2}}(\.\d{{1,9}})?(Z)?)?{_SPACE}$"
)


_RAISE = "error('the text ''' || {0:p} || ''' cannot be cast to {spark}')"


def _checked(pattern: str) -> str:
    braced = pattern.replace("{", "{{").replace("}", "}}")
    return (
        f"CASE WHEN {{0:p}} IS NULL OR regexp_matches({{0}}, '{braced}') THEN CAST(trim({{0}}) AS {{to}}) "
        f"ELSE {_RAISE} END"
    )


_PLAIN = "CAST({0} AS {to})"
_TRUNCATED = "CAST(trunc({0}) AS {to})"
# DuckDB rounds the binary fraction; Java the shortest decimal that stands for it.
_BY_TEXT = "CAST(CAST(CAST({0} AS DOUBLE) AS VARCHAR) AS {to})"
_BOOLEAN = (
    "CASE WHEN {0:p} IS NULL THEN NULL WHEN lower(trim({0})) IN ('t', 'true', 'y', 'yes', '1') THEN TRUE "
    "WHEN lower(trim({0})) IN ('f', 'false', 'n', 'no', '0') THEN FALSE "
    f"ELSE {_RAISE} END"
)

_CASTS = {
    ("integral", "integral"): _PLAIN,
    ("integral", "float"): _PLAIN,
    ("integral", "double"): _PLAIN,
    ("integral", "decimal"): _PLAIN,
    ("integral", "string"): _PLAIN,
    ("integral", "boolean"): "({0:p} <> 0)",
    ("integral", "timestamp"): "make_timestamp(CAST({0} AS BIGINT) * 1000000)",
    ("decimal", "integral"): _TRUNCATED,
    ("decimal", "decimal"): _PLAIN,
    ("decimal", "float"): _PLAIN,
    ("decimal", "double"): _PLAIN,
    ("decimal", "string"): _PLAIN,
    ("decimal", "boolean"): "({0:p} <> 0)",
    ("double", "integral"): _TRUNCATED,
    ("double", "float"): _PLAIN,
    ("double", "decimal"): _BY_TEXT,
    ("double", "boolean"): "({0:p} <> 0)",
    ("float", "integral"): _TRUNCATED,
    ("float", "double"): _PLAIN,
    ("float", "decimal"): _BY_TEXT,
    ("float", "boolean"): "({0:p} <> 0)",
    ("boolean", "integral"): _PLAIN,
    ("boolean", "double"): _PLAIN,
    ("boolean", "float"): _PLAIN,
    ("boolean", "string"): _PLAIN,
    ("string", "integral"): _checked(_WHOLE),
    ("string", "decimal"): _checked(_NUMBER),
    ("string", "double"): _checked(_DOUBLE),
    ("string", "float"): _checked(_DOUBLE),
    ("string", "boolean"): _BOOLEAN,
    ("string", "date"): _checked(_DATE),
    ("string", "timestamp"): _checked(_TIMESTAMP),
    ("string", "binary"): "encode({0})",
    ("date", "timestamp"): _PLAIN,
    ("date", "string"): _PLAIN,
    ("timestamp", "date"): _PLAIN,
    ("timestamp", "string"): _PLAIN,
    ("timestamp", "integral"): "CAST(epoch_us(date_trunc('second', {0})) // 1000000 AS {to})",
}

_WHY = {
    ("double", "string"): "the engines write doubles differently: CAST it to a decimal first",
    ("float", "string"): "the engines write floats differently: CAST it to a decimal first",
}


def try_cast(value: Typed, to: str) -> Typed | str:
    """The value cast, NULL where ANSI Spark would raise, or why it is refused."""
    template = _CASTS.get((kind(value.type), kind(to)))
    if template is None or value.type == to:
        return cast(value, to)
    tried = template.replace(_RAISE, "NULL").replace("THEN CAST(", "THEN TRY_CAST(")
    tried = f"TRY_{tried}" if tried.startswith("CAST(") else tried
    return Typed(render(tried, (value,), to=in_duckdb(to), spark=to), to, value.node)


def cast(value: Typed, to: str) -> Typed | str:
    """The value cast as ANSI Spark casts it, or why it is refused."""
    if value.type == to or not value.known:
        return value.as_type(to)
    if value.type == VOID:
        return Typed(f"CAST({value} AS {in_duckdb(to)})", to, value.node)
    if value.literal is not None and (plain := _plain_literal(value, to)):
        return plain
    pair = (kind(value.type), kind(to))
    if pair[0] == pair[1] and pair[0] in ("array", "map"):
        return _nested(value, to)
    template = _CASTS.get(pair)
    if template is None:
        return _WHY.get(pair, f"CAST from {value.type} to {to} is not proved equal on both engines")
    sql = render(template, (value,), to=in_duckdb(to), spark=to)
    return Typed(sql, to, value.node, tight=not sql.startswith("{"))


def _nested(value: Typed, to: str) -> Typed | str:
    """Of arrays and maps: where each part is cast as DuckDB does it by itself."""
    given, wanted = _inner(value.type), _inner(to)
    if all(
        a in (b, VOID) or _CASTS.get((kind(a), kind(b))) == _PLAIN for a, b in zip(given, wanted, strict=True)
    ):
        return Typed(f"CAST({value} AS {in_duckdb(to)})", to, value.node)
    return f"CAST from {value.type} to {to} is not proved equal on both engines"


def _inner(type_: str) -> tuple[str, ...]:
    return (element(type_),) if kind(type_) == "array" else entries(type_)


_CLEAN = {
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d{1,6})?)?"),
}


def _plain_literal(value: Typed, to: str) -> Typed | None:
    """A literal date or instant in its usual form needs no check in the query."""
    pattern = _CLEAN.get(to)
    if pattern is None or not pattern.fullmatch(value.literal or ""):
        return None
    return Typed(f"CAST({value} AS {in_duckdb(to)})", to, value.node, simple=True)


_PARTS = re.compile(r" *(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.\d{1,9})?Z?)? *")


def is_time(text: str) -> bool:
    """Whether a date or an instant can be read from the text, by the patterns above."""
    match = _PARTS.fullmatch(text)
    try:
        return match is not None and bool(datetime(*(int(part or 0) for part in match.groups())))  # type: ignore[arg-type]
    except ValueError:
        return False


def fitting(value: Typed, to: str) -> bool:
    """Whether DuckDB itself makes `value` that number type when they meet, with the same answer."""
    if value.type == to:
        return not is_decimal(to) or value.number is None
    return to in INTEGRAL and value.number is not None and INTEGRAL.index(value.type) <= INTEGRAL.index(to)


def as_decimal(value: Typed) -> tuple[int, int] | None:
    """Precision and scale of the value in decimal arithmetic; a whole literal counts its own digits."""
    if value.number is not None:
        return max(len(str(abs(value.number))), 1), 0
    return decimal(value.type)
