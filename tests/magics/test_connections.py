"""%odibi_connections and %odibi_doctor in a real shell and a real kernel, in the practice cloud."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from odibi_magics.connections.prepare import forget
from odibi_magics.errors import Cancelled
from odibi_magics.sandbox import Cloud
from tests.magics.conftest import Notebook
from tests.magics.test_kernel import Kernel, displays, kernel  # noqa: F401
from tests.roadmap import CONNECTIONS

LAKE = "  lake: {type: local, base_path: .}\n"
DEFINE = f"%%odibi_connections\n{CONNECTIONS.strip()}\n{LAKE}"


@pytest.fixture
def practice(cloud: Cloud, notebook: Notebook) -> Iterator[Notebook]:
    notebook.good(DEFINE)
    forget()
    yield notebook
    forget()


def test_connections_are_listed_and_checked(practice: Notebook, cloud: Cloud) -> None:
    [text] = practice.good("%odibi_connections").text
    lines = {line.split()[0]: line for line in text.splitlines()}
    assert "✓ ok" in lines["bronze"] and "✓ ok" in lines["silver"] and "✓ ok" in lines["lake"]
    assert "account1" in lines["bronze"] and "company-kv/bronze-key" in lines["bronze"]
    assert "key_vault" in lines["bronze"] and "cell [" in lines["bronze"]
    assert cloud.storage("account1").key not in text


def test_what_only_spark_opens_is_no_failure(notebook: Notebook) -> None:
    notebook.good(
        "%%odibi_connections\nbox: {type: azure_adls, account: shelf, container: box, auth_mode: session}\n"
        "sales: {type: unity_catalog, catalog: main, schema: sales}\n"
    )
    [text] = notebook.good("%odibi_connections").text
    assert text.count("– skipped") == 2


def test_both_lists_have_their_columns_in_one_order(practice: Notebook) -> None:
    defined, checked = (
        practice.good(each).text[0].splitlines()[0].split() for each in (DEFINE, "%odibi_connections")
    )
    assert checked == ["connection", "state", "time", "place", "kind", "auth", "secret", "defined"]
    assert defined == [name for name in checked if name != "time"]


def test_those_that_fail_fail_the_cell_and_tell_their_reasons_once(practice: Notebook, cloud: Cloud) -> None:
    cloud.vault("company-kv").forbid("policy")
    ran = practice.run("%odibi_connections")
    assert "✗ failed" in ran.text[0] and "✓ ok" in ran.text[0]
    assert all(f"Connection '{name}': vault 'company-kv'" in ran.text[0] for name in ("bronze", "silver"))
    assert str(ran.error) == "2 connections of 3 do not work: bronze, silver (see above)"


def test_refresh_fetches_secrets_and_tokens_anew(practice: Notebook, cloud: Cloud) -> None:
    practice.good("%odibi_connections")
    before = len(cloud.requests(".vault.azure.net", path="/secrets/bronze-key"))
    practice.good("%odibi_connections")
    assert len(cloud.requests(".vault.azure.net", path="/secrets/bronze-key")) == before
    practice.good("%odibi_connections --refresh")
    assert len(cloud.requests(".vault.azure.net", path="/secrets/bronze-key")) > before
    assert len(cloud.requests("identity")) == 2


def test_the_doctor_of_one_connection(practice: Notebook) -> None:
    ran = practice.good("%odibi_doctor bronze")
    assert "✓ bronze · storage account account1 · ok · " in ran.text[0] and "silver" not in ran.text[0]
    assert "vault answers" in ran.text[0] and "<table" in ran.html[0]


def test_a_failure_fails_the_cell_and_shows_the_command(practice: Notebook, cloud: Cloud) -> None:
    cloud.vault("company-kv").forbid("rbac")
    ran = practice.run("%odibi_doctor")
    command = f"--assignee {cloud.identity('managed').object_id}"
    assert str(ran.error) == "2 connections of 3 do not work: bronze, silver (see above)"
    assert ran.text[0].count(command) == 2
    assert "✗ bronze · storage account account1 · failed at secret" in ran.text[0]
    assert "\n  az role assignment create" in ran.text[0]
    assert "– skipped" in ran.text[0] and "after secret" in ran.text[0]


def test_waiting_for_a_role(practice: Notebook, cloud: Cloud) -> None:
    practice.good(
        "%%odibi_connections\nme: {type: azure_adls, account: account1, container: raw, auth_mode: identity}\n"
    )
    cloud.storage("account1").allow("managed", "none")
    threading.Timer(2, cloud.storage("account1").allow, ("managed", "write")).start()
    practice.good("%odibi_doctor me --wait 5")


@pytest.mark.parametrize("magic", ["%odibi_connections", "%odibi_doctor"])
def test_stop_leaves_what_was_known(practice: Notebook, cloud: Cloud, magic: str) -> None:
    cloud.vault("company-kv").hang()
    begin = monotonic()
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    ran = practice.run(magic)
    assert isinstance(ran.error, Cancelled) and monotonic() - begin < 5
    assert "■ stopped" in ran.text[0] and "✓" in ran.text[0]
    assert "…" not in ran.text[0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("%odibi_doctor nobody", "unknown connection 'nobody'"),
        ("%odibi_doctor --wait x", "a number of minutes is wanted, not 'x'"),
        ("%odibi_connections --all", "unknown option '--all'"),
    ],
)
def test_a_wrong_call(practice: Notebook, line: str, words: str) -> None:
    assert words in practice.bad(line)


def test_without_connections(notebook: Notebook) -> None:
    assert "%%odibi_connections" in notebook.good("%odibi_doctor").text[0]
    assert "--wait" in notebook.good("%odibi_doctor --help").text[0]


@pytest.mark.parametrize("progress", ["on", "off"])
def test_the_display_is_live_unless_progress_is_off(kernel: Kernel, progress: str) -> None:  # noqa: F811
    kernel.run(f"import os; os.environ['ODIBI_PROGRESS'] = '{progress}'")
    kernel.run("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    for magic in ("%odibi_connections", "%odibi_doctor"):
        reply, messages = kernel.run(magic)
        assert reply["status"] == "ok"
        [shown] = displays(messages).values()
        assert (len(shown) > 1) == (progress == "on")
        assert "✓" in shown[-1]["text/plain"] and "text/html" in shown[-1]
    kernel.run("import os; del os.environ['ODIBI_PROGRESS']")


def test_no_file_of_the_doctor_is_left(notebook: Notebook, tmp_path: Path) -> None:
    notebook.good("%%odibi_connections\nlake: {type: local, base_path: .}\n")
    before = set(os.listdir(tmp_path))
    notebook.good("%odibi_doctor")
    assert set(os.listdir(tmp_path)) == before


def test_where_none_are_defined(notebook: Notebook) -> None:
    told = notebook.bad("%odibi_history lake:orders")
    assert (
        "unknown connection 'lake' (none are defined: %%odibi_connections defines them, and those of a file"
        in told
    )
