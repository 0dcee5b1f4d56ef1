"""Functions of dates and times whose DuckDB form hangs on a pattern or a unit."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from odibi_magics.sql.casts import try_cast
from odibi_magics.sql.literals import text_literal
from odibi_magics.sql.lookup import Arguments, listed, refused
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.patterns import read, written
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import INTEGRAL, VOID, in_duckdb

_PARTS = {
    "year": "year", "years": "year", "y": "year", "quarter": "quarter", "qtr": "quarter", "month": "month",
    "mon": "month", "week": "weekofyear", "weeks": "weekofyear", "w": "weekofyear",
    "day": "day", "d": "day", "days": "day",
    "dayofweek": "dayofweek", "dow": "dayofweek", "doy": "dayofyear", "hour": "hour", "h": "hour", "hours": "hour",
    "minute": "minute", "min": "minute", "minutes": "minute",
}  # fmt: skip


def part_of(self: Operators, node: exp.Expr, unit: str, value: Typed) -> Typed:
    """EXTRACT(unit FROM value)."""
    name = _PARTS.get(unit.lower())
    if name is None:
        return self.refuse(node, f"the unit '{unit.lower()}' is not one of {', '.join(sorted(_PARTS))}")
    if not value.known:
        return refused(node)
    return listed(self, exp.Anonymous(this=name, expressions=[node.expression]), name, (value,), "")


def _date_part(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    unit = arguments[0].literal
    if unit is None:
        return self.refuse(node, "the unit must be a string literal")
    return part_of(self, exp.Extract(this=exp.var(unit), expression=node.expressions[1]), unit, arguments[1])


def instant(self: Operators, node: exp.Expr, type_: str) -> Typed:
    """The run's one instant."""
    text = self.now.date().isoformat() if type_ == "date" else self.now.isoformat(" ")
    return Typed(f"CAST('{text}' AS {in_duckdb(type_)})", type_, node)


def _when(self: Operators, value: Typed) -> Typed:
    """A date, instant or text as an instant."""
    return value if value.type in ("date", "timestamp") else self.cast(value, "timestamp")


