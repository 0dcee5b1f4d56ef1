"""A checked query as DuckDB SQL with Spark's ANSI answers, and as what Spark itself gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from odibi_magics.sql.check import Predicate, Query, shifted
from odibi_magics.sql.dialect import dialect
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.queries import Compiled, compiled, compiled_condition, parts

Schemas = Mapping[str, Sequence[tuple[str, str]]]


def check_columns(query: Query, schemas: Schemas) -> list[SqlProblem]:
    """Unknown and ambiguous columns, and types that do not fit, on the user's own text with the nearest spelling.

    schemas: table -> (column, Spark type) pairs. Of a table that is missing here nothing is complained.
    """
    if query.dialect != "spark":
        return []
    return list(compiled(query.tree, schemas, None).problems)


def to_duckdb(query: Query, schemas: Schemas, *, now: datetime | None = None) -> str:
    """DuckDB SQL with Spark's ANSI answers and types.

    schemas: of every table the query names. now: what current_timestamp() stands for; one instant for a whole run.
    Raises SqlErrors where the types of columns make it one that is refused.
    """
    if query.dialect != "spark":
        return query.text
    made = _once(query, tuple((name, tuple(columns)) for name, columns in schemas.items()))
    if made.timed:
        made = compiled(query.tree, schemas, now)
    if made.problems:
        raise SqlErrors(made.problems)
    return made.sql


@lru_cache(maxsize=2048)  # a plan and its run translate the same queries, at a millisecond or more each
def _once(query: Query, schemas: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]) -> Compiled:
    return compiled(query.tree, dict(schemas), None)


def duckdb_parts(query: Query, schemas: Schemas) -> list[tuple[str, int, int]]:
    """DuckDB SQL of each expression of a query that `to_duckdb` takes, inner ones first, with its span in the text."""
    return parts(query.tree, schemas) if query.dialect == "spark" else []


def check_condition(predicate: Predicate, columns: Sequence[tuple[str, str]]) -> list[SqlProblem]:
    """As check_columns, of a condition."""
    return [shifted(problem) for problem in compiled_condition(predicate.tree, columns).problems]


def predicate_to_duckdb(predicate: Predicate, columns: Sequence[tuple[str, str]]) -> str:
    """DuckDB SQL of a condition over the given columns. Raises SqlErrors as to_duckdb."""
    made = compiled_condition(predicate.tree, columns)
    if made.problems:
        raise SqlErrors(shifted(problem) for problem in made.problems)
    return made.sql


def to_spark(query: Query | Predicate) -> str:
    """What Spark gets: the user's own text where it is Spark's, as conditions are, else transpiled from DuckDB's."""
    if isinstance(query, Predicate) or query.dialect == "spark":
        return query.text
    return query.tree.sql(dialect=dialect("spark"))
