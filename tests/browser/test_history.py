"""%odibi_history in JupyterLab, and in what it saves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.jupyter import Lab, Opened
from tests.browser.tables import log, usual

VERSIONS = 10_000
HOSTILE = "<img src=x onerror=window.ran=1><script>window.ran=1</script>\u202e"
KEY = "c2VjcmV0c2VjcmV0c2VjcmV0"
LONG, EVIL, SMALL, APART = range(1, 5)

expect.set_options(timeout=PATIENCE)


def hostile(version: int) -> dict[str, Any]:
    return {
        "timestamp": version,
        "operation": HOSTILE,
        "userName": HOSTILE,
        "engineInfo": HOSTILE,
        "operationParameters": {
            HOSTILE: f'">{HOSTILE}',
            "key": f"AccountKey={KEY}",
            "metadata": f'{{"schemaString":"{HOSTILE * 20}"}}',
        },
    }


@pytest.fixture(scope="module")
def notebook(lab: Lab, open_notebook: Callable[..., Opened]) -> Opened:
    """Histories of a long, a hostile and a real table, and one as front ends get it that keep outputs apart."""
    log(lab.folder / "long", VERSIONS, usual)
    log(lab.folder / "evil", 2, hostile)
    for start in range(3):
        ids = list(range(start * 10, start * 10 + 3))
        data = pa.table({"id": ids, "<b>city</b>": [f"<i>city-{i}</i>" for i in ids]})
        write_deltalake(lab.folder / "small", data, mode="overwrite")
    lines = [f"%odibi_history {name}" for name in ("long", "evil", "small")]
    apart = "__vsc_ipynb_file__ = 'x.ipynb'\n%odibi_history small\ndel __vsc_ipynb_file__"
    opened = open_notebook("history.ipynb", "%load_ext odibi_magics", *lines, apart)
    opened.run_all()
    return opened


def live(notebook: Opened, cell: int) -> Locator:
    """The live table under a cell, shown."""
    found = notebook.output(cell).locator("odibi-history[live] .odibi-live")
    found.scroll_into_view_if_needed()
    expect(found).to_be_visible()
    return found


def row(table: Locator, number: int) -> Locator:
    """By its place in the order that is shown, from 0 on."""
    return table.locator(f'.row[aria-rowindex="{number + 2}"]')


def said(table: Locator, text: str) -> None:
    """The whole of what it says of how much is loaded."""
    expect(table.locator(".said")).to_have_text(text)


def load_the_rest(table: Locator) -> None:
    button = table.get_by_role("button", name="Load the rest")
    if button.is_visible():
        button.click()
    said(table, "10,000 versions loaded")


def order(table: Locator, column: str, direction: str) -> None:
    """Sorts by a column, whatever the order was."""
    header = table.get_by_role("columnheader", name=column)
    for _ in range(2):
        before = header.get_attribute("aria-sort")
        if before == direction:
            break
        header.get_by_role("button").click()
        expect(header).not_to_have_attribute("aria-sort", before or "")
    expect(header).to_have_attribute("aria-sort", direction)


def scroll_to(table: Locator, number: int) -> None:
    table.locator(".scroll").evaluate("(element, top) => { element.scrollTop = top }", number * 26)


def open_version(table: Locator, number: int) -> Locator:
    """What opens below the table for a row."""
    row(table, number).click()
    opened = table.locator(".version")
    expect(opened).to_be_visible()
    return opened


def test_the_newest_versions_show_and_say_how_much_that_is(notebook: Opened) -> None:
    table = live(notebook, LONG)
    said(table, "20 of 10,000 versions loaded")
    cells = row(table, 0).get_by_role("gridcell")
    expect(cells.nth(0)).to_have_text("9999")
    expect(cells.nth(1)).to_have_text("2025-10-16 07:32:20 UTC")
    expect(cells.nth(1)).to_have_attribute("title", "2025-10-16T07:32:20.000Z")
    expect(notebook.output(LONG).locator("odibi-history > .odibi")).to_be_hidden()
    expect(table.get_by_role("columnheader", name="run and node")).to_be_hidden()


def test_a_long_history_brings_the_page_no_more_than_it_shows(notebook: Opened) -> None:
    """The widget's code, the static table and the first rows, with all of Jupyter's own messages."""
    before = len(notebook.frames)
    notebook.run_cell(LONG)
    said(live(notebook, LONG), "20 of 10,000 versions loaded")
    brought = sum(notebook.frames[before:])
    assert 20_000 < brought < 50_000, brought


def test_loads_the_rest_and_scrolls_to_row_9000(notebook: Opened) -> None:
    table = live(notebook, LONG)
    load_the_rest(table)
    scroll_to(table, 9000)
    expect(row(table, 9000).get_by_role("gridcell").first).to_have_text("999")
    assert table.locator(".row").count() < 100, "only what is in sight is on the page"


def test_sorts_by_what_is_loaded(notebook: Opened) -> None:
    table = live(notebook, LONG)
    load_the_rest(table)
    most = max(range(VERSIONS), key=lambda version: version * 7919 % 10_007)
    order(table, "rows", "descending")
    expect(row(table, 0).get_by_role("gridcell").first).to_have_text(str(most))
    order(table, "version", "ascending")
    expect(row(table, 0).get_by_role("gridcell").first).to_have_text("0")
    order(table, "version", "descending")
    expect(row(table, 0).get_by_role("gridcell").first).to_have_text("9999")


def test_filters_by_words(notebook: Opened) -> None:
    table = live(notebook, LONG)
    load_the_rest(table)
    table.get_by_role("searchbox").fill("merge ADA")
    said(table, "10,000 versions loaded, 10 match")
    expect(row(table, 0).get_by_role("gridcell").first).to_have_text("9500")
    expect(table.locator(".row")).to_have_count(10)
    table.get_by_role("searchbox").fill("")
    said(table, "10,000 versions loaded")


def test_keys_move_and_open_and_do_nothing_to_the_notebook(notebook: Opened) -> None:
    table = live(notebook, LONG)
    load_the_rest(table)
    order(table, "version", "descending")
    scroll_to(table, 0)
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell").count()
    row(table, 0).focus()
    for key in ("ArrowDown", "ArrowDown", "PageDown", "ArrowUp", "d", "d", "x"):
        notebook.page.keyboard.press(key)
    notebook.page.keyboard.press("End")
    expect(row(table, VERSIONS - 1)).to_contain_text("WRITE")  # a row that is still on its way opens nothing
    expect(row(table, VERSIONS - 1)).to_be_focused()
    notebook.page.keyboard.press("Enter")
    opened = table.get_by_role("region", name="Version 0", exact=True)
    expect(opened).to_be_visible()
    opened.get_by_role("button", name="Preview rows").focus()
    notebook.page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    notebook.page.keyboard.press("Home")
    expect(row(table, 0)).to_be_focused()
    assert notebook.page.locator(".jp-Notebook .jp-CodeCell").count() == cells


def test_a_version_gives_its_restore_command_to_copy(notebook: Opened) -> None:
    opened = open_version(live(notebook, SMALL), 1)
    opened.get_by_role("button", name="Copy").click()
    expect(opened.get_by_text("Copied", exact=True)).to_be_visible()
    assert notebook.page.evaluate("navigator.clipboard.readText()") == "%odibi_restore small@1"


def test_a_version_shows_its_rows_as_text(notebook: Opened) -> None:
    opened = open_version(live(notebook, SMALL), 1)
    opened.get_by_role("button", name="Preview rows").click()
    expect(opened.locator(".result td")).to_have_text(
        ["10", "<i>city-10</i>", "11", "<i>city-11</i>", "12", "<i>city-12</i>"]
    )
    expect(opened.locator(".result th").nth(1)).to_contain_text("<b>city</b>")


def test_a_version_is_compared_with_another(notebook: Opened) -> None:
    opened = open_version(live(notebook, SMALL), 1)
    opened.get_by_label("Columns that tell rows apart").fill("id")
    opened.get_by_label("Version to compare with").fill("2")
    opened.get_by_role("button", name="Diff with version").click()
    expect(opened.locator(".result")).to_contain_text("rows: 3 added, 3 removed, 0 changed")
    expect(opened.locator(".result code")).to_have_text("%odibi_diff small@1 small@2 --keys id")
    expect(opened.locator(".result td").filter(has_text="<i>city-10</i>")).to_be_visible()


def test_the_version_before_is_what_a_version_is_compared_with(notebook: Opened) -> None:
    """The first one has none before it, and asks for one."""
    table = live(notebook, SMALL)
    opened = open_version(table, 0)
    expect(opened.get_by_label("Version to compare with")).to_have_value("1")
    opened = open_version(table, 2)
    other = opened.get_by_label("Version to compare with")
    expect(other).to_have_value("")
    opened.get_by_role("button", name="Diff with version").click()
    expect(other).to_be_focused()
    expect(opened.get_by_role("alert")).to_have_count(0)


def test_nothing_is_cut_that_everybody_reads(notebook: Opened) -> None:
    table = live(notebook, SMALL)
    cells = table.locator(".head .c-version button, .head .c-time button, .row .c-time, .row .c-version")
    assert cells.count() > 4
    assert cells.evaluate_all("all => all.filter((one) => one.scrollWidth > one.clientWidth).length") == 0


def test_the_metadata_of_a_table_is_folded(notebook: Opened) -> None:
    opened = open_version(live(notebook, EVIL), 1)
    folded = opened.locator("dd details").filter(has_text="schemaString")
    assert folded.get_attribute("open") is None
    closed = folded.evaluate("(element) => element.clientHeight")
    folded.locator("summary").click()
    expect(folded).to_have_attribute("open", "")
    assert folded.evaluate("(element) => element.clientHeight") > 4 * closed


def test_an_error_is_told_in_our_words(notebook: Opened) -> None:
    opened = open_version(live(notebook, LONG), 0)
    opened.get_by_role("button", name="Preview rows").click()
    expect(opened.get_by_role("alert")).to_contain_text("9999.parquet")
    assert "Traceback" not in opened.get_by_role("alert").inner_text()


def test_nothing_of_a_table_runs_and_no_secret_shows(notebook: Opened) -> None:
    table = live(notebook, EVIL)
    opened = open_version(table, 0)
    expect(table.locator(".row").first).to_contain_text("<script>window.ran=1")
    expect(opened.locator("dd").filter(has_text="<img").first).to_be_visible()
    assert table.locator("img, script").count() == 0
    assert notebook.output(EVIL).locator("img, script").count() == 0
    assert notebook.page.evaluate("window.ran") is None
    assert KEY not in notebook.page.content() and "\u202e" not in table.inner_text()


def test_where_outputs_are_kept_apart_the_widget_shows_itself(notebook: Opened) -> None:
    table = notebook.output(APART).locator(".odibi-live")
    table.scroll_into_view_if_needed()
    said(table, "3 versions loaded")
    expect(notebook.output(APART).locator("odibi-history")).to_have_count(0)


def test_the_page_asks_no_other_host(notebook: Opened) -> None:
    live(notebook, LONG)
    assert notebook.hosts and not notebook.strangers


def as_html(notebook: Any, file: Path) -> Path:
    """What `nbconvert --to html` makes of a notebook."""
    text, _ = HTMLExporter().from_notebook_node(notebook)
    file.write_text(text)
    return file


@pytest.fixture
def offline(open_context: Callable[..., BrowserContext]) -> Page:
    context = open_context(offline=True)
    return context.new_page()


def assert_static(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    expect(page.get_by_role("cell", name="9999")).to_be_visible()
    expect(page.get_by_text("20 of 10,000 versions")).to_be_visible()
    assert page.evaluate("window.ran") is None


def test_the_saved_file_holds_the_first_page_and_nothing_else(
    notebook: Opened, offline: Page, tmp_path: Path
) -> None:
    live(notebook, LONG)
    opened = open_version(live(notebook, SMALL), 1)
    opened.get_by_role("button", name="Preview rows").click()
    expect(opened.locator(".result")).to_contain_text("city-10")
    saved = notebook.save()
    shown = [output.data for cell in saved.cells[LONG:APART] for output in cell.outputs if "data" in output]
    assert {mime for data in shown for mime in data} == {"text/html", "text/plain"}
    text = notebook.path.read_text()
    assert "city-1" not in text and KEY not in text and "widget-state" not in text
    assert re.search(r"9999 .*\\n", text) and not re.search(r"\b8888\b", text)
    assert_static(offline, as_html(saved, tmp_path / "saved.html"))


def test_a_notebook_saved_with_the_state_of_its_widgets_is_not_blank(
    lab: Lab, notebook: Opened, offline: Page, tmp_path: Path
) -> None:
    """As `nbconvert --execute` saves it."""
    path = lab.write("executed.ipynb", "%load_ext odibi_magics", "%odibi_history long", "%odibi_history evil")
    executed = NotebookClient(
        nbformat.read(path, 4), resources={"metadata": {"path": str(lab.folder)}}
    ).execute()
    state = re.sub("[0-9a-f]{32}", "", json.dumps(executed.metadata.widgets))  # ids may hold any figures
    assert "odibi_magics.widgets.history.LiveHistory" in state, "there is a state"
    assert "9999" not in state and HOSTILE not in state
    assert_static(offline, as_html(executed, tmp_path / "executed.html"))


def test_without_its_kernel_a_notebook_shows_the_static_table(notebook: Opened) -> None:
    """The last test of this notebook: its kernel is a new one, and then it is opened again."""
    notebook.save()
    notebook.restart_kernel()
    expect(notebook.output(LONG).locator("odibi-history > .odibi")).to_be_visible()
    expect(notebook.output(LONG).locator(".odibi-live")).to_be_hidden()
    notebook.open()
    expect(notebook.output(LONG).get_by_role("cell", name="9999")).to_be_visible()
    expect(notebook.page.locator(".odibi-live")).to_have_count(0)
