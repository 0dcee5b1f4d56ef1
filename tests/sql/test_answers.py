"""Every accepted function, operator and construct gives Spark's recorded answers and types in DuckDB."""

from __future__ import annotations

import math
import re
from typing import Any

import duckdb
import pytest

from odibi_magics.sql.accepted import accepted
from odibi_magics.sql.types import in_duckdb
from tests.sql.answers import answers, run

ANSWERED = [case for case, found in answers().items() if "rows" in found]
RAISES = [case for case, found in answers().items() if "error" in found]


@pytest.mark.parametrize("case", ANSWERED)
def test_answers(case: str) -> None:
    columns, rows = run(case)
    expected = answers()[case]
    assert [[name, _duckdb_type(type_)] for name, type_ in expected["columns"]] == columns
    assert len(rows) == len(expected["rows"])
    for row, wanted in zip(rows, expected["rows"], strict=True):
        assert all(map(same, row, wanted)), f"{row} is not {wanted}"


@pytest.mark.parametrize("case", RAISES)
def test_raises_where_spark_does(case: str) -> None:
    with pytest.raises(duckdb.Error):
        run(case)


def _duckdb_type(type_: str) -> str:
    return in_duckdb(type_).replace('"', "") if "struct" in type_ else in_duckdb(type_)


def same(given: Any, wanted: Any) -> bool:
    """Equal; doubles to the 14 digits that mathematical libraries agree on."""
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(map(same, given, wanted))
    if (
        given != wanted
        and isinstance(given, str)
        and isinstance(wanted, str)
        and re.search(r"\d[.e]|nan|inf", wanted)
    ):
        try:
            a, b = float(given), float(wanted)
        except ValueError:
            return False
        return math.isclose(a, b, rel_tol=1e-14) or (math.isnan(a) and math.isnan(b))
    return type(given) is type(wanted) and given == wanted


def test_every_accepted_function_has_a_case() -> None:
    called = {name.lower() for case in answers() for name in re.findall(r"(\w+)\s*\(", case)}
    assert accepted() - called == set()
