"""What fails in SQL while it runs is told with the line and the words that it arose in."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project, transform
from odibi_magics.engines.base import Engine
from odibi_magics.errors import NodeFailed
from tests.engines.conftest import only_pandas


@transform
def passed_on(rows: object) -> object:
    return rows


def failure(engine: Engine, folder: Path, nodes: str, head: str = "", **options: Any) -> str:
    (folder / "t.csv").write_text("id,n,s\n1,5,x\n2,0,2\n")
    (folder / "q.csv").write_text("q,n\n1,5\n2,0\n")
    text = (
        f"{head}connections: {{lake: {{type: local, base_path: {folder}}}}}\nnodes:\n"
        f"  - {{name: t, read: {{connection: lake, path: t.csv, format: csv}}}}\n"
        f"{textwrap.indent(textwrap.dedent(nodes).strip(), '  ')}\n"
    )
    with pytest.raises(NodeFailed) as caught:
        Project.from_yaml(text).run(engine=engine.name, **options)
    [failed] = [node for node in caught.value.result.nodes if node.state == "failed"]
    return str(failed.error)


def pointed(error: str) -> str:
    """What stands above the carets."""
    *_, line, carets = (text.partition("| ")[2] for text in error.rstrip().splitlines())
    assert carets.strip(" ").strip("^") == "" and "^" in carets, error
    return line[carets.index("^") : carets.rindex("^") + 1]


SPARK_DOES_NOT_SAY = ("CAST(n AS bigint) + CAST(300 + id AS tinyint)", "year(to_date(s, 'yyyy'))")

TWO_ROWS = "(SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 2) AS two)"

ONE = """
- name: bad
  transform:
    steps:
      - sql: SELECT id, n, s FROM t
      - sql: >
          SELECT id,
            {} AS x
          FROM df
  write: {{connection: lake, path: bad, mode: overwrite}}
"""


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("id + 10 / n", "10 / n"),
        ("10 % n + id % 7", "10 % n"),
        ("id + CAST(s AS int)", "s"),
        ("CAST(n AS bigint) + CAST(300 + id AS tinyint)", "300 + id"),
        ("9223372036854775807 + id", "9223372036854775807 + id"),
        ("array(1, 2)[n]", "array(1, 2)[n"),
        ("year(to_date(s, 'yyyy'))", "to_date(s, 'yyyy'"),
        (f"{TWO_ROWS} + CASE WHEN id > 7 THEN raise_error(s) END", "SELECT 1 AS x UNION ALL SELECT 2"),
    ],
)
def test_an_expression_is_pointed_at(engine: Engine, tmp_path: Path, expression: str, words: str) -> None:
    error = failure(engine, tmp_path, ONE.format(expression))
    if engine.name == "spark" and expression in SPARK_DOES_NOT_SAY:
        assert "line 4 of this text" in error
        return
    assert "line 10 of this text" in error
    assert words in pointed(error) and pointed(error) in expression


@pytest.mark.parametrize("expression", ["1 / n + id / n", "CAST(s AS int) + CAST(s AS int)"])
def test_where_it_could_be_one_of_two_its_step_is_named(
    engine: Engine, tmp_path: Path, expression: str
) -> None:
    error = failure(engine, tmp_path, ONE.format(expression))
    if engine.name == "spark" and expression == "1 / n + id / n":  # it says which
        assert "line 10 of this text" in error and pointed(error) in expression
    else:
        assert "line 8 of this text" in error


def test_it_may_be_in_a_node_that_is_computed_with_the_one_that_fails(engine: Engine, tmp_path: Path) -> None:
    error = failure(
        engine,
        tmp_path,
        """
        - {name: first, transform: {steps: [{sql: "SELECT id, 10 / n AS q FROM t"}]}}
        - name: second
          transform: {steps: [{sql: "SELECT id + 1 AS id, q FROM first"}]}
          write: {connection: lake, path: second, mode: overwrite}
        """,
    )
    assert "line 4 of this text" in error and pointed(error) == "10 / n" and "perhaps" not in error


def test_two_steps_that_could_both_have_failed_are_not_told_apart(engine: Engine, tmp_path: Path) -> None:
    error = failure(
        engine,
        tmp_path,
        """
        - name: bad
          transform: {steps: [{sql: "SELECT id, n, 1 / id AS x FROM t"}, {sql: "SELECT id, 1 / n AS x FROM df"}]}
          write: {connection: lake, path: bad, mode: overwrite}
        """,
    )
    if engine.name == "spark":
        assert pointed(error) == "1 / n"
    else:
        assert "line 4 of this text" in error and pointed(error) == "name"


CONDITIONS = {
    "filter": """
        - name: bad
          read: {connection: lake, path: t.csv, format: csv, filter: 10 / n > 1}
          write: {connection: lake, path: bad, mode: overwrite}
        """,
    "expression": """
        - name: bad
          transform: {steps: [{sql: SELECT * FROM t}]}
          validation: {expression: [{sql: 10 / n > 1}]}
          write: {connection: lake, path: bad, mode: overwrite}
        """,
}


@pytest.mark.parametrize("key", CONDITIONS)
def test_conditions_are_looked_at_too(engine: Engine, tmp_path: Path, key: str) -> None:
    error = failure(engine, tmp_path, CONDITIONS[key])
    assert "division by zero" in error and pointed(error) == "10 / n"


def test_sql_of_duckdb_is_pointed_at_as_a_step(engine: Engine, tmp_path: Path) -> None:
    nodes = """
        - name: bad
          transform: {steps: [{sql: SELECT CAST(s AS INTEGER) AS x FROM t}]}
          write: {connection: lake, path: bad, mode: overwrite}
        """
    error = failure(engine, tmp_path, nodes, "sql_dialect: duckdb\n")
    assert "line 6 of this text" in error


def test_a_step_behind_a_function_is_pointed_at(engine: Engine, tmp_path: Path) -> None:
    error = failure(
        engine,
        tmp_path,
        """
        - name: bad
          transform:
            steps:
              - function: passed_on
              - sql: SELECT 10 / n AS q FROM df
          depends_on: [t]
          write: {connection: lake, path: bad, mode: overwrite}
        """,
    )
    assert "line 8 of this text" in error


def test_what_does_not_fit_a_pattern_is_told_alike(engine: Engine, tmp_path: Path) -> None:
    error = failure(engine, tmp_path, ONE.format("to_date(s, 'yyyy')"))
    assert error.startswith(
        "the text 'x' does not fit the pattern; try_to_timestamp(text, pattern) gives NULL there"
    )


LATE = "id,n\n" + "1,2\n" * 20_480 + "1,x\n"


@pytest.mark.parametrize("path", ["late.csv", "late/", "l*/late.csv"])
def test_a_value_that_cannot_be_read_is_told_where_its_source_is_named(
    engine: Engine, tmp_path: Path, path: str
) -> None:
    (tmp_path / "late").mkdir()
    for file in ("late.csv", "late/late.csv"):
        (tmp_path / file).write_text(LATE)
    error = failure(
        engine,
        tmp_path,
        f"""
        - name: late
          read: {{connection: lake, path: {path}, format: csv}}
        - name: on
          transform: {{steps: [{{sql: "SELECT late.n, 10 / id AS x FROM late JOIN t USING (id)"}}]}}
          write: {{connection: lake, path: bad, mode: overwrite}}
        """,
    )
    assert "line 20482: column 'n' holds 'x'" in error
    assert "line 5 of this text" in error and pointed(error) == "path"


@pytest.mark.parametrize(
    "expression",
    [
        "(5 / id) / n",
        "array(1, 2)[array(0, 5)[id - 1]]",
        "id + 9223372036854775806 + 1",
    ],
)
def test_what_stands_around_an_expression_may_be_at_fault(
    engine: Engine, tmp_path: Path, expression: str
) -> None:
    error = failure(engine, tmp_path, ONE.format(expression))
    assert "line 8 of this text" in error or (engine.name == "spark" and pointed(error) in expression)


GUARDED = """
- {name: next, transform: {steps: [{sql: "SELECT q, CASE WHEN n > 7 THEN 1 / n END AS k FROM first"}]},
   write: {connection: lake, path: next, mode: overwrite}}
