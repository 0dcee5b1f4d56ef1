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


@pytest.mark.parametrize(
    ("text", "type_"),
    [("10:11", "TIMESTAMP"), ("T10", "TIMESTAMP"), ("2024-02-29 10:11:12 Europe/Oslo", "TIMESTAMP"),
     ("2024-02-29 10:11:12+0230", "TIMESTAMP"), ("+2024-02-29 10:11:12", "TIMESTAMP"), ("12345-01-01", "TIMESTAMP"),
     ("+2024-02-29", "DATE"), ("12345", "DATE"), ("0x1p3", "DOUBLE"), ("-0X1", "FLOAT")],
)  # fmt: skip
def test_text_that_spark_reads_and_we_do_not_is_no_null(text: str, type_: str) -> None:
    """A TRY_CAST must not be NULL where Spark's is a value."""
    with pytest.raises(duckdb.Error, match="not read alike"):
        run(f"TRY_CAST('{text}' AS {type_})")


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
