"""Literals, casts and intervals."""

from __future__ import annotations

import math
import re

from sqlglot import exp

from odibi_magics.sql.casts import try_cast
from odibi_magics.sql.names import Names
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, in_duckdb, is_decimal, is_numeric


class Literals(Names):
    """Turns literals and casts into typed SQL."""

    def literal(self, node: exp.Literal) -> Typed:
        if node.is_string:
            if node.meta.get("double") and self.scope.holding(node.name):
                said = f'"{node.name}" is text in Spark SQL, and a column has that name'
                return self.refuse(node, f"{said}: write `{node.name}` for it, or '{node.name}' for the text")
            return Typed(text_literal(node.name), "string", node, simple=True)
        return self._number(node, node.name)

    def _number(self, node: exp.Expr, text: str) -> Typed:
        if not _NUMBER.fullmatch(text):
            return self.refuse(node, f"{text} is no number")
        if "e" in text.lower():
            if math.isinf(float(text)):
                return self.refuse(node, f"{text} does not fit a double")
            return Typed(f"CAST({text} AS DOUBLE)", "double", node, simple=True)
        if "." in text:
            whole, _, fraction = text.partition(".")
            digits = len(whole.lstrip("0")) + len(fraction)
            type_ = f"decimal({max(digits, len(fraction), 1)},{len(fraction)})"
            return Typed(text if whole else f"0{text}", type_, node, simple=True)
        value = int(text) if text.isdigit() else 2**64
        if value >= 2**63:
            return self.refuse(node, f"{text} does not fit a bigint")
        return Typed(text, "int" if value < 2**31 else "bigint", node, simple=True)

    def raw_string(self, node: exp.RawString) -> Typed:
        return Typed(text_literal(node.this), "string", node, simple=True)

    def adjacent(self, node: exp.Concat) -> Typed:
        """'a' 'b', which is one string."""
        if not all(isinstance(part, exp.Literal) and part.is_string for part in node.expressions):
            return self.refuse(node, "only string literals may stand side by side")
        text = "".join(part.name for part in node.expressions)
        return Typed(text_literal(text), "string", exp.Literal.string(text), simple=True)

    def negative(self, node: exp.Neg) -> Typed:
        inner = node.this
        if isinstance(inner, exp.Literal) and not inner.is_string:
            return self._negative_literal(node, inner.name)
        if isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal) and not inner.this.is_string:
            return self.cast_node(
                exp.Cast(this=exp.Neg(this=inner.this), to=inner.to)
            )  # -128Y is one literal
        value = self.expression(node.this)
        if value.known and not is_numeric(value.type):
            return self.refuse(node, f"- needs a number, and this is {value.type}")
        return Typed(f"-{self.negatable(value):p}", value.type, node, tight=False)

    def _negative_literal(self, node: exp.Expr, text: str) -> Typed:
        if text.isdigit() and int(text) <= 2**63:
            return Typed(
                f"-{text}", "int" if int(text) <= 2**31 else "bigint", node, tight=False, simple=True
            )
        value = self._number(node, text)
        return Typed(f"-{value}", value.type, node, tight=False, simple=True)

    def paren(self, node: exp.Paren) -> Typed:
        value = self.expression(node.this)
        return Typed(value.sql, value.type, node, value.tight, value.simple)

    def cast_node(self, node: exp.Cast) -> Typed:
        to = self.type_of(node.to)
        if to is None:
            return Typed("NULL", UNKNOWN, node)
        value = self.expression(node.this)
        if isinstance(node.this, exp.Literal) and is_decimal(to) and not node.this.args.get("start"):
            return (
                Typed(f"CAST({value} AS {to.upper()})", to, node)
                if value.type == "string"
                else self.cast(value, to)
            )
        return self.cast(value, to)

    def try_cast(self, node: exp.TryCast) -> Typed:
        to = self.type_of(node.to)
        if to is None:
            return Typed("NULL", UNKNOWN, node)
        found = try_cast(self.expression(node.this), to)
        return found if isinstance(found, Typed) else self.refuse(node, found)

    def type_of(self, node: exp.DataType) -> str | None:
        """Spark's name of a type, or None where it is refused."""
        name = _spark_type(node)
        try:
            in_duckdb(name or "")
        except KeyError:
            self.refuse(node.parent or node, f"the type {node.sql(dialect='spark')} is not accepted in CAST")
            return None
        return name

    def interval(self, node: exp.Interval) -> Typed:
        unit = node.unit.name.lower().rstrip("s") if isinstance(node.unit, exp.Var) else ""
        value = node.this
        text = value.name if isinstance(value, exp.Literal) else ""
        if isinstance(value, exp.Neg):
            text = f"-{value.this.name}"
        if unit not in _UNITS or not text.lstrip("+-").isdigit():
            return self.refuse(node, "an interval is a whole number and one unit, as INTERVAL 3 DAYS")
        sql = f"INTERVAL ({text}) {unit.upper()}"
        return Typed(sql, f"interval {'month' if unit in ('year', 'month') else unit}", node)


_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def text_literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INT": "int", "BIGINT": "bigint",
    "FLOAT": "float", "DOUBLE": "double", "TEXT": "string", "VARCHAR": "string", "BINARY": "binary", "DATE": "date",
    "TIMESTAMP": "timestamp", "TIMESTAMPTZ": "timestamp", "TIMESTAMPLTZ": "timestamp",
}  # fmt: skip


def _spark_type(node: exp.DataType) -> str | None:
    name = node.this.name
    if name == "DECIMAL":
        sizes = [int(part.name) for part in node.expressions if part.name.isdigit()]
        precision, scale = (*sizes, 0)[:2] if sizes else (10, 0)
        return f"decimal({precision},{scale})" if 1 <= precision <= 38 and 0 <= scale <= precision else None
    if name == "ARRAY" and len(node.expressions) == 1:
        inner = _spark_type(node.expressions[0])
        return f"array<{inner}>" if inner else None
    return None if node.expressions else _TYPES.get(name)


_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
