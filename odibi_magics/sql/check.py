"""Whether a query is one that both engines answer alike: its shape, its tables, its functions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from odibi_magics.errors import nearest
from odibi_magics.sql.accepted import AGGREGATES, REFUSED, SPECIAL, WINDOWS, accepted, ways
from odibi_magics.sql.constructs import EXPRESSIONS, INSTEAD, QUERIES, words_of
from odibi_magics.sql.fill import Filled, fill, literal
from odibi_magics.sql.parse import parse
from odibi_magics.sql.place import place
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.signatures import signature

__all__ = [
    "Filled", "Predicate", "Query", "SqlErrors", "SqlProblem", "check_predicate", "check_query", "fill", "literal",
]  # fmt: skip


@dataclass(frozen=True)
class Query:
    """A checked query. tables: the upstream tables it names, in their order there, spelled as they were given."""

    text: str
    dialect: str
    tables: tuple[str, ...]
    tree: exp.Expr = field(repr=False, compare=False)


@dataclass(frozen=True)
class Predicate:
    """A checked condition over the columns of one row, in Spark SQL."""

    text: str
    tree: exp.Expr = field(repr=False, compare=False)

    def columns(self) -> list[tuple[int, int, tuple[str, ...]]]:
        """Where the text names columns, in its order: start, end, and the name with those of fields in it."""
        found = []
        for node in self.tree.find_all(exp.Column):
            words = [place(part) for part in node.parts]
            start, end = words[0][0] - len(_PREFIX), words[-1][1] - len(_PREFIX)
            found.append((start, end, tuple(part.name for part in node.parts)))
        return sorted(found)


def check_query(text: str, tables: Collection[str], dialect: str = "spark") -> Query:
    """Checks one query whose tables are upstream ones or CTEs.

    tables: names that may be named, in any case; `df` always may. Raises SqlErrors with all problems.
    """
    tree = parse(text, dialect)
    if not isinstance(tree, exp.Query):
        raise SqlErrors([SqlProblem("a step is one query, which begins with SELECT or WITH")])
    named: dict[str, None] = {}
    nodes = _nodes(tree)
    problems = [*_checked(nodes, dialect), *_tables(nodes, tables, named)]
    if problems:
        raise SqlErrors(problems)
    return Query(text, dialect, tuple(named), tree)


_PREFIX = "SELECT 1 WHERE "


def check_predicate(text: str) -> Predicate:
    """Checks one condition over a row, in Spark SQL: no subquery, no aggregate, no window. Raises SqlErrors."""
    try:
        tree = parse(f"{_PREFIX}{text}\n")
        where = tree.args.get("where")
        others = [name for name, value in tree.args.items() if value and name not in ("where", "expressions")]
        if not isinstance(tree, exp.Select) or where is None or others:
            raise SqlErrors([SqlProblem("expected one condition, as qty > 0")])
        nodes = _nodes(where.this)
        problems = [*_checked(nodes, "spark"), *_of_one_row(nodes)]
        if problems:
            raise SqlErrors(problems)
    except SqlErrors as error:
        raise SqlErrors(shifted(problem) for problem in error.problems) from None
    return Predicate(text, where.this)


def _nodes(tree: exp.Expr) -> list[exp.Expr]:
    """All but what stands in hints; walked once, which takes a sixth as long as parsing."""
    return list(tree.walk(prune=_is_hint))


def _of_one_row(nodes: Iterable[exp.Expr]) -> Iterator[SqlProblem]:
    for node in nodes:
        if isinstance(node, (exp.Query, exp.Window)):
            yield SqlProblem("a condition looks at one row: no subquery and no window", *place(node))
        elif isinstance(node, exp.Anonymous) and (
            node.name.lower() in AGGREGATES or node.name.lower() == "count"
        ):
            yield SqlProblem(f"a condition looks at one row: no {node.name.lower()}()", *place(node))


def shifted(problem: SqlProblem) -> SqlProblem:
    """A problem of a condition with its place in the condition alone."""
    start, end = problem.start - len(_PREFIX), problem.end - len(_PREFIX)
    if problem.start < 0 or start < 0:
        return SqlProblem(problem.message, -1, -1, problem.suggestion)
    return SqlProblem(problem.message, start, end, problem.suggestion)


# Tables ---------------------------------------------------------------------------------------------------------------


def _tables(
    nodes: Iterable[exp.Expr], given: Collection[str], named: dict[str, None]
) -> Iterator[SqlProblem]:
    for table in sorted((node for node in nodes if isinstance(node, exp.Table)), key=place):
        if isinstance(table.parent, exp.Into):
            continue
        if isinstance(table.this, exp.Anonymous):
            name = table.this.name.lower()
            yield SqlProblem(
                f"'{name}()' in FROM is not allowed: a query's tables are nodes, or df", *place(table)
            )
        elif table.args.get("db"):
            dotted = ".".join(part.name for part in table.parts)
            yield SqlProblem(
                f"table '{dotted}' is not allowed: a query's tables are nodes, or df", *_whole(table)
            )
        elif table.name.lower() not in (visible := _visible(table)):
            found = _spelled(table.name, given)
            if found is not None:
                named[found] = None
                continue
            close = nearest(table.name, [*given, *visible])
            earlier = "" if close else "; a node of another cell is known once that cell has run"
            yield SqlProblem(
                f"unknown table '{table.name}': a query's tables are nodes, or df{earlier}",
                *place(table),
                close,
            )


def _spelled(name: str, given: Collection[str]) -> str | None:
    """The table as it is spelled; a project's thousand names are looked through only for another spelling."""
    if name in given or name == "df":
        return name
    return next(
        (table for table in given if table.lower() == name.lower()), "df" if name.lower() == "df" else None
    )


