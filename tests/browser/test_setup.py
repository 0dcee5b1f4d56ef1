"""%odibi_setup in JupyterLab and the practice cloud: from nothing to a green check and a run, by mouse and by keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import BrowserContext, Locator, expect

from odibi_magics.sandbox import Cloud
from tests.browser.conftest import PATIENCE
from tests.browser.jupyter import Lab, Opened

LOAD, SETUP, CELL, RUN, KEYS = range(5)
RUN_IT = """\
%%odibi_pipeline
nodes:
  - name: sales
    read: {connection: bronze, path: sales.csv}
"""

NOTEBOOK = "window.jupyterapp.shell.currentWidget"
KERNEL = f"{NOTEBOOK}.sessionContext.session.kernel"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def keys(practice_cloud: Cloud) -> dict[str, str]:
    return {name: practice_cloud.storage(name).key for name in ("account1", "account2")}


@pytest.fixture(scope="module")
def notebook(lab: Lab, practice_cloud: Cloud, open_notebook: Callable[..., Opened]) -> Opened:
    """In the practice cloud; the wizard is shown."""
    practice_cloud.clear()
    (lab.folder / "cloud.json").write_text(json.dumps(practice_cloud.environment))
    enter = "import json, os\nos.environ.update(json.load(open('cloud.json')))\n%load_ext odibi_magics"
    opened = open_notebook(
        "setup.ipynb", enter, "%odibi_setup", "%odibi_setup --cell", RUN_IT, "%odibi_setup"
    )
    opened.run_cell(LOAD)
    opened.run_cell(SETUP)
    return opened


def wizard(notebook: Opened, cell: int = SETUP) -> Locator:
    found = notebook.output(cell).locator("odibi-setup[live] .odibi-setup")
    found.scroll_into_view_if_needed()
    expect(found).to_be_visible()
    return found


def at(shown: Locator, title: str) -> None:
    expect(shown.get_by_role("heading")).to_have_text(title)
    expect(shown.locator("[aria-current=step]")).to_contain_text(title)


def go(shown: Locator, button: str, title: str) -> None:
    shown.get_by_role("button", name=button).click()
    at(shown, title)


def check_row(shown: Locator, name: str, word: str) -> Locator:
    found = shown.get_by_role("article", name=f"{name}: {word}")
    expect(found).to_be_visible()
    return found


# The tests stand in the order of one session at one wizard.


def test_a_key_is_refused_where_a_name_belongs(notebook: Opened, keys: dict[str, str]) -> None:
    shown = wizard(notebook)
    shown.get_by_label("Name").fill("bronze")
    go(shown, "Next: identity and vault", "Identity and vault")
    shown.get_by_label("Auth mode").select_option("direct_key")
    variable = shown.get_by_label("Account key: environment variable")
    variable.fill(keys["account1"])
    variable.press("Tab")
    expect(variable).to_have_value("")
    expect(variable).to_have_attribute("aria-invalid", "true")
    expect(variable).to_have_accessible_description(re.compile("what was typed was not kept"))
    assert keys["account1"] not in notebook.page.content()


def test_it_says_who_we_are_and_offers_a_vaults_secrets(notebook: Opened, practice_cloud: Cloud) -> None:
    shown = wizard(notebook)
    expect(shown).to_contain_text(practice_cloud.identity("managed").object_id)
    shown.get_by_label("Auth mode").select_option("key_vault")
    shown.get_by_label("Key vault name").fill("company-kv")
    secret = shown.get_by_label("Secret name")
    secret.fill("wrong-k")  # while the vault's names are on their way
    expect(shown).to_contain_text("2 secrets to choose from")
    expect(secret).to_have_value("wrong-k")
    expect(secret).to_be_focused()
    names = shown.locator(f"datalist#{secret.get_attribute('list')} option")
    assert [name.get_attribute("value") for name in names.all()] == ["bronze-key", "silver-key"]
    secret.press("End")
    secret.press_sequentially("ey")


def test_what_is_missing_gets_the_cursor(notebook: Opened) -> None:
    shown = wizard(notebook)
    go(shown, "Next: account and container", "Account and container")
    shown.get_by_role("button", name="Check the connections").click()
    account = shown.get_by_label("Account (needed)")
    expect(account).to_be_focused()
    expect(account).to_have_accessible_description(re.compile("is needed"))
    expect(shown.get_by_role("status").first).to_have_text("1 thing to mend in this step")
    account.fill("account1")
    shown.get_by_label("Container", exact=True).fill("raw")


def test_a_wrong_secret_and_its_mend(notebook: Opened) -> None:
    shown = wizard(notebook)
    go(shown, "Check the connections", "Check")
    failed = check_row(shown, "bronze", "failed")
    expect(failed).to_contain_text("✗ failed")
    expect(failed).to_contain_text("Did you mean 'bronze-key'?")
    expect(
        shown.get_by_role("status").filter(has_text="1 connection of 1 does not work: bronze")
    ).to_be_visible()
    failed.get_by_role("button", name="Copy").click()
    expect(failed.get_by_text("Copied", exact=True)).to_be_visible()
    command = "az keyvault secret list --vault-name company-kv --query [].name"
    assert notebook.page.evaluate("navigator.clipboard.readText()") == command
    go(shown, "Identity and vault", "Identity and vault")
    shown.get_by_label("Secret name").fill("bronze-key")
    go(shown, "Next: account and container", "Account and container")
    go(shown, "Check the connections", "Check")
    green = check_row(shown, "bronze", "ok")
    expect(green).to_contain_text("✓ ok")
    expect(green.get_by_role("button")).to_have_attribute("aria-label", "Check bronze again")
    green.get_by_text("Layers of bronze").click()
    expect(green.get_by_role("cell", name="vault answers")).to_be_visible()


def test_rows_move_while_the_kernel_is_busy_and_hold_it_up_never(
    notebook: Opened, practice_cloud: Cloud
) -> None:
    shown = wizard(notebook)
    vault = practice_cloud.vault("company-kv")
    vault.hang()
    shown.get_by_role("button", name="Check bronze again").click()
    check_row(shown, "bronze", "looking")
    busy = "import time\nwhile not os.path.exists('go'): time.sleep(0.05)"
    notebook.page.evaluate(f"code => {{ {KERNEL}.requestExecute({{ code }}); }}", busy)
    notebook.page.wait_for_function(f"{KERNEL}.status === 'busy'")
    expect(check_row(shown, "bronze", "failed")).to_contain_text("does not answer in time")
    assert notebook.page.evaluate(f"{KERNEL}.status") == "busy"
    vault.clear()
    (notebook.lab.folder / "go").touch()
    notebook.page.wait_for_function(f"{KERNEL}.status === 'idle'")


def test_one_row_is_checked_again_alone(notebook: Opened, practice_cloud: Cloud) -> None:
    shown = wizard(notebook)
    practice_cloud.vault("company-kv").forbid("rbac")
    shown.get_by_role("button", name="Check bronze again").click()
    expect(check_row(shown, "bronze", "failed")).to_contain_text("az role assignment create")
    practice_cloud.vault("company-kv").clear()
    shown.get_by_role("button", name="Check bronze again").press("Enter")
    check_row(shown, "bronze", "ok")
    expect(shown.get_by_role("button", name="Check bronze again")).to_be_focused()


def test_its_yaml_is_copied_written_used_and_run(notebook: Opened) -> None:
    shown = wizard(notebook)
    go(shown, "Next: the YAML", "Result")
    shown.get_by_role("button", name="Copy the YAML").click()
    expect(shown.get_by_text("Copied", exact=True)).to_be_visible()
    text = notebook.page.evaluate("navigator.clipboard.readText()")
    assert "secret_name: bronze-key" in text
    shown.get_by_label("Write a new file").press("Enter")
    expect(shown).to_contain_text("✓ Written: connections.odibi.yaml")
    assert (notebook.lab.folder / "connections.odibi.yaml").read_text() == text
    shown.get_by_role("button", name="Write", exact=True).click()
    expect(shown).to_contain_text("✗ 'connections.odibi.yaml' is there already")
    expect(shown.get_by_label("Write a new file")).to_have_value("connections-2.odibi.yaml")
    shown.get_by_role("button", name="Use in this session").click()
    expect(shown).to_contain_text("✓ This session knows them")
    notebook.run_cell(RUN)
    expect(notebook.output(RUN).first).to_contain_text("sales")
    expect(notebook.output(RUN).first).to_contain_text("done")


def test_its_yaml_goes_into_the_next_cell(notebook: Opened) -> None:
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    notebook.run_cell(CELL)
    expect(cells).to_have_count(before + 1)
    expect(cells.nth(CELL + 1)).to_contain_text("%%odibi_connections")
    expect(cells.nth(CELL + 1)).to_contain_text("secret_name: bronze-key")
    notebook.run_cell(CELL + 1)
    expect(notebook.output(CELL + 1).first).to_contain_text("company-kv/bronze-key")


def test_the_keyboard_is_enough_and_does_nothing_to_the_notebook(notebook: Opened) -> None:
    notebook.run_cell(KEYS + 1)  # one cell was put in before it
    shown = wizard(notebook, KEYS + 1)
    cells = notebook.page.locator(".jp-Notebook .jp-CodeCell").count()
    keyboard = notebook.page.keyboard
    shown.get_by_role("button", name="Leave out bronze").focus()
    for key in ("d", "d", "x", "Enter"):  # the first three are Lab's for deleting a cell
        keyboard.press(key)
    expect(shown.get_by_role("button", name="Take in bronze")).to_be_focused()
    keyboard.press("Tab")
    expect(shown.get_by_role("button", name="Add a connection")).to_be_focused()
    keyboard.press("Enter")
    expect(shown.get_by_label("Name")).to_be_focused()
    keyboard.press("Control+A")
    keyboard.type("dd")
    keyboard.press("Tab")
    expect(shown.get_by_label("Type")).to_be_focused()
    keyboard.press("l")  # of a select, the option that begins so
    keyboard.press("Shift+Tab")
    expect(shown.get_by_label("Name")).to_have_value("dd")
    for title in ("Identity and vault", "Account and container", "Check", "Result"):
        if title == "Identity and vault" or title == "Check":
            keyboard.press("Enter")  # in a field it goes on
        else:
            shown.get_by_role("button", name="Next").focus()
            keyboard.press("Enter")
        at(shown, title)
        expect(shown.get_by_role("heading")).to_be_focused()
        if title == "Account and container":
            shown.get_by_label("Base path").focus()
    check = shown.locator("pre")
    expect(check).to_have_text("connections:\n  dd: {type: local, base_path: .}\n")
    assert notebook.page.locator(".jp-Notebook .jp-CodeCell").count() == cells


def test_where_outputs_are_kept_apart_and_what_is_typed_is_text(notebook: Opened) -> None:
    source = "__vsc_ipynb_file__ = 'x.ipynb'\n%odibi_setup\ndel __vsc_ipynb_file__"
    cell = f"{NOTEBOOK}.content.widgets[{KEYS + 1}]"
    notebook.page.evaluate(f"source => {cell}.model.sharedModel.setSource(source)", source)
    notebook.run_cell(KEYS + 1)
    shown = notebook.output(KEYS + 1).locator(".odibi-setup")
    expect(shown).to_be_visible()
    expect(notebook.output(KEYS + 1).locator("odibi-setup")).to_have_count(0)
    hostile = "<img src=x onerror=window.ran=1>"
    names = shown.get_by_label("Name")
    there = names.count()
    shown.get_by_role("button", name="Add a connection").click()
    expect(names).to_have_count(there + 1)
    names.last.fill(hostile)
    shown.get_by_role("button", name="Next").click()
    expect(shown.locator("legend").last).to_have_text(hostile)
    expect(shown.get_by_label("Name").last).to_be_focused()
    assert shown.locator("img").count() == 0 and notebook.page.evaluate("window.ran") is None


def test_the_page_asks_no_other_host(notebook: Opened) -> None:
    assert notebook.hosts and not notebook.strangers


def test_what_is_saved_holds_the_result_and_no_secret(
    notebook: Opened, keys: dict[str, str], open_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    saved = notebook.save()
    text = notebook.path.read_text()
    assert not [key for key in keys.values() if key in text] and "widget-state" not in text
    html, _ = HTMLExporter().from_notebook_node(saved)
    (tmp_path / "saved.html").write_text(html)
    page = open_context(offline=True).new_page()
    page.goto((tmp_path / "saved.html").as_uri())
    expect(page.get_by_role("cell", name="bronze").first).to_be_visible()
    expect(page.get_by_text("secret_name: bronze-key").first).to_be_visible()


def test_without_its_kernel_the_result_stays(notebook: Opened) -> None:
    """The last test of this notebook: its kernel is a new one."""
    notebook.restart_kernel()
    expect(notebook.output(SETUP).locator("odibi-setup > .odibi")).to_be_visible()
    expect(notebook.output(SETUP).locator(".odibi-live")).to_be_hidden()
    expect(notebook.output(SETUP).locator("odibi-setup > .odibi")).to_contain_text("✓ ok")
