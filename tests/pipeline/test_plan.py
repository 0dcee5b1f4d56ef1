"""Plans: order and why, columns, targets, and every mistake that only looking tells."""

from __future__ import annotations

import importlib.util
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from odibi_magics import ConfigErrors, NodeFailed, Project, transform
from odibi_magics.engines.pandas import handover
from odibi_magics.pipeline.plan import Edge
from tests.pipeline.conftest import Build

SALES = "- {name: sales, read: {connection: lake, path: raw/sales.csv}}\n"


def problems(project: Build, nodes: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        project(nodes).plan()
    return str(caught.value)


def test_every_edge_says_why_it_is_there(project: Build) -> None:
    plan = project(
        SALES
        + """
- {name: next, write: {connection: lake, path: a}}
- {name: named, transform: {steps: [{sql: SELECT * FROM sales}]}, write: {connection: lake, path: b}}
- {name: listed, depends_on: [named]}
- {name: reader, read: {connection: lake, path: a}}
""".replace("depends_on: [named]}", "depends_on: [named], write: {connection: lake, path: c}}")
    ).plan()
    assert plan["next"].edges == (Edge("sales", "the node before it"),)
    assert plan["named"].edges == (Edge("sales", "named in SQL"),)
    assert plan["listed"].edges == (Edge("named", "depends_on"),)
    assert plan["reader"].edges == (Edge("next", "reads what it writes", carries=False),)


def test_columns_are_known_before_anything_runs(project: Build, lake: Path) -> None:
    plan = project(
        SALES
        + "- {name: t, transform: {steps: [{sql: 'SELECT id, qty * price AS amount, year(ts) AS y FROM sales'}]}}"
    ).plan()
    assert [str(column) for column in plan["t"].columns or ()] == ["id bigint", "amount double", "y int"]
    assert sorted(path.name for path in lake.iterdir()) == ["raw"]


def test_behind_a_function_columns_are_known_when_run_unless_it_says_them(project: Build) -> None:
    @transform(name="any_columns")
    def any_columns(df):  # type: ignore[no-untyped-def]
        return df

    silent = project(
        SALES + "- {name: f, depends_on: [sales], transform: {steps: [{function: any_columns}]}}"
    ).plan()
    assert silent["f"].columns is None
    assert "known when run" in str(silent)
    told = project(
        SALES
        + "- {name: f, depends_on: [sales], transform: {steps: [{function: any_columns, returns: {id: long}}]}}"
    ).plan()
    assert [str(column) for column in told["f"].columns or ()] == ["id bigint"]


def test_targets_say_what_will_happen_to_them(project: Build) -> None:
    nodes = SALES + "- {name: t, depends_on: [sales], write: {connection: lake, path: t, mode: append}}"
    assert project(nodes).plan()["t"].action == "create"
    project(nodes).run()
    again = project(nodes).plan()["t"]
    assert again.action == "append"
    assert again.target is not None
    assert again.target.version == 0
    assert project(nodes.replace("append", "overwrite")).plan()["t"].action == "overwrite"


def test_schema_changes_against_the_table_are_told(project: Build) -> None:
    node = "- {{name: t, transform: {{steps: [{{sql: '{sql}'}}]}}, write: {{connection: lake, path: t, merge_schema: true, mode: append}}}}"
    project(SALES + node.format(sql="SELECT id, qty FROM sales")).run()
    plan = project(SALES + node.format(sql="SELECT id, city FROM sales")).plan()
    assert {(change.kind, change.column) for change in plan["t"].changes} == {
        ("new", "city"),
        ("missing", "qty"),
    }


def test_a_node_without_input_makes_its_own_rows(project: Build) -> None:
    assert project("- {name: one, transform: {steps: [{sql: SELECT 1 AS x}]}}").plan()["one"].edges == ()


@pytest.mark.parametrize(
    ("nodes", "line", "words"),
    [
        (SALES + "- {name: t, transform: {steps: [{sql: SELECT cty FROM sales}]}}", 6, "cty"),
        (SALES + "- {name: t, transform: {steps: [{sql: SELECT * FROM slaes}]}}", 6, "unknown table 'slaes'"),
        (SALES + "- {name: t, transform: {steps: [{sql: SELECT * FROM slaes}]}}", 6, "did you mean 'sales'?"),
        (SALES + "- {name: t, transform: {steps: [{sql: SELEC * FROM sales}]}}", 6, "steps[0].sql"),
        (SALES + "- {name: t, transform: {steps: [{sql: 'SELECT reflect(city) FROM sales'}]}}", 6, "'reflect' is not allowed"),
        (SALES + "- {name: t, transform: {steps: [{sql: 'SELECT * FROM csv.`/etc/passwd`'}]}}", 6, "not allowed"),
        (SALES + "- {name: t, transform: {steps: [{sql: DROP TABLE sales}]}}", 6, "steps[0].sql"),
        (SALES + "- {name: t, depends_on: [sales], transform: {steps: [{function: nowhere}]}}", 6, "unknown function 'nowhere'"),
        ("- {name: t, read: {connection: lake, path: raw/sale.csv}}", 5, "did you mean 'sales.csv'?"),
        ("- {name: t, read: {connection: lake, path: nothing/here, format: delta}}", 5, "nothing/here"),
        ("- {name: t, read: {connection: lake, path: raw/sales.csv, columns: [id, ctiy]}}", 5, "did you mean 'city'?"),
        ("- {name: t, read: {connection: lake, path: raw/sales.csv, filter: qty >}}", 5, "read.filter"),
        ("- {name: t, read: {connection: lake, path: raw/sales.csv, newer_than: tss}, write: {connection: lake, path: t}}", 5,
         "unknown column 'tss'"),
        ("- {name: t, read: {connection: lake, path: raw/sales.csv, newer_than: ts}}", 5, "a table that this chain writes"),
        (SALES + "- {name: t, depends_on: [sales], write: {connection: lake, path: t, mode: merge, keys: [idd]}}", 6,
         "write.keys[0]: unknown column 'idd'"),
        (SALES + "- {name: t, depends_on: [sales], write: {connection: lake, path: t, partition_by: [yaer]}}", 6,
         "did you mean 'year'?"),
        (SALES + "- {name: t, depends_on: [sales], validation: {unique: {columns: [idd]}}}", 6, "unknown column 'idd'"),
        (SALES + "- {name: t, depends_on: [sales], validation: {schema: {columns: {id: string}}}}", 6,
         "schema.columns.id: column 'id' is bigint, and string is expected"),
        (SALES + "- {name: t, depends_on: [sales], validation: {expression: {sql: qty >}}}", 6, "expression"),
        (SALES + "- {name: a, depends_on: [b], write: {connection: lake, path: x}}\n"
         "- {name: b, depends_on: [a], write: {connection: lake, path: y}}", 6, "the nodes go round in a circle"),
        (SALES + "- {name: t, depends_on: [sales], transform: {steps: [{sql: SELECT * FROM df}, {sql: SELECT 1 AS x}]}}", 6,
         "step 2 does not use df"),
        (SALES + "- {name: s, read: {connection: lake, path: raw/cities.csv}}\n"
         "- {name: t, depends_on: [sales, s], transform: {steps: [{sql: SELECT * FROM df}]}}", 7, "df stands for the single input"),
        (SALES + "- {name: s, read: {connection: lake, path: raw/cities.csv}}\n- {name: t, depends_on: [sales, s], write: {connection: lake, path: t}}",
         7, "no step that joins them"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_before_anything_runs(
    project: Build, lake: Path, nodes: str, line: int, words: str
) -> None:
    said = problems(project, nodes)
    assert words in said
    assert f"line {line} " in said
    assert sorted(path.name for path in lake.iterdir()) == ["raw"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("read: {connection: lake, path: raw/sales.csv, filter: qyt > 1}", "read.filter: unknown column 'qyt'"),
        ("read: {connection: lake, path: raw/sales.csv, filter: city > 1}", "string and int are compared"),
        ("read: {connection: lake, path: raw/sales.csv, columns: [id], filter: qty > 1}, write: {connection: lake, path: t}",
         ""),
        ("write: {connection: lake, path: t, replace_where: yaer = 2026}", "replace_where: unknown column 'yaer'"),
        ("write: {connection: lake, path: t, replace_where: year = 'x'}", "bigint and string are compared"),
        ("validation: {expression: {sql: qyt > 1}}", "expression.sql: unknown column 'qyt'"),
        ("validation: {expression: [{sql: qty > 0}, {sql: qty}]}", "expression[1].sql: a condition is expected here"),
        ("validation: {range: {column: qyt, min: 1}}", "range.column: unknown column 'qyt'"),
        ("validation: {range: {column: qty, min: abc}}", "range.min: 'abc' does not fit column 'qty', which is bigint"),
        ("validation: {range: {column: city, max: 3}}", "range.max: 3 does not fit column 'city', which is string"),
        ("validation: {range: [{column: price, min: 1, max: 2.5}, {column: ts, min: soon}]}",
         "range[1].min: 'soon' does not fit column 'ts', which is timestamp"),
        ("validation: {range: {column: ts, min: 2026-02-30}}", "'2026-02-30' does not fit column 'ts'"),
        ("validation: {range: {column: ts, min: 2026-01-31, max: '2026-02-01 10:00:00'}}", ""),
        ("validation: {accepted_values: {column: qty, values: [1, a, b]}}",
         "accepted_values.values[1]: 'a' does not fit column 'qty', which is bigint"),
        ("validation: {accepted_values: {column: qty, values: [1.5]}}", "1.5 does not fit column 'qty'"),
        ("validation: {accepted_values: {column: qty, values: [1.0, 2]}}", ""),
        ("validation: {accepted_values: {column: city, values: [true]}}", "true does not fit column 'city', which is string"),
        ("validation: {unique: {columns: [idd]}}", "unique.columns[0]: unknown column 'idd'"),
        ("validation: {no_nulls: {columns: [idd]}}", "no_nulls.columns[0]: unknown column 'idd'"),
        ("validation: {schema: {columns: {id: long, cty: string}}}",
         "schema.columns.cty: column 'cty' does not come out"),
        ("validation: {schema: [{columns: {id: long}, exact: true}]}",
         "schema[0].exact: other columns come out: ts, year, month, city, qty, price"),
        ("validation: {schema: {columns: {id: int}, on_fail: warn}}", ""),
        ("transform: {steps: [{sql: 'SELECT map(city, id) AS m FROM df'}]}, validation: {unique: true}",
         "unique: column 'm' is map<string,bigint>: maps cannot be compared"),
    ],
)  # fmt: skip
def test_conditions_and_checks_fit_the_columns(project: Build, keys: str, words: str) -> None:
    read = "" if keys.startswith("read") else "depends_on: [sales], "
    nodes = SALES + "- {name: t, " + read + keys + "}"
    if not words:
        project(nodes).plan()
        return
    said = problems(project, nodes)
    assert said.startswith("1 problem "), said
    assert words in said
    assert "line 6 " in said
    assert "^" in said


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("validation: {range: {column: qty, min: abc}}", "range: 'abc' does not fit column 'qty', which is bigint"),
        ("validation: {range: {column: qyt, min: 1}}", "range: unknown column 'qyt' (did you mean 'qty'?)"),
        ("validation: {accepted_values: {column: qty, values: [a]}}", "accepted_values: 'a' does not fit column 'qty'"),
        ("validation: {unique: {columns: [idd]}}", "unique: unknown column 'idd' (did you mean 'id'?)"),
        ("validation: {no_nulls: {columns: [idd]}}", "no_nulls: unknown column 'idd'"),
        ("validation: {expression: {sql: qyt > 1}}", "expression qyt > 1 does not fit the columns that came out"),
        ("write: {connection: lake, path: t, mode: merge, keys: [idd]}", "keys: there is no column 'idd' (did you mean 'id'?)"),
        ("write: {connection: lake, path: t, partition_by: [idd]}", "partition_by: there is no column 'idd'"),
        ("write: {connection: lake, path: t, replace_where: qyt = 1}", "replace_where qyt = 1 does not fit the columns"),
    ],
)  # fmt: skip
def test_behind_a_function_what_does_not_fit_is_told_in_the_run(
    project: Build, lake: Path, keys: str, words: str
) -> None:
    @transform(name="passes")
    def passes(df):  # type: ignore[no-untyped-def]
        return df

    built = project(SALES + "- name: t\n  transform: {steps: [{function: passes}]}\n  " + keys)
    with pytest.raises(NodeFailed) as failed:
        built.run()
    [error] = [node.error for node in failed.value.result.nodes if node.name == "t"]
    assert words in error
    assert "Traceback" not in error
    assert "line 8 of " in error or "line 6 of " in error
    assert not (lake / "t").exists()


def test_conditions_are_spark_sql_whatever_the_steps_are(project: Build) -> None:
    head = "sql_dialect: duckdb\n"
    nodes = "- {name: t, read: {connection: lake, path: raw/sales.csv, filter: 'qty %s'}}"
    project(nodes % "BETWEEN 1 AND 2", head).plan()
    with pytest.raises(ConfigErrors, match="conditions are Spark SQL, also with sql_dialect: duckdb"):
        project(nodes % "IN [1, 2]", head).plan()


def test_a_variable_in_duckdbs_sql_stays_text(project: Build) -> None:
    nodes = "- {name: t, transform: {steps: [{sql: \"SELECT '{{ who }}' AS a, {{ who }} AS b\"}]}}"
    who = "it's \\' OR 1=1 --"
    result = project(nodes, "sql_dialect: duckdb\n", variables={"who": who}).preview("t")
    assert [tuple(row) for row in result.preview.rows] == [(who, who)]  # type: ignore[union-attr]


def test_a_wrong_value_hides_no_sql_and_no_column_of_its_node(project: Build) -> None:
    with pytest.raises(ConfigErrors) as caught:
        project(
            SALES
            + """
- name: t
  transform: {steps: [{sql: "SELECT uper(city) AS c FROM sales"}]}
  write: {connection: lake, path: t, mode: mrge, keys: [c]}
- {name: u, depends_on: [sales], validation: {range: {column: qyt, min: 1}}, write: {connection: lake, path: u, mode: zzz}}
- {name: v, depends_on: [sales], read: {connection: lake, path: raw/sales.csv, timestamp: noon, filter: qyt > 1}}
"""
        )
    said = str(caught.value)
    for words in (
        "did you mean 'upper'?", "did you mean 'merge'?", "write.mode: this value is not allowed",
        "range.column: unknown column 'qyt'", "expected a date with a time", "timestamp reads Delta tables",
        "filter: unknown column 'qyt'",
    ):  # fmt: skip
        assert words in said, words
    assert said.startswith("7 problems ")


def test_what_the_text_got_wrong_is_not_told_again_by_looking(project: Build) -> None:
    nodes = "- {name: a, read: {connection: lake, path: '%s'}}"
    for path, words in (("../x.csv", "the path leaves"), ("{{ gone }}/x.csv", "unknown variable 'gone'")):
        said = problems(project, nodes % path)
        assert said.startswith("1 problem "), said
        assert words in said
    for itself in ("depends_on: [a]", "transform: {steps: [{sql: SELECT * FROM a}]}"):
        said = problems(project, "- {name: a, write: {connection: lake, path: t}, " + itself + "}")
        assert said.startswith("1 problem "), said
        assert "itself" in said
    with pytest.raises(ConfigErrors) as caught:
        Project.from_yaml(
            "connections: {lake: {type: local, base_path: '${NOT_SET_ANYWHERE}'}}\n"
            "nodes: [{name: a, read: {connection: lake, path: x.csv}}]"
        )
    assert str(caught.value).startswith("1 problem ")


@pytest.mark.parametrize(
    ("style", "fine"),
    [
        (">\n        SELECT id -- the id\n        FROM sales", False),
        ("SELECT id -- the id\n        FROM sales", False),
        ('"SELECT id -- the id\n        FROM sales"', False),
        ("|\n        SELECT id -- the id\n        FROM sales", True),
        (">\n        SELECT id\n        FROM sales -- all of them", True),
        ("SELECT id FROM sales -- all of them", True),
        ("\"SELECT '--' AS id\n        FROM sales\"", True),
    ],
)
def test_a_comment_that_swallows_lines_is_told(project: Build, style: str, fine: bool) -> None:
    nodes = SALES + "- name: t\n  transform:\n    steps:\n    - sql: " + style
    if fine:
        assert [column.name for column in project(nodes).plan()["t"].columns or ()] == ["id"]
    else:
        assert "this comment swallows the lines below: YAML joins them" in problems(project, nodes)


def test_a_broken_connection_says_nothing_of_the_nodes_on_it(project: Build) -> None:
    @transform(name="kept")
    def kept(df):  # type: ignore[no-untyped-def]
        return df

    with pytest.raises(ConfigErrors) as caught:
        Project.from_yaml(
            "connections: {lake: {type: locl, base_pth: x}, b: {base_path: x}}\n"
            "nodes:\n- {name: a, read: {connection: b, path: x.csv}, transform: {steps: [{function: kept}]}}\n"
        )
    said = str(caught.value)
    assert said.startswith("3 problems ")
    for words in ("did you mean 'local'?", "unknown key 'base_pth'", "connections.b: missing key 'type'"):
        assert words in said


def test_text_sql_and_columns_are_told_in_one_go(project: Build) -> None:
    said = ""
    with pytest.raises(ConfigErrors) as caught:
        project(
            SALES
            + """
- name: t
  transform: {steps: [{sql: SELECT reflect(city) FROM sales}]}
  write: {connection: lake, path: t, moode: append}
- {name: u, depends_on: [sales], write: {connection: lake, path: u, partition_by: [yaer]}}
"""
        )
    said = str(caught.value)
    assert said.startswith("3 problems")
    for words in ("'reflect' is not allowed", "unknown key 'moode'", "unknown column 'yaer'"):
        assert words in said


def test_a_function_file_that_does_not_import_names_its_line(lake: Path) -> None:
    (lake / "broken.py").write_text("x = 1\nraise ValueError('no')\n")
    with pytest.raises(ConfigErrors) as caught:
        Project.from_yaml("functions: [broken.py]\n", folder=lake)
    assert "'broken.py' cannot be imported: ValueError: no (broken.py, line 2)" in str(caught.value)
    with pytest.raises(ConfigErrors, match="there is no file"):
        Project.from_yaml("functions: [nowhere.py]\n", folder=lake)
    (lake / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(ConfigErrors, match=r"SystemExit: 3 \(leaves.py, line 2\)"):
        Project.from_yaml("functions: [leaves.py]\n", folder=lake)


def test_functions_of_a_file_are_registered(lake: Path) -> None:
    (lake / "fns.py").write_text(
        "from odibi_magics import transform\n\n@transform\ndef doubled(df, by: int = 2):\n"
        "    df['qty'] = df['qty'] * by\n    return df\n"
    )
    text = (
        f"functions: [fns.py]\nconnections: {{lake: {{type: local, base_path: {lake}}}}}\n"
        "nodes: [{name: a, read: {connection: lake, path: raw/sales.csv}, "
        "transform: {steps: [{function: doubled, params: {by: 3}}]}}]\n"
    )
    assert sorted(Project.from_yaml(text, folder=lake).run()["a"].to_pandas()["qty"]) == [0, 3, 6, 9]


def test_a_second_node_of_a_name_makes_up_no_circle(project: Build) -> None:
    for nodes in (
        "- {name: a, transform: {steps: [{sql: SELECT 1 AS x}]}}\n"
        "- {name: a, write: {connection: lake, path: a}}",
        "- {name: a, transform: {steps: [{sql: SELECT 1 AS x}]}}\n"
        "- {name: b, write: {connection: lake, path: b}}\n"
        "- {name: a, write: {connection: lake, path: a}}",
    ):
        with pytest.raises(ConfigErrors) as caught:
            project(nodes)
        assert [found.message for found in caught.value.problems] == ["a second node 'a', first on line 5"]


def test_a_literal_secret_warns(tmp_path: Path) -> None:
    plan = Project.from_yaml(
        f"connections:\n  lake: {{type: local, base_path: {tmp_path}}}\n"
        "  b: {type: azure_adls, account: accounta, auth_mode: direct_key, account_key: not-so-secret-key}\n"
    ).plan()
    assert [warning.code for warning in plan.warnings] == ["literal-secret"]
    assert "not-so-secret-key" not in str(plan)


def test_a_plan_shows_the_sql_that_the_engine_gets(project: Build) -> None:
    plan = project(SALES + "- {name: t, transform: {steps: [{sql: SELECT `id` FROM sales}]}}").plan()
    [sql] = plan["t"].sql
    assert "`" not in sql
    assert "sales" in sql


def test_rows_that_do_not_fit_the_table_are_told_before_the_run(project: Build, lake: Path) -> None:
    write = "write: {connection: lake, path: t, mode: append}"
    project(
        SALES + '- {name: t, transform: {steps: [{sql: "SELECT id, qty FROM sales"}]}, ' + write + "}"
    ).run()
    said = problems(
        project,
        SALES + '- {name: t, transform: {steps: [{sql: "SELECT id, city FROM sales"}]}, ' + write + "}",
    )
    assert "has no column city string" in said
    assert "merge_schema: true" in said
    said = problems(
        project,
        SALES + '- {name: t, transform: {steps: [{sql: "SELECT ts AS id FROM sales"}]}, ' + write + "}",
    )
    assert "'id' is timestamp, in the table lake:t it is bigint" in said


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        (
            "- {name: a, read: {connection: lake, path: raw/sales.csv, newer_than: ts}, write: {connection: lake, path: t}}",
            "newer_than with mode: overwrite would leave only the new rows in lake:t",
        ),
        (
            SALES + "- {name: a, depends_on: [sales], write: {connection: lake, path: t}}\n"
            "- {name: b, depends_on: [sales], write: {connection: lake, path: ./t/}}",
            "node 'b' would overwrite what 'a' writes to the same place",
        ),
        (
            "- {name: a, read: {connection: lake, path: raw/sales.csv}, "
            "write: {connection: lake, path: raw/./sales.csv, mode: overwrite}}",
            "node 'a' would overwrite what it reads, its own input",
        ),
        (
            "- {name: all, read: {connection: lake, path: raw/*.csv}}\n"
            "- {name: some, transform: {steps: [{sql: SELECT * FROM all}]}}\n"
            "- {name: b, depends_on: [some], write: {connection: lake, path: raw/sales.csv, mode: overwrite}}",
            "node 'b' would overwrite what 'all' reads",
        ),
        (
            "- {name: all, read: {connection: lake, path: 'raw/**', format: csv}}\n"
            "- {name: b, depends_on: [all], write: {connection: lake, path: raw/more/b.csv, mode: overwrite}}",
            "node 'b' would overwrite what 'all' reads",
        ),
        (
            "- {name: all, read: {connection: lake, path: 'r*', format: csv}}\n"
            "- {name: b, depends_on: [all], write: {connection: lake, path: raw/b.csv, mode: overwrite}}",
            "node 'b' would overwrite what 'all' reads",
        ),
        (
            "- {name: a, read: {connection: lake, path: raw/sales.csv}, "
            "write: {connection: lake, path: raw, format: csv, mode: overwrite}}",
            "node 'a' would overwrite what it reads",
        ),
        (
            "- {name: a, read: {connection: lake, path: raw/sales.csv}, write: {connection: lake, path: t}}\n"
            "- {name: b, read: {connection: lake, path: t}, "
            "write: {connection: lake, path: raw/sales.csv, mode: overwrite}}",
            "node 'b' would overwrite what 'a' reads",
        ),
    ],
)
def test_what_would_lose_rows_is_refused(project: Build, nodes: str, words: str) -> None:
    assert words in problems(project, nodes)


