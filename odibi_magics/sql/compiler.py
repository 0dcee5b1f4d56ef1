"""What turns expressions into DuckDB SQL has in common: problems, names, casts and the types that Spark compares in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from sqlglot import exp

from odibi_magics.sql.casts import cast, fitting, is_time
from odibi_magics.sql.place import place
from odibi_magics.sql.problems import SqlProblem
from odibi_magics.sql.scope import Scope
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import UNKNOWN, VOID, common, decimal, in_duckdb, is_decimal, kind

_SIGNED = 34  # the digits of Java's MathContext.DECIMAL128
_ORDERING = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)


class Compiler:
    """Turns expressions into typed DuckDB SQL; what is refused is noted in `problems`, each with its place."""

    handlers: ClassVar[Mapping[type[exp.Expr], Callable[[Any, Any], Typed]]]

    def __init__(self, now: datetime | None = None) -> None:
        self.problems: list[SqlProblem] = []
        self.scope = Scope()
        self.timed = False
        self._now = now

    @cached_property
    def now(self) -> datetime:
        """The run's one instant, naive UTC. Who asks for it is `timed`."""
        self.timed = True
        given = self._now or datetime.now(UTC)
        return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo else given

    def refuse(self, node: exp.Expr, message: str, suggestion: str | None = None) -> Typed:
        self.problems.append(SqlProblem(message, *place(node), suggestion))
        return Typed("NULL", UNKNOWN, node)

    def expression(self, node: exp.Expr) -> Typed:
        handler = self.handlers.get(type(node))
        if handler is None:
            return self.refuse(node, f"{node.key.upper()} is not accepted here")
        return handler(self, node)

    def cast(self, value: Typed, to: str) -> Typed:
        """Cast as ANSI Spark does."""
        found = cast(value, to)
        return found if isinstance(found, Typed) else self.refuse(value.node, found)

    def fit(self, value: Typed, to: str) -> Typed:
        """The value as that type, left alone where DuckDB does it by itself."""
        return (
            value.as_type(to) if UNKNOWN in (value.type, to) or fitting(value, to) else self.cast(value, to)
        )

    def condition(self, node: exp.Expr) -> str:
        """A boolean expression's SQL."""
        value = self.expression(node)
        if value.type not in ("boolean", UNKNOWN, VOID):
            return self.refuse(node, f"a condition is expected here, and this is {value.type}").sql
        return value.sql

    def query(self, node: exp.Expr, *, correlated: bool = True) -> tuple[str, list[tuple[str | None, str]]]:
        raise TypeError("a condition over one row holds no query")

    def divided(self, template: str, value: Typed, by: Typed) -> str:
        """SQL of a division of {0:p} by {1:p}, which raises as Spark does: not where NULL is divided by zero."""
        if by.number in (None, 0):
            given = "" if value.constant and value.type != VOID else " AND {0:p} IS NOT NULL"
            guarded = f"CASE WHEN {{1:p}} = 0{given} THEN error('division by zero') ELSE {{1}} END"
            template = template.replace("{1:p}", guarded)
        return render(template, (value, by))

    def negatable(self, value: Typed) -> Typed:
        """A decimal whose sign may change: Spark rounds it to 34 digits on the way."""
        precision, scale = decimal(value.type) or (0, 0)
        if not is_decimal(value.type) or precision <= _SIGNED:
            return value
        limit = f"CAST('{Decimal(10) ** (_SIGNED - scale):f}' AS {value.type.upper()})"
        sql = f"CASE WHEN abs({{0}}) >= {limit} THEN error('over 34 digits are not negated alike') ELSE {{0}} END"
        return Typed(render(sql, (value,)), value.type, value.node)

    def text(self, value: Typed) -> Typed:
        return value if value.type == "string" else self.cast(value, "string")

    def compared(self, node: exp.Expr, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """Both sides as the type Spark compares them in; left alone where DuckDB does the same."""
        if left.type == right.type or not (left.known and right.known) or VOID in (left.type, right.type):
            if kind(left.type) == "map":
                self.refuse(node, "maps cannot be compared")
            if kind(left.type) in ("array", "struct") and isinstance(node, _ORDERING):
                self.refuse(node, f"{kind(left.type)}s have no order that is the same on both engines")
            return left, right
        if "string" in (left.type, right.type):
            return self._with_string(node, left, right)
        both = common(left.type, right.type)
        if both is None:
            self.refuse(node, f"{left.type} and {right.type} cannot be compared: CAST one of them")
            return left, right
        if "float" in (left.type, right.type) or _cut(both, left.type, right.type):
            return self.fit(left, both), self.fit(right, both)
        return left, right

    def _with_string(self, node: exp.Expr, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        other = right.type if left.type == "string" else left.type
        if other in ("date", "timestamp"):
            for side in (left, right):
                if side.literal is not None and not is_time(side.literal):
                    wanted = "'2026-01-31'" if other == "date" else "'2026-01-31 18:00:00'"
                    self.refuse(side.node, f"'{side.literal}' is no {other}: write {wanted}")
            return self.cast(left, other), self.cast(right, other)
        self.refuse(node, f"{left.type} and {right.type} are compared: CAST one of them")
        return left, right

    def alike(self, node: exp.Expr, values: list[Typed]) -> list[Typed]:
        """The values as their common type."""
        type_ = VOID
        for value in values:
            merged = common(type_, value.type)
            if merged is None:
                return [self.refuse(node, f"{type_} and {value.type} are mixed: CAST one of them")] * len(
                    values
                )
            type_ = merged
        return [self._alike(value, type_) for value in values]

    def _alike(self, value: Typed, type_: str) -> Typed:
        return self.fit(value, type_) if type_ != VOID and value.type != VOID else value.as_type(type_)

    def exact(self, value: Typed) -> Typed:
        """The value with its type settled where DuckDB would settle it otherwise: bare literals and NULL."""
        bare = (
            value.simple
            and (value.sql[:1].isdigit() or value.sql[:1] == "-")
            and value.type not in ("int", VOID, UNKNOWN)
        )
        return Typed(f"CAST({value} AS {in_duckdb(value.type)})", value.type, value.node) if bare else value


def _cut(both: str, *given: str) -> bool:
    """Whether Spark compares decimals with fewer places than one of them has."""
    places = [found[1] for type_ in given if (found := decimal(type_)) is not None]
    return is_decimal(both) and (decimal(both) or (0, 0))[1] < max(places, default=0)
