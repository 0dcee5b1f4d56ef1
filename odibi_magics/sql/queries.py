"""Whole queries of Spark as DuckDB SQL: FROM first, then each clause in the order in which names come into being."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from odibi_magics.sql.expressions import Expressions
from odibi_magics.sql.place import place, span
from odibi_magics.sql.problems import SqlProblem
from odibi_magics.sql.scope import Scope, Source, dotted
from odibi_magics.sql.sources import Columns, Sources
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, VOID, common, element, in_duckdb, kind, quoted
from odibi_magics.sql.windows import ordered, specification


@dataclass(frozen=True)
class Compiled:
    """DuckDB SQL, its columns with their Spark types, and what was refused. timed: it holds what time it is."""

    sql: str
    columns: Columns
    problems: list[SqlProblem]
    timed: bool = False


def compiled(
    tree: exp.Expr, schemas: Mapping[str, Sequence[tuple[str, str]]], now: datetime | None
) -> Compiled:
    """A query over tables of these schemas."""
    queries = Queries(schemas, now)
    try:
        sql, columns = queries.top(tree)
    except RecursionError:
        return _TOO_DEEP
    return Compiled(sql, columns, queries.problems, queries.timed)


_TOO_DEEP = Compiled("", [], [SqlProblem("the SQL is nested too deeply")])


def compiled_condition(tree: exp.Expr, columns: Sequence[tuple[str, str]]) -> Compiled:
    """A condition over one row's columns."""
    expressions = Expressions()
    expressions.scope = Scope([Source("", columns)], clause="where")
    try:
        return Compiled(expressions.condition(tree), [], expressions.problems)
    except RecursionError:
        return _TOO_DEEP


def parts(tree: exp.Expr, schemas: Mapping[str, Sequence[tuple[str, str]]]) -> list[tuple[str, int, int]]:
    """DuckDB SQL of each expression in a query, inner ones first, with the span of its words in the text."""
    queries = _Traced(schemas)
    queries.top(tree)
    return queries.parts


