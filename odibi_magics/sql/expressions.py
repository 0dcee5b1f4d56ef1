"""Expressions of Spark as DuckDB SQL with their Spark types, in one pass from the leaves up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from odibi_magics.sql.calls import call
from odibi_magics.sql.operators import COMPARES, SIGNS, Operators
from odibi_magics.sql.text_calls import regexp_like
from odibi_magics.sql.time_calls import instant, part_of
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import VOID
from odibi_magics.sql.windows import window


class Expressions(Operators):
    """Everything that may stand in an expression."""


def _call(self: Operators, node: exp.Anonymous) -> Typed:
    return call(self, node)


def _boolean(_: Operators, node: exp.Boolean) -> Typed:
    return Typed("TRUE" if node.this else "FALSE", "boolean", node, simple=True)


def _null(_: Operators, node: exp.Null) -> Typed:
    return Typed("NULL", VOID, node, simple=True)


def _exists(self: Operators, node: exp.Exists) -> Typed:
    return Typed(f"EXISTS ({self.query(node.this)[0]})", "boolean", node)


def _scalar_query(self: Operators, node: exp.Expr) -> Typed:
    inner = node.this if isinstance(node, exp.Subquery) else node
    sql, columns = self.query(inner)
    if len(columns) != 1:
        return self.refuse(node, f"a query in an expression gives one column, and this gives {len(columns)}")
    return Typed(f"({sql})", columns[0][1], node)


def _current(self: Operators, node: exp.Expr) -> Typed:
    return instant(self, node, "date" if isinstance(node, exp.CurrentDate) else "timestamp")


def _extract(self: Operators, node: exp.Extract) -> Typed:
    return part_of(self, node, node.this.name, self.expression(node.expression))


def _trim(self: Operators, node: exp.Trim) -> Typed:
    words = {"LEADING": "ltrim", "TRAILING": "rtrim"}
    name = words.get(str(node.args.get("position") or ""), "trim")
    value = self.text(self.expression(node.this))
    stripped = self.text(self.expression(node.expression)).sql if node.expression is not None else "' '"
    return Typed(f"{name}({value}, {stripped})", "string", node)


def _window(self: Operators, node: exp.Expr) -> Typed:
    return window(self, node)


def _matches(self: Operators, node: exp.RegexpLike) -> Typed:
    return regexp_like(self, node, (self.expression(node.this), self.expression(node.expression)))


_HANDLERS: dict[type[exp.Expr], Callable[[Any, Any], Typed]] = {
    exp.Column: Expressions.column,
    exp.Dot: Expressions.dot,
    exp.Literal: Expressions.literal,
    exp.RawString: Expressions.raw_string,
    exp.Concat: Expressions.adjacent,
    exp.Boolean: _boolean,
    exp.Null: _null,
    exp.Paren: Expressions.paren,
    exp.Neg: Expressions.negative,
    exp.Cast: Expressions.cast_node,
    exp.TryCast: Expressions.try_cast,
    exp.Interval: Expressions.interval,
    **dict.fromkeys(SIGNS, Expressions.arithmetic),
    exp.IntDiv: Expressions.integer_divide,
    exp.DPipe: Expressions.concatenation,
    **dict.fromkeys(COMPARES, Expressions.comparison),
    exp.And: Expressions.connective,
    exp.Or: Expressions.connective,
    exp.Not: Expressions.negation,
    exp.Is: Expressions.is_,
    exp.Between: Expressions.between,
    exp.In: Expressions.in_,
    exp.Like: Expressions.like,
    exp.ILike: Expressions.like,
    exp.Escape: Expressions.escape,
    exp.RegexpLike: _matches,
    exp.Case: Expressions.case,
    exp.BitwiseAnd: Expressions.bitwise,
    exp.BitwiseOr: Expressions.bitwise,
    exp.BitwiseXor: Expressions.bitwise,
    exp.BitwiseNot: Expressions.bitwise_not,
    exp.Bracket: Expressions.bracket,
    exp.Exists: _exists,
    exp.Subquery: _scalar_query,
    exp.Extract: _extract,
    exp.Trim: _trim,
    exp.Anonymous: _call,
    exp.CurrentDate: _current,
    exp.CurrentTimestamp: _current,
    exp.Window: _window,
    exp.Filter: _window,
    exp.IgnoreNulls: _window,
    exp.RespectNulls: _window,
}  # fmt: skip

Expressions.handlers = _HANDLERS
