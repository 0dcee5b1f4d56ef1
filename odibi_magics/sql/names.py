"""Columns: which table, alias or struct a name means."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from odibi_magics.errors import nearest
from odibi_magics.sql.accepted import AGGREGATES
from odibi_magics.sql.compiler import Compiler
from odibi_magics.sql.scope import Scope, dotted
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, fields, kind, quoted


class Names(Compiler):
    """Resolves columns."""

    def column(self, node: exp.Column) -> Typed:
        name = node.name
        if isinstance(node.this, exp.Star):
            return self.refuse(node, "* stands alone in a SELECT list or in count(*)")
        if node.table:
            return self._qualified(node)
        for scope in self._chain():
            found = self._found(node, scope)
            if found is not None:
                return found
        return self._nowhere(node, name)

    def _chain(self) -> list[Scope]:
        chain, scope = [], self.scope
        while scope is not None:
            chain.append(scope)
            scope = scope.outer  # type: ignore[assignment]
        return chain

    def _found(self, node: exp.Column, scope: Scope) -> Typed | None:
        name = node.name
        lowered = name.lower()
        if self._two_faced(node, scope):
            return self.refuse(node, f"'{name}' is an alias and a column here: give the alias another name")
        if scope.clause == "order" and lowered in scope.aliases:
            return Typed(quoted(name), scope.aliases[lowered], node, simple=True)
        if lowered in scope.merged:
            return Typed(quoted(name), scope.merged[lowered], node, simple=True)
        holding = scope.holding(name)
        if len(holding) > 1 and all(source.columns is not None for source in holding):
            if len({source.alias for source in holding}) == 1:  # that there are two tables so called was told
                return Typed(quoted(name), UNKNOWN, node, simple=True)
            tables = " and ".join(source.alias for source in holding)
            return self.refuse(
                node, f"column '{name}' is ambiguous: it is in {tables}; write {holding[0].alias}.{name}"
            )
        if holding:
            source = holding[0]
            shadowed = lowered in scope.aliases or len(holding) > 1 or scope is not self.scope
            sql = dotted(source.alias, name) if shadowed and len(holding) == 1 else quoted(name)
            return Typed(sql, source.find(name) or UNKNOWN, node, simple=True)
        if scope.clause in ("select", "group", "having", "qualify", "order") and lowered in scope.aliases:
            return Typed(quoted(name), scope.aliases[lowered], node, simple=True)
        return None

    def _two_faced(self, node: exp.Column, scope: Scope) -> bool:
        """After SELECT, Spark takes a name for the alias; DuckDB for the column, but where it is a whole sort key."""
        lowered = node.name.lower()
        if (
            scope.clause not in ("order", "having", "qualify")
            or lowered not in scope.aliases.keys() - scope.plain
        ):
            return False
        if scope.clause == "order" and isinstance(node.parent, exp.Ordered):
            return False
        if scope.clause == "having" and _in_aggregate(node):
            return False
        return any(source.columns is not None for source in scope.holding(node.name))

    def _nowhere(self, node: exp.Column, name: str) -> Typed:
        if self.scope.unknown():
            return Typed(quoted(name), UNKNOWN, node, simple=True)
        nowhere = "" if any(scope.sources for scope in self._chain()) else ": this SELECT has no FROM"
        return self.refuse(node, f"unknown column '{name}'{nowhere}", nearest(name, list(self.scope.names())))

    def _qualified(self, node: exp.Column) -> Typed:
        parts = [part.name for part in node.parts]
        source = self.scope.table(parts[0])
        if source is None:
            return self._struct_column(node, parts)
        type_ = source.find(parts[1])
        if type_ is None:
            close = nearest(parts[1], source.names)
            return self.refuse(node, f"unknown column '{parts[1]}' in {source.alias}", close)
        return self._fields(Typed(dotted(source.alias, parts[1]), type_, node, simple=True), node.parts[2:])

    def _struct_column(self, node: exp.Column, parts: list[str]) -> Typed:
        if not any(scope.holding(parts[0]) or parts[0].lower() in scope.aliases for scope in self._chain()):
            tables = [source.alias for scope in self._chain() for source in scope.sources]
            first = node.parts[0]
            return self.refuse(
                first, f"unknown table '{parts[0]}' in {'.'.join(parts)}", nearest(parts[0], tables)
            )
        return self._fields(self.column(exp.column(node.parts[0].copy())), node.parts[1:])

    def _fields(self, value: Typed, names: Sequence[exp.Expr]) -> Typed:
        for name in names:
            value = self._field(value, name)
        return value

    def _field(self, value: Typed, named: exp.Expr) -> Typed:
        name = named.name
        if not value.known:
            return value
        if kind(value.type) != "struct":
            return self.refuse(named, f"'{name}' cannot be taken from a {value.type}: it is no struct")
        known = fields(value.type)
        for field, type_ in known:
            if field.lower() == name.lower():
                return Typed(f"{value:p}.{quoted(field)}", type_, value.node, simple=value.simple)
        return self.refuse(named, f"unknown field '{name}'", nearest(name, [field for field, _ in known]))

    def dot(self, node: exp.Dot) -> Typed:
        return self._field(self.expression(node.this), node.expression)


def _in_aggregate(node: exp.Expr) -> bool:
    call = node.find_ancestor(exp.Anonymous, exp.Having)
    while isinstance(call, exp.Anonymous):
        if call.name.lower() in AGGREGATES or call.name.lower() == "count":
            return True
        call = call.find_ancestor(exp.Anonymous, exp.Having)
    return False
