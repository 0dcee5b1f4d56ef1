"""%%odibi_pipeline and %odibi_run in a real shell."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest

from odibi_magics.errors import ConfigErrors, NodeFailed, UsageError
from tests.magics.conftest import Notebook, orders_cell

FAILING = """\
%%odibi_pipeline
nodes:
  - name: fine
    read: {connection: lake, path: orders.csv}
    write: {connection: lake, path: fine}
  - name: checked
    depends_on: [fine]
    validation: {range: {column: qty, min: 1}}
    write: {connection: lake, path: checked}
  - name: after
    depends_on: [checked]
    write: {connection: lake, path: after}
"""


def test_a_cell_becomes_a_delta_table(notebook: Notebook) -> None:
    ran = notebook.good(orders_cell())

    assert (notebook.folder / "clean/orders/_delta_log").is_dir()
    assert len(ran.html) == 1, "the live table and the report share one place"
    assert "clean" in ran.html[0] and "clean" in ran.text[0]
    result = notebook["odibi_result"]
    assert result.state == "done"
    assert result["clean"].to_arrow().to_pydict() == {"id": [1, 3], "qty": [5, 7]}


def test_plan_runs_nothing(notebook: Notebook) -> None:
    ran = notebook.good(orders_cell("--plan --sql"))

    assert not (notebook.folder / "clean").exists()
    assert "odibi_result" not in notebook.shell.user_ns
    assert "create" in ran.text[0]
    assert "SELECT" in ran.text[-1]


@pytest.mark.parametrize("option", ["--preview", "--preview clean", "--sample 2"])
def test_preview_shows_rows_and_writes_nothing(notebook: Notebook, option: str) -> None:
    ran = notebook.good(orders_cell(option))

    assert not (notebook.folder / "clean").exists()
    assert notebook["odibi_result"].preview.columns[1].name == "qty"
    assert "qty" in ran.text[0] and "5" in ran.text[0]


def test_a_planned_cell_is_known_to_the_next(notebook: Notebook) -> None:
    notebook.good(orders_cell("--plan"))
    ran = notebook.good(
        "%%odibi_pipeline --preview\n- {name: more, transform: {steps: [{sql: 'SELECT * FROM orders'}]}}\n"
    )
    assert "2026-01-02" in ran.text[0]


def test_a_failed_node_fails_the_cell(notebook: Notebook) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    ran = notebook.run(FAILING)

    assert isinstance(ran.error, NodeFailed)
    result = notebook["odibi_result"]
    assert ran.error.result is result
    assert [(node.name, node.state) for node in result] == [
        ("fine", "done"), ("checked", "failed"), ("after", "skipped"),
    ]  # fmt: skip
    assert len(ran.html) == 1
    assert "Traceback" not in ran.printed
    assert not (notebook.folder / "checked").exists()
    assert len(result["fine"]) == 3


def test_the_whole_report_is_not_said_again_by_the_error(notebook: Notebook) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    assert len(str(notebook.run(FAILING).error).splitlines()) < 5


def test_problems_have_the_cells_lines(notebook: Notebook) -> None:
    cell = orders_cell().replace("write:", "wriite:")
    ran = notebook.run(cell)

    assert isinstance(ran.error, ConfigErrors)
    assert "line 11 " in str(ran.error) and "did you mean 'write'?" in str(ran.error)
    assert ran.html == ()
    assert "odibi_result" not in notebook.shell.user_ns
    assert notebook.shell.magics_manager.registry["OdibiMagics"].session.nodes() == ()


def test_a_cell_whose_sql_is_wrong_is_not_kept(notebook: Notebook) -> None:
    text = notebook.bad(orders_cell().replace("qty > 0", "qyt > 0"))
    assert "line 10 " in text
    assert notebook.shell.magics_manager.registry["OdibiMagics"].session.nodes() == ()


def test_definitions_remember_their_cell(notebook: Notebook) -> None:
    count = notebook.shell.execution_count
    notebook.good(orders_cell("--plan"))
    nodes = notebook.shell.magics_manager.registry["OdibiMagics"].session.nodes()
    assert [node.defined for node in nodes] == [f"cell [{count}]"] * 2


@pytest.mark.parametrize(("option", "rows"), [("--as x", 2), ("--as x=clean", 2), ("--as x=orders", 3)])
def test_as_puts_data_into_a_variable(notebook: Notebook, option: str, rows: int) -> None:
    notebook.good(orders_cell(option))
    assert len(notebook["x"]) == rows


def test_as_of_a_previewed_node(notebook: Notebook) -> None:
    notebook.good(orders_cell("--preview orders --as x"))
    assert len(notebook["x"]) == 3


def test_as_of_a_run_that_failed_gives_what_there_is(notebook: Notebook) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    ran = notebook.run(FAILING.replace("%%odibi_pipeline", "%%odibi_pipeline --as x=fine"))
    assert isinstance(ran.error, NodeFailed)
    assert len(notebook["x"]) == 3


def test_as_of_an_unknown_node_runs_nothing(notebook: Notebook) -> None:
    assert "did you mean 'clean'?" in notebook.bad(orders_cell("--as x=claen"))
    assert not (notebook.folder / "clean").exists()


def test_only_and_run_id(notebook: Notebook) -> None:
    notebook.good(orders_cell("--only orders --run-id night-1"))
    result = notebook["odibi_result"]
    assert (result.run_id, [node.name for node in result]) == ("night-1", ["orders"])


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--plam", "did you mean '--plan'?"),
        ("--only nope", "unknown node 'nope'"),
        ("--engine x", "unknown engine 'x'"),
    ],
)
def test_mistakes_in_the_line(notebook: Notebook, line: str, words: str) -> None:
    ran = notebook.run(orders_cell(line))
    assert isinstance(ran.error, UsageError)
    assert words in str(ran.error)
    assert "Traceback" not in ran.printed


# Variables ------------------------------------------------------------------------------------------------

VARIABLE_CELL = """\
%%odibi_pipeline --preview {options}
connections: {{lake: {{type: local, base_path: .}}}}
nodes:
  - name: chosen
    read: {{connection: lake, path: orders.csv}}
    transform: {{steps: [{{sql: "SELECT id FROM df WHERE qty >= {{{{ least }}}}"}}]}}
