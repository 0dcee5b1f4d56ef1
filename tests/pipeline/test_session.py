"""The notebook's project: it grows cell by cell, and never reads a stale copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from odibi_magics import ConfigErrors, NodeFailed, Project, UsageError, transform
from odibi_magics.pipeline.result import RunResult
from odibi_magics.session import Session


@pytest.fixture
def session(lake: Path) -> Session:
    session = Session()
    session.keep(session.define_connections(f"lake: {{type: local, base_path: {lake}}}", defined="cell [1]"))
    return session


def run(session: Session, text: str, **options: Any) -> RunResult:
    project = session.define(text, **options)
    project.plan()
    session.keep(project)
    return project.run()


SALES = "- {name: sales, read: {connection: lake, path: raw/sales.csv}}"


def count(result: RunResult, node: str) -> int:
    return len(result[node])


def test_later_cells_use_nodes_of_earlier_ones(session: Session) -> None:
    run(session, SALES)
    result = run(session, "- {name: some, transform: {steps: [{sql: SELECT * FROM sales WHERE qty > 0}]}}")
    assert count(result, "some") == 3
    assert [node.name for node in result.nodes] == ["some"]


def test_a_written_node_is_read_from_its_table_and_not_run_again(session: Session, lake: Path) -> None:
    run(session, SALES + "\n- {name: kept, depends_on: [sales], write: {connection: lake, path: kept}}")
    (lake / "raw/sales.csv").unlink()
    result = run(session, "- {name: n, transform: {steps: [{sql: SELECT count(*) AS n FROM kept}]}}")
    assert result["n"].to_arrow()["n"].to_pylist() == [4]


def test_a_written_csv_is_read_with_the_options_it_was_written_with(session: Session) -> None:
    sink = "{connection: lake, path: kept.csv, options: {delimiter: ';'}}"
    run(session, SALES + f"\n- {{name: kept, depends_on: [sales], write: {sink}}}")
    result = run(session, "- {name: n, transform: {steps: [{sql: SELECT sum(qty) AS n FROM kept}]}}")
    assert result["n"].to_arrow()["n"].to_pylist() == [6]


def test_an_unwritten_node_is_evaluated_afresh(session: Session, lake: Path) -> None:
    run(session, SALES)
    with (lake / "raw/sales.csv").open("a") as file:
        file.write("5,2026-03-01 09:00:00,2026,3,Bonn,1,1.0\n")
    result = run(session, "- {name: n, transform: {steps: [{sql: SELECT count(*) AS n FROM sales}]}}")
    assert result["n"].to_arrow()["n"].to_pylist() == [5]


def test_a_table_that_was_not_written_yet_is_named_with_its_cell(session: Session) -> None:
    project = session.define(
        SALES + "\n- {name: kept, depends_on: [sales], write: {connection: lake, path: kept}}",
        defined="cell [2]",
    )
    session.keep(project)
    with pytest.raises(
        ConfigErrors,
        match=r"node 'kept' of cell \[2\] is read from its table, which is not there yet: run it",
    ):
        session.define("- {name: n, transform: {steps: [{sql: SELECT * FROM kept}]}}").plan()


def test_a_name_defined_again_is_replaced(session: Session) -> None:
    run(session, SALES)
    run(session, "- {name: sales, read: {connection: lake, path: raw/cities.csv}}", defined="cell [3]")
    assert [(node.name, node.defined) for node in session.nodes()] == [("sales", "cell [3]")]
    assert count(run(session, "- {name: c, transform: {steps: [{sql: SELECT * FROM sales}]}}"), "c") == 2


PIPELINES = """\
pipelines:
- pipeline: one
  nodes: [{name: sales, read: {connection: lake, path: raw/sales.csv}}, {name: same, transform: {steps: [{sql: SELECT * FROM df}]}}]
- pipeline: two
  nodes: [{name: some, transform: {steps: [{sql: SELECT * FROM sales WHERE qty > 0}]}}]
