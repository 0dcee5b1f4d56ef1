"""Quotients of decimals, which DuckDB would compute as doubles, to the last digit."""

from __future__ import annotations

from sqlglot import exp

from odibi_magics.sql.decimals import MOST, Digits, named
from odibi_magics.sql.typed import Typed, render

# So many more digits of the remainder, and what is behind them rounded half up.
_REST = "({0:p} % {1:p} * {places})"
_WHOLE = "{0:p} // {1:p} * {places}"
_GUARDED = f"CASE WHEN {{1:p}} = 0 AND {{0:p}} IS NOT NULL THEN error('division by zero') ELSE {_WHOLE} END"
_ROUNDED = (
    f"+ {_REST} // {{1:p}} + CASE WHEN abs({_REST} % {{1:p}}) < abs({{1}}) - abs({_REST} % {{1:p}}) THEN 0 "
    "WHEN ({0:p} < 0) = ({1:p} < 0) THEN 1 ELSE -1 END"
)


def quotient(
    node: exp.Expr, a: Typed, b: Typed, places: int, result: Digits, *, never_zero: bool = False
) -> Typed:
    """a / b, rounded half up once; a and b are decimals or whole numbers.

    places: how many more `result` has than a has over b. DuckDB divides whole numbers of 128 bits exactly; digits that
    do not fit into these raise. never_zero: of b, unless a is NULL. What may raise is computed anew for each row of a
    query around this one: with an average, DuckDB went through the product of both tables.
    """
    whole = Typed(_unscaled(a), "", node), Typed(_unscaled(b), "", node)
    made = render(f"{_WHOLE if never_zero else _GUARDED} {_ROUNDED}", whole, places=f"{10**places}::HUGEINT")
    unit = f"CAST('0.{'1'.rjust(result[1], '0')}' AS DECIMAL({result[1] + (result[1] < MOST)},{result[1]}))"
    type_ = named(result)
    return Typed(f"CAST(CAST({made} AS DECIMAL({MOST},0)) * {unit} AS {type_.upper()})", type_, node)


def _unscaled(value: Typed) -> str:
    """All digits of a decimal as one whole number. Arithmetic would need twice the digits on its way."""
    if value.type.startswith("decimal("):
        return f"CAST(replace(CAST({value} AS VARCHAR), '.', '') AS HUGEINT)"
    return f"CAST({value} AS HUGEINT)"
