"""Operators: arithmetic with Spark's types and errors, comparisons, LIKE, CASE, bits and indexes."""

from __future__ import annotations

from sqlglot import exp

from odibi_magics.sql import decimals
from odibi_magics.sql.casts import as_decimal
from odibi_magics.sql.letters import LOWER
from odibi_magics.sql.literals import Literals, text_literal
from odibi_magics.sql.quotients import quotient
from odibi_magics.sql.signatures import signature
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import (
    FRACTIONAL,
    INTEGRAL,
    UNKNOWN,
    VOID,
    common,
    element,
    entries,
    in_duckdb,
    is_decimal,
    is_numeric,
    kind,
)  # fmt: skip


class Operators(Literals):
    """Turns operators into typed SQL."""

    def arithmetic(self, node: exp.Binary) -> Typed:
        left, right = self.expression(node.left), self.expression(node.right)
        sign = SIGNS[type(node)]
        if not (left.known and right.known):
            return Typed(f"{left:p} {sign} {right:p}", UNKNOWN, node, tight=False)
        if moved := self._moved(node, sign, left, right):
            return moved
        for side in (left, right):
            if not is_numeric(side.type) and side.type != VOID:
                text = " (text is joined by ||)" if sign == "+" and side.type == "string" else ""
                return self.refuse(side.node, f"{sign} needs numbers, and this is {side.type}: CAST it{text}")
        if sign == "/":
            return self.divide(node, left, right)
        if (is_decimal(left.type) or is_decimal(right.type)) and not {left.type, right.type} & {*FRACTIONAL}:
            return self._decimals(node, sign, left, right)
        both = common(left.type, right.type) or UNKNOWN
        a, b = self.fit(left, both), self.fit(right, both)
        if left.number is not None and right.number is not None:
            a = self._typed_literal(a, both)
        if sign == "%":
            return Typed(self.divided("{0:p} % {1:p}", a, b), both, node, tight=False)
        return Typed(f"{a:p} {sign} {b:p}", both, node, tight=False)

    def _typed_literal(self, value: Typed, type_: str) -> Typed:
        """Between two bare numbers DuckDB would choose a type by their size."""
        return Typed(f"CAST({value} AS {in_duckdb(type_)})", type_, value.node)

    def divide(self, node: exp.Expr, left: Typed, right: Typed) -> Typed:
        if (is_decimal(left.type) or is_decimal(right.type)) and not {left.type, right.type} & {*FRACTIONAL}:
            return self._decimal_quotient(node, left, right)
        sql = self.divided("{0:p} / {1:p}", self.fit_double(left), self.fit_double(right))
        return Typed(sql, "double", node, tight=False)

    def _decimal_quotient(self, node: exp.Expr, left: Typed, right: Typed) -> Typed:
        a, b = as_decimal(left), as_decimal(right)
        if a is None or b is None:
            return self.refuse(node, f"{left.type} / {right.type} is not accepted")
        result = decimals.arithmetic("/", a, b)
        assert result is not None
        places = result[1] - a[1] + b[1]
        settled = self._settled(left, a), self._settled(right, b)
        return quotient(node, *settled, places, result, never_zero=_is_not_zero(right))

    def _settled(self, value: Typed, digits: decimals.Digits) -> Typed:
        """A literal as the decimal that Spark takes it for."""
        type_ = decimals.named(digits)
        return Typed(f"CAST({value} AS {type_.upper()})", type_, value.node) if _bare(value) else value

    def fit_double(self, value: Typed) -> Typed:
        """An operand of a division, which DuckDB makes a double by itself where it is a whole number."""
        return value if value.type in INTEGRAL else self.fit(value, "double")

    def integer_divide(self, node: exp.Expr) -> Typed:
        left, right = self.expression(node.this), self.expression(node.expression)
        if not (left.known and right.known):
            return Typed("NULL", "bigint", node)
        if not (left.type in INTEGRAL and right.type in INTEGRAL):
            return self.refuse(
                node, f"div of {left.type} and {right.type} is not proved equal on both engines"
            )
        sql = self.divided("{0:p} // {1:p}", self.cast(left, "bigint"), self.cast(right, "bigint"))
        return Typed(sql, "bigint", node, tight=False)

    def _decimals(self, node: exp.Expr, sign: str, left: Typed, right: Typed) -> Typed:
        sizes = as_decimal(left), as_decimal(right)
        if sizes[0] is None or sizes[1] is None:
            return self.refuse(node, f"{left.type} {sign} {right.type} is not accepted")
        digits = decimals.arithmetic(sign, sizes[0], sizes[1])
        if digits is None or (sign == "%" and _merged(sizes[0], sizes[1])[0] > decimals.MOST):
            return self.refuse(
                node, f"{left.type} {sign} {right.type} needs over 38 digits: CAST to smaller decimals"
            )
        result = decimals.named(digits)
        # DuckDB's own product of decimals may be too narrow for its digits: both sides are given room.
        both = _merged(sizes[0], sizes[1])
        exact = sign in "+-" and both[0] < decimals.MOST
        wide = (decimals.named(both),) * 2 if exact else _wide_operands(sign, sizes[0], sizes[1], result)
        a, b = self._with_room(left, wide[0]), self._with_room(right, wide[1])
        sql = self.divided("{0:p} % {1:p}", a, b) if sign == "%" else f"{a:p} {sign} {b:p}"
        if exact:  # one digit more is what DuckDB gives a sum, too
            return Typed(sql, result, node, tight=False)
        return Typed(f"CAST({sql} AS {result.upper()})", result, node)

    @staticmethod
    def _with_room(value: Typed, type_: str) -> Typed:
        if value.type == type_ and not _bare(value):
            return value
        return Typed(f"CAST({value} AS {type_.upper()})", type_, value.node)

    def _moved(self, node: exp.Binary, sign: str, left: Typed, right: Typed) -> Typed | None:
        """A date or instant plus or minus an interval or days."""
        if left.type.startswith("interval") and sign == "+":
            left, right = right, left
        if left.type not in ("date", "timestamp") or sign not in "+-":
            return None
        if right.type.startswith("interval"):
            sql = f"{left:p} {sign} {right}"
            whole = left.type == "date" and right.type in ("interval month", "interval week", "interval day")
            return (
                Typed(f"CAST({sql} AS DATE)", "date", node)
                if whole
                else Typed(sql, "timestamp", node, tight=False)
            )
        if left.type == "date" and right.type in ("int", "smallint", "tinyint"):
            days = right if right.number is not None else Typed(f"CAST({right} AS INTEGER)", "int", node)
            return Typed(f"{left:p} {sign} {days:p}", "date", node, tight=False)
        return self.refuse(
            node, f"{left.type} {sign} {right.type} is not accepted: see datediff, date_add, INTERVAL"
        )

    def concatenation(self, node: exp.DPipe) -> Typed:
        left, right = self.expression(node.this), self.expression(node.expression)
        if kind(left.type) == "array" or kind(right.type) == "array":
            return self.refuse(node, "|| of arrays is not proved equal on both engines")
        a, b = self.text(left), self.text(right)
        return Typed(f"{a:p} || {b:p}", "string", node, tight=False)

    def comparison(self, node: exp.Binary) -> Typed:
        left, right = self.compared(node, self.expression(node.left), self.expression(node.right))
        return Typed(f"{left:p} {COMPARES[type(node)]} {right:p}", "boolean", node, tight=False)

    def key(self, node: exp.Expr) -> Typed:
        """What rows are grouped by."""
        value = self.expression(node)
        if "map<" in value.type:
            return self.refuse(node, f"{value.type} is no key: the engines do not find the same maps equal")
        return value

    def connective(self, node: exp.Connector) -> Typed:
        word = "AND" if isinstance(node, exp.And) else "OR"
        return Typed(f" {word} ".join(self._operands(node)), "boolean", node, tight=False)

    def _operands(self, node: exp.Connector) -> list[str]:
        """Of a chain of one connective, which nests to the left as deep as it is long."""
        parts: list[str] = []
        at: exp.Expr = node
        while type(at) is type(node):
            parts.append(self._operand(at.expression))
            at = at.this
        return [self._operand(at), *reversed(parts)]

    def _operand(self, node: exp.Expr) -> str:
        before = len(self.problems)
        value = self.expression(node)
        if value.type not in ("boolean", UNKNOWN, VOID) and len(self.problems) == before:
            self.refuse(node, f"a condition is expected here, and this is {value.type}")
        loose = isinstance(node, (exp.Connector, exp.Paren)) and not value.tight
        return f"({value})" if loose else value.sql

    def negation(self, node: exp.Not) -> Typed:
        inner = node.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            return Typed(f"{self.expression(inner.this):p} IS NOT NULL", "boolean", node, tight=False)
        value = self.expression(inner)
        if value.type not in ("boolean", UNKNOWN, VOID):
            return self.refuse(node, f"NOT needs a condition, and this is {value.type}")
        return Typed(f"NOT ({value})" if not value.tight else f"NOT {value}", "boolean", node, tight=False)

    def is_(self, node: exp.Is) -> Typed:
        value = self.expression(node.this)
        if isinstance(node.expression, exp.Null):
            return Typed(f"{value:p} IS NULL", "boolean", node, tight=False)
        if isinstance(node.expression, exp.Boolean):
            if value.type not in ("boolean", UNKNOWN, VOID):
                return self.refuse(node, f"IS TRUE and IS FALSE need a condition, and this is {value.type}")
            return Typed(
                f"{value:p} IS {str(bool(node.expression.this)).upper()}", "boolean", node, tight=False
            )
        return self.refuse(node, "IS takes NULL, TRUE or FALSE")

    def between(self, node: exp.Between) -> Typed:
        value = self.expression(node.this)
        low, high = self.expression(node.args["low"]), self.expression(node.args["high"])
        value_low, low = self.compared(node, value, low)
        value_high, high = self.compared(node, value, high)
        if value_low.sql == value_high.sql:
            return Typed(f"{value_low:p} BETWEEN {low:p} AND {high:p}", "boolean", node, tight=False)
        return Typed(f"{value_low:p} >= {low:p} AND {value_high:p} <= {high:p}", "boolean", node, tight=False)

    def in_(self, node: exp.In) -> Typed:
        value = self.expression(node.this)
        if query := node.args.get("query"):
            sql, columns = self.query(query.this if isinstance(query, exp.Subquery) else query)
            if len(columns) != 1:
                return self.refuse(node, f"IN needs one column, and the query gives {len(columns)}")
            if value.known and columns[0][1] not in (value.type, UNKNOWN):
                return self.refuse(node, f"{value.type} IN a query of {columns[0][1]}: CAST one of them")
            if not _is_condition(node):
                said = "IN (SELECT ...) as a value is false on Spark where SQL has NULL"
                return self.refuse(node, f"{said}: CASE WHEN x IN (SELECT ...) THEN true ELSE false END")
            return Typed(f"{value:p} IN ({sql})", "boolean", node, tight=False)
        if not node.expressions:
            return self.refuse(node, "IN needs values in brackets")
        items, widest = [], value
        for item in node.expressions:
            widest, given = self.compared(node, value, self.expression(item))
            items.append(given)
        if widest.sql != value.sql:
            items = [self.compared(node, widest, item)[1] for item in items]
        return Typed(f"{widest:p} IN ({', '.join(item.sql for item in items)})", "boolean", node, tight=False)

    def like(self, node: exp.Expr, escape: str = "\\") -> Typed:
        value, pattern = self.expression(node.this), self.expression(node.expression)
        for side in (value, pattern):
            if side.type not in ("string", VOID, UNKNOWN):
                return self.refuse(node, f"LIKE needs strings, and this is {side.type}")
        if pattern.literal is None:
            return self.refuse(node, "the pattern of LIKE must be a string literal")
        if not _fine_like(pattern.literal, escape):
            return self.refuse(node, f"in a LIKE pattern {escape} stands only before %, _ or itself")
        word = "NOT LIKE" if node.args.get("negate") else "LIKE"
        tail = f" ESCAPE {text_literal(escape)}" if escape in pattern.literal else ""
        if isinstance(node, exp.ILike):
            value, pattern = self.lowered(value), self.lowered(pattern)
        return Typed(f"{value:p} {word} {pattern}{tail}", "boolean", node, tight=False)

    def lowered(self, value: Typed) -> Typed:
        """As Spark compares for ILIKE."""
        made = signature(LOWER[0]).call((value.as_type("string"),), exact=True)
        assert made is not None
        return Typed(made.sql, "string", value.node)

    def escape(self, node: exp.Escape) -> Typed:
        return self.like(node.this, node.expression.name)

    def case(self, node: exp.Case) -> Typed:
        subject = self.expression(node.this) if node.this is not None else None
        conditions = [self._when(branch, subject) for branch in node.args["ifs"]]
        values = [self.expression(branch.args["true"]) for branch in node.args["ifs"]]
        default = node.args.get("default")
        values += [self.expression(default)] if default is not None else []
        results = self.alike(node, values)
        parts = [f"WHEN {c} THEN {value}" for c, value in zip(conditions, results, strict=False)]
        parts += [f"ELSE {results[-1]}"] if default is not None else []
        return Typed(f"CASE {' '.join(parts)} END", results[0].type, node)

    def _when(self, branch: exp.If, subject: Typed | None) -> str:
        if subject is None:
            return self.condition(branch.this)
        left, right = self.compared(branch, subject, self.expression(branch.this))
        return f"{left:p} = {right:p}"

    def bitwise(self, node: exp.Binary) -> Typed:
        left, right = self.expression(node.this), self.expression(node.expression)
        both = common(left.type, right.type)
        if both not in (*INTEGRAL, UNKNOWN):
            return self.refuse(node, f"bits need whole numbers, not {left.type} and {right.type}")
        a, b = self.fit(left, both), self.fit(right, both)
        if isinstance(node, exp.BitwiseXor):
            return Typed(f"xor({a}, {b})", both, node)
        return Typed(
            f"{a:p} {'&' if isinstance(node, exp.BitwiseAnd) else '|'} {b:p}", both, node, tight=False
        )

    def bitwise_not(self, node: exp.BitwiseNot) -> Typed:
        value = self.expression(node.this)
        if value.type not in (*INTEGRAL, UNKNOWN):
            return self.refuse(node, f"~ needs a whole number, not {value.type}")
        return Typed(f"~{value:p}", value.type, node, tight=False)

    def bracket(self, node: exp.Bracket) -> Typed:
        value = self.expression(node.this)
        if len(node.expressions) != 1 or isinstance(node.expressions[0], exp.Slice):
            return self.refuse(node, "an index is one number or key")
        index = self.expression(node.expressions[0])
        if not (value.known and index.known):
            return Typed("NULL", UNKNOWN, node)
        if kind(value.type) == "map" and common(entries(value.type)[0], index.type) == entries(value.type)[0]:
            return Typed(f"{value:p}[{index}]", entries(value.type)[1], node)
        if kind(value.type) != "array" or index.type not in INTEGRAL:
            name = ", whose fields are taken by their names: s.field" if kind(value.type) == "struct" else ""
            return self.refuse(node, f"{value.type} cannot be indexed by {index.type}{name}")
        return self._indexed(node, value, index)

    def _indexed(self, node: exp.Bracket, value: Typed, index: Typed) -> Typed:
        """Counted from 0; outside the array Spark's ANSI mode raises, and DuckDB would give NULL."""
        template = (
            "CASE WHEN {1:p} < 0 OR {1:p} >= len({0}) THEN error('the index ' || {1:p} || ' is not in an array of ' "
            "|| len({0})) ELSE {0:p}[{1:p} + 1] END"
        )
        return Typed(render(template, (value, index)), element(value.type), node)


