"""Casts with Spark's ANSI answers: what cannot be cast raises, on both engines for the same values."""

from __future__ import annotations

import re
from datetime import datetime

from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import INTEGRAL, VOID, decimal, element, entries, in_duckdb, is_decimal, kind

# Text that DuckDB reads as Spark does, once blanks round it are gone; so Java calls all control characters.
_SPACE = r"[\x01-\x20\x7F]*"
_BLANK = r"[\x01-\x20]*"  # where Java itself reads the text: round doubles and decimals
_TRIMMED = "trim({0}, E' \\x7F" + "".join(f"\\x{code:02x}" for code in range(1, 32)) + "')"
_HOUR = r"([01]?\d|2[0-3])"
_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_FLOAT = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_WHOLE = rf"^{_SPACE}[+-]?\d+{_SPACE}$"
_NUMBER = rf"^{_BLANK}{_FLOAT}{_BLANK}$"
_DOUBLE = rf"^{_BLANK}({_FLOAT}|(?i:nan|[+-]?inf(inity)?)){_BLANK}$"
_DATE = rf"^{_SPACE}{_DAY}{_SPACE}$"
_TIMESTAMP = rf"^{_SPACE}{_DAY}([T ]{_HOUR}:\d{{1,2}}:\d{{1,2}}(\.\d{{1,9}})?(Z)?)?{_SPACE}$"

# Text that Spark reads too, and how DuckDB gets to read it: what is missing in it begins at 1 or 0.
_SUFFIXED = rf"^{_BLANK}{_FLOAT}[dDfF]{_BLANK}$"
_DIGITS = f"regexp_extract({{0}}, '{_FLOAT}')"
_LOOSE_DATE = rf"(?s)^{_SPACE}\d{{4}}(-\d{{1,2}}(-\d{{1,2}}([ T].*)?)?)?{_SPACE}$"
_WHOLE_DAY = r"regexp_extract(regexp_extract({0}, '\d{4}[-\d]*') || '-1-1', '^\d+-\d+-\d+')"
_LOOSE_TIME = rf"{_HOUR}(:\d{{1,2}}(:\d{{1,2}}(\.\d*)?( ?(UTC|GMT|Z))?)?)?"
_LOOSE_TIMESTAMP = rf"^{_SPACE}(\d{{4}}(-\d{{1,2}})?|{_DAY}[T ]{_LOOSE_TIME}){_SPACE}$"
_WHOLE_TIME = (
    r"regexp_extract(coalesce(nullif(regexp_extract({0}, '\d[T ](\d+(:\d+(:\d+(\.\d{0,6})?)?)?)', 1), ''), '0') "
    r"|| ':0:0', '^\d+:\d+:\d+(\.\d*)?')"
)
_INSTANT = f"{_WHOLE_DAY} || ' ' || {_WHOLE_TIME}"
_OFF_UTC = rf"^{_SPACE}{_DAY}[T ]{_HOUR}:\d{{1,2}}:\d{{1,2}}(\.\d*)? ?[+-](0?\d|1[0-7])(:[0-5]\d)?{_SPACE}$"
_OFFSET = (
    rf"to_minutes(CAST(regexp_extract({{0}}, '([+-]\d+)(:\d+)?{_SPACE}$', 1) AS BIGINT) * 60 + CAST("
    rf"regexp_extract({{0}}, '([+-])\d+(:\d+)?{_SPACE}$', 1) || '0' || "
    rf"regexp_extract({{0}}, '[+-]\d+:(\d+){_SPACE}$', 1) AS BIGINT))"
)

# Text that Spark may read as well: years of more digits, a time of today, zones by name, hexadecimal numbers.
_MAYBE_DOUBLE = rf"^{_BLANK}[+-]?0[xX]"
_MAYBE_DATE = (
    rf"^{_SPACE}([+-]\d{{4,7}}|\d{{5,7}})(-\d{{1,2}}(-\d{{1,2}}([ T]|{_SPACE}$)|{_SPACE}$)|{_SPACE}$)"
)
_MAYBE_TIMESTAMP = (
    rf"{_MAYBE_DATE}|^{_SPACE}({_DAY}[ T]|T)?\d{{1,2}}:\d{{1,2}}:\d{{1,2}}(\.\d*)?[^\d.:]|"
    rf"^{_SPACE}T?\d{{1,2}}:\d{{1,2}}|^{_SPACE}T\d"
)

