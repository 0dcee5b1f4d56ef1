"""What people see before a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from odibi_magics.config.models import Node, Validation
from odibi_magics.display.plan import plan_html, plan_sql_html, plan_sql_text, plan_text
from odibi_magics.engines.base import Place, Sink
from odibi_magics.pipeline.plan import Action, Plan
from tests.display.samples import CLEAN, DAILY, PLAN, SILVER, texts

GOLDEN = """\
Plan: 3 nodes on pandas engine (DuckDB) · project air · environment prod · nothing was run

In this order
flights
  reads      lake:raw/flights/*.csv, where dep_time IS NOT NULL
  comes out  3 columns
clean
  after      flights (named in SQL), weather (depends_on)
  steps      sql, add_margin()
  writes     overwrite silver:clean/flights (partition_by: day)
  there now  version 4, 336,776 rows, 12 files, 8.4 MB
  comes out  3 columns
daily
  after      clean (the node before it), flights (writes what it reads; order only)
  writes     create silver:gold/daily (mode: merge; keys: day)
  there now  nothing yet
  comes out  known when run

⚠ 2 warnings
  connections.lake: the account_key stands in the text
    → write ${NAME}
  clean: 4,380 files of 12 kB on average
    → partition by month

Columns that come out
node     columns
flights  carrier string, day date, distance int
clean    carrier string, day date, distance int
daily    known when run

Schema changes against the existing tables
node   table                 change  column    detail
clean  silver:clean/flights  new     distance  int

Checks
node   check                if it fails
clean  no_nulls carrier     nothing is committed
clean  unique carrier, day  a warning

Full addresses
address                 format  URL
lake:raw/flights/*.csv  csv     file:///data/lake/raw/flights/*.csv
lake:clean/weather      delta   file:///data/lake/clean/weather
silver:clean/flights    delta   abfss://clean@silver.dfs.core.windows.net/clean/flights
silver:gold/daily       delta   abfss://clean@silver.dfs.core.windows.net/gold/daily

Nodes of earlier cells: used, not written
node     defined in  here
weather  cell [2]    read from lake:clean/weather

Variables
variable      value  from
{{ region }}  EU     --set
{{ limit }}   NULL   vars"""


def test_the_plan_as_text() -> None:
    assert plan_text(PLAN) == GOLDEN


def test_full_addresses_wait_behind_their_title() -> None:
    assert texts(plan_html(PLAN), "summary") == ["Full addresses"]
    [folded] = texts(plan_html(PLAN), "details")
    assert "abfss://clean@silver.dfs.core.windows.net/gold/daily" in folded


def test_the_html_says_all_that_the_text_says() -> None:
    cells = texts(plan_html(PLAN), "td")
    for line in GOLDEN.split("\n"):
        for part in filter(None, line.split("  ")):
            assert part.strip() in cells or part.strip(" →") in " ".join(texts(plan_html(PLAN), "div")), part


def test_the_sql_of_each_step() -> None:
    assert plan_sql_text(PLAN) == (
        'SQL: 1 step as pandas engine (DuckDB) gets them\n\nclean, step 1\n  SELECT *\n  FROM "flights"'
    )
    assert texts(plan_sql_html(PLAN), "pre") == ['SELECT *\nFROM "flights"']
    assert "no step here is SQL" in plan_sql_text(replace(PLAN, nodes=(DAILY,)))


PLACE = Place(SILVER, "t", "delta")
WAYS: list[tuple[Action, Sink, str]] = [
    ("append", Sink(PLACE, "append", merge_schema=True), "append to silver:t (merge_schema: true)"),
    ("merge", Sink(PLACE, "merge", keys=("a", "b")), "merge into silver:t (keys: a, b)"),
    (
        "replace",
        Sink(PLACE, replace_where="a = 1"),
        "replace in silver:t (mode: overwrite; replace_where: a = 1)",
    ),
    ("replace", Sink(PLACE, "overwrite_partitions"), "replace in silver:t (mode: overwrite_partitions)"),
    (
        "insert new",
        Sink(PLACE, "append_once", ("a",)),
        "insert what is new into silver:t (mode: append_once; keys: a)",
    ),
    ("keep", Sink(PLACE, "ignore"), "leave as it is silver:t (mode: ignore)"),
    ("refuse", Sink(PLACE, "error"), "refuse, as there is already silver:t (mode: error)"),
    ("create", Sink(PLACE, overwrite_schema=True), "create silver:t (overwrite_schema: true)"),
]


def test_schema_checks_are_told_too() -> None:
    validation = Validation.model_validate({"schema": {"columns": {"id": "bigint"}, "on_fail": "warn"}})
    checked = replace(CLEAN, config=Node(name="clean", validation=validation))
    text = plan_text(replace(PLAN, nodes=(checked,)))
    assert "clean  schema               a warning" in text and "no_nulls carrier" in text


@pytest.mark.parametrize(("action", "sink", "words"), WAYS)
def test_each_way_to_write(action: Action, sink: Sink, words: str) -> None:
    written = replace(CLEAN, sink=sink, action=action)
    assert f"  {words}\n" in plan_text(replace(PLAN, nodes=(written,)))


def test_several_pipelines_are_named() -> None:
    two = replace(PLAN, nodes=(CLEAN, replace(DAILY, pipeline="gold")))
    assert "pipeline" in texts(plan_html(two), "th") and "pipeline" not in texts(plan_html(PLAN), "th")


def test_a_plan_of_nothing() -> None:
    assert (
        plan_text(Plan((), "pandas", "pandas engine")) == "Plan: 0 nodes on pandas engine · nothing was run"
    )
