"""Names and texts inside DuckDB's SQL, quoted by sqlglot."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlglot import exp

from odibi_magics.sql.types import generator, quoted

__all__ = ["literal", "quoted", "select", "with_tables"]


def literal(value: Any) -> str:
    """A Python value (text, number, boolean, list of them) as a literal."""
    if isinstance(value, list):  # the one thing that DuckDB's dialect, 50 ms to import, writes otherwise
        return f"[{', '.join(map(literal, value))}]"
    return generator().generate(exp.convert(value), copy=False)


def select(names: Iterable[str], source: str) -> str:
    """SELECT these columns FROM a table's name or a subquery in brackets."""
    return f"SELECT {', '.join(map(quoted, names))} FROM {source}"


def with_tables(queries: Mapping[str, str], body: str, anew: Collection[str] = ()) -> str:
    """`body` with the queries as its tables, and its order kept; line breaks end comments.

    anew: those that are read anew wherever `body` names them, with its conditions; DuckDB would keep all rows of a
    table that is named twice.

    All but a plain SELECT becomes a subquery, because DuckDB forgets a WITH that stands in mere brackets behind another
    one.
    """
    if not queries:
        return body
    kept = {name: " NOT MATERIALIZED" if name in anew else "" for name in queries}
    tables = ", ".join(f"{quoted(name)} AS{kept[name]} (\n{sql}\n)" for name, sql in queries.items())
    plain = body.startswith("SELECT ")  # bound a tenth faster than a subquery
    return f"WITH {tables}\n{body}" if plain else f"WITH {tables} SELECT * FROM (\n{body}\n)"