class Queries(Sources):
    """Queries, and the queries inside them."""

    def top(self, tree: exp.Expr) -> tuple[str, Columns]:
        """The outermost query, whose columns need names of their own."""
        sql, columns = self.query(tree, correlated=False)
        for at, (name, type_) in enumerate(columns):
            if "void" in type_:
                self.refuse(_item(tree, at), "this column is NULL of no type: write CAST(NULL AS type)")
            if name is None and not self._told(_item(tree, at)):
                self.refuse(_item(tree, at), _unnamed(_item(tree, at)))
        self._twice(tree, [name for name, _ in columns if name])
        return sql, columns

    def _told(self, item: exp.Expr) -> bool:
        """Whether another problem begins at the same word."""
        return any(problem.start == place(item)[0] >= 0 for problem in self.problems)

    def _twice(self, tree: exp.Expr, names: list[str]) -> None:
        """Columns that come out under one name, all in one problem where a star brings them."""
        lowered = [name.lower() for name in names]
        twice = {at: name for at, name in enumerate(names) if name.lower() in lowered[:at]}
        for item in {id(item): item for item in (_item(tree, at) for at in twice)}.values():
            found = list(dict.fromkeys(name for at, name in twice.items() if _item(tree, at) is item))
            if len(found) == 1:
                said = f"column '{found[0]}' comes out twice: give one another name, or leave it out"
            else:
                shown = ", ".join(found[:5]) + (" ..." if len(found) > 5 else "")
                said = f"{len(found)} columns come out twice ({shown}): name the columns instead of *"
            self.refuse(item, said)

    def query(self, node: exp.Expr, *, correlated: bool = True) -> tuple[str, Columns]:
        outer, ctes = self.scope, self.ctes
        self.scope, self.ctes = Scope(outer=outer if correlated else None), dict(ctes)
        try:
            head = self.with_ctes(node)
            body, columns = self._body(node)
            return head + body, columns
        finally:
            self.scope, self.ctes = outer, ctes

    def _body(self, node: exp.Expr) -> tuple[str, Columns]:
        if isinstance(node, exp.Select):
            return self._select(node)
        if isinstance(node, exp.SetOperation):
            return self._set(node)
        if isinstance(node, exp.Values):
            return self.values(node)
        sql, columns = self.query(node.this, correlated=self.scope.outer is not None)
        return f"({sql}){self._tail(node, columns)}", columns

    # SELECT -----------------------------------------------------------------------------------------------------------

    def _select(self, node: exp.Select) -> tuple[str, Columns]:
        scope = self.scope
        from_ = self.from_clause(node)
        scope.clause = "where"
        where = node.args.get("where")
        filtered = f"\nWHERE {self.condition(where.this)}" if where is not None else ""
        scope.clause = "select"
        scope.aliases = {} if not node.args.get("windows") else scope.aliases
        names = {item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias)}
        items, columns = self._items(node, names)
        windows = self._windows(node)
        group = self._group(node)
        scope.clause = "having"
        having = self._having(node)
        scope.clause = "qualify"
        qualify = f"\nQUALIFY {self.condition(node.args['qualify'].this)}" if node.args.get("qualify") else ""
        distinct = self._distinct(node, columns)
        sql = f"SELECT {distinct}{', '.join(items)}{from_}{filtered}{group}{having}{windows}{qualify}"
        return sql + self._tail(node, columns), columns

    def _having(self, node: exp.Select) -> str:
        having = node.args.get("having")
        parts = ["count(*) > 0"] if _has_totals(node) else []
        if having is not None:
            asked = self.condition(having.this)
            parts.append(f"({asked})" if parts else asked)
        return f"\nHAVING {' AND '.join(parts)}" if parts else ""

    def _distinct(self, node: exp.Select, columns: Columns) -> str:
        distinct = node.args.get("distinct")
        if distinct is not None and any("map<" in type_ for _, type_ in columns):
            self.refuse(node, "DISTINCT of a map is not accepted: Spark compares none")
        if distinct is not None and distinct.args.get("on"):
            self.refuse(node, "DISTINCT ON is not accepted")
        return "DISTINCT " if distinct is not None else ""

    def _items(self, node: exp.Select, names: set[str]) -> tuple[list[str], Columns]:
        items: list[str] = []
        columns: Columns = []
        for item in node.expressions:
            star = _star(item)
            if star is not None:
                sql, found = self._star(item, star)
                items += sql
                columns += found
            else:
                sql_item, column = self._item(item)
                items.append(sql_item)
                columns.append(column)
        return items, columns

    def _item(self, item: exp.Expr) -> tuple[str, tuple[str | None, str]]:
        inner = item.unalias()
        if isinstance(inner, exp.Anonymous) and inner.name.lower() in ("explode", "posexplode"):
            value = self._explode_item(inner)
        else:
            value = self.expression(inner)
        name = item.alias if isinstance(item, exp.Alias) else _spark_name(inner)
        exact = self.exact(value)
        if isinstance(item, exp.Alias):
            self.scope.aliases[name.lower()] = exact.type  # type: ignore[union-attr]
            if isinstance(inner, exp.Column) and inner.name.lower() == item.alias.lower():
                self.scope.plain.add(item.alias.lower())
            return f"{exact} AS {quoted(item.alias)}", (name, exact.type)
        plain = isinstance(inner, exp.Column) and not inner.table and self._written_so(inner.name)
        return (exact.sql if plain or name is None else f"{exact} AS {quoted(name)}"), (name, exact.type)

    def _written_so(self, name: str) -> bool:
        """Whether the column is spelled as its table spells it; DuckDB would give the table's spelling, Spark this."""
        return any(name in source.names for source in self.scope.holding(name))

    def _explode_item(self, call: exp.Anonymous) -> Typed:
        value = self.expression(call.expressions[0])
        if value.known and (kind(value.type) != "array" or call.name.lower() != "explode"):
            return self.refuse(call, f"{call.name.lower()} of {value.type} is accepted in LATERAL VIEW only")
        return Typed(f"unnest({value})", element(value.type) if value.known else UNKNOWN, call)

    def _star(self, item: exp.Expr, star: exp.Star) -> tuple[list[str], Columns]:
        if star.args.get("replace") or star.args.get("rename"):
            self.refuse(item, "* REPLACE and RENAME are not Spark's")
        alias = item.table if isinstance(item, exp.Column) else ""
        sources = [s for s in self.scope.sources if not alias or s.alias.lower() == alias.lower()]
        if not sources:
            self.refuse(item, f"unknown table '{alias}' in {alias}.*" if alias else "* needs a FROM")
            return ["*"], []
        left_out = {column.name.lower() for column in star.args.get("except_") or ()}
        self._left_out_known(star, sources)
        if any(source.columns is None for source in sources) or not self._all_named(item, sources):
            self.scope.aliases["*"] = UNKNOWN
            return ["*"], [("*unknown", UNKNOWN)]
        if self.scope.merged and (not alias or len(self.scope.sources) == 1):  # the one left of a semi join
            return self._merged_star(sources, left_out)
        found = [(s.alias, n, t) for s in sources for n, t in s.named if n.lower() not in left_out]
        columns: Columns = [(name, type_) for _, name, type_ in found]
        if not left_out:
            return ["*" if not alias else f"{quoted(sources[0].alias)}.*"], columns
        if len(sources) == 1:
            return [quoted(name) for _, name, _ in found], columns
        return [dotted(table, name) for table, name, _ in found], columns

    def _all_named(self, item: exp.Expr, sources: list[Source]) -> bool:
        for source in sources:
            if len(source.named) < len(source.columns or ()):
                self.refuse(item, f"a column of {source.alias} has no name of its own: add AS name there")
                return False
        return True

    def _left_out_known(self, star: exp.Star, sources: list[Source]) -> None:
        for column in star.args.get("except_") or ():
            if not any(source.find(column.name) for source in sources):
                from odibi_magics.errors import nearest

                names = [name for source in sources for name in source.names]
                self.refuse(column, f"unknown column '{column.name}' in EXCEPT", nearest(column.name, names))

    def _merged_star(self, sources: list[Source], left_out: set[str]) -> tuple[list[str], Columns]:
        """With USING, Spark puts the joined columns first."""
        merged = self.scope.merged
        spelled = {n.lower(): n for source in reversed(sources) for n, _ in source.named}
        first = [
            (quoted(spelled[name]), spelled[name], type_)
            for name, type_ in merged.items()
            if name not in left_out
        ]
        rest = [
            (dotted(source.alias, name), name, type_)
            for source in sources
            for name, type_ in source.named
            if name.lower() not in merged and name.lower() not in left_out
        ]
        return [sql for sql, _, _ in first + rest], [(name, type_) for _, name, type_ in first + rest]

    def _windows(self, node: exp.Select) -> str:
        named = node.args.get("windows") or ()
        parts = [f"{quoted(window.this.name)} AS ({specification(self, window)})" for window in named]
        return f"\nWINDOW {', '.join(parts)}" if parts else ""

    def _group(self, node: exp.Select) -> str:
        group = node.args.get("group")
        if group is None:
            return ""
        self.scope.clause = "group"
        if group.args.get("all"):
            return "\nGROUP BY ALL"
        items = [self._grouping(item) for item in group.expressions]
        for word in ("rollup", "cube"):
            if group.args.get(word):
                items = [f"{word.upper()} ({', '.join(items)})"]
        return f"\nGROUP BY {', '.join(items)}"

    def _grouping(self, item: exp.Expr) -> str:
        if isinstance(item, (exp.Rollup, exp.Cube, exp.GroupingSets)):
            word = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE"}.get(type(item), "GROUPING SETS")
            return f"{word} ({', '.join(map(self._grouping, item.expressions))})"
        if isinstance(item, exp.Tuple):
            return f"({', '.join(map(self._grouping, item.expressions))})"
        if isinstance(item, exp.Literal):
            if item.is_string:
                self.refuse(item, "GROUP BY a string literal groups nothing")
            return item.name
        return self.key(item).sql

    def _tail(self, node: exp.Expr, columns: Columns) -> str:
        """ORDER BY, LIMIT and OFFSET."""
        self.scope.clause = "order"
        if not isinstance(node, exp.Select):
            self.scope.aliases = {name.lower(): type_ for name, type_ in columns if name}
        parts = []
        order = node.args.get("order")
        if order is not None:
            parts.append(f"\nORDER BY {', '.join(self._order_key(item) for item in order.expressions)}")
        for word in ("limit", "offset"):
            found = node.args.get(word)
            if found is not None:
                parts.append(f"\n{word.upper()} {self._whole(found)}")
        return "".join(parts)

    def _order_key(self, item: exp.Ordered) -> str:
        if isinstance(item.this, exp.Literal) and item.this.is_string:
            self.refuse(item, "ORDER BY a string literal orders nothing")
        if isinstance(item.this, exp.Var):
            return self.refuse(item, "ORDER BY ALL is not accepted: name the columns").sql
        return ordered(self, item)

    def _whole(self, node: exp.Expr) -> str:
        value = node.expression
        if not isinstance(value, exp.Literal) or not value.name.isdigit():
            self.refuse(node, "LIMIT and OFFSET take a whole number")
        return str(value.name)

    # Set operations and VALUES ----------------------------------------------------------------------------------------

    def _set(self, node: exp.SetOperation) -> tuple[str, Columns]:
        if node.args.get("by_name"):
            self.refuse(node, "UNION BY NAME is not accepted")
        (left, left_columns), (right, right_columns) = self._side(node.left), self._side(node.right)
        if ("*unknown", UNKNOWN) in left_columns + right_columns:
            return left, [("*unknown", UNKNOWN)]
        if len(left_columns) != len(right_columns):
            self.refuse(node, f"the two sides give {len(left_columns)} and {len(right_columns)} columns")
            return left, left_columns
        columns = self._merged(node, left_columns, right_columns)
        sides = self._as_types(left, left_columns, columns), self._as_types(right, right_columns, columns)
        word = node.key.upper() + ("" if node.args.get("distinct", True) else " ALL")
        return f"{sides[0]}\n{word}\n{sides[1]}{self._tail(node, columns)}", columns

    def _side(self, node: exp.Expr) -> tuple[str, Columns]:
        sql, columns = self.query(node, correlated=self.scope.outer is not None)
        return (sql if isinstance(node, exp.Subquery) else f"({sql})"), columns

    def _merged(self, node: exp.Expr, left: Columns, right: Columns) -> Columns:
        merged: Columns = []
        for (name, a), (_, b) in zip(left, right, strict=True):
            both = common(a, b)
            if both is None:
                self.refuse(
                    node, f"column '{name}' is {a} on one side and {b} on the other: CAST one of them"
                )
            merged.append((name, both or UNKNOWN))
        return merged

    def _as_types(self, sql: str, given: Columns, wanted: Columns) -> str:
        if all(
            a == b or VOID in (a, b) or UNKNOWN in (a, b)
            for (_, a), (_, b) in zip(given, wanted, strict=True)
        ):
            return sql
        names = [f"c{at}" for at in range(len(given))]
        items = [
            f"{quoted(name)} AS {quoted(shown or name)}" if a == b else
            f"CAST({quoted(name)} AS {in_duckdb(b)}) AS {quoted(shown or name)}"
            for name, (_, a), (shown, b) in zip(names, given, wanted, strict=True)
        ]  # fmt: skip
        return f"(SELECT {', '.join(items)} FROM {sql} AS side({', '.join(names)}))"