def _bare(value: Typed) -> bool:
    """A literal, whose DuckDB type is not quite Spark's: 0.2 is decimal(2,1) there."""
    return value.simple and (value.sql[:1].isdigit() or value.sql.startswith("-"))


def _wide_operands(sign: str, a: tuple[int, int], b: tuple[int, int], result: str) -> tuple[str, str]:
    """Types for both operands with which DuckDB's + - * % cannot run out of digits: it multiplies within 18 of them
    where both sides have no more."""
    if sign != "*":
        both = result if sign != "%" else decimals.named(_merged(a, b))
        return both, both
    wide = 19 if a[0] + b[0] > 18 and max(a[0], b[0]) <= 18 else a[0]
    return f"decimal({max(wide, a[0])},{a[1]})", f"decimal({b[0]},{b[1]})"


def _merged(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    scale = max(a[1], b[1])
    return max(a[0] - a[1], b[0] - b[1]) + scale, scale


def _is_condition(node: exp.Expr) -> bool:
    """Whether NULL is there as good as false: in a condition, under AND, OR and NOT at most."""
    while isinstance(node.parent, (exp.And, exp.Or, exp.Not, exp.Paren)):
        node = node.parent
    above = node.parent
    if isinstance(above, exp.If):
        return above.this is node and (not isinstance(above.parent, exp.Case) or above.parent.this is None)
    if isinstance(above, exp.Join):
        return above.args.get("on") is node
    return isinstance(above, (exp.Where, exp.Having, exp.Qualify))


def _fine_like(pattern: str, escape: str) -> bool:
    at = 0
    while at < len(pattern):
        if pattern[at] == escape:
            if pattern[at + 1 : at + 2] not in ("%", "_", escape) or at + 1 >= len(pattern):
                return False
            at += 1
        at += 1
    return True


SIGNS = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
COMPARES = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip


def _is_not_zero(value: Typed) -> bool:
    """Whether it is a number that is written out, and not zero."""
    node = value.node
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) != 0
