"""A run as one sees it in JupyterLab: rows that move beside a picture that changes colour, Stop, and what stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import PATIENCE
from tests.browser.jupyter import Opened

expect.set_options(timeout=PATIENCE)

LOAD = """\
from pathlib import Path
Path("one.csv").write_text("id\\n1\\n")
Path("many.csv").write_text("n\\n" + "1\\n" * 100_000)
%load_ext odibi_magics"""

RUN = """\
%%odibi_pipeline
connections:
  lake: {type: local, base_path: .}
nodes:
  - name: one
    read: {connection: lake, path: one.csv}
    write: {connection: lake, path: one, mode: overwrite}
  - name: many
    read: {connection: lake, path: many.csv}
  - name: endless
    transform: {steps: [{sql: SELECT count(*) AS c FROM many a CROSS JOIN many b CROSS JOIN many c}]}
    write: {connection: lake, path: endless, mode: overwrite}
  - name: later
    depends_on: [endless]
    transform: {steps: [{sql: SELECT c + 1 AS d FROM endless}]}
    write: {connection: lake, path: later, mode: overwrite}"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Opened]) -> Opened:
    opened = open_notebook("run.ipynb", LOAD, RUN, "2 + 3")
    opened.run_cell(0)
    return opened


@pytest.fixture(scope="module")
def running(notebook: Opened) -> Locator:
    """What stands under the run's cell, as soon as its first node is done."""
    notebook.start_cell(1)
    shown = notebook.output(1).first
    expect(row(shown, "one")).to_contain_text("done")
    return shown


def row(shown: Locator, node: str) -> Locator:
    return shown.locator("tr", has=shown.page.get_by_role("cell", name=node, exact=True))


def box(shown: Locator, node: str) -> Locator:
    return shown.locator("svg text", has_text=node)


def test_rows_move_beside_a_picture(notebook: Opened, running: Locator) -> None:
    expect(running).to_contain_text("Running")
    for node, state in (("one", "done"), ("endless", "running"), ("later", "queued")):
        expect(row(running, node)).to_contain_text(state)
        expect(box(running, node).first).to_contain_text(state)
    seconds = row(running, "endless").locator("td").last
    before = seconds.inner_text()
    expect(seconds).not_to_have_text(before)


def test_stop_ends_it_and_says_what_was_written(notebook: Opened, running: Locator) -> None:
    notebook.command("notebook:interrupt-kernel")
    expect(running).to_contain_text("stopped ·")
    expect(row(running, "one")).to_contain_text("lake:one@0")
    expect(row(running, "endless")).to_contain_text("stopped")
    expect(row(running, "later")).to_contain_text("stopped: before it began")
    expect(running).to_contain_text("%%odibi_pipeline --resume --run-id")
    expect(notebook.output(1).last).to_have_text(
        "stopped: one written, version 0; endless, later not written"
    )
    assert not (notebook.lab.folder / "endless").exists()
    notebook.run_cell(2)
    expect(notebook.output(2)).to_have_text("5")


def test_what_was_stopped_stays_in_the_saved_file(notebook: Opened, running: Locator) -> None:
    saved = notebook.save().cells[1].outputs
    assert [output.output_type for output in saved] == ["display_data", "error"]
    assert "stopped: before it began" in saved[0].data["text/html"]
    assert "endless" in saved[0].data["text/plain"]