def _star(item: exp.Expr) -> exp.Star | None:
    if isinstance(item, exp.Star):
        return item
    if isinstance(item, exp.Column) and isinstance(item.this, exp.Star):
        return item.this
    return None


def _unnamed(item: exp.Expr) -> str:
    if isinstance(item, exp.Literal) and item.is_string:
        return f"this column is the text '{item.name}': add AS name, or for a column write `{item.name}`"
    return "this column needs a name: add AS name"


_PLAIN_NAMES = ("count", "sum", "min", "max", "avg")


def _spark_name(node: exp.Expr) -> str | None:
    """The name Spark gives an expression without AS, where it is a plain one."""
    if isinstance(node, (exp.Column, exp.Dot)):
        return str(node.name)
    if isinstance(node, exp.Anonymous) and node.name.lower() in _PLAIN_NAMES and len(node.expressions) == 1:
        argument = node.expressions[0]
        if isinstance(argument, exp.Star):
            return "count(1)"
        if isinstance(argument, exp.Column):
            return f"{node.name.lower()}({argument.name})"
    return None


def _item(tree: exp.Expr, at: int) -> exp.Expr:
    """The SELECT item to point at, or the last where stars hide which it is."""
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    if select is None:
        return tree
    items: list[exp.Expr] = select.expressions
    return items[-1 if any(_star(item) is not None for item in items) else at]


def _has_totals(node: exp.Select) -> bool:
    """Whether rows are grouped in several ways: over no rows Spark then gives none, where DuckDB gives a total."""
    group = node.args.get("group")
    ways = (exp.Rollup, exp.Cube, exp.GroupingSets)
    if group is None:
        return False
    several = any(group.args.get(word) for word in ("rollup", "cube", "grouping_sets"))
    several = several or any(isinstance(item, ways) for item in group.expressions)
    return several and group.find(exp.Column, exp.Literal) is not None


class _Traced(Queries):
    """Keeps what it makes of each expression."""

    def __init__(self, schemas: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        super().__init__(schemas, None)
        self.parts: list[tuple[str, int, int]] = []

    def expression(self, node: exp.Expr) -> Typed:
        made = super().expression(node)
        self.parts.append((made.sql, *span(node)))
        return made
