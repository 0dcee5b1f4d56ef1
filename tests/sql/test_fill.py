"""{{ variables }}: a value is a literal, and never becomes SQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.sql.check import check_query
from odibi_magics.sql.dialect import dialect
from odibi_magics.sql.fill import fill, literal
from odibi_magics.sql.problems import SqlErrors
from odibi_magics.sql.transpile import to_duckdb


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's \\ok", r"'it\'s \\ok'"),
        (7, "7"),
        (-7, "(-7)"),
        (0.5, "0.5E0"),
        (-1e300, "(-1e+300)"),
        (True, "TRUE"),
        (None, "NULL"),
        (Decimal("1.50"), "1.50"),
        (Decimal("5"), "CAST(5 AS DECIMAL(1, 0))"),
        (date(2024, 2, 29), "DATE '2024-02-29'"),
        (datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC), "TIMESTAMP '2024-02-29 01:02:03'"),
        (["EU", "US"], "('EU', 'US')"),
    ],
)
def test_literals(value: object, text: str) -> None:
    assert literal(value) == text


def test_inside_and_outside_of_quotes() -> None:
    text = "SELECT '{{ a }}', \"{{ a }}\", `{{ a }}`, {{ a }} -- {{ a }}\n/* {{ a }} */ WHERE x IN ({{ l }}) AND y IN {{ l }}"
    filled = fill(text, {"a": "x'\"`\\", "l": [1, 2]}).text
    assert filled == (
        "SELECT 'x\\'\"`\\\\', \"x'\\\"`\\\\\", `x'\"``\\`, 'x\\'\"`\\\\' -- {{ a }}\n/* {{ a }} */ "
        "WHERE x IN (1, 2) AND y IN (1, 2)"
    )


def test_origin_leads_back_to_the_text() -> None:
    text = "SELECT {{ a }} + frob({{ b }}) FROM t"
    filled = fill(text, {"a": 123456, "b": "x"})
    assert filled.origin(filled.text.index("frob")) == text.index("frob")
    assert filled.origin(filled.text.index("3456")) == text.index("{{ a }}")
    assert filled.origin(len(filled.text)) == len(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT {{ missing }}", "unknown variable 'missing'"),
        ("SELECT '{{ n }}'", "null cannot stand inside quotes"),
        ("SELECT '{{ l }}'", "a list cannot stand inside quotes"),
        ("SELECT {{ o }}", "cannot stand in SQL"),
        ("SELECT {{ big }}", "does not fit a bigint"),
        ("SELECT r'{{ q }}'", "raw string"),
        ("SELECT '{{ half }}'", "the value holds half a character: U+D800"),
        ("SELECT {{ half }}", "the value holds half a character: U+D800"),
    ],
)
def test_what_cannot_be_filled_in(text: str, words: str) -> None:
    with pytest.raises(SqlErrors) as raised:
        fill(text, {"n": None, "l": [1], "o": object(), "big": 2**70, "q": "it's", "half": "\ud800"})
    found = raised.value.problems[0]
    assert words in found.message
    assert text[found.start : found.end].startswith("{{")


def test_a_comment_inside_a_comment_hides_variables_too() -> None:
    text = "SELECT 1 /* a /* b */ {{ v }} */ AS x"
    assert fill(text, {"v": 1}).text == text


def test_quotes_of_duckdb_are_escaped_as_duckdb_reads_them() -> None:
    text = "SELECT '{{ v }}' AS a, \"{{ v }}\" AS b, {{ v }} AS c"
    filled = fill(text, {"v": "x'\"\\"}, "duckdb").text
    assert filled == "SELECT 'x''\"\\' AS a, \"x'\"\"\\\" AS b, 'x''\"\\' AS c"


@pytest.mark.parametrize(
    "text", ["SELECT E'{{ v }}' AS x", "SELECT $$a'{{ v }}$$ AS x", "SELECT $t${{ v }}$t$ AS x"]
)
def test_quotes_of_duckdb_that_take_no_variable(text: str) -> None:
    with pytest.raises(SqlErrors, match=r"a variable cannot stand in E'\.\.'"):
        fill(text, {"v": "x"}, "duckdb")


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_in_duckdb_a_text_never_becomes_sql(value: str) -> None:
    filled = fill("SELECT '{{ v }}' AS a, {{ v }} AS b", {"v": value}, "duckdb").text
    assert duckdb.execute(filled).fetchall() == [(value, value)]


TEMPLATES = [
    "SELECT {{ v }} AS x",
    "SELECT '{{ v }}' AS x",
    'SELECT "a{{ v }}b" AS x',
    "SELECT 1 AS `{{ v }}x`",
]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.sampled_from(TEMPLATES))
def test_a_text_never_becomes_sql(value: str, template: str) -> None:
    plain = fill(template, {"v": "plain"}).text
    filled = fill(template, {"v": value}).text
    kinds = [token.token_type for token in dialect("spark").tokenize(filled)]
    assert kinds == [token.token_type for token in dialect("spark").tokenize(plain)]


SAFE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        SAFE,
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_a_value_comes_back_as_it_went_in(value: object) -> None:
    checked = check_query(fill("SELECT {{ v }} AS x", {"v": value}).text, [])
    [[found]] = duckdb.execute(to_duckdb(checked, {})).fetchall()
    assert found == value
    assert type(found) is type(value)
