"""The notebook's project: it grows cell by cell, and never reads a stale copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from odibi_magics import ConfigErrors, Project, UsageError, transform
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
    assert "sql: |" in text
    result = Project.from_file(written).run()
    assert len(result["some"]) == 2
    assert session.save(written) == (written,)
    run(session, "- {name: more, transform: {steps: [{sql: SELECT * FROM some}]}}")
    with pytest.raises(UsageError, match="is there already, with another text"):
        session.save(written)
    assert written.read_text() == text


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
    assert "functions:\n- all_functions.py" in written.read_text()
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
