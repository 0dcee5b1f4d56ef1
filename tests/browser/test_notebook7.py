"""Notebook 7, which many open in place of Lab: its pages are other ones, built of Lab's parts."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.jupyter import Lab

expect.set_options(timeout=PATIENCE)

CELL = """\
%%odibi_pipeline
connections:
  lake: {type: local, base_path: seven}
nodes:
  - name: kept
    read: {connection: lake, path: in.csv}
    write: {connection: lake, path: kept, mode: overwrite}"""

HALF = "%%odibi_pipeline\nnodes:\n  - name: again\n    write: {mode: app"


def run(page: Page, cell: int) -> None:
    """One cell, by the keys that people press."""
    page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")


def test_runs_shows_and_completes(lab: Lab, open_context: Callable[..., BrowserContext]) -> None:
    (lab.folder / "seven").mkdir()
    (lab.folder / "seven/in.csv").write_text("id\n1\n2\n")
    lab.write("seven.ipynb", "%load_ext odibi_magics", CELL, "%odibi_history lake:kept", HALF)
    page = open_context().new_page()
    page.goto(f"{lab.url}notebooks/seven.ipynb?token={lab.token}")
    outputs = [
        page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea-output")
        for cell in range(4)
    ]
    expect(page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")).to_be_visible()
    loaded = page.locator(".jp-Notebook .jp-CodeCell").first.locator(".jp-InputPrompt")
    for _ in range(60):  # keys that come while the kernel is being connected to are lost
        run(page, 0)
        page.wait_for_timeout(1000)
        if loaded.inner_text() != "[ ]:":
            break
    for cell in (1, 2):
        run(page, cell)
    expect(outputs[1].first).to_contain_text("lake:kept@0")
    expect(outputs[2].first.get_by_role("grid")).to_contain_text("overwrite")
    page.locator(".jp-Notebook .jp-CodeCell").nth(3).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.press("Tab")
    expect(page.locator(".jp-Completer")).to_contain_text("append_once")
