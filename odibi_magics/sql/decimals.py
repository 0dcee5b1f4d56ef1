"""Which decimal Spark gives a result.

Source: Spark's DecimalPrecisionTypeCoercion (the rules of Hive and SQL Server) and DecimalType.
"""

from __future__ import annotations

MOST = 38  # digits that a decimal can have
_FEWEST_PLACES = 6  # what Spark keeps behind the point where a result has more digits than fit

Digits = tuple[int, int]
"""Precision and scale."""


def named(digits: Digits) -> str:
    return f"decimal({digits[0]},{digits[1]})"


def arithmetic(operator: str, a: Digits, b: Digits) -> Digits | None:
    """What + - * / % of two decimals is in Spark; None where it cuts places off a sum, a product or a remainder, which
    DuckDB would round twice."""
    precision, scale = _whole(operator, a, b)
    found = _fitted(precision, scale)
    return found if operator == "/" or found[1] == scale else None


def _whole(operator: str, a: Digits, b: Digits) -> Digits:
    (p1, s1), (p2, s2) = a, b
    if operator == "*":
        return p1 + p2 + 1, s1 + s2
    if operator == "/":
        scale = max(_FEWEST_PLACES, s1 + p2 + 1)
        return p1 - s1 + s2 + scale, scale
    scale = max(s1, s2)
    if operator == "%":
        return min(p1 - s1, p2 - s2) + scale, scale
    return max(p1 - s1, p2 - s2) + scale + 1, scale


def _fitted(precision: int, scale: int) -> Digits:
    if precision <= MOST:
        return precision, scale
    return MOST, max(MOST - (precision - scale), min(scale, _FEWEST_PLACES))


def wider(a: Digits, b: Digits) -> Digits:
    """The decimal that two are compared, or come out, as; digits before the point go before places behind it."""
    scale = max(a[1], b[1])
    precision = max(a[0] - a[1], b[0] - b[1]) + scale
    return (precision, scale) if precision <= MOST else (MOST, max(0, scale - (precision - MOST)))
