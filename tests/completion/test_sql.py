"""Tables, columns and functions in half-typed SQL."""

from __future__ import annotations

import pytest

from odibi_magics.completion.sql import in_query
from odibi_magics.config.types import Column
from odibi_magics.sql.accepted import accepted
from tests.completion.conftest import Complete, words

TABLES = {
    "orders": (Column("id", "bigint"), Column("qty", "int"), Column("sold at", "timestamp")),
    "items": (Column("id", "bigint"), Column("price", "double")),
}
ABOUT = {"orders": "node", "items": "node"}


def offered(sql: str, dialect: str = "spark") -> list[str]:
    before, _, behind = sql.partition("¦")
    return words(in_query(before, behind, TABLES, ABOUT, dialect))


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("SELECT * FROM ¦", ["orders", "items", "df"]),
        ("SELECT * FROM o¦", ["orders"]),
        ("SELECT * FROM orders, ¦", ["orders", "items", "df"]),
        ("SELECT * FROM orders JOIN it¦", ["items"]),
        ("WITH big AS (SELECT 1) SELECT * FROM b¦", ["big"]),
        ("SELECT ¦ FROM orders", ["id", "qty", "`sold at`", "orders"]),
        ("SELECT ¦ FROM orders AS o", ["id", "qty", "`sold at`", "o"]),
        ("SELECT o.¦ FROM orders o JOIN items i ON o.id = i.id", ["id", "qty", "`sold at`"]),
        ("SELECT * FROM orders o JOIN items i ON o.id = i.¦", ["id", "price"]),
        ("SELECT orders.q¦ FROM orders", ["qty"]),
        ("SELECT `so¦ FROM orders", ["`sold at`"]),
        ("SELECT pri¦", ["price"]),
        ("SELECT * FROM orders WHERE pri¦", []),
        ("SELECT id FROM orders WHERE x = 'FROM ¦", []),
        ("SELECT id -- FROM ¦", []),
        ("SELECT 1 /* FROM ¦", []),
        ("SELECT id FROM orders WHERE x = 'a' AND q¦", ["qty", "quarter(", "qualify"]),
    ],
)
def test_offered(sql: str, found: list[str]) -> None:
    assert offered(sql) == found


def test_every_accepted_function_is_offered_with_what_it_takes() -> None:
    found = {
        word.rstrip("(") for letter in "abcdefghijklmnopqrstuvwxyz_" for word in offered(f"SELECT {letter}¦")
    }
    assert accepted() <= found
    [substring] = [
        one for one in in_query("SELECT substri", "", {}, {}, "spark").offers if one.text == "substring("
    ]
    assert substring.about == "(string, int) -> string"


def test_of_duckdbs_sql_the_functions_are_its_own() -> None:
    assert offered("SELECT coal¦", "duckdb") == []


def test_keywords_are_written_as_the_word_is() -> None:
    assert "WHERE" in offered("SELECT * FROM orders WH¦")
    assert "where" in offered("SELECT * FROM orders wh¦")


LAKE = "connections:\n  lake: {type: local, base_path: lake}\npipelines:\n- pipeline: etl\n  nodes:\n"
ORDERS = LAKE + "  - name: orders\n    read: {connection: lake, path: raw/orders.csv}\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (ORDERS + "  - name: a\n    transform: {steps: [{sql: 'SELECT ¦ FROM orders", ["id", "qty", "day"]),
        (ORDERS + "  - name: a\n    transform:\n      steps:\n        - sql: |\n            SELECT\n              ¦\n            FROM orders\n", ["id", "qty", "day"]),
        (ORDERS + "  - name: a\n    transform:\n      steps:\n      - sql: SELECT id AS n FROM orders\n      - sql: SELECT ¦ FROM df\n", ["n"]),
        (ORDERS + "  - name: a\n    transform: {steps: [{sql: 'SELECT qty * 2 AS twice FROM orders'}]}\n    write: {keys: [¦", ["twice"]),
        (ORDERS + "  - name: a\n    transform:\n      steps:\n      - sql: SELECT id FROM orders\n      - {function: f, returns: {made: long}}\n      - sql: SELECT ¦ FROM df", []),
        (ORDERS + "    validation: {expression: {sql: 'q¦", ["qty"]),
        (LAKE + "  - name: orders\n    read: {connection: lake, path: raw/orders.csv, columns: [id], filter: \"q¦", ["qty"]),
        (ORDERS + "    write: {connection: lake, replace_where: da¦", ["day"]),
        (ORDERS + "  - name: broken\n    read: {connection: nowhere, path: [\n  - name: a\n    transform: {steps: [{sql: 'SELECT ¦ FROM orders", ["id", "qty", "day"]),
    ],
)  # fmt: skip
def test_columns_of_half_typed_nodes(text: str, found: list[str], complete: Complete) -> None:
    columns = [one.text for one in complete(text).offers if one.about.partition(",")[0] in ("bigint", "date")]
    assert columns == found