"""


def test_notebook_variables(notebook: Notebook) -> None:
    notebook.good("least = 6")
    notebook.good(VARIABLE_CELL.format(options="--as x"))
    assert notebook["x"].to_arrow().to_pydict() == {"id": [3]}


def test_numbers_of_numpy_are_numbers(notebook: Notebook) -> None:
    notebook.good("import numpy as np\nleast = np.int64(6)")
    notebook.good(VARIABLE_CELL.format(options="--as x"))
    assert notebook["x"].to_arrow().to_pydict() == {"id": [3]}


def test_an_empty_set_is_no_null(notebook: Notebook) -> None:
    assert "--set least= is empty" in notebook.bad(VARIABLE_CELL.format(options="--set least="))


def test_set_beats_the_notebook(notebook: Notebook) -> None:
    notebook.good("least = 6")
    notebook.good(VARIABLE_CELL.format(options="--set least=0 --as x"))
    assert len(notebook["x"]) == 3


@pytest.mark.parametrize("value", ["object()", "[object()]", "__import__('os')"])
def test_what_is_no_variable(notebook: Notebook, value: str) -> None:
    notebook.good(f"least = {value}")
    assert "unknown variable 'least'" in notebook.bad(VARIABLE_CELL.format(options=""))


def test_the_line_and_the_body_are_taken_literally(notebook: Notebook) -> None:
    notebook.good("region = 'EU'")
    assert "unknown node '$region'" in notebook.bad(orders_cell("--only $region"))
    assert "unknown node '{region}'" in notebook.bad(orders_cell("--only {region}"))


def test_which_names_of_a_notebook_are_variables() -> None:
    from odibi_magics.magics.namespace import NotebookVariables

    hidden = {"In": ["x"], "exit": print, "mine": 1}
    day = dt.date(2026, 1, 1)
    names = {
        **hidden,
        "mine": 2,
        "a": "x",
        "b": 1.5,
        "_c": 1,
        "d": {},
        "e": [1, None],
        "f": [{}],
        "day": day,
        "m": dt,
    }
    assert dict(NotebookVariables(names, hidden)) == {
        "mine": 2,
        "a": "x",
        "b": 1.5,
        "e": [1, None],
        "day": day,
    }


class WidgetsByName:
    """`dbutils.widgets` of a runtime that has no `getAll()`. asked: the names, in their order."""

    def __init__(self, **values: str) -> None:
        self.values, self.asked = values, list[str]()

    def get(self, name: str) -> str:
        self.asked.append(name)
        if name not in self.values:
            raise RuntimeError(f"InputWidgetNotDefined: No input widget named {name} is defined")
        return self.values[name]


class AllWidgets(WidgetsByName):
    def getAll(self) -> dict[str, str]:
        self.asked.append("all")
        return dict(self.values)


@pytest.mark.parametrize("kind", [WidgetsByName, AllWidgets])
def test_widgets_of_databricks_stand_behind_the_variables(kind: type[WidgetsByName]) -> None:
    from odibi_magics.magics.namespace import NotebookVariables

    widgets = kind(day="2013-01-02", least="6", _of="x")
    names = {"dbutils": SimpleNamespace(widgets=widgets), "least": 7}
    found = NotebookVariables(names, {"dbutils": names["dbutils"]})
    assert (found["least"], found["day"], found["_of"]) == (7, "2013-01-02", "x")
    assert "region" not in found and "dbutils" not in found
    listed = {"least": 7} | ({"day": "2013-01-02", "_of": "x"} if kind is AllWidgets else {})
    assert dict(found) == listed and len(found) == len(listed)
    assert widgets.asked.count("all") == (kind is AllWidgets)
    assert "least" not in widgets.asked


@pytest.mark.parametrize("dbutils", [None, object(), SimpleNamespace(widgets=object())])
def test_without_widgets_there_are_none(dbutils: Any) -> None:
    from odibi_magics.magics.namespace import NotebookVariables

    found = NotebookVariables({"dbutils": dbutils, "a": 1}, {"dbutils": dbutils})
    assert dict(found) == {"a": 1} and "day" not in found


def test_a_widget_is_a_variable_of_the_cell(notebook: Notebook) -> None:
    widgets = AllWidgets(least="6")
    notebook.shell.user_ns["dbutils"] = SimpleNamespace(widgets=widgets)
    cell = VARIABLE_CELL.replace("{{{{ least }}}}", "CAST({{{{ least }}}} AS int)").format(options="--as x")
    notebook.good(cell)
    assert notebook["x"].to_arrow().to_pydict() == {"id": [3]}
    notebook.good("least = 5")
    notebook.good(cell)
    assert notebook["x"].to_arrow().to_pydict() == {"id": [1, 3]}


# Files ----------------------------------------------------------------------------------------------------


def test_run_a_file(notebook: Notebook) -> None:
    (notebook.folder / "etl.odibi.yaml").write_text(orders_cell().partition("\n")[2])
    notebook.good("%odibi_run etl.odibi.yaml --as x")
    assert len(notebook["x"]) == 2
    assert notebook.shell.magics_manager.registry["OdibiMagics"].session.nodes() == ()


@pytest.mark.parametrize("line", ["nope.yaml", ".", ""])
def test_a_file_that_is_not_there(notebook: Notebook, line: str) -> None:
    ran = notebook.run(f"%odibi_run {line}")
    assert isinstance(ran.error, UsageError)


def test_help_is_shown_and_nothing_runs(notebook: Notebook) -> None:
    ran = notebook.good(orders_cell("--help"))
    assert "--from-node NODE" in ran.text[0]
    assert "odibi_result" not in notebook.shell.user_ns


# What stays in the notebook -------------------------------------------------------------------------------


def test_keep_rows_limits_previews(notebook: Notebook) -> None:
    notebook.good("%config OdibiMagics.keep_rows = 1")
    ran = notebook.good(orders_cell("--preview orders"))
    assert "2026-01-01" in ran.text[0] and "2026-01-02" not in ran.text[0]
    assert len(notebook["odibi_result"]["orders"]) == 3


def test_keep_rows_0_keeps_no_data(notebook: Notebook) -> None:
    notebook.good("%config OdibiMagics.keep_rows = 0")
    shown = [
        notebook.good(orders_cell("--preview orders --as x")),
        notebook.good("display(x)"),
        notebook.good("display(odibi_result)"),
        notebook.good("%odibi_preview lake:orders.csv"),
    ]
    for ran in shown:
        page = "".join(ran.html + ran.text) + ran.printed
        assert "2026-01-0" not in page
        assert "day" in "".join(ran.html) or "orders" in "".join(ran.html)
    assert "3" in shown[1].text[0]


def test_a_result_of_before_keeps_to_what_may_be_kept_now(notebook: Notebook) -> None:
    notebook.good(orders_cell("--preview orders"))
    notebook.good("%config OdibiMagics.keep_rows = 0")
    ran = notebook.good("display(odibi_result)")
    assert "2026-01-0" not in "".join(ran.html + ran.text)


def test_progress_off(notebook: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIBI_PROGRESS", "off")
    ran = notebook.good(orders_cell())
    assert (len(ran.html), ran.printed) == (1, "")
