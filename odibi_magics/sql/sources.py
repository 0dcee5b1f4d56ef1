"""WITH and FROM: which tables a SELECT sees, and their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlglot import exp

from odibi_magics.sql.expressions import Expressions
from odibi_magics.sql.scope import Source
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, common, element, entries, kind, quoted

Columns = list[tuple[str | None, str]]


class Sources(Expressions):
    """schemas: table -> (column, Spark type) pairs, names in any case."""

    def __init__(self, schemas: Mapping[str, Sequence[tuple[str, str]]], now: datetime | None) -> None:
        super().__init__(now)
        self.tables = {name.lower(): (name, columns) for name, columns in schemas.items()}
        self.ctes: dict[str, Columns] = {}

    def with_ctes(self, node: exp.Expr) -> str:
        """WITH and its tables."""
        with_ = node.args.get("with_")
        if with_ is None:
            return ""
        if with_.args.get("recursive"):
            self.refuse(node, "WITH RECURSIVE is not accepted")
        parts = [self._cte(cte) for cte in with_.expressions]
        return f"WITH {', '.join(parts)}\n"

    def _cte(self, cte: exp.CTE) -> str:
        sql, columns = self.query(cte.this, correlated=False)
        names = [column.name for column in cte.args["alias"].args.get("columns") or ()]
        columns = self._renamed(cte, columns, names)
        self.ctes[cte.alias.lower()] = columns
        listed = f"({', '.join(map(quoted, names))})" if names else ""
        return f"{quoted(cte.alias)}{listed} AS (\n{sql}\n)"

    def _renamed(self, node: exp.Expr, columns: Columns, names: Sequence[str]) -> Columns:
        if names and len(names) != len(columns):
            self.refuse(node, f"the columns are {len(columns)}, the names of the alias {len(names)}")
            return columns
        return [(name, type_) for name, (_, type_) in zip(names, columns, strict=True)] if names else columns

    def from_clause(self, node: exp.Select) -> str:
        """FROM with its joins and lateral views."""
        from_ = node.args.get("from_")
        if from_ is None:
            return ""
        sql = self._source(from_.this)
        sql += "".join(self._join(join) for join in from_.this.args.get("joins") or ())
        sql += "".join(self._join(join) for join in node.args.get("joins") or ())
        sql += "".join(self._lateral(lateral) for lateral in node.args.get("laterals") or ())
        return f"\nFROM {sql}"

    def _source(self, node: exp.Expr) -> str:
        sql, alias, columns = self._named(node)
        if any(source.alias.lower() == alias.lower() for source in self.scope.sources) and alias:
            self.refuse(node, f"two tables here are called '{alias}': give one another alias")
        self.scope.sources.append(Source(alias, columns))
        return sql

    def _named(self, node: exp.Expr) -> tuple[str, str, Sequence[tuple[str | None, str]] | None]:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Subquery):
            sql, found = self.query(node.this, correlated=False)
            return self._derived(node, f"(\n{sql}\n)", found)
        if isinstance(node, exp.Values):
            sql, found = self.values(node)
            return self._derived(node, f"({sql})", found, [str(name) for name, _ in found])
        self.refuse(node, f"{node.key.upper()} is not accepted in FROM")
        return "", "", None

    def _table(self, node: exp.Table) -> tuple[str, str, Sequence[tuple[str | None, str]] | None]:
        name = node.name.lower()
        shown, columns = node.name, None
        if name in self.ctes:
            columns = self.ctes[name]
        elif name in self.tables:
            shown, columns = self.tables[name]  # type: ignore[assignment]
        alias = node.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            names = [column.name for column in alias.args["columns"]]
            renamed = self._renamed(node, list(columns), names) if columns is not None else None
            return (
                f"{quoted(shown)} AS {quoted(node.alias)}({', '.join(map(quoted, names))})",
                node.alias,
                renamed,
            )
        return (
            quoted(shown) + (f" AS {quoted(node.alias)}" if node.alias else ""),
            node.alias or shown,
            columns,
        )

    def _derived(
        self, node: exp.Expr, sql: str, columns: Columns, names: Sequence[str] = ()
    ) -> tuple[str, str, Columns]:
        """A query in FROM. names: its columns' where no alias gives any."""
        alias = node.args.get("alias")
        name = node.alias or "_"
        names = [
            column.name for column in (alias.args.get("columns") if alias is not None else None) or ()
        ] or names
        listed = f"({', '.join(map(quoted, names))})" if names else ""
        return f"{sql} AS {quoted(name)}{listed}", name, self._renamed(node, columns, names)

    def _join(self, node: exp.Join) -> str:
        if node.args.get("method"):
            self.refuse(node.this, f"{node.args['method']} JOIN is not accepted: say ON or USING")
        side, kind_ = str(node.side or "").upper(), str(node.kind or "").upper()
        before = list(self.scope.sources)
        right = self._source(node.this)
        on, using = node.args.get("on"), node.args.get("using")
        if kind_ in ("", "INNER") and not side and on is None and not using:
            kind_ = "CROSS"
        words = " ".join(
            word
            for word in (side if kind_ not in ("SEMI", "ANTI") else "", kind_)
            if word and word != "OUTER"
        )
        condition = self._on(on) + self._using(using, before, kind_)
        if kind_ in ("SEMI", "ANTI"):
            self.scope.sources.pop()
        return f"\n{words} JOIN {right}{condition}".replace("\n JOIN", "\nJOIN")

    def _on(self, on: exp.Expr | None) -> str:
        if on is None:
            return ""
        before, self.scope.clause = self.scope.clause, "on"
        condition = self.condition(on)
        self.scope.clause = before
        return f" ON {condition}"

    def _using(self, names: list[exp.Expr] | None, before: list[Source], kind_: str) -> str:
        if not names:
            return ""
        right = self.scope.sources[-1]
        for column in names:
            self._merge(column, before, right, kind_)
        return f" USING ({', '.join(quoted(column.name) for column in names)})"

    def _merge(self, column: exp.Expr, before: list[Source], right: Source, kind_: str) -> None:
        name = column.name.lower()
        left = self.scope.merged.get(name) or next((t for s in before if (t := s.find(name))), None)
        other = right.find(name)
        if left is None or other is None:
            where = right.alias if other is None else " or ".join(source.alias for source in before)
            self.refuse(column, f"column '{column.name}' of USING is not in {where}")
            return
        both = common(left, other)
        if both is None or (left != other and UNKNOWN not in (left, other)):
            self.refuse(
                column,
                f"column '{column.name}' of USING is {left} on one side and {other} on the other: use ON",
            )
        self.scope.merged[name] = both or UNKNOWN

    def _lateral(self, node: exp.Lateral) -> str:
        """LATERAL VIEW explode(x) t AS y: one row for each element."""
        call = node.this
        name = call.name.lower() if isinstance(call, exp.Anonymous) else ""
        alias = node.args.get("alias")
        table = (alias.this.name if alias is not None and alias.this else "") or f"_{len(self.scope.sources)}"
        names = [column.name for column in (alias.args.get("columns") if alias is not None else None) or ()]
        if name not in ("explode", "posexplode") or not node.args.get("view"):
            self.refuse(node, "LATERAL VIEW is accepted with explode and posexplode")
            return ""
        value = self.expression(call.expressions[0])
        sql, columns = self._exploded(node, value, name == "posexplode", names)
        self.scope.sources.append(Source(table, columns))
        outer = "LEFT JOIN LATERAL" if node.args.get("outer") else "CROSS JOIN LATERAL"
        return f"\n{outer} (SELECT {sql}) AS {quoted(table)}{' ON TRUE' if node.args.get('outer') else ''}"

    def _exploded(
        self, node: exp.Expr, value: Typed, positions: bool, names: list[str]
    ) -> tuple[str, Columns | None]:
        if not value.known:
            return f"unnest({value})", None
        parts = [(f"generate_subscripts({value}, 1) - 1", "pos", "int")] if positions else []
        if kind(value.type) == "array":
            parts.append((f"unnest({value})", "col", element(value.type)))
        elif kind(value.type) == "map" and not positions:
            key, item = entries(value.type)
            parts += [
                (f"unnest(map_keys({value}))", "key", key),
                (f"unnest(map_values({value}))", "value", item),
            ]
        else:
            self.refuse(node, f"explode takes an array or a map, and this is {value.type}")
            return "NULL", None
        if names and len(names) != len(parts):
            self.refuse(node, f"the columns that come out are {len(parts)}, the names behind AS {len(names)}")
            return "NULL", None
        named = [
            (sql, given, type_)
            for (sql, _, type_), given in zip(parts, names or [p[1] for p in parts], strict=True)
        ]
        listed = ", ".join(
            f"CAST({sql} AS INTEGER) AS {quoted(name)}"
            if sql.startswith("generate")
            else f"{sql} AS {quoted(name)}"
            for sql, name, _ in named
        )
        return listed, [(name, type_) for _, name, type_ in named]

    def values(self, node: exp.Values) -> tuple[str, Columns]:
        """VALUES (1, 'a'), (2, 'b')."""
        rows = [
            [self.expression(cell) for cell in (row.expressions if isinstance(row, exp.Tuple) else [row])]
            for row in node.expressions
        ]
        if len({len(row) for row in rows}) != 1:
            self.refuse(node, "the rows of VALUES are not of one length")
            return "VALUES (NULL)", [("col1", UNKNOWN)]
        columns = [self.alike(node, [row[at] for row in rows]) for at in range(len(rows[0]))]
        lines = (
            f"({', '.join(self.exact(column[at]).sql for column in columns)})" for at in range(len(rows))
        )
        return f"VALUES {', '.join(lines)}", [
            (f"col{at + 1}", column[0].type) for at, column in enumerate(columns)
        ]
