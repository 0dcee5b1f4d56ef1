"""Where in the text something that failed in a run may have arisen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odibi_magics.config.source import Place
from odibi_magics.config.types import Column
from odibi_magics.engines.base import Engine, Query
from odibi_magics.errors import ANYWHERE, Arose, EngineError
from odibi_magics.pipeline.steps import Condition, Text
from odibi_magics.sql.check import check_query
from odibi_magics.sql.problems import SqlErrors, SqlProblem


@dataclass(frozen=True)
class Site:
    """SQL of a step, and where it stands.

    inputs: the columns of the tables it names, as far as they are known. ahead: characters of it before the user's.
    """

    text: Text
    query: Query
    inputs: Mapping[str, Sequence[Column]]
    ahead: int = 0

    @property
    def is_known(self) -> bool:
        """Whether the columns of all its tables are."""
        return set(self.query.checked.tables) <= set(self.inputs)

    def place(self, engine: Engine, error: EngineError) -> Place | None:
        """Where in it the error may have arisen; None where it cannot have."""
        assert error.arose is not None
        try:
            span = self._span(engine, error.arose) if self.is_known else ANYWHERE
        except (RecursionError, SqlErrors):  # of SQL that is nested as deep as can be
            span = ANYWHERE
        if span is None:
            return None
        start, end = (at - self.ahead if at >= 0 else at for at in span)
        return self.text.problem(SqlProblem("", start, end)).place

    def _span(self, engine: Engine, arose: Arose) -> tuple[int, int] | None:
        sql = engine.sql(self.query, self.inputs)
        span = arose(sql)
        if span is None or (span != ANYWHERE and sql == self.query.checked.text):
            return span
        return self._only_one(engine, arose)

    def _only_one(self, engine: Engine, arose: Arose) -> tuple[int, int]:
        """The span of the one expression in which it may have arisen, whatever stands in it or around it."""
        found: dict[tuple[int, int], str] = {}
        for sql, start, end in engine.parts(self.query, self.inputs):
            own = sql
            for (a, b), inner in found.items():
                own = own.replace(inner, "") if start <= a and b <= end else own
            if arose(own) is not None:
                found[start, end] = sql
        return next(iter(found)) if len(found) == 1 else ANYWHERE


def places(
    engine: Engine,
    steps: Sequence[Site],
    conditions: Sequence[tuple[Condition, Sequence[Column]]],
    error: EngineError,
) -> list[Place]:
    """Every place in a node's SQL in which the error may have arisen; none where that is not told.

    conditions: each with the columns of the rows that it is asked of.
    """
    if error.arose is None:
        return []
    sites = (*steps, *(_of(condition, columns) for condition, columns in conditions))
    return [place for site in sites if (place := site.place(engine, error))]


def _of(condition: Condition, columns: Sequence[Column]) -> Site:
    """A condition as a query of the rows that meet it."""
    query = check_query(f"{_ROWS}{condition.sql}", ["df"])
    return Site(condition.text, Query(query, 0), {"df": columns}, len(_ROWS))


_ROWS = "SELECT * FROM df WHERE "
