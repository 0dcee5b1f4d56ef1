"""sql: steps: lazily folded into one query, with columns told before any row is read."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Engine, Frame, Query
from odibi_magics.errors import EngineError
from odibi_magics.sql.check import check_query
from odibi_magics.sql.problems import SqlErrors
from tests.engines.conftest import House, only_pandas, rows, types


def describe(engine: Engine, query: str, **inputs: dict[str, str]) -> dict[str, str]:
    columns = {name: tuple(Column(*item) for item in given.items()) for name, given in inputs.items()}
    found = engine.describe_step(columns, Query(check_query(query, inputs)))
    assert found is not None
    return types(found)


def orders(house: House) -> Frame:
    return house.csv(
        "id,qty,region,ts\n1,5,EU,2024-01-31 10:00:00\n2,0,US,2024-02-01 11:00:00\n3,7,EU,2024-02-02 12:00:00\n"
    )


def test_a_query_over_its_inputs(house: House) -> None:
    frame = house.sql(
        "SELECT region, sum(qty) AS n FROM orders WHERE qty > 0 GROUP BY region", orders=orders(house)
    )
    assert types(frame.columns) == {"region": "string", "n": "bigint"}
    assert rows(frame) == [("EU", 12)]


def test_what_is_described_is_what_comes(house: House) -> None:
    query = "SELECT *, qty * 2 AS two, qty / 2 AS half, year(ts) AS y, upper(region) AS r, max(ts) OVER () AS m FROM orders"
    frame = orders(house)
    told = describe(house.engine, query, orders=types(frame.columns))
    made = house.sql(query, orders=frame)
    assert types(made.columns) == told
    assert made.to_arrow().num_rows == 3


def test_steps_fold_into_one_another(house: House) -> None:
    one = house.sql("SELECT * FROM orders WHERE qty > 0", orders=orders(house))
    two = house.sql("WITH orders AS (SELECT * FROM df) SELECT id, ts FROM orders ORDER BY id DESC", df=one)
    three = house.sql(
        "SELECT a.id FROM df a JOIN orders b ON a.id = b.id ORDER BY a.id DESC", df=two, orders=one
    )
    assert rows(two) == [
        (3, datetime(2024, 2, 2, 12, tzinfo=UTC)),
        (1, datetime(2024, 1, 31, 10, tzinfo=UTC)),
    ]
    assert rows(three) == [(3,), (1,)]
    assert three.inputs == one.inputs


def test_a_cte_may_hide_an_input_of_its_name(house: House) -> None:
    query = "WITH orders AS (SELECT * FROM orders WHERE id > 1) SELECT id FROM orders ORDER BY id"
    base = orders(house)
    one = house.sql(query, orders=base)
    assert rows(one) == [(2,), (3,)]
    both = house.sql(
        "SELECT * FROM df UNION ALL (WITH df AS (SELECT id FROM orders) SELECT * FROM df)",
        df=one,
        orders=base,
    )
    assert sorted(rows(both)) == [(1,), (2,), (2,), (3,), (3,)]


def test_the_order_asked_for_is_the_order_given(house: House) -> None:
    house.file("big.csv", "id\n" + "".join(f"{(i * 7919) % 300_007}\n" for i in range(300_007)))
    big = house.read("big.csv", "csv")
    ordered = house.sql("SELECT id FROM big ORDER BY id DESC", big=big)
    assert [row[0] for row in rows(ordered)] == list(range(300_006, -1, -1))
    assert [row[0] for row in ordered.preview(3).rows] == [300_006, 300_005, 300_004]


def test_a_long_chain(house: House) -> None:
    frame = house.csv("id\n1\n")
    for _ in range(100):
        frame = house.sql("SELECT id + 1 AS id FROM df", df=frame)
    assert rows(frame) == [(101,)]


def test_names_of_tables_and_columns_are_quoted(house: House) -> None:
    frame = house.csv('select,"a ""b"""\n1,2\n')
    assert rows(house.sql('SELECT `select`, `a "b"` FROM `order`', order=frame)) == [(1, 2)]


@pytest.mark.parametrize(
    ("query", "says", "word"),
    [
        ("SELECT qtty FROM orders", "qtty", "qtty"),
        ("SELECT id, id FROM orders", "'id'", "id"),
        ("SELECT o.id, p.id FROM orders o CROSS JOIN orders p", "'id'", "id"),
        (
            "SELECT id + region AS x FROM orders WHERE region = date '2024-01-01' AND id > upper(id, id)",
            "",
            "",
        ),
    ],
)
def test_what_cannot_be_planned_is_told_before_the_run(
    house: House, query: str, says: str, word: str
) -> None:
    with pytest.raises(SqlErrors) as found:
        describe(house.engine, query, orders=types(orders(house).columns))
    assert says in str(found.value)
    if word:
        problem = found.value.problems[0]
        assert query[problem.start : problem.end] == word


def test_a_value_that_fails_while_it_runs_is_told(house: House) -> None:
    frame = house.sql("SELECT CAST(region AS int) AS n FROM orders", number=2, orders=orders(house))
    with pytest.raises(EngineError) as found:
        frame.to_arrow()
    assert "EU" in str(found.value)
    assert "SELECT" not in str(found.value)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ("1 / (id - 1)", "division by zero; a / nullif(b, 0) gives NULL there"),
        ("CAST(region AS int)", "the text 'EU' cannot be cast to int; TRY_CAST gives NULL there"),
        ("CAST(id + 1000 AS tinyint)", "for the destination type tinyint; CAST to a wider type, or TRY_CAST"),
        (
            "2147483647 + CAST(id AS int)",
            "Overflow in addition … CAST to a wider type first",
        ),
        (
            "array(1)[CAST(id AS int)]",
            "the index 1 is not in an array of 1; get(array, index) gives NULL there",
        ),
        ("(SELECT qty FROM orders)", "can only return a single row; aggregate it, as with max(...)"),
    ],
)
def test_a_value_that_fails_says_what_to_write(house: House, made: str, says: str) -> None:
    frame = house.sql(f"SELECT {made} AS n FROM orders", orders=orders(house))
    with pytest.raises(EngineError) as found:
        frame.to_arrow()
    assert all(words in str(found.value) for words in says.split(" … "))


@only_pandas  # Spark's analyzer takes 20 ms for each
def test_a_thousand_steps_are_described_fast_and_linearly(house: House) -> None:
    """No time is asserted, only that describing the second half costs no more than three times the first."""
    columns: dict[str, dict[str, str]] = {"n": {"id": "bigint", "x": "string"}}
    clocks = [time.perf_counter()]
    for _ in range(2):
        for _ in range(200):
            columns["n"] = describe(
                house.engine, "SELECT id + 1 AS id, upper(x) AS x FROM n WHERE id > 0", **columns
            )
        clocks.append(time.perf_counter())
    assert clocks[2] - clocks[1] < 3 * (clocks[1] - clocks[0]) + 1


@pytest.mark.parametrize(
    "type_", ["decimal(10,2)", "array<struct<a:int,b:map<string,date>>>", "binary", "tinyint", "float"]
)
def test_types_pass_through(house: House, type_: str) -> None:
    assert describe(house.engine, "SELECT x FROM n", n={"x": type_}) == {"x": type_}


def test_sql_is_shown(house: House) -> None:
    query: Any = Query(check_query("SELECT id FROM orders", ["orders"]))
    assert "orders" in house.engine.sql(query, {"orders": (Column("id", "int"),)})