"""


def test_a_name_defined_again_without_a_pipeline_stays_where_it_was(session: Session) -> None:
    run(session, PIPELINES)
    run(session, "- {name: same, transform: {steps: [{sql: SELECT id FROM df}]}}")
    run(session, SALES)
    assert [(node.name, node.pipeline) for node in session.nodes()] == [
        ("sales", "one"), ("same", "one"), ("some", "two"),
    ]  # fmt: skip
    plan = session.project().plan()
    assert plan["same"].inputs == ("sales",)
    assert [node.name for node in plan.nodes] == ["sales", "same", "some"]


def test_a_name_defined_again_in_a_pipeline_moves_there(session: Session) -> None:
    run(session, PIPELINES)
    run(
        session,
        "pipelines: [{pipeline: main, nodes: [{name: some, depends_on: [same], validation: {not_empty: true}}]}]",
    )
    assert [(node.name, node.pipeline) for node in session.nodes()][-1] == ("some", "main")


def test_a_name_in_other_capitals_is_the_same_name(session: Session) -> None:
    run(session, SALES)
    run(session, SALES.replace("sales,", "Sales,", 1))
    assert [node.name for node in session.nodes()] == ["Sales"]


def test_what_a_cell_set_goes_when_all_it_defined_is_defined_again(session: Session) -> None:
    run(session, f"vars: {{least: 2}}\nengine: pandas\nnodes: [{SALES[2:]}]")
    run(session, SALES)
    assert session.definitions.variables == {} and session.definitions.settings == {}
    assert len(session.definitions.configs) == 2, "the connections' cell and the last one"


def test_a_node_is_forgotten_unless_another_takes_it(session: Session) -> None:
    run(session, PIPELINES)
    with pytest.raises(
        UsageError, match="sales: taken by same of this cell, some of this cell; to drop them too: "
    ):
        session.forget(["sales"])
    with pytest.raises(UsageError, match="did you mean 'some'"):
        session.forget(["soem"])
    session.forget(["some", "same"])
    assert [node.name for node in session.nodes()] == ["sales"]


def test_nodes_say_how_they_went(session: Session) -> None:
    def states() -> dict[str, str]:
        return {node.name: node.state for node in session.nodes()}

    project = session.define(FAILING)
    session.keep(project)
    assert set(states().values()) == {"planned"}
    session.ended(project.preview("sales"))
    assert states() == {"sales": "previewed", "none": "planned", "after": "planned"}
    with pytest.raises(NodeFailed) as caught:
        project.run()
    session.ended(caught.value.result)
    assert states() == {"sales": "done", "none": "failed", "after": "skipped"}


FAILING = """\
- {name: sales, read: {connection: lake, path: raw/sales.csv}, validation: {not_empty: true}}
- {name: none, depends_on: [sales], validation: {row_count: {min: 9}}}
- {name: after, depends_on: [none], validation: {not_empty: true}}
"""


def test_a_run_of_another_text_says_nothing_of_the_notebooks_nodes(session: Session, lake: Path) -> None:
    run(session, SALES)
    other = Project.from_yaml(
        f"connections: {{lake: {{type: local, base_path: {lake}}}}}\nnodes: [{SALES[2:]}]"
    )
    session.ended(other.run())
    assert [node.state for node in session.nodes()] == ["planned"]


def test_variables_of_earlier_cells_hold(session: Session) -> None:
    run(session, f"vars: {{least: 2}}\nnodes: [{SALES[2:]}]")
    result = run(
        session, "- {name: some, transform: {steps: [{sql: 'SELECT * FROM sales WHERE qty >= {{ least }}'}]}}"
    )
    assert count(result, "some") == 2


def test_a_notebook_variable_is_a_literal_in_sql(session: Session) -> None:
    run(session, SALES)
    text = "- {name: some, transform: {steps: [{sql: 'SELECT * FROM sales WHERE city = {{ city }}'}]}}"
    assert count(run(session, text, namespace={"city": "Oslo"}), "some") == 2
    assert count(run(session, text, namespace={"city": "Oslo' OR '1' = '1"}), "some") == 0


def test_a_saved_project_runs_alone(session: Session, lake: Path) -> None:
    run(session, SALES)
    run(
        session,
        "- name: some\n  transform:\n    steps:\n      - sql: |\n          SELECT *\n          FROM sales WHERE qty >= {{ least }}\n"
        "  write: {connection: lake, path: some}",
        namespace={"least": 2},
    )
    [written] = session.save(lake / "all.odibi.yaml")
    text = written.read_text()
    assert "{{ least }}" in text
    assert "sql: |" in text and "write: {connection: lake, path: some}" in text
    result = Project.from_file(written).run()
    assert len(result["some"]) == 2
    assert session.save(written) == (written,)


def test_a_saved_file_is_replaced_unless_somebody_changed_it(session: Session, lake: Path) -> None:
    run(session, SALES)
    [written] = session.save(lake / "all.odibi.yaml")
    run(session, "- {name: more, transform: {steps: [{sql: SELECT * FROM sales}]}}")
    session.save(written)
    assert len(Project.from_file(written).run()["more"]) == 4

    edited = written.read_text() + "# mine\n"
    written.write_text(edited)
    with pytest.raises(UsageError, match="was edited since: choose another name, or replace it with --force"):
        session.save(written)
    assert written.read_text() == edited
    session.save(written, force=True)
    assert "# mine" not in written.read_text()


def test_a_file_of_another_hand_is_not_replaced(session: Session, lake: Path) -> None:
    run(session, SALES)
    (lake / "mine.odibi.yaml").write_text("connections: {}\n")
    with pytest.raises(UsageError, match=r"'.*mine\.odibi\.yaml' is there already"):
        session.save(lake / "mine.odibi.yaml")


def test_what_does_not_check_as_a_whole_is_not_saved(session: Session, lake: Path) -> None:
    run(session, SALES)
    run(session, "- {name: some, transform: {steps: [{sql: SELECT city FROM sales}]}}")
    run(session, "- {name: sales, read: {connection: lake, path: raw/sales.csv, columns: [id]}}")
    with pytest.raises(UsageError, match=r"does not check as one file:(?s:.*)unknown column 'city'"):
        session.save(lake / "all.odibi.yaml")
    assert not (lake / "all.odibi.yaml").exists()


PROD = """\
connections: {{lake: {{type: local, base_path: {base}}}}}
nodes: [{{name: sales, read: {{connection: lake, path: raw/sales.csv}}}}]
environments: {{prod: {{connections: {{lake: {{base_path: {prod}}}}}}}}}
"""


def test_an_environment_is_saved_beside_what_it_lies_over_and_relative_paths_lead_where_they_led(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lake / "prod/raw").mkdir(parents=True)
    (lake / "prod/raw/sales.csv").write_text("id\n1\n")
    (lake / "etc").mkdir()
    monkeypatch.chdir(lake)
    session = Session()
    assert count(run(session, PROD.format(base=".", prod="./prod"), env="prod"), "sales") == 1

    [written] = session.save("etc/all.odibi.yaml")

    assert "base_path: ..}" in written.read_text() and "base_path: ../prod}" in written.read_text()
    monkeypatch.chdir("/")
    assert len(Project.from_file(lake / written).run()["sales"]) == 4
    assert len(Project.from_file(lake / written, env="prod").run()["sales"]) == 1


def test_environments_of_several_cells_are_one(session: Session, lake: Path) -> None:
    some = "transform: {steps: [{sql: 'SELECT * FROM df WHERE qty > {{ least }}'}]}"
    sales = f"nodes: [{SALES[2:-1]}, {some}}}]"
    run(session, f"vars: {{least: 0}}\n{sales}\nenvironments: {{prod: {{vars: {{least: 1}}}}}}")
    run(
        session,
        "nodes: [{name: b, transform: {steps: [{sql: SELECT * FROM sales}]}}]\nenvironments: {prod: {engine: pandas}}",
    )
    [written] = session.save(lake / "all.odibi.yaml")
    assert len(Project.from_file(written).run()["b"]) == 3
    assert len(Project.from_file(written, env="prod").run()["b"]) == 2


def test_a_path_that_may_be_relative_is_not_moved_by_guessing(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lake)
    session = Session()
    run(session, PROD.format(base="'{{ here }}'", prod="."), namespace={"here": "."})
    with pytest.raises(UsageError, match=r"connection 'lake': base_path: \{\{ here \}\} may be relative to"):
        session.save(lake / "etc/all.odibi.yaml")
    assert session.save(lake / "all.odibi.yaml")


def test_a_secret_is_not_saved(session: Session, lake: Path) -> None:
    account = "type: azure_adls, account: accounta, container: raw, auth_mode: direct_key"
    session.keep(session.define_connections(f"blob: {{{account}, account_key: c2VjcmV0c2VjcmV0}}"))
    with pytest.raises(UsageError, match=r"would hold a secret \(connections.blob.account_key\)"):
        session.save(lake / "all.odibi.yaml")


def test_each_node_takes_in_the_file_what_it_takes_in_the_notebook(session: Session, lake: Path) -> None:
    """The node before it, which in the file may be another one."""
    first = "read: {connection: lake, path: raw/sales.csv}"
    written = "write: {connection: lake, path: c}"
    run(session, f"- {{name: a, {first}}}\n- {{name: b, {first}}}\n- {{name: c, {written}}}")
    run(session, f"- {{name: b, {first}}}\n- {{name: x, {first}}}")
    [file] = session.save(lake / "all.odibi.yaml")
    assert Project.from_file(file).plan()["c"].inputs == session.project().plan()["c"].inputs == ("b",)


def test_nothing_defined_is_nothing_to_save(lake: Path) -> None:
    with pytest.raises(UsageError, match="nothing to save"):
        Session().save(lake / "x.odibi.yaml")


def test_functions_of_cells_are_saved_beside_and_what_only_the_notebook_has_is_named(
    session: Session, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import linecache
    import math
    import sys
    from types import ModuleType

    source = (
        "@transform\ndef rounded(df, digits: int = 0):\n    df['price'] = df['price'].map(math.ceil)\n    return df\n\n"
        "@transform\ndef bound(df):\n    return df.head(limit)\n"
    )
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    namespace = {"__name__": "__main__", "transform": transform, "math": math, "limit": 3}
    exec(compile(source, "<cell>", "exec"), namespace)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    run(session, SALES[:-1] + ", transform: {steps: [{function: rounded}]}}")
    written, beside = session.save(lake / "all.odibi.yaml")
    assert "import math\n" in beside.read_text()
    assert "functions: [all_functions.py]" in written.read_text()
    assert sorted(Project.from_file(written).run()["sales"].to_pandas()["price"]) == [5, 8, 10, 100]
    run(session, SALES[:-1] + ", transform: {steps: [{function: bound}]}}")
    with pytest.raises(UsageError, match="function 'bound' uses 'limit', which only this notebook has"):
        session.save(lake / "other.odibi.yaml")


def test_the_columns_of_a_written_node_are_its_tables_whatever_steps_it_has(session: Session) -> None:
    run(session, SALES)
    run(
        session,
        "- {name: kept, transform: {steps: [{sql: 'SELECT id FROM sales'}]}, write: {connection: lake, path: kept}}",
    )
    plan = session.define("- {name: n, transform: {steps: [{sql: 'SELECT id AS x FROM kept'}]}}").plan()
    assert [str(column) for column in plan["n"].columns or ()] == ["x bigint"]
    with pytest.raises(ConfigErrors, match="unknown column 'idd'"):
        session.define("- {name: n, transform: {steps: [{sql: 'SELECT idd FROM kept'}]}}").plan()


def test_a_project_is_saved_as_yaml(session: Session, lake: Path) -> None:
    run(session, SALES)
    with pytest.raises(UsageError, match=r"saved as .yaml: %odibi_save etl.odibi.yaml"):
        session.save(lake / "etl")
