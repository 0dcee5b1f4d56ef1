from __future__ import annotations

import pytest

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.planning import Planner
from odibi_magics.engines.pandas.session import Session
from odibi_magics.sql.problems import SqlErrors


class Counting(Session):
    described = 0

    def describe(self, sql: str) -> list[tuple[str, str]]:
        self.described += 1
        return super().describe(sql)


def test_a_run_binds_no_query_that_its_plan_bound() -> None:
    session = Counting()
    planner = Planner(session)
    columns = (Column("id", "int"),)
    first = planner.bound("SELECT id + 1 AS next FROM t", {"t": columns})
    assert planner.bound("SELECT id + 1 AS next FROM t", {"t": columns}) == first
    assert session.described == 1
    assert planner.bound("SELECT id + 1 AS next FROM t", {"t": (Column("id", "double"),)}) != first
    assert session.described == 2
    for _ in range(2):  # what cannot be bound is told each time
        with pytest.raises(SqlErrors, match="nowhere"):
            planner.bound("SELECT nowhere FROM t", {"t": columns})
    session.close()
