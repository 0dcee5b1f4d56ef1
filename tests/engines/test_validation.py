"""Checks: each kind, refused before anything is committed or counted as a warning, reading the rows once."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.engines.base import Check, CheckResult, RowCheck, TableCheck
from odibi_magics.engines.pandas.checks import check
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.errors import ValidationFailed
from odibi_magics.sql.predicates import between, is_in, not_null
from tests.engines.writing import Lake, lake

__all__ = ["lake"]

DATA = {"id": [1, 2, 2, 4], "v": ["a", "b", None, "x" * 100], "q": [1, 50, None, 7]}
NO_NULLS = ("no_nulls v", not_null("v"), 1, "1 row fails, for example v=NULL")
ACCEPTED = ("accepted_values v", is_in("v", ["a", "b"]), 1, f"1 row fails, for example v={'x' * 60}…")
RANGE = ("range q", between("q", 1, 10), 1, "1 row fails, for example q=50")
EXPRESSION = ("expression id < 4", "id < 4", 1, "for example id=4")


def both(lake: Lake, how: str, checks: list[Check], data: Any = DATA) -> tuple[CheckResult, ...]:
    """The checks in a write, or without one."""
    if how == "write":
        return lake.write(data, checks=checks).checks
    return check(lake.session, data if isinstance(data, DuckFrame) else lake.frame(data), checks)


@pytest.fixture(params=["write", "check"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("label", "condition", "failed", "words"), [NO_NULLS, ACCEPTED, RANGE, EXPRESSION])
def test_rows_that_warn(lake: Lake, how: str, label: str, condition: str, failed: int, words: str) -> None:
    columns = () if label.startswith("expression") else (label.split()[1],)
    (result,) = both(lake, how, [RowCheck(label, condition, "warn", columns)])
    assert (result.label, result.failed, result.at_least) == (label, failed, False)
    assert words in result.message


@pytest.mark.parametrize(("label", "condition", "failed", "words"), [NO_NULLS, ACCEPTED, RANGE, EXPRESSION])
def test_rows_that_fail(lake: Lake, how: str, label: str, condition: str, failed: int, words: str) -> None:
    lake.write({"id": [0], "v": ["old"], "q": [0]})
    with pytest.raises(
        ValidationFailed, match=f"validation failed, nothing was written: {label}: at least"
    ) as raised:
        both(lake, how, [RowCheck(label, condition)])
    (result,) = raised.value.checks  # type: ignore[attr-defined]
    assert (result.failed, result.at_least, len(result.examples)) == (failed, True, 1)
    assert (lake.rows(), lake.table().version(), lake.stray()) == ([(0, "old", 0)], 0, [])


def test_null_passes_all_but_no_nulls(lake: Lake, how: str) -> None:
    frame = lake.sql("SELECT NULL::VARCHAR AS v, NULL::BIGINT AS q")
    checks: list[Check] = [
        RowCheck(name, condition, "warn") for name, condition, *_ in (ACCEPTED, RANGE, NO_NULLS)
    ]
    assert [one.failed for one in both(lake, how, checks, frame)] == [0, 0, 1]


def test_unique(lake: Lake, how: str) -> None:
    (held,) = both(lake, how, [TableCheck("unique id, v", "unique", columns=("id", "v"))])
    assert (held.failed, held.message) == (0, "")
    (warned,) = both(lake, how, [TableCheck("unique id", "unique", "warn", ("ID",))])
    assert (warned.failed, warned.message) == (1, "1 row repeats an earlier one, for example ID=2, rows=2")


def test_unique_that_fails_commits_nothing(lake: Lake) -> None:
    with pytest.raises(
        ValidationFailed, match="unique id: 1 row repeats an earlier one, for example id=2, rows=2"
    ):
        lake.write(DATA, checks=[TableCheck("unique id", "unique", columns=("id",))])
    assert not (lake.folder / "t").exists()


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (5, None, "4 rows came out, expected at least 5"),
        (None, 3, "at most 3"),
        (5, 9, "between 5 and 9"),
        (4, 4, ""),
    ],
)
def test_row_count(lake: Lake, how: str, low: int | None, high: int | None, words: str) -> None:
    (result,) = both(lake, how, [TableCheck("row_count", "row_count", "warn", min=low, max=high)])
    assert (result.failed, words in result.message) == (int(bool(words)), True)


def test_not_empty(lake: Lake, how: str) -> None:
    empty = lake.sql("SELECT 1::BIGINT AS id WHERE false")
    with pytest.raises(ValidationFailed, match="not_empty: 0 rows came out, expected at least 1"):
        both(lake, how, [TableCheck("not_empty", "not_empty")], empty)
    assert both(lake, how, [TableCheck("not_empty", "not_empty")])[0].failed == 0


def test_an_error_stops_at_the_first_bad_batch_and_a_warning_counts_all(lake: Lake, how: str) -> None:
    frame = lake.sql("SELECT i AS id FROM range(1000000) t(i)")
    (warned,) = both(lake, how, [RowCheck("even", "id % 2 = 0", "warn")], frame)
    assert (warned.failed, warned.at_least, len(warned.examples)) == (500_000, False, 3)
    with pytest.raises(ValidationFailed) as raised:
        both(lake, how, [RowCheck("even", "id % 2 = 0")], frame)
    assert 0 < raised.value.checks[0].failed < 500_000  # type: ignore[attr-defined]


def test_the_rows_are_computed_once(lake: Lake) -> None:
    opened: list[int] = []
    table = pa.table({"id": [1, 2, 3]})
    frame = lake.frame(table)

    def counted() -> pa.Table:
        opened.append(1)
        return table

    frame = DuckFrame(frame.session, frame.sql, frame.columns, {"rows": counted})
    checks: list[Check] = [
        RowCheck("no_nulls id", not_null("id")),
        TableCheck("unique id", "unique", columns=("id",)),
        TableCheck("row_count", "row_count", min=1),
    ]
    lake.write(frame, mode="merge", keys=["id"], checks=checks)
    lake.write(frame, mode="merge", keys=["id"], checks=checks)
    assert len(opened) == 2


def test_results_come_in_the_order_of_the_checks(lake: Lake, how: str) -> None:
    checks: list[Check] = [
        RowCheck("a", "id > 0"), RowCheck("b", "id > 3", "warn"), TableCheck("c", "unique", "warn", ("v",)),
    ]  # fmt: skip
    assert [(one.label, one.failed) for one in both(lake, how, checks)] == [("a", 0), ("b", 3), ("c", 0)]


@pytest.mark.parametrize(
    ("label", "condition", "seen"),
    [
        ("range v", between("v", 1, 10), "string and int are compared"),
        ("range q", between("q", "2024-01-01", None), "bigint and string are compared"),
        ("accepted_values q", is_in("q", ["a"]), "bigint and string are compared"),
    ],
)
def test_values_that_do_not_fit_their_column(
    lake: Lake, how: str, label: str, condition: str, seen: str
) -> None:
    """Behind a Python function the types are known only now."""
    with pytest.raises(ValidationFailed, match=f"{label} does not fit the columns that came out: {seen}"):
        both(lake, how, [RowCheck(label, condition, "warn")])
    assert not (lake.folder / "t").exists()


def test_what_a_table_asks_of_rows_is_not_among_the_checks(lake: Lake) -> None:
    asked: list[Check] = [
        RowCheck("no_nulls id", not_null("id")), TableCheck("unique id, v", "unique", columns=("id", "v")),
    ]  # fmt: skip
    data = {"id": [1, 2], "v": ["a", "b"], "q": [1, 2]}
    written = lake.write(data, checks=asked, partition_by=["v"])
    assert [(one.label, one.failed) for one in written.checks] == [("no_nulls id", 0), ("unique id, v", 0)]
