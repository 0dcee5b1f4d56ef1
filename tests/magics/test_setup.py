"""%odibi_setup: where it shows a wizard, what it says elsewhere, the next cell, and what stays of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from odibi_magics.magics import live, setup
from odibi_magics.sandbox import Cloud
from tests.magics.conftest import Notebook, without_anywidget
from tests.magics.test_kernel import Kernel, kernel  # noqa: F401
from tests.magics.test_live_history import VIEW, displayed
from tests.setup.conftest import signing_in, until  # noqa: F401


@pytest.fixture
def front_end(notebook: Notebook, signing_in: None) -> Iterator[Notebook]:  # noqa: F811
    """As in a kernel: what answers is kept, and let go at the end."""
    notebook.shell.kernel = SimpleNamespace()  # type: ignore[attr-defined]
    yield notebook
    while live._answering:
        live._answering.pop().close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What widgets send to their pages."""
    from ipywidgets import Widget

    told: list[Mapping[str, Any]] = []
    monkeypatch.setattr(Widget, "send", lambda widget, content, buffers=None: told.append(content))
    return told


def ask(question: str, **words: Any) -> dict[str, Any]:
    """The answer of the wizard shown last."""
    answer: dict[str, Any] = live._answering[-1]._told({"ask": question, **words})
    return answer


def fill(**values: str) -> None:
    for key, text in values.items():
        assert "error" not in ask("set", of="c1", key=key, text=text)


def test_in_a_terminal_it_points_to_the_doctor(notebook: Notebook) -> None:
    [said] = notebook.good("%odibi_setup").text
    assert said == setup.NO_NOTEBOOK and "%odibi_doctor" in said
    assert "--cell" in notebook.good("%odibi_setup --help").text[0]
    assert "unknown option '--cells'" in notebook.bad("%odibi_setup --cells")


def test_without_widgets_it_says_how_to_get_them(
    front_end: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_anywidget(monkeypatch, "odibi_magics.widgets.wizard")
    [data] = displayed(front_end, "%odibi_setup")
    assert data["text/plain"] == setup.NO_WIDGETS and not live._answering
    assert "odibi-magics[widgets]" in data["text/html"] and "%odibi_doctor" in data["text/html"]


def test_the_wizard_takes_the_place_of_a_still_text(front_end: Notebook) -> None:
    [data] = displayed(front_end, "%odibi_setup")
    model = live._answering[-1].model_id
    assert data["text/html"].startswith(f'<odibi-setup data-model="{model}"><div class="odibi">')
    assert "%odibi_doctor" in data["text/plain"] and VIEW not in data
    front_end.shell.user_ns["__vsc_ipynb_file__"] = "a.ipynb"
    [data] = displayed(front_end, "%odibi_setup")
    assert data[VIEW]["model_id"] == live._answering[-1].model_id and "odibi-setup" not in data["text/html"]


def test_from_nothing_to_a_run_of_what_it_made(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_setup")
    fill(name="lake", type="local", base_path=".")
    assert ask("go", to="check")["view"]["step"] == "check"
    until(lambda: ask("view")["view"]["said"] == "Checked: 1 connection works")
    ask("go", to="result")
    ask("use")
    assert "lake" in front_end.good("%odibi_connections").text[0]
    front_end.good("%%odibi_pipeline\n- {name: orders, read: {connection: lake, path: orders.csv}}\n")


def test_what_it_made_goes_into_the_next_cell(front_end: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    cells: list[str] = []
    monkeypatch.setattr(front_end.shell, "set_next_input", cells.append)
    displayed(front_end, "%odibi_setup --cell")
    fill(name="lake", type="local")
    fill(base_path="data")
    assert not displayed(front_end, "%odibi_setup --cell")
    [cell] = cells
    assert cell == "%%odibi_connections\nconnections:\n  lake: {type: local, base_path: data}\n"
    front_end.good(cell)


def test_an_unfinished_one_is_shown_again_as_it_was(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_setup")
    fill(name="lake", account="account1")
    displayed(front_end, "%odibi_setup --cell")
    assert ask("view")["view"]["sections"][0]["legend"] == "lake" and len(live._answering) == 2
    displayed(front_end, "%odibi_setup")
    assert "account1" not in str(ask("go", to="place"))


def test_errors_are_answers_in_our_words(front_end: Notebook) -> None:
    displayed(front_end, "%odibi_setup")
    assert (
        ask("remove", of="c1")
        and ask("set", of="c1", key="name", text="x")["error"] == "this connection was removed"
    )
    answer = ask("no such question")
    assert "please report it" in answer["error"] and answer["view"]["step"] == "connections"


def test_no_state_of_a_widget_holds_what_was_typed_or_fetched(
    front_end: Notebook, cloud: Cloud, sent: list[Mapping[str, Any]]
) -> None:
    from ipywidgets import Widget

    displayed(front_end, "%odibi_setup")
    key = cloud.storage("account1").key
    fill(
        name="bronze",
        account="account1",
        container="raw",
        key_vault_name="company-kv",
        secret_name="bronze-key",
    )
    fill(path_prefix=key)
    fill(path_prefix="")
    ask("go", to="check")
    until(lambda: ask("view")["view"]["said"] == "Checked: 1 connection works")
    until(lambda: any("view" in each for each in sent))  # told by a thread
    state = json.dumps(Widget.get_manager_state())
    assert "inPlace" in state and "bronze" not in state and key not in state
    assert key not in json.dumps(sent) and key not in repr(front_end.shell.user_ns)


def test_what_is_saved_has_the_result_once_the_check_is_over(
    front_end: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[Mapping[str, Any]] = []
    handle = SimpleNamespace(update=lambda data, raw: saved.append(data))
    monkeypatch.setattr(setup, "display", lambda *given, **more: handle)
    front_end.good("%odibi_setup")
    fill(name="lake", type="local")
    ask("go", to="check")
    until(lambda: saved)
    assert "✓ ok" in saved[0]["text/plain"] and "lake: {type: local, base_path: .}" in saved[0]["text/plain"]
    assert saved[0]["text/html"].startswith("<odibi-setup") and "✓ ok" in saved[0]["text/html"]


def test_in_a_kernel_the_cell_returns_at_once_and_the_next_one_is_set(kernel: Kernel) -> None:  # noqa: F811
    reply, messages = kernel.run("%odibi_setup")
    assert reply["status"] == "ok"
    kinds = [message["msg_type"] for message in messages]
    assert "comm_open" in kinds and "display_data" in kinds
    kernel.run("from odibi_magics.magics import live\nwizard = live._answering[-1]")
    kernel.run("wizard._told({'ask': 'set', 'of': 'c1', 'key': 'type', 'text': 'local'})")
    reply, _ = kernel.run("%odibi_setup --cell")
    [payload] = reply["payload"]
    assert payload["source"] == "set_next_input" and payload["replace"] is False
    assert yaml.safe_load(payload["text"].partition("\n")[2])["connections"]["lake"]["type"] == "local"