def _date_format(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    pattern = arguments[1].literal
    ours = written(pattern) if pattern is not None else None
    if ours is None:
        return _pattern_refused(self, node, pattern)
    return Typed(f"strftime({_when(self, arguments[0])}, {text_literal(ours)})", "string", node)


def _pattern_refused(self: Operators, node: exp.Expr, pattern: str | None) -> Typed:
    if pattern is None:
        return self.refuse(node, "the pattern must be a string literal")
    java = ": letters are Java's, as yyyy-MM-dd" if "%" in pattern else ""
    return self.refuse(node, f"the pattern '{pattern}' is not one that both engines read alike{java}")


def _parsed(self: Operators, node: exp.Expr, arguments: Arguments, to: str, tried: bool = False) -> Typed:
    if len(arguments) == 1:
        if arguments[0].type not in ("string", "date", "timestamp", VOID):
            return self.refuse(node, f"{to} of {arguments[0].type} is not accepted")
        return self.cast(arguments[0], to)
    pattern = arguments[1].literal
    ours = read(pattern) if pattern is not None else None
    if ours is None or (to == "date" and any(letter in (pattern or "") for letter in "HmsS")):
        return _pattern_refused(self, node, pattern)
    if arguments[0].type != "string":
        return self.refuse(node, f"a pattern reads a string, and this is {arguments[0].type}")
    braced = ours[1].replace("{", "{{").replace("}", "}}").replace("'", "''")
    otherwise = "NULL" if tried else "error('the text ''' || {0:p} || ''' does not fit the pattern')"
    template = (
        f"CASE WHEN {{0:p}} IS NULL OR regexp_matches({{0}}, '{braced}') "
        f"THEN CAST({'try_' * tried}strptime({{0}}, {text_literal(ours[0])}) AS {in_duckdb(to)}) ELSE {otherwise} END"
    )
    return Typed(render(template, (arguments[0],)), to, node)


def _to_date(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return _parsed(self, node, arguments, "date")


def _to_timestamp(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return _parsed(self, node, arguments, "timestamp")


def _try_to_timestamp(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if len(arguments) == 1:
        found = try_cast(arguments[0], "timestamp")
        return found if isinstance(found, Typed) else self.refuse(node, found)
    return _parsed(self, node, arguments, "timestamp", tried=True)


def _unix_timestamp(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if not arguments:
        return self.cast(instant(self, node, "timestamp"), "bigint")
    value = arguments[0]
    if value.type == "string":
        if len(arguments) == 1:
            return self.refuse(node, "unix_timestamp of a string needs its pattern")
        value = _parsed(self, node, arguments, "timestamp")
    if value.type not in ("date", "timestamp", VOID):
        return self.refuse(
            node, f"unix_timestamp takes a date, a timestamp or a string, and this is {value.type}"
        )
    return Typed(f"CAST(epoch_us({self.cast(value, 'timestamp')}) // 1000000 AS BIGINT)", "bigint", node)


def _from_unixtime(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    pattern = arguments[1].literal if len(arguments) > 1 else "yyyy-MM-dd HH:mm:ss"
    ours = written(pattern) if pattern is not None else None
    if ours is None:
        return _pattern_refused(self, node, pattern)
    if arguments[0].type not in INTEGRAL:
        return self.refuse(node, f"from_unixtime needs a whole number, and this is {arguments[0].type}")
    return Typed(f"strftime({self.cast(arguments[0], 'timestamp')}, {text_literal(ours)})", "string", node)


_TRUNCATIONS = {
    "year": "year", "yyyy": "year", "yy": "year", "quarter": "quarter", "month": "month", "mon": "month", "mm": "month",
    "week": "week", "day": "day", "dd": "day", "hour": "hour", "minute": "minute", "second": "second",
}  # fmt: skip


def _date_trunc(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return _truncated(self, node, arguments[0].literal, arguments[1], "timestamp")


def _trunc(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    unit = arguments[1].literal
    if unit is not None and _TRUNCATIONS.get(unit.lower()) not in ("year", "quarter", "month", "week"):
        return self.refuse(node, "trunc cuts a date to year, quarter, month or week")
    return _truncated(self, node, unit, arguments[0], "date")


def _truncated(self: Operators, node: exp.Expr, unit: str | None, value: Typed, to: str) -> Typed:
    ours = _TRUNCATIONS.get(unit.lower()) if unit is not None else None
    if ours is None:
        return self.refuse(
            node, f"the unit must be one of {', '.join(sorted(set(_TRUNCATIONS.values())))}, as a string"
        )
    if value.type not in ("date", "timestamp", "string", VOID):
        return self.refuse(node, f"a {value.type} cannot be cut to a {ours}")
    inner = f"date_trunc('{ours}', {self.cast(value, to)})"
    return Typed(f"CAST({inner} AS DATE)" if to == "date" else inner, to, node)


_STEPS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND")


def _unit_of(node: exp.Anonymous) -> str | None:
    """The unit of timestampadd(HOUR, ...), a bare word."""
    first = node.expressions[0]
    name = first.name.upper() if isinstance(first, exp.Column) and not first.table else ""
    return name if name in _STEPS else None


def timestampadd(self: Operators, node: exp.Anonymous, over: str) -> Typed:
    if len(node.expressions) == 2:
        return listed(self, node, "date_add", tuple(map(self.expression, node.expressions)), "")
    unit = _unit_of(node)
    if unit is None:
        return self.refuse(node, f"the unit must be one of {', '.join(_STEPS)}")
    count, value = (self.expression(item) for item in node.expressions[1:])
    if not (count.known and value.known):
        return refused(node)
    if count.type not in ("tinyint", "smallint", "int"):
        return self.refuse(node, f"the number of {unit} must be an int, and this is {count.type}")
    moved = f"to_{unit.lower()}s(CAST({count} AS INTEGER))"
    return Typed(f"{self.cast(value, 'timestamp'):p} + {moved}", "timestamp", node, tight=False)


def _today(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return instant(self, node, "date")


def _now(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return instant(self, node, "timestamp")


def _zone(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return Typed("'UTC'", "string", node, simple=True)


TIMES: dict[str, Callable[[Operators, exp.Anonymous, Arguments], Typed]] = {
    "date_part": _date_part,
    "datepart": _date_part,
    "date_format": _date_format,
    "to_date": _to_date,
    "to_timestamp": _to_timestamp,
    "try_to_timestamp": _try_to_timestamp,
    "unix_timestamp": _unix_timestamp,
    "to_unix_timestamp": _unix_timestamp,
    "from_unixtime": _from_unixtime,
    "date_trunc": _date_trunc,
    "trunc": _trunc,
    "current_timezone": _zone,
    "current_date": _today,
    "curdate": _today,
    "current_timestamp": _now,
    "now": _now,
}
