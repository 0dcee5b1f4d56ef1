"""Names and texts inside DuckDB's SQL, quoted by sqlglot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlglot import exp


@lru_cache(10_000)
def quoted(name: str) -> str:
    """A name as a quoted identifier. Kept: a plan of a thousand nodes quotes a few names six thousand times."""
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")


def literal(value: Any) -> str:
    """A Python value (text, number, boolean, list of them) as a literal."""
    return exp.convert(value).sql(dialect="duckdb")


def select(names: Iterable[str], source: str) -> str:
    """SELECT these columns FROM a table's name or a subquery in brackets."""
    return f"SELECT {', '.join(map(quoted, names))} FROM {source}"


def with_tables(queries: Mapping[str, str], body: str) -> str:
    """`body` with the queries as its tables, and its order kept.

    A subquery, because DuckDB forgets a WITH that stands in mere brackets behind another one; line breaks end comments.
    """
    if not queries:
        return body
    tables = ", ".join(f"{quoted(name)} AS (\n{sql}\n)" for name, sql in queries.items())
    return f"WITH {tables} SELECT * FROM (\n{body}\n)"