@pytest.mark.parametrize(
    "nodes",
    [
        "- {name: a, read: {connection: lake, path: raw/sales.csv}, write: {connection: lake, path: t}}\n"
        "- {name: b, read: {connection: lake, path: raw/cities.csv}, depends_on: [a], "
        "transform: {steps: [{sql: SELECT city FROM df}]}, "
        "write: {connection: lake, path: raw/sales.csv, mode: overwrite}}",
        "- {name: a, read: {connection: lake, path: raw/sales.csv}, "
        "write: {connection: lake, path: raw/sales.csv/../more/b.csv, mode: overwrite}}",
        "- {name: a, read: {connection: lake, path: raw/cities.csv}, "
        "write: {connection: lake, path: raw/sales.csv, mode: overwrite}}",
        "- {name: a, read: {connection: lake, path: raw/sales.csv}, "
        "write: {connection: lake, path: out.csv, mode: append}}",
    ],
)
def test_what_does_not_come_from_a_file_may_replace_it(project: Build, nodes: str) -> None:
    assert project(nodes).plan().nodes


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_function_whose_frames_cannot_be_had_is_told_before_the_run(
    project: Build, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes(df):  # type: ignore[no-untyped-def]
        return df

    takes.__annotations__["df"] = f"{library}.DataFrame"
    transform(takes)
    found = importlib.util.find_spec
    monkeypatch.setattr(handover, "find_spec", lambda name: None if name == library else found(name))
    said = problems(project, SALES + "- {name: f, transform: {steps: [{function: takes}]}}")
    assert f"function 'takes': {library} frames need {library}, which is not installed" in said
    assert "or take pyarrow.Table, which a function's annotation names and .to_arrow() gives" in said
    assert "line 6" in said


@pytest.mark.parametrize(
    ("node", "key"),
    [
        (
            "write: {connection: lake, path: t, partition_by: [id, ts, year, month, city, qty, price]}",
            "write.partition_by",
        ),
        ("write: {connection: lake, path: there, mode: append, partition_by: [city]}", "write.partition_by"),
        ("read: {connection: lake, path: there, version: 7}", "read.version"),
        ("read: {connection: lake, path: there, timestamp: '2000-01-01T00:00Z'}", "read.timestamp"),
        ("read: {connection: lake, path: ther}", "read.path"),
    ],
)
def test_a_problem_of_a_place_points_at_the_key_it_is_about(
    project: Build, lake: Path, node: str, key: str
) -> None:
    project(SALES + "- {name: t, write: {connection: lake, path: there}}").run()
    said = problems(project, SALES + f"- {{name: n, {node}}}")
    assert f"pipelines[0].nodes[1].{key}: " in said
    assert f"{key}: {key.rpartition('.')[2]}: " not in said
    if key == "read.path":
        assert "there is no Delta table at lake:ther: did you mean 'there'?" in said


def test_an_older_version_whose_files_are_gone(project: Build, lake: Path) -> None:
    table = SALES + "- {name: t, write: {connection: lake, path: there}}"
    project(table).run()
    between = datetime.now(UTC).isoformat()
    time.sleep(0.05)
    project(table).run()
    project(table).run()
    project(SALES).engine.vacuum_delta(connection="lake", path="there", retention_hours=0, force=True)
    why = "any more, 1 of its 1 files went missing, as after a VACUUM: versions that still read: 2"
    for key, value, stood in (
        ("version", "1", "version 1"), ("timestamp", f"'{between}'", f"version 0, which stood at {between[:16]}"),
    ):  # fmt: skip
        read = project(f"- {{name: n, read: {{connection: lake, path: there, {key}: {value}}}}}")
        for does in (read.plan, read.run):
            with pytest.raises(ConfigErrors) as caught:
                does()
            said = str(caught.value)
            assert f"read.{key}: lake:there cannot be read at {stood}" in said and why in said
    project("- {name: n, read: {connection: lake, path: there, version: 2}}").plan()


def test_files_that_are_no_table_want_their_format(project: Build, lake: Path) -> None:
    (lake / "day=1").mkdir()
    (lake / "list").write_text("id\n1\n")
    remedy = "files that are no Delta table are read with their format: csv, parquet or json"
    for path, says in (
        ("day=1", "is no Delta table: it has no _delta_log"),
        ("list", "is a file, not a Delta table"),
    ):
        told = problems(project, f"- {{name: n, read: {{connection: lake, path: {path}}}}}")
        assert f"read.path: lake:{path} {says}" in told and remedy in told
        given = f"- {{name: n, read: {{connection: lake, path: {path}, format: delta}}}}"
        assert remedy not in problems(project, given)


def test_mode_error_points_at_the_mode(project: Build, lake: Path) -> None:
    nodes = SALES + "- {name: t, write: {connection: lake, path: there, mode: error}}"
    project(nodes).run()
    with pytest.raises(NodeFailed) as raised:
        project(nodes).run()
    *_, line, caret = str(raised.value.result.failed[0].error).splitlines()
    assert line[caret.index("^") : caret.rindex("^") + 1] == "mode"