_RAISE = "error('the text ''' || {0:p} || ''' cannot be cast to {spark}')"
_REFUSE = "error('the text ''' || {0:p} || ''' is not read alike as {spark} on both engines')"


def _as_template(sql: str) -> str:
    """SQL with regular expressions in it as a template: their braces are no places."""
    return re.sub(r"\{(?!0|to|spark)([^{}]*)\}|\{(0,\d*)\}", lambda found: f"{{{found[0]}}}", sql)


def _checked(pattern: str, *others: tuple[str, str], maybe: str = "", within: str = "{0}") -> str:
    """The cast of text. others: more patterns, each with its SQL. maybe: text that is an error even where tried.

    within: what `maybe` is looked for in.
    """
    ways = [("{0}", pattern, f"CAST({_TRIMMED} AS {{to}})"), *(("{0}", one, sql) for one, sql in others)]
    ways += [(within, maybe, _REFUSE)] if maybe else []
    cases = (f"WHEN regexp_matches({text}, '{one}') THEN {sql}" for text, one, sql in ways)
    return f"CASE WHEN {{0:p}} IS NULL THEN NULL {_as_template(' '.join(cases))} ELSE {_RAISE} END"


_READ_DOUBLE = _checked(_DOUBLE, (_SUFFIXED, f"CAST({_DIGITS} AS {{to}})"), maybe=_MAYBE_DOUBLE)
# Java reads the digits of every script in a decimal.
_READ_DECIMAL = _checked(_NUMBER, maybe=r"\p{Nd}", within="translate({0}, '0123456789', '')")
_READ_DATE = _checked(_DATE, (_LOOSE_DATE, f"CAST({_WHOLE_DAY} AS {{to}})"), maybe=_MAYBE_DATE)
_READ_TIMESTAMP = _checked(
    _TIMESTAMP,
    (_LOOSE_TIMESTAMP, f"CAST({_INSTANT} AS {{to}})"),
    (_OFF_UTC, f"CAST({_INSTANT} AS {{to}}) - {_OFFSET}"),
    maybe=_MAYBE_TIMESTAMP,
)

_PLAIN = "CAST({0} AS {to})"
_TRUNCATED = "CAST(trunc({0}) AS {to})"
# What is above the largest float is infinite in Java.
_NARROWED = (
    "CASE WHEN isfinite({0}) AND abs({0}) >= 3.4028235677973366e38 THEN CAST(CASE WHEN {0:p} > 0 THEN 'inf' "
    "ELSE '-inf' END AS {to}) ELSE CAST({0} AS {to}) END"
)
# DuckDB rounds the binary fraction; Java the shortest decimal that stands for it.
_BY_TEXT = "CASE WHEN isfinite({0}) THEN CAST(CAST(CAST({0} AS DOUBLE) AS VARCHAR) AS {to}) END"
_BOOLEAN = (
    f"CASE WHEN {{0:p}} IS NULL THEN NULL WHEN lower({_TRIMMED}) IN ('t', 'true', 'y', 'yes', '1') THEN TRUE "
    f"WHEN lower({_TRIMMED}) IN ('f', 'false', 'n', 'no', '0') THEN FALSE "
    f"ELSE {_RAISE} END"
)

# Spark has a sign before other years.
_DATED = (
    "CASE WHEN year({0}) NOT BETWEEN 1 AND 9999 THEN error('a year outside 1 to 9999 is not written alike on both "
    "engines') ELSE CAST({0} AS {to}) END"
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
    ("double", "float"): _NARROWED,
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
    ("string", "decimal"): _READ_DECIMAL,
    ("string", "double"): _READ_DOUBLE,
    ("string", "float"): _READ_DOUBLE,
    ("string", "boolean"): _BOOLEAN,
    ("string", "date"): _READ_DATE,
    ("string", "timestamp"): _READ_TIMESTAMP,
    ("string", "binary"): "encode({0})",
    ("date", "timestamp"): _PLAIN,
    ("date", "string"): _DATED,
    ("timestamp", "date"): _PLAIN,
    ("timestamp", "string"): _DATED,
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
    "timestamp": re.compile(r"\d{4}-\d\d-\d\d( ([01]\d|2[0-3]):\d\d:\d\d(\.\d{1,6})?)?"),
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
