"""TPC-H on both engines: decimals, dates, joins, correlated queries; equal row for row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.tpch import generated, project
from odibi_magics import Project
from tests.engines.test_parity import rows

RUN = ("q01", "q05", "q08", "q11", "q21", "q22")
"""Averages and quotients of decimals, six tables joined, places that Spark cuts, EXISTS, a scalar query."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return generated(tmp_path_factory.mktemp("tpch"), 0.01)


def test_six_queries_give_the_same_rows(spark: Any, data: Path, tmp_path: Path) -> None:
    for engine in ("pandas", "spark"):
        result = Project.from_yaml(project(data, tmp_path / engine, RUN)).run(engine=engine)
        assert result.state == "done"
    for name in RUN:
        found = {engine: rows(tmp_path / engine / name) for engine in ("pandas", "spark")}
        assert found["pandas"] == found["spark"]
        assert found["spark"]
