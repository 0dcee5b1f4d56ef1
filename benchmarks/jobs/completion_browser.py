"""Completions in a cell of N nodes, from the key to the list on the page. Arguments: N, rounds, folder.

JupyterLab's own server, kernel and page in Chromium. Prints milliseconds as JSON, the kernel's first ones left out.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.jobs.completion import cell
from tests.browser.jupyter import Opened, launched, running_lab

# What offers several words: a single one JupyterLab writes without a list.
_SQL = "      - name: last\n        transform:\n          steps:\n            - sql: SELECT "
TYPED = {
    "a key": "      - name: last\n        d",
    "an enumeration": "      - name: last\n        write: {connection: lake, mode: app",
    "a node": "      - name: last\n        depends_on: [node_7",
    "a column in SQL": f"{_SQL}p FROM node_9",
    "a function in SQL": f"{_SQL}co FROM node_9",
}
_AFTER = len(" FROM node_9")

# Milliseconds from what Tab does to the frame in which the list is there.
_ASK = """() => new Promise(resolve => {
    const start = performance.now();
    const seen = new MutationObserver(() => {
        if (!document.querySelector(".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item")) return;
        seen.disconnect();
        requestAnimationFrame(() => resolve(performance.now() - start));
    });
    seen.observe(document.body, {subtree: true, childList: true, attributes: true});
    window.jupyterapp.commands.execute("completer:invoke-notebook");
})"""


def main(count: int, rounds: int, folder: Path) -> dict[str, list[float]]:
    """Milliseconds of each place."""
    folder.mkdir(parents=True, exist_ok=True)
    text = cell(count, folder)
    with running_lab(folder) as lab, sync_playwright() as playwright:
        browser = launched(playwright)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        cells = [text + typed for typed in TYPED.values()]
        opened = Opened(lab, lab.write("cells.ipynb", "%load_ext odibi_magics", *cells), page)
        opened.open()
        opened.run_cell(0)
        took = {
            name: _asked(page, at, _AFTER if "SQL" in name else 0, rounds) for at, name in enumerate(TYPED, 1)
        }
        browser.close()
    return took


def _asked(page: Page, at: int, back: int, rounds: int) -> list[float]:
    page.evaluate("at => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = at; }", at)
    page.locator(".jp-Notebook .jp-CodeCell").nth(at).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.wait_for_timeout(1000)  # JupyterLab asks for nothing before it has seen the cursor move
    for _ in range(back):
        page.keyboard.press("ArrowLeft")
    took: list[float] = []
    for _ in range(rounds + 2):
        page.wait_for_timeout(100)
        took.append(page.evaluate(_ASK))
        page.keyboard.press("Escape")
        page.wait_for_function("document.querySelector('.jp-Completer.lm-mod-hidden')")
    return took[2:]


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
