"""Completion pops up in JupyterLab, and help for the word at the cursor."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PATIENCE
from tests.browser.jupyter import Opened

expect.set_options(timeout=PATIENCE)

CELL = """\
%%odibi_pipeline
connections:
  lake: {type: local, base_path: .}
nodes:
  - name: orders
    read: {connection: lake, path: orders.csv}
  - name: clean
    write: {connection: lake, mode: app"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Opened]) -> Opened:
    opened = open_notebook("completion.ipynb", "%load_ext odibi_magics", CELL)
    opened.run_cell(0)
    return opened


def editor(notebook: Opened) -> Locator:
    """The cell's editor, with the cursor at its end."""
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    found = notebook.page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".cm-content")
    found.click()
    notebook.page.keyboard.press("Control+End")
    return found


def test_tab_completes_a_value(notebook: Opened) -> None:
    written = editor(notebook)
    keyboard = notebook.page.keyboard
    notebook.command("completer:invoke-notebook")  # what Tab does once the editor has seen the cursor move
    menu = notebook.page.locator(".jp-Completer")
    expect(menu.locator(".jp-Completer-item", has_text="append_once")).to_be_visible()
    expect(menu).not_to_contain_text("print")
    keyboard.press("Enter")
    expect(written).to_contain_text("mode: append")


def test_shift_tab_tells_what_a_key_means(notebook: Opened) -> None:
    editor(notebook)
    for _ in range(2):
        notebook.page.keyboard.press("Control+ArrowLeft")  # from the value to its key
    notebook.page.keyboard.press("Shift+Tab")
    tooltip = notebook.page.locator(".jp-Tooltip")
    expect(tooltip).to_contain_text("What happens to rows already there.")
