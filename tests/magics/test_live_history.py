"""%odibi_history: where its table is live, and what stays of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics.magics import live
from tests.magics.conftest import Notebook, without_anywidget

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def table(notebook: Notebook) -> Notebook:
    """With a table of five versions; each deletes what a condition names."""
    where = notebook.folder / "t"
    write_deltalake(where, pa.table({"id": [4711, 4712, 4713, 4714, 4715], "city": ["Zanzibar"] * 5}))
    for number in range(4):
        DeltaTable(where).delete(f"id = {4711 + number}")
    return notebook


@pytest.fixture
def front_end(table: Notebook) -> Iterator[Notebook]:
    """As in a kernel: what answers is kept, and let go at the end."""
    table.shell.kernel = SimpleNamespace()  # type: ignore[attr-defined]
    yield table
    while live._answering:
        live._answering.pop().close()


def displayed(notebook: Notebook, line: str) -> list[Mapping[str, Any]]:
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        outcome = notebook.shell.run_cell(line)
    outcome.raise_error()
    return [output.data for output in captured.outputs]


def ask(question: str, **words: Any) -> dict[str, Any]:
    """The answer of the widget shown last."""
    whole = {"ask": question, "column": 0, "descending": True, "words": "", "first": 0, "length": 30, **words}
    answer: dict[str, Any] = live._answering[-1]._told(whole)
    return answer


def test_in_a_terminal_the_table_is_static(table: Notebook) -> None:
    [data] = displayed(table, "%odibi_history t")
    assert set(data) == {"text/html", "text/plain"} and not live._answering
    assert live.HINT not in data["text/plain"] and "odibi-history" not in data["text/html"]


def test_where_nothing_is_to_move_the_table_is_static(
    front_end: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ODIBI_PROGRESS", "off")
    [data] = displayed(front_end, "%odibi_history t")
    assert "odibi-history" not in data["text/html"] and not live._answering


def test_the_static_table_is_what_is_saved(front_end: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    [data] = displayed(front_end, "%odibi_history t")
    monkeypatch.setenv("ODIBI_PROGRESS", "off")
    [static] = displayed(front_end, "%odibi_history t")
    model = live._answering[-1].model_id
    assert data["text/html"] == f'<odibi-history data-model="{model}">{static["text/html"]}</odibi-history>'
    assert data["text/plain"] == static["text/plain"] and VIEW not in data


@pytest.mark.parametrize("kind", ["VS Code", "Databricks"])
def test_front_ends_that_keep_outputs_apart_get_the_widgets_own_type(
    front_end: Notebook, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "VS Code":
        front_end.shell.user_ns["__vsc_ipynb_file__"] = "a.ipynb"
    else:
        monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    [data] = displayed(front_end, "%odibi_history t")
    assert data[VIEW]["model_id"] == live._answering[-1].model_id
    assert "odibi-history" not in data["text/html"] and "DELETE" in data["text/html"]


def test_without_anywidget_a_line_says_how_to_get_it(
    front_end: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_anywidget(monkeypatch, "odibi_magics.widgets.history")
    [data] = displayed(front_end, "%odibi_history t")
    assert data["text/plain"].endswith(live.HINT) and "DELETE" in data["text/html"]
    assert "odibi-magics[widgets]" in data["text/html"]


def test_loads_the_rest_step_by_step(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_history t --limit 1")
    assert ask("table")["said"] == "1 of 5 versions loaded"
    live._answering[-1]._step = 2
    assert ask("more") == {"loaded": 3, "more": 2}
    assert ask("more") == {"loaded": 5, "more": 0} == ask("more")
    assert [row["version"] for row in ask("rows")["rows"]] == [4, 3, 2, 1, 0]


def test_goes_on_from_a_version(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_history t")
    answer = ask("version", version=2)
    assert ["predicate", "id = 4712"] in answer["facts"]
    assert (answer["preview"], answer["restore"]) == ("%odibi_preview t@2", "%odibi_restore t@2")
    [_, rows] = ask("preview", version=2)["blocks"]
    assert [cells[0][0] for cells in rows["rows"]] == ["4713", "4714", "4715"]


def test_compares_two_versions(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_history t")
    answer = ask("diff", version=1, other=3, keys=" id ")
    assert answer["command"] == "%odibi_diff t@1 t@3 --keys id"
    assert "0 added, 2 removed, 0 changed" in answer["blocks"][0]["text"]
    [rows] = [block for block in answer["blocks"] if block["kind"] == "table"]
    assert [cells[1][0] for cells in rows["rows"]] == ["4712", "4713"]
    assert ask("diff", version=3, other=1, keys="")["command"] == "%odibi_diff t@1 t@3"


def test_errors_are_answers_in_our_words(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_history t --limit 1")
    assert ask("version", version=0) == {"error": "version 0 is not loaded"}
    assert "no version 99" in ask("preview", version=99)["error"]


def test_where_no_rows_are_kept_none_are_shown_and_no_condition_is_told(front_end: Notebook) -> None:
    front_end.good("%config OdibiMagics.keep_rows = 0")
    shown = displayed(front_end, "%odibi_history t --limit 1")
    answers = [ask("table"), ask("more"), ask("rows"), ask("preview", version=1), ask("version", version=2)]
    answers.append(ask("diff", version=1, other=2, keys="id"))
    told = str([shown, answers])
    assert "4711" not in told and "Zanzibar" not in told and "[data]" in told


def test_of_many_only_the_last_ones_answer(front_end: Notebook) -> None:
    for _ in range(live._MOST + 2):
        displayed(front_end, "%odibi_history t")
    assert len(live._answering) == live._MOST


def test_the_state_of_a_widget_holds_its_code_alone(front_end: Notebook) -> None:
    from ipywidgets import Widget

    displayed(front_end, "%odibi_history t")
    state = str(Widget.get_manager_state())
    assert "connectedCallback" in state and "DELETE" not in state and "predicate" not in state
