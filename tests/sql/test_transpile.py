"""Columns with suggestions, refusals that hang on types, and the shape of simple queries."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb
import pytest

from odibi_magics.sql import decimals
from odibi_magics.sql.check import check_predicate, check_query
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.queries import compiled
from odibi_magics.sql.transpile import (
    check_columns,
    check_condition,
    predicate_to_duckdb,
    to_duckdb,
    to_spark,
)

SCHEMAS = {
    "orders": [("id", "int"), ("Qty", "bigint"), ("name", "string"), ("price", "decimal(10,2)"), ("ts", "timestamp"),
               ("x", "double"), ("tags", "array<string>"), ("s", "struct<a:int,b:string>")],
    "people": [("id", "int"), ("name", "string")],
}  # fmt: skip
TABLES = list(SCHEMAS)


def told(text: str) -> list[SqlProblem]:
    return check_columns(check_query(text, TABLES), SCHEMAS)


@pytest.mark.parametrize(
    ("text", "word", "words", "suggestion"),
    [
        ("SELECT qtty FROM orders", "qtty", "unknown column 'qtty'", "Qty"),
        ("SELECT o.nme FROM orders AS o", "nme", "unknown column 'nme' in o", "name"),
        ("SELECT p.id FROM orders AS o", "p", "unknown table 'p' in p.id", None),
        ("SELECT name FROM orders JOIN people ON orders.id = people.id", "name", "ambiguous", None),
        ("SELECT s.c FROM orders", "c", "unknown field 'c'", None),
        ("SELECT * EXCEPT (nam) FROM orders", "nam", "unknown column 'nam' in EXCEPT", "name"),
        ("SELECT id AS a FROM orders WHERE a > 1", "a", "unknown column 'a'", None),
        ("SELECT id FROM orders JOIN people USING (qty)", "qty", "USING is not in people", None),
        ("SELECT 1 AS x FROM orders WHERE EXISTS (SELECT 1 FROM people WHERE people.id = orders.idd)", "idd",
         "unknown column 'idd' in orders", "id"),
        ("SELECT orders.*, people.id FROM orders JOIN people ON orders.id = people.id", "id",
         "column 'id' comes out twice", None),
        ('SELECT id FROM orders WHERE "name" = 1', '"name"', '"name" is text in Spark SQL, and a column has that name', None),
        ('SELECT "nothing" FROM orders', '"nothing"', "this column is the text 'nothing': add AS name", None),
        ("SELECT * FROM (SELECT id, qty + 1 FROM orders) AS o", "*", "a column of o has no name of its own", None),
        ("SELECT count(DISTINCT *) AS n FROM orders", "count", "count(DISTINCT *) is not accepted", None),
        ("SELECT upper(explode(tags)) AS x FROM orders", "explode", "explode() stands alone", None),
        ("SELECT id FROM orders GROUP BY sum(qty)", "sum", "sum() is not allowed in GROUP BY", None),
        ("SELECT sum(qty) OVER (ORDER BY id ROWS BETWEEN 1 AND 2) AS n FROM orders", "sum", "a frame's bound is", None),
        ("SELECT ts > 'soon' AS x FROM orders", "'soon'", "'soon' is no timestamp: write '2026-01-31 18:00:00'", None),
        ("SELECT ts > '2026-02-30' AS x FROM orders", "'2026-02-30'", "'2026-02-30' is no timestamp", None),
        ("SELECT 1.5E AS x", "1.5E", "1.5E is no number", None),
        ("SELECT id + 1 FROM orders", "id", "needs a name", None),
        ("SELECT NULL AS x", "x", "NULL of no type", None),
    ],
)  # fmt: skip
def test_names(text: str, word: str, words: str, suggestion: str | None) -> None:
    found = told(text)[0]
    assert words in found.message
    assert found.suggestion == suggestion
    assert text[found.start : found.end] == word


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id, -qty AS qty FROM orders ORDER BY qty + 0",
        "SELECT id, sum(qty) AS qty FROM orders GROUP BY id HAVING qty > 5",
        "SELECT id, -qty AS qty FROM orders QUALIFY row_number() OVER (ORDER BY qty) = 1",
    ],
)
def test_a_name_that_the_engines_take_for_two_things_is_refused(text: str) -> None:
    assert "'qty' is an alias and a column here" in told(text)[0].message


def test_all_unknown_columns_at_once() -> None:
    assert len(told("SELECT aa, upper(bb) AS b FROM orders WHERE cc > 1 ORDER BY dd")) == 4


def test_columns_that_a_star_brings_twice_are_one_problem() -> None:
    [found] = told("SELECT * FROM orders AS a JOIN orders AS b ON a.id = b.id")
    assert found.message == (
        "8 columns come out twice (id, Qty, name, price, ts ...): name the columns instead of *"
    )


def test_a_condition_that_is_too_deep_is_a_problem() -> None:
    checked = check_predicate("1 + " * 20_000 + "1 > 0")
    assert [found.message for found in check_condition(checked, [])] == ["the SQL is nested too deeply"]


def test_two_tables_of_one_name_are_one_problem() -> None:
    [found] = told("SELECT id FROM orders AS o, people AS o")
    assert found.message == "two tables here are called 'o': give one another alias"


def test_a_column_without_a_name_can_be_counted() -> None:
    assert told("WITH a AS (SELECT id + 1 FROM orders) SELECT count(*) AS n FROM a") == []


def test_nothing_is_said_of_a_table_that_is_not_known() -> None:
    query = check_query("SELECT upper(a) AS a, o.b + 1 AS b FROM people AS o WHERE c > 'x'", TABLES)
    assert check_columns(query, {}) == []


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("price * CAST(1 AS DECIMAL(30,8))", "needs over 38 digits"),
        ("name + 1", "+ needs numbers, and this is string: CAST it (text is joined by ||)"),
        (
            "coalesce(Qty, 'none')",
            "function 'coalesce' takes values of one type, and these are bigint, string: CAST one",
        ),
        ("if(Qty, 1, 2)", "function 'if' takes (boolean, any, any), and this is (bigint, int, int)"),
        ("name = 1", "string and int are compared"),
        ("CAST(x AS STRING)", "engines write doubles differently"),
        ("name || x", "engines write doubles differently"),
        ("upper(tags)", "takes (string), and this is (array<string>)"),
        ("coalesce(id, name)", "these are int, string: CAST one"),
        ("CASE WHEN id THEN 1 END", "a condition is expected here"),
        ("regexp_replace(name, '(?=a)', 'b')", "look-around"),
        ("regexp_replace(name, '(a)\\\\1', 'b')", "back-references"),
        ("regexp_replace(name, 'a$', 'b')", "very end"),
        ("name RLIKE 'a++'", "not proved equal"),
        ("regexp_extract(name, '( $)', 1)", "very end"),
        ("split(name, '\\\\z')", "matches nothing"),
        ("name RLIKE name", "must be a string literal"),
        ("date_format(ts, 'QQQ')", "not one that both engines read alike"),
        ("to_date(name, name)", "must be a string literal"),
        ("round(x, id)", "literal whole number"),
        ("to_timestamp(name, 'dd.MM.yy')", "not one that both engines read alike"),
        ("sum(id) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)", "a frame's bound"),
        ("row_number() OVER (PARTITION BY id)", "needs ORDER BY"),
        ("name LIKE 'a\\\\b'", "stands only before"),
        ("ts - ts", "see datediff"),
        ("99999999999999999999", "does not fit a bigint"),
        ("regexp_replace(name, 'a*', 'b')", "may be nothing"),
        ("row_number() OVER (ORDER BY tags)", "ORDER BY of array<string>"),
        ("tags < array('a')", "arrays have no order"),
        ("tags BETWEEN array('a') AND array('b')", "arrays have no order"),
        ("zeroifnull(price)", "takes (int) or (bigint) or (double)"),
        ("id IN (SELECT id FROM people)", "as a value is false on Spark where SQL has NULL"),
        ("coalesce(id NOT IN (SELECT id FROM people), true)", "as a value is false on Spark"),
        ("CASE id IN (SELECT id FROM people) WHEN true THEN 1 END", "as a value is false on Spark"),
        ("CASE WHEN (id IN (SELECT id FROM people)) IS NULL THEN 1 END", "as a value is false on Spark"),
        ("max(id) OVER (PARTITION BY map(name, id))", "map<string,int> is no key"),
        ("rank() OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "rank() takes no frame"),
        ("id IS TRUE", "need a condition, and this is int"),
        ("lag(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", "lag() takes no frame"),
    ],
)
def test_refused_by_type(expression: str, words: str) -> None:
    query = check_query(f"SELECT {expression} AS x FROM orders", TABLES)
    with pytest.raises(SqlErrors) as raised:
        to_duckdb(query, SCHEMAS)
    assert any(words in problem.message for problem in raised.value.problems)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SELECT count(*) AS n FROM orders GROUP BY map(name, id)", "map<string,int> is no key"),
        ("SELECT DISTINCT map(name, id) AS m FROM orders", "DISTINCT of a map is not accepted"),
    ],
)
def test_maps_group_nothing(text: str, words: str) -> None:
    with pytest.raises(SqlErrors, match=re.escape(words)):
        to_duckdb(check_query(text, TABLES), SCHEMAS)


def test_a_literal_that_does_not_fit_is_told_in_values_too() -> None:
    query = check_query("SELECT sum(x) AS s FROM VALUES (99999999999999999999) AS v(x)", TABLES)
    with pytest.raises(SqlErrors, match="does not fit a bigint"):
        to_duckdb(query, SCHEMAS)


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT id, Qty FROM orders WHERE qty > 0 AND name = 'a'",
         'SELECT "id", "Qty"\nFROM "orders"\nWHERE "qty" > 0 AND "name" = \'a\''),
        ("SELECT * FROM orders WHERE ts >= '2024-01-01' LIMIT 5",
         'SELECT *\nFROM "orders"\nWHERE "ts" >= CAST(\'2024-01-01\' AS TIMESTAMP)\nLIMIT 5'),
        ("SELECT count(*) AS n FROM orders GROUP BY name ORDER BY n DESC",
         'SELECT count(*) AS "n"\nFROM "orders"\nGROUP BY "name"\nORDER BY "n" DESC NULLS LAST'),
        ("SELECT x / 2 AS h FROM orders", 'SELECT "x" / 2 AS "h"\nFROM "orders"'),
    ],
)  # fmt: skip
def test_simple_queries_stay_simple(text: str, sql: str) -> None:
    assert to_duckdb(check_query(text, TABLES), SCHEMAS) == sql


def test_columns_are_spelled_as_the_query_spells_them() -> None:
    assert '"Qty" AS "QTY"' in to_duckdb(
        check_query("SELECT o.QTY FROM orders AS o", TABLES), SCHEMAS
    ).replace('"o"."QTY"', '"Qty"')


@pytest.mark.parametrize("day", ["2024-02-29", "2026-11-26"])
def test_now_is_the_instant_that_is_given_each_time(day: str) -> None:
    query = check_query("SELECT current_date() AS d, now() AS a, (SELECT current_timestamp) AS b", [])
    noon = datetime.fromisoformat(f"{day} 12:00")
    sql = to_duckdb(query, {}, now=noon.replace(tzinfo=UTC))
    [[date, first, second]] = duckdb.execute(sql).fetchall()
    assert (str(date), first, second) == (day, noon, noon)


SIZES = [(1, 0), (5, 2), (9, 9), (15, 2), (17, 0), (18, 2), (19, 4), (30, 10), (36, 2), (37, 2), (38, 0)]


@pytest.mark.parametrize("first", SIZES)
def test_duckdb_gives_sums_of_decimals_the_type_that_spark_gives_them(first: tuple[int, int]) -> None:
    asked = ("a + b", "a - b", "1 - a", "a * (1 - b)", "(a + b) + a", "-(a - b)", "b - (a - b)")
    told = 0
    for second in SIZES:
        one, other = decimals.named(first), decimals.named(second)
        duckdb.execute(f"CREATE OR REPLACE TEMP TABLE two AS SELECT 0::{one} AS a, 0::{other} AS b")
        for expression in asked:
            query = check_query(f"SELECT {expression} AS x FROM two", ["two"])
            made = compiled(query.tree, {"two": [("a", one), ("b", other)]}, None)
            if made.problems:
                continue
            told += 1
            [(found,)] = duckdb.execute(f"SELECT typeof(x) FROM ({made.sql})").fetchall()
            assert found.lower() == made.columns[0][1], expression
    assert told > 10


def test_conditions() -> None:
    condition = check_predicate("qty % 2 = 0 AND name LIKE 'a%' OR tags[0] = 'b'")
    sql = predicate_to_duckdb(condition, SCHEMAS["orders"])
    rows = "(VALUES (2::BIGINT, 'ab', ['c']), (3, 'ab', ['b']), (3, 'ab', ['c'])) AS t(qty, name, tags)"
    assert duckdb.execute(f"SELECT count(*) FROM {rows} WHERE {sql}").fetchall() == [(2,)]


def test_unknown_columns_of_a_condition_have_their_place() -> None:
    with pytest.raises(SqlErrors) as raised:
        predicate_to_duckdb(check_predicate("id > 1 AND qtty > 0"), SCHEMAS["orders"])
    [found] = raised.value.problems
    assert ("id > 1 AND qtty > 0"[found.start : found.end], found.suggestion) == ("qtty", "Qty")


def test_spark_gets_the_users_own_text() -> None:
    assert to_spark(check_query("SELECT  id FROM Orders", TABLES)) == "SELECT  id FROM Orders"
