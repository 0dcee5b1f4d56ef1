"""Functions of numbers whose DuckDB form hangs on types and digits."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from odibi_magics.sql.lookup import Arguments, listed
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import INTEGRAL, common, decimal, in_duckdb, is_decimal, is_numeric


def _round(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    """HALF_UP. DuckDB rounds decimals so; a double is rounded by the decimal it prints as, as Java does."""
    value = arguments[0]
    digits = arguments[1].number if len(arguments) > 1 else 0
    if digits is None or not -18 <= digits <= 17:
        return self.refuse(node, "the digits of round must be a literal whole number from -18 to 17")
    if value.type in INTEGRAL:
        if digits >= 0:
            return Typed(value.sql, value.type, node, value.tight)
        return Typed(
            f"CAST(round(CAST({value} AS DECIMAL(38,0)), {digits}) AS {in_duckdb(value.type)})",
            value.type,
            node,
        )
    if is_decimal(value.type):
        return _round_decimal(self, node, value, digits)
    if value.type == "double":
        return _round_double(node, value, digits)
    return self.refuse(
        node, f"round of {value.type} is not proved equal on both engines: CAST it to double or decimal"
    )


def _round_decimal(self: Operators, node: exp.Expr, value: Typed, digits: int) -> Typed:
    precision, scale = decimal(value.type) or (0, 0)
    if digits < 0:
        return self.refuse(node, "round of a decimal to digits before the point is not proved equal")
    kept = min(scale, digits)
    result = f"decimal({min(38, precision - scale + kept + (kept < scale) + (kept == scale))},{kept})"
    return Typed(f"CAST({value} AS {result.upper()})", result, node)


def _round_double(node: exp.Expr, value: Typed, digits: int) -> Typed:
    template = (
        "CASE WHEN isfinite({0}) AND abs({0}) < 1e15 "
        f"THEN CAST(round(CAST(CAST({{0}} AS VARCHAR) AS DECIMAL(38,22)), {digits}) AS DOUBLE) ELSE {{0}} END"
    )
    return Typed(render(template, (value,)), "double", node)


def _ceiling(word: str) -> Callable[[Operators, exp.Anonymous, Arguments], Typed]:
    def whole(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
        value = arguments[0]
        if value.type in INTEGRAL:
            return self.cast(value, "bigint")
        if is_decimal(value.type):
            precision, scale = decimal(value.type) or (0, 0)
            result = f"decimal({min(38, precision - scale + 1)},0)"
            return Typed(f"CAST({word}({value}) AS {result.upper()})", result, node)
        if value.type in ("double", "float"):
            return Typed(f"CAST({word}({value}) AS BIGINT)", "bigint", node)
        return self.refuse(node, f"{word} needs a number, and this is {value.type}")

    return whole


def _mod(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return self.arithmetic(exp.Mod(this=node.expressions[0], expression=node.expressions[1]))


def _div(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    return self.integer_divide(exp.IntDiv(this=node.expressions[0], expression=node.expressions[1]))


def _pmod(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    both = common(arguments[0].type, arguments[1].type)
    if both not in INTEGRAL:
        return self.refuse(node, f"pmod of {arguments[0].type} and {arguments[1].type} is not proved equal")
    a, b = self.cast(arguments[0], both), self.cast(arguments[1], both)
    template = (
        "CASE WHEN {1:p} = 0 AND {0:p} IS NOT NULL THEN error('division by zero') "
        "WHEN {0:p} % {1:p} < 0 THEN ({0:p} % {1:p} + {1:p}) % {1:p} ELSE {0:p} % {1:p} END"
    )
    return Typed(render(template, (a, b)), both, node)


def _log(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if len(arguments) == 1:
        return listed(self, node, "ln", arguments, "")
    return self.refuse(node, "log(base, x) is not proved equal on both engines: ln(x) / ln(base)")


def _try_divide(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    left, right = arguments
    if (
        not (is_numeric(left.type) and is_numeric(right.type))
        or is_decimal(left.type)
        or is_decimal(right.type)
    ):
        return self.refuse(
            node, f"try_divide of {left.type} and {right.type} is not proved equal on both engines"
        )
    a, b = self.fit_double(left), self.fit_double(right)
    return Typed(f"{a:p} / nullif({b}, 0)", "double", node, tight=False)


def _try(sign: type[exp.Binary]) -> Callable[[Operators, exp.Anonymous, Arguments], Typed]:
    def tried(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
        made = self.arithmetic(sign(this=node.expressions[0], expression=node.expressions[1]))
        if made.type in ("timestamp", "date") or "error(" in made.sql:
            return self.refuse(
                node, f"{node.name} of {arguments[0].type} is not proved equal on both engines"
            )
        return Typed(f"TRY({made})", made.type, node)

    return tried


def _nullif(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    """The first value as it is; only for the comparison it becomes what both are compared as."""
    a, b = self.compared(node, *arguments)
    return Typed(
        render("CASE WHEN {0:p} = {1:p} THEN NULL ELSE {2} END", (a, b, arguments[0])),
        arguments[0].type,
        node,
    )


NUMBERS: dict[str, Callable[[Operators, exp.Anonymous, Arguments], Typed]] = {
    "round": _round,
    "ceil": _ceiling("ceil"),
    "ceiling": _ceiling("ceil"),
    "floor": _ceiling("floor"),
    "mod": _mod,
    "pmod": _pmod,
    "div": _div,
    "log": _log,
    "nullif": _nullif,
    "try_divide": _try_divide,
    "try_add": _try(exp.Add),
    "try_subtract": _try(exp.Sub),
    "try_multiply": _try(exp.Mul),
}