"""

BEFORE = {
    "a step of a node that is not to run": 'transform: {steps: [{sql: "SELECT n, 10 / n AS q FROM t"}]}',
    "a filter": 'read: {connection: lake, path: q.csv, format: csv, filter: "10 / n > 0"}',
    "a step before a function": 'transform: {steps: [{sql: "SELECT n, 10 / n AS q FROM t"}, {function: passed_on}]}',
}


@pytest.mark.parametrize("before", BEFORE)
def test_what_failed_before_is_not_put_down_to_what_comes_after(
    engine: Engine, tmp_path: Path, before: str
) -> None:
    nodes = f"- {{name: first, {BEFORE[before]}}}\n{GUARDED}"
    options: dict[str, Any] = {"only": ["next"]} if before == "a step of a node that is not to run" else {}
    error = failure(engine, tmp_path, nodes, **options)
    assert "division by zero" in error and "1 / n" not in pointed(error.partition("\n  computed")[0])


def test_sql_as_deep_as_can_be_fails_as_any_other(engine: Engine, tmp_path: Path) -> None:
    error = failure(engine, tmp_path, ONE.format("10 / n" + " + id" * 150))
    assert error.startswith("division by zero") and "of this text" in error


@only_pandas
def test_sql_too_deep_to_be_looked_through_is_named_as_a_step(engine: Engine, tmp_path: Path) -> None:
    error = failure(engine, tmp_path, ONE.format("10 / n" + " + id" * 400))
    assert error.startswith("division by zero") and "line 8 of this text" in error


def test_characters_of_two_units_move_nothing(engine: Engine, tmp_path: Path) -> None:
    text = "'" + "\N{GRINNING FACE}" * 16 + "' AS face,\n            5 / id AS q, 10 / n"
    error = failure(engine, tmp_path, ONE.format(text))
    assert "line 8 of this text" in error or pointed(error) == "10 / n"
