"""Conditions over one column as Spark SQL, built as trees so that names and values are always quoted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp


def not_null(column: str) -> str:
    """`column` IS NOT NULL."""
    return _sql(exp.not_(exp.Is(this=_column(column), expression=exp.null())))


def is_in(column: str, values: Sequence[Any]) -> str:
    """`column` IN (values)."""
    return _sql(exp.In(this=_column(column), expressions=[exp.convert(value) for value in values]))


def between(column: str, low: Any, high: Any) -> str:
    """low <= `column` AND `column` <= high, each side where it is given."""
    sides: list[exp.Condition] = []
    if low is not None:
        sides.append(exp.GTE(this=_column(column), expression=exp.convert(low)))
    if high is not None:
        sides.append(exp.LTE(this=_column(column), expression=exp.convert(high)))
    return _sql(exp.and_(*sides))


def _column(name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True))


def _sql(condition: exp.Condition) -> str:
    return condition.sql(dialect="spark")
