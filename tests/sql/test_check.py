"""What is refused, with its place and words; which tables a query names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from odibi_magics.sql.check import check_predicate, check_query
from odibi_magics.sql.problems import SqlErrors, SqlProblem

TABLES = ["orders", "Customers"]


def problems(text: str, dialect: str = "spark") -> tuple[SqlProblem, ...]:
    with pytest.raises(SqlErrors) as raised:
        check_query(text, TABLES, dialect)
    return raised.value.problems


@pytest.mark.parametrize(
    ("text", "word", "words"),
    [
        ("SELECT reflect('java.lang.System', 'exit', 1) FROM df", "reflect", "calls Java code"),
        ("SELECT java_method('a', 'b') FROM df", "java_method", "calls Java code"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv", "'read_csv()' in FROM is not allowed"),
        ("SELECT * FROM range(10)", "range", "'range()' in FROM is not allowed"),
        ("SELECT * FROM parquet.`/data/x`", "parquet.`/data/x`", "table 'parquet./data/x' is not allowed"),
        ("SELECT * FROM cat.db.orders", "cat.db.orders", "table 'cat.db.orders' is not allowed"),
        ("SELECT rand() AS r FROM df", "rand", "answers differently each time"),
        ("SELECT uuid() AS r FROM df", "uuid", "answers differently each time"),
        ("SELECT approx_count_distinct(a) FROM df", "approx_count_distinct", "count(DISTINCT x)"),
        ("SELECT first(a) AS a FROM df", "first", "depends on the order of the rows"),
        ("SELECT collect_list(a) AS a FROM df", "collect_list", "order in its answer"),
        ("SELECT frobnicate(a) AS a FROM df", "frobnicate", "not on the list of functions proved equal"),
        ("SELECT substring(a) AS a FROM df", "substring", "takes 2 to 3 arguments, not 1"),
        ("SELECT lag(a) AS a FROM df", "lag", "needs OVER"),
        ("SELECT * FROM df TABLESAMPLE (10 PERCENT)", "10", "TABLESAMPLE is not accepted"),
        ("SELECT * FROM df PIVOT (sum(a) FOR b IN (1, 2))", "sum", "PIVOT is not accepted"),
        ("SELECT a FROM df; DROP TABLE x", ";", "here are several"),
        ("SELECT a FROM", "FROM", "a table's name was expected"),
        ("SELECT (a FROM df", "FROM", "bracket"),
        (
            "DROP TABLE orders",
            "DROP",
            "DROP is not allowed: a step is one query, which begins with SELECT or WITH",
        ),
        ("  add jar 'x.jar'", "add jar", "ADD is not allowed: a step is one query"),
        ("orders", "orders", "which begins with SELECT or WITH, not with 'orders'"),
        ("SELECT a, FROM df", ",", "nothing follows this comma"),
        ("WITH a AS (SELECT 1 AS x), SELECT * FROM a", ",", "nothing follows this comma"),
        ("SELECT a FROM df WHERE {% if x %} a {% endif %}", "{%", "{% ... %} is no SQL"),
        ("SELECT FROM df", "SELECT", "SELECT lists no columns"),
        ("SELECT a FROM df GROUP BY", "GROUP BY", "nothing follows GROUP BY"),
        ("SELECT a FROM df WHERE", "WHERE", "something is missing behind 'WHERE'"),
        ("SELECT a FROM df WHERE a >", ">", "something is missing behind '>'"),
        ("SELECT a FROM df WHERE a IN 1, 2", "IN", "IN takes brackets: IN (1, 2)"),
        ("SELECT * EXCLUDE (a) FROM df", "EXCLUDE", "* EXCLUDE is not Spark's"),
        ("SELECT TOP 10 a FROM df", "TOP", "write LIMIT at the end"),
        ("SELECT a FROM df WHERE a = ‘x’", "‘x’", "a typographic quote"),
        ("SELECT CAST(a AS strin) AS b FROM df", "strin", "'strin' is no type"),
        ("SELECT CASE WHEN a THEN 'b' FROM df", "'b'", "the CASE before 'b' has no END"),
        ("SELECT [1, 2] AS a", "1", "Spark SQL has no [1, 2]: write array(1, 2)"),
        ("SELECT a FROM df WHERE a SIMILAR TO 'x'", "a", "Spark SQL has no SIMILAR TO: write RLIKE"),
        ("SELECT ? AS a", "a", "a parameter is not filled in here: write {{ name }}"),
        ("SELECT a FROM df VERSION AS OF 3", "3", "`read:` takes version: and timestamp:"),
        ("SELECT a INTO x FROM df", "x", "SELECT INTO is not allowed: a step only reads"),
    ],
)
def test_refused_by_name_with_its_place(text: str, word: str, words: str) -> None:
    found = problems(text)[0]
    assert words in found.message
    assert text[found.start : found.end].upper() in word.upper()
    assert found.start >= 0


@pytest.mark.parametrize(
    ("text", "word", "meant"),
    [
        ("SELCT a FROM df", "SELCT", "SELECT"),
        ("SELECT a FORM orders", "FORM", "FROM"),
        ("SELECT a FROM df WHER a > 1", "WHER", "WHERE"),
        ("SELECT a FROM df GRUOP BY a", "GRUOP", "GROUP"),
        ("SELECT CAST(a AS strin) AS b FROM df", "strin", "string"),
        ("SELECT uper(a) AS a FROM df", "uper", "upper"),
        ("SELECT getdate() AS a FROM df", "getdate", None),
    ],
)
def test_a_misspelt_word_names_the_nearest(text: str, word: str, meant: str | None) -> None:
    [found] = problems(text)
    assert text[found.start : found.end] == word
    assert found.suggestion == meant


@pytest.mark.parametrize("text", ["SELECT transform(a, x -> x + 1) AS a FROM df", "SELECT a INTO x FROM df"])
def test_one_cause_is_one_problem(text: str) -> None:
    assert len(problems(text)) == 1


def test_sqlglot_logs_nothing_of_the_text(caplog: pytest.LogCaptureFixture) -> None:
    for text in ("SHOW TABLES", "EXPLAIN SELECT 1", "SELECT 1 AS x; VACUUM y"):
        assert problems(text)
    assert caplog.text == ""


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE orders",
        "INSERT INTO orders SELECT 1",
        "CREATE TABLE x AS SELECT 1",
        "UPDATE orders SET a = 1",
        "DELETE FROM orders",
        "MERGE INTO orders USING df ON a = b WHEN MATCHED THEN DELETE",
        "SET x = 1",
        "ADD JAR 'x.jar'",
        "CACHE TABLE orders",
        "SELECT TRANSFORM(a) USING 'cat' FROM df",
        "EXPLAIN SELECT 1",
        "",
        "-- nothing",
        "select 'open",
        "(((((",
    ],
)
def test_anything_but_one_query_is_refused(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    "text",
    [
        "ATTACH 'x.db'",
        "COPY orders TO 'x.csv'",
        "INSTALL httpfs",
        "PRAGMA version",
        "SELECT * FROM 'x.csv'",
        "SELECT * FROM read_parquet('x')",
        "SELECT getenv('HOME')",
        "SELECT * FROM duckdb_settings()",
    ],
)
def test_duckdb_dialect_reads_only_nodes(text: str) -> None:
    assert problems(text, "duckdb")


def test_all_problems_come_at_once_in_order() -> None:
    found = problems("SELECT uper(a) AS a, frob(b) AS b FROM ordrs")
    assert [problem.suggestion for problem in found] == ["upper", found[1].suggestion, "orders"]
    assert [problem.start for problem in found] == sorted(problem.start for problem in found)


def test_tables_are_spelled_as_given_and_ctes_are_none() -> None:
    text = "WITH a AS (SELECT * FROM ORDERS), b AS (SELECT * FROM a) SELECT * FROM b JOIN customers USING (id), DF"
    assert check_query(text, TABLES).tables == ("orders", "Customers", "df")


def test_a_cte_sees_only_those_before_it() -> None:
    found = problems("WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS x) SELECT * FROM a")
    assert "unknown table 'b'" in found[0].message
    assert found[0].message.endswith("or df; a node of another cell is known once that cell has run")
    assert problems("SELECT id FROM ordrs")[0].message.endswith("nodes, or df")  # its suggestion tells


def test_a_duckdb_query_passes_through() -> None:
    assert check_query(
        "SELECT list_transform([1], x -> x + 1) AS l FROM orders", TABLES, "duckdb"
    ).tables == ("orders",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sum(a) > 1", "no sum()"),
        ("a IN (SELECT 1)", "no subquery"),
        ("row_number() OVER (ORDER BY a) = 1", "no window"),
        ("a > 1; DROP TABLE x", "several"),
        ("a > 1 GROUP BY a", "one condition"),
        ("a > 1 ORDER BY a", "one condition"),
    ],
)
def test_a_condition_looks_at_one_row(text: str, words: str) -> None:
    with pytest.raises(SqlErrors) as raised:
        check_predicate(text)
    assert any(words in problem.message for problem in raised.value.problems)


def test_places_of_a_condition_are_its_own() -> None:
    with pytest.raises(SqlErrors) as raised:
        check_predicate("a > 1 AND frob(b)")
    found = raised.value.problems[0]
    assert "a > 1 AND frob(b)"[found.start : found.end] == "frob"


WORDS = st.sampled_from(
    [
        "SELECT",
        "FROM",
        "WHERE",
        "df",
        "orders",
        ",",
        "(",
        ")",
        "*",
        "a",
        "b",
        "'x'",
        '"',
        "`",
        "1",
        "1.5",
        "+",
        "-",
        "/",
        "||",
        "AS",
        "AND",
        "NOT",
        "IN",
        "CASE",
        "WHEN",
        "END",
        "OVER",
        "upper",
        "sum",
        "WITH",
        "UNION",
        "ALL",
        "JOIN",
        "ON",
        "GROUP",
        "BY",
        "{{",
        "}}",
        ";",
        "--",
        "/*",
        "\\",
        "[",
        "]",
        ":",
        "?",
        "@",
        "INTERVAL",
        "DAY",
        "LATERAL",
        "VIEW",
        "explode",
        "VALUES",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=25).map(" ".join)))
def test_no_text_crashes_the_check(text: str) -> None:
    for found in (
        _problems_of(lambda: check_query(text, TABLES)),
        _problems_of(lambda: check_predicate(text)),
    ):
        assert all(-1 <= problem.start <= problem.end <= len(text) + 1 for problem in found)


def _problems_of(check: Callable[[], object]) -> tuple[SqlProblem, ...]:
    try:
        check()
    except SqlErrors as error:
        return error.problems
    return ()


def test_deep_nesting_is_a_problem_not_a_crash() -> None:
    assert "nested too deeply" in problems("SELECT " + "(" * 5000 + "1" + ")" * 5000)[0].message


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["orders", "Customers", "df"]), min_size=1, max_size=6))
def test_tables_come_in_the_order_first_named(names: list[str]) -> None:
    joined = ", ".join(f"{name.upper()} AS t{i}" for i, name in enumerate(names))
    assert check_query(f"SELECT 1 AS x FROM {joined}", TABLES).tables == tuple(dict.fromkeys(names))
