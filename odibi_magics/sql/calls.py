"""Calls of accepted functions: most are rows of accepted.py, some are written in Python."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from odibi_magics.sql.accepted import AGGREGATES
from odibi_magics.sql.decimals import MOST, named
from odibi_magics.sql.literals import text_literal
from odibi_magics.sql.lookup import Arguments, listed
from odibi_magics.sql.nested_calls import NESTED, struct
from odibi_magics.sql.number_calls import NUMBERS
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.quotients import quotient
from odibi_magics.sql.text_calls import TEXTS
from odibi_magics.sql.time_calls import TIMES, timestampadd
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, decimal, is_decimal


def call(self: Operators, node: exp.Anonymous, over: str = "") -> Typed:
    """A call with typed arguments. over: FILTER and OVER of an aggregate."""
    name = node.name.lower()
    special = _WRITTEN.get(name)
    if name in _RAW:
        return _RAW[name](self, node, over)
    if (name in AGGREGATES or name == "count") and self.scope.clause in _NO_AGGREGATES and not over:
        return self.refuse(
            node, f"the aggregate {name}() is not allowed in {_NO_AGGREGATES[self.scope.clause]}"
        )
    if name in ("explode", "posexplode"):
        return self.refuse(node, f"{name}() stands alone in a SELECT list, or in LATERAL VIEW")
    distinct, given = _distinct(node)
    arguments = tuple(map(self.expression, given))
    if not all(argument.known for argument in arguments):
        return Typed("NULL", UNKNOWN, node)
    if special is not None:
        return special(self, node, arguments)
    if name in ("sum", "avg", "mean") and is_decimal(arguments[0].type):
        return _of_decimals(self, node, name, arguments[0], distinct, over)
    if name in ("abs", "negative"):
        arguments = (self.negatable(arguments[0]),)
    made = listed(self, node, name, arguments, over, "DISTINCT " if distinct else "")
    return _spread(made) if name in _SPREADS and made.known else made


_SPREADS = ("stddev", "std", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")


def _spread(made: Typed) -> Typed:
    """NaN where a NaN or an infinity is among the values, of which DuckDB makes 0 or an infinity."""
    summed = made.sql[made.sql.index("(") :]
    return Typed(f"{made.sql} + 0 * sum{summed}", made.type, made.node, tight=False)


_NO_AGGREGATES = {"where": "WHERE", "on": "ON", "group": "GROUP BY"}


def _distinct(node: exp.Anonymous) -> tuple[bool, list[exp.Expr]]:
    found = node.expressions
    if len(found) == 1 and isinstance(found[0], exp.Distinct):
        return True, found[0].expressions
    return False, found


def _count(self: Operators, node: exp.Anonymous, over: str) -> Typed:
    if self.scope.clause in _NO_AGGREGATES and not over:
        return self.refuse(
            node, f"the aggregate count() is not allowed in {_NO_AGGREGATES[self.scope.clause]}"
        )
    distinct, given = _distinct(node)
    if len(given) == 1 and isinstance(given[0], exp.Star):
        if distinct:
            return self.refuse(node, "count(DISTINCT *) is not accepted: name the columns")
        return Typed(f"count(*){over}", "bigint", node)
    values = [self.expression(item) for item in given]
    if len(values) == 1:
        return Typed(f"count({'DISTINCT ' if distinct else ''}{values[0]}){over}", "bigint", node)
    whole = " AND ".join(f"{value:p} IS NOT NULL" for value in values)
    what = f"DISTINCT row({', '.join(value.sql for value in values)})" if distinct else "1"
    return Typed(f"count(CASE WHEN {whole} THEN {what} END){over}" if not distinct else
                 f"count(DISTINCT CASE WHEN {whole} THEN ({', '.join(v.sql for v in values)}) END){over}",
                 "bigint", node)  # fmt: skip


def _of_decimals(
    self: Operators, node: exp.Anonymous, name: str, value: Typed, distinct: bool, over: str
) -> Typed:
    precision, scale = decimal(value.type) or (0, 0)
    inner = f"({'DISTINCT ' if distinct else ''}{value}){over}"
    summed = named((min(MOST, precision + 10), scale))
    total = Typed(f"CAST(sum{inner} AS {summed.upper()})", summed, node)
    if name == "sum":
        return total
    result = min(MOST, precision + 4), min(MOST, scale + 4)
    count = Typed(f"count{inner}", "bigint", node)
    return quotient(node, total, count, result[1] - scale, result, never_zero=True)


def _named_cast(type_: str) -> Callable[[Operators, exp.Anonymous, Arguments], Typed]:
    return lambda self, node, arguments: self.cast(arguments[0], type_)


def _typeof(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return Typed(text_literal(arguments[0].type), "string", node, simple=True)


_CASTS = ("int", "bigint", "smallint", "tinyint", "double", "float", "string", "boolean", "date", "timestamp")
_WRITTEN: dict[str, Callable[[Operators, exp.Anonymous, Arguments], Typed]] = {
    **NUMBERS,
    **TEXTS,
    **TIMES,
    **NESTED,
    "typeof": _typeof,
    **{name: _named_cast(name) for name in _CASTS},
}

# Calls whose arguments are no plain expressions: *, a unit's bare word, a field with its name.
_RAW: dict[str, Callable[[Operators, exp.Anonymous, str], Typed]] = {
    "count": _count,
    "struct": struct,
    "dateadd": timestampadd,
    "timestampadd": timestampadd,
}
