"""Which columns a query gives: DuckDB binds it over tables of the inputs' types; no data is looked at."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Query
from odibi_magics.engines.pandas.names import with_tables
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.types import casts, null_row
from odibi_magics.errors import EngineError
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.transpile import duckdb_parts, to_duckdb

Columns = tuple[Column, ...]


# Queries whose columns are remembered, a few kilobytes each.
_KEPT = 256


class Planner:
    """Binds queries in one DuckDB instance, kept because opening one costs more than binding a query.

    A run's queries are those of its plan: they are bound once, at some milliseconds each.
    """

    def __init__(self, session: Session) -> None:
        self._describe = lru_cache(maxsize=_KEPT)(session.describe)
        self._lock = threading.Lock()

    def bound(self, sql: str, inputs: Mapping[str, Sequence[Column]], text: str = "") -> tuple[str, Columns]:
        """The query with its columns cast to types of the language, and those columns.

        sql: DuckDB's, over tables named as `inputs`. text: the user's, in which problems are placed.
        Raises SqlErrors.
        """
        typed = {name: null_row(columns) for name, columns in inputs.items()}
        try:
            with self._lock:
                described = self._describe(with_tables(typed, sql))
        except EngineError as error:
            raise SqlErrors([_placed(str(error), text)]) from None
        _check_names([name for name, _ in described])
        source = f"(\n{sql}\n)"
        try:
            cast, columns = casts(described, source)
        except ValueError as error:
            raise SqlErrors([SqlProblem(str(error))]) from None
        return sql if cast == source else cast, columns

    def query(self, query: Query, inputs: Mapping[str, Sequence[Column]], sql: str) -> tuple[str, Columns]:
        """As `bound`, for a step. Raises SqlErrors."""
        named = {name: inputs[name] for name in query.checked.tables}
        return self.bound(sql, named, query.checked.text)


def as_duckdb(query: Query, inputs: Mapping[str, Sequence[Column]], now: datetime | None = None) -> str:
    """DuckDB's SQL for a step. now: what current_timestamp() stands for.

    Raises SqlErrors, with columns placed on the user's own text.
    """
    named = {name: [(c.name, c.type) for c in inputs[name]] for name in query.checked.tables}
    return to_duckdb(query.checked, named, now=now)


def parts_of(query: Query, inputs: Mapping[str, Sequence[Column]]) -> list[tuple[str, int, int]]:
    """DuckDB's SQL for each expression of a step, inner ones first, with the span of its words in the text."""
    named = {name: [(c.name, c.type) for c in inputs[name]] for name in query.checked.tables}
    return duckdb_parts(query.checked, named)


def _check_names(names: Sequence[str]) -> None:
    lowered = [name.lower() for name in names]
    twice = dict.fromkeys(name for name in names if lowered.count(name.lower()) > 1)
    if twice:
        said = "two columns are called '{}': give one another name with AS"
        raise SqlErrors([SqlProblem(said.format(name)) for name in twice])


_WORDS = re.compile(r'"([^"]+)"|\'([^\']+)\'|function (\w+)\(')


def _placed(message: str, text: str) -> SqlProblem:
    """DuckDB's words, at the first thing they name that the user's text holds once."""
    first = message.splitlines()[0] if message else "the query cannot be planned"
    plain = re.sub(r"^[A-Z][A-Za-z -]+ Error: ", "", first)
    for match in _WORDS.finditer(plain):
        word = next(group for group in match.groups() if group)
        found = [hit.span() for hit in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]
        if len(found) == 1:
            return SqlProblem(plain, *found[0])
    return SqlProblem(plain)
