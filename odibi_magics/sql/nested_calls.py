"""Structs, maps and arrays."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from odibi_magics.sql.lookup import Arguments, refused
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.typed import Typed, render
from odibi_magics.sql.types import UNKNOWN, VOID, common, kind, quoted


def struct(self: Operators, node: exp.Anonymous, over: str) -> Typed:
    named = [(_name_of(item, i), self.expression(item.unalias())) for i, item in enumerate(node.expressions)]
    return _made_struct(self, node, named)


def _name_of(item: exp.Expr, at: int) -> str:
    return item.alias_or_name if isinstance(item, (exp.Alias, exp.Column)) else f"col{at + 1}"


def _named_struct(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    names = [argument.literal for argument in arguments[::2]]
    if len(arguments) % 2 or None in names:
        return self.refuse(node, "named_struct takes names as string literals, each with its value")
    return _made_struct(
        self, node, [(str(name), value) for name, value in zip(names, arguments[1::2], strict=True)]
    )


def _made_struct(self: Operators, node: exp.Expr, named: list[tuple[str, Typed]]) -> Typed:
    if not all(value.known and value.type != VOID for _, value in named):
        return (
            refused(node)
            if any(not v.known for _, v in named)
            else self.refuse(node, "a field needs a type: CAST NULL")
        )
    parts = ", ".join(f"{quoted(name)}: {self.exact(value)}" for name, value in named)
    type_ = ",".join(f"{name}:{value.type}" for name, value in named)
    return Typed(f"{{{parts}}}", f"struct<{type_}>", node)


def _map(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    if len(arguments) % 2:
        return self.refuse(node, "map takes keys and values in turns")
    if not arguments:
        return Typed("MAP {}", f"map<{VOID},{VOID}>", node)
    keys = self.alike(node, list(arguments[::2]))
    values = self.alike(node, list(arguments[1::2]))
    if not keys or UNKNOWN in (keys[0].type, values[0].type):
        return refused(node)
    sql = (
        f"MAP {{{', '.join(f'{self.exact(k)}: {self.exact(v)}' for k, v in zip(keys, values, strict=True))}}}"
    )
    return Typed(sql, f"map<{keys[0].type},{values[0].type}>", node)


def _array_contains(self: Operators, node: exp.Anonymous, arguments: Arguments) -> Typed:
    """NULL where the value is not found and the array holds a NULL."""
    if kind(arguments[0].type) != "array":
        return self.refuse(node, f"array_contains looks in an array, and this is {arguments[0].type}")
    if common(arguments[0].type[6:-1], arguments[1].type) != arguments[0].type[6:-1]:
        return self.refuse(
            node, f"array_contains of {arguments[0].type} and {arguments[1].type}: CAST one of them"
        )
    template = (
        "CASE WHEN {1:p} IS NULL THEN NULL WHEN list_contains({0}, {1}) THEN TRUE "
        "WHEN list_count({0}) < len({0}) THEN NULL WHEN {0:p} IS NOT NULL THEN FALSE END"
    )
    return Typed(render(template, arguments), "boolean", node)


NESTED: dict[str, Callable[[Operators, exp.Anonymous, Arguments], Typed]] = {
    "named_struct": _named_struct,
    "map": _map,
    "array_contains": _array_contains,
}