def _whole(table: exp.Table) -> tuple[int, int]:
    places = [place(part) for part in table.parts]
    return min(start for start, _ in places), max(end for _, end in places)


def _visible(table: exp.Expr) -> list[str]:
    """Names of the CTEs a table may mean: those of each query round it, but inside a CTE only those before it."""
    names: list[str] = []
    node: exp.Expr | None = table
    inside: exp.Expr | None = None
    while node is not None:
        with_ = node.args.get("with_")
        for cte in with_.expressions if with_ is not None else ():
            if cte is inside:
                break
            names.append(cte.alias.lower())
        inside = node if isinstance(node, exp.CTE) else inside
        node = node.parent
    return names


# Constructs and functions ---------------------------------------------------------------------------------------------


_OTHERWISE = "Say it with others, or in a function: step"


def _checked(nodes: Iterable[exp.Expr], dialect: str) -> Iterator[SqlProblem]:
    for node in nodes:
        if isinstance(node, exp.Anonymous):
            yield from _function(node, dialect)
        elif type(node) in INSTEAD and dialect == "spark":
            yield SqlProblem(INSTEAD[type(node)], *place(node))
        elif type(node) not in EXPRESSIONS and type(node) not in QUERIES and dialect == "spark":
            if not _refused_with(node):
                said = (
                    f"{words_of(node)} is not accepted: it is not proved equal on both engines. {_OTHERWISE}"
                )
                yield SqlProblem(said, *place(node))
        elif isinstance(node, (exp.DDL, exp.DML, exp.Command, exp.Into)):
            yield SqlProblem(f"{node.key.upper()} is not allowed: a step only reads", *place(node))


def _refused_with(node: exp.Expr) -> bool:
    """A lambda is told of with the function that takes it."""
    return isinstance(node, exp.Lambda) and isinstance(node.parent, exp.Anonymous)


def _is_hint(node: exp.Expr) -> bool:
    return isinstance(node, exp.Hint)


def _function(node: exp.Anonymous, dialect: str) -> Iterator[SqlProblem]:
    name = node.name.lower()
    if isinstance(node.parent, exp.Table):
        return
    if name in REFUSED and not (name in WINDOWS and isinstance(_windowed(node), exp.Window)):
        yield SqlProblem(f"function '{name}' is not allowed: {REFUSED[name]}", *place(node))
    elif dialect != "spark":
        return
    elif name not in accepted():
        close = nearest(name, sorted(accepted()), 0.8)  # `getdate` is no `date`
        words = f"function '{name}' is not on the list of functions proved equal on both engines"
        yield SqlProblem(words if close else f"{words}. {_OTHERWISE}", *place(node), close)
    elif name in WINDOWS and not isinstance(_windowed(node), exp.Window):
        yield SqlProblem(f"function '{name}' needs OVER (...)", *place(node))
    elif not (arity := _arity(name))[0] <= len(_arguments(node)) <= arity[1]:
        takes = _counted(*arity)
        yield SqlProblem(f"function '{name}' takes {takes}, not {len(_arguments(node))}", *place(node))


def _windowed(node: exp.Expr) -> exp.Expr | None:
    parent = node.parent
    while isinstance(parent, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter)):
        parent = parent.parent
    return parent


def _arguments(node: exp.Anonymous) -> Sequence[exp.Expr]:
    found: list[exp.Expr] = node.expressions
    if len(found) == 1 and isinstance(found[0], exp.Distinct):
        return found[0].expressions
    return found


def _arity(name: str) -> tuple[int, int]:
    if name in SPECIAL:
        return SPECIAL[name]
    rows = [signature(row) for row in ways(name)]
    return min(row.fewest for row in rows), max(row.most for row in rows)


def _counted(fewest: int, most: int) -> str:
    if fewest == most:
        return f"{fewest} argument{'s' if fewest != 1 else ''}"
    return f"at least {fewest}" if most > 200 else f"{fewest} to {most} arguments"
