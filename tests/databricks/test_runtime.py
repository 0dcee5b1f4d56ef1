"""What people do first in a notebook of Databricks, in the simulated runtime of `conftest.py`. Nothing here has run on
Databricks itself.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from IPython.utils.capture import capture_output

from odibi_magics.engines.spark import session
from odibi_magics.magics import live
from odibi_magics.sandbox import Cloud
from odibi_magics.setup.lookups import caller
from tests.databricks.runtime import CELL_MAGICS, LINE_MAGICS
from tests.magics.conftest import ORDERS, ORDERS_SQL, Notebook, orders_cell

VIEW = "application/vnd.jupyter.widget-view+json"
ZONE, ANSI = "spark.sql.session.timeZone", "spark.sql.ansi.enabled"


@pytest.fixture
def loaded(runtime: Notebook) -> Notebook:
    (runtime.folder / "orders.csv").write_text(ORDERS)
    runtime.good("%load_ext odibi_magics")
    return runtime


def settings(spark: Any) -> dict[str, str]:
    """All but the one that Delta sets at each commit, whoever asked for it."""
    found = {row["key"]: row["value"] for row in spark.sql("SET").collect()}
    found.pop("spark.databricks.delta.lastCommitVersionInSession", None)
    return found


# The session ----------------------------------------------------------------------------------------------------------


def test_the_notebook_s_session_is_adopted_and_left_as_it_was(loaded: Notebook) -> None:
    spark = loaded["spark"]
    loaded.good(f"spark.conf.set({ZONE!r}, 'Asia/Tokyo'); spark.conf.set({ANSI!r}, 'false')")
    loaded.good("spark.range(3).createOrReplaceTempView('mine')")
    before = settings(spark)

    plan = loaded.good(orders_cell("--plan"))
    assert plan.text[0].startswith("Plan: 2 nodes on spark engine")
    loaded.good(orders_cell())
    assert (loaded["odibi_result"].engine, loaded["odibi_result"].state) == ("spark engine", "done")
    assert session.active() is spark is loaded["spark"]
    assert settings(spark) == before
    assert [row["tableName"] for row in spark.sql("SHOW TABLES").collect()] == ["mine"]
    loaded.good(f"rows = spark.read.format('delta').load('{loaded.folder}/clean/orders').count()")
    assert loaded["rows"] == 2

    failed = loaded.bad(
        orders_cell("--preview").replace(ORDERS_SQL, "SELECT id, qty DIV 0 AS qty FROM orders")
    )
    assert "division by zero" in failed.lower()
    assert settings(spark) == before
    loaded.good("%unload_ext odibi_magics")
    assert settings(spark) == before and spark.range(1).count() == 1


# Names ----------------------------------------------------------------------------------------------------------------


def test_nothing_of_databricks_own_is_shadowed(runtime: Notebook) -> None:
    (runtime.folder / "orders.csv").write_text(ORDERS)
    shell = runtime.shell
    magics = {kind: dict(table) for kind, table in shell.magics_manager.magics.items()}
    names = dict(shell.user_ns)
    runtime.good("%load_ext odibi_magics")
    for cell in (orders_cell("--plan"), orders_cell("--preview --engine pandas"), "%odibi", "%odibi_graph"):
        runtime.good(cell)

    now = {kind: dict(table) for kind, table in shell.magics_manager.magics.items()}
    for kind, own in (("line", LINE_MAGICS), ("cell", CELL_MAGICS)):
        assert all(now[kind][name] is magics[kind][name] for name in own)
        assert all(name.startswith("odibi") for name in now[kind].keys() - magics[kind].keys())
    ours = {
        name
        for name in shell.user_ns
        if not name.startswith("_")
        and name not in ("In", "Out")
        and shell.user_ns[name] is not names.get(name)
    }
    assert ours == {"odibi_result"}


# Widgets --------------------------------------------------------------------------------------------------------------


WITH_WIDGET = orders_cell("--as kept").replace("qty > 0", "qty >= CAST({{ least }} AS int)")


def test_widgets_are_variables(loaded: Notebook) -> None:
    assert "unknown variable 'least'" in loaded.bad(WITH_WIDGET)
    loaded.good("dbutils.widgets.text('least', '6')")
    plan = loaded.good(WITH_WIDGET.replace("--as kept", "--plan"))
    assert "{{ least }}" in plan.text[0] and "notebook" in plan.text[0]
    loaded.good(WITH_WIDGET)
    assert loaded["kept"].to_arrow().to_pylist() == [{"id": 3, "qty": 7}]
    loaded.good("least = 5")
    assert "least" in loaded.good(WITH_WIDGET.replace("--as kept", "--plan")).text[0]
    loaded.good(WITH_WIDGET)
    assert len(loaded["kept"]) == 2


def test_the_wizard_tells_who_the_workspace_takes_one_for(loaded: Notebook) -> None:
    [row] = loaded["spark"].sql("SELECT current_user() AS name").collect()
    assert caller(session.active).said == f"{row['name']}, as the workspace knows you"


# Displays -------------------------------------------------------------------------------------------------------------


def displayed(notebook: Notebook, line: str) -> Mapping[str, Any]:
    with capture_output() as captured:
        outcome = notebook.shell.run_cell(line)
    outcome.raise_error()
    data: Mapping[str, Any] = captured.outputs[-1].data
    return data


@pytest.fixture
def in_a_kernel(loaded: Notebook) -> Iterator[Notebook]:
    """Where displays may move."""
    loaded.shell.kernel = SimpleNamespace()  # type: ignore[attr-defined]
    yield loaded
    while live._answering:
        live._answering.pop().close()


def test_displays_are_html_that_stands_alone(in_a_kernel: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """In frames of their own; the live table by the widget's own type, or, without anywidget, as the still one."""
    for line in (
        orders_cell("--plan"),
        orders_cell(),
        "%odibi",
        "%odibi_graph",
        "%odibi_preview lake:clean/orders",
    ):
        ran = in_a_kernel.good(line)
        assert ran.html[-1].startswith("<") and ran.text[-1] and "<script" not in ran.html[-1]
    data = displayed(in_a_kernel, "%odibi_history lake:clean/orders")
    assert data[VIEW]["model_id"] == live._answering[-1].model_id
    assert "WRITE" in data["text/html"] and "odibi-history" not in data["text/html"]

    importing = builtins.__import__

    def missing(name: str, *given: Any, **more: Any) -> Any:
        if name == "anywidget":
            raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")
        return importing(name, *given, **more)

    monkeypatch.delitem(sys.modules, "odibi_magics.widgets.history")
    monkeypatch.setattr(builtins, "__import__", missing)
    data = displayed(in_a_kernel, "%odibi_history lake:clean/orders")
    assert set(data) == {"text/html", "text/plain"}
    assert "WRITE" in data["text/html"] and data["text/plain"].endswith(live.HINT)


# Secrets --------------------------------------------------------------------------------------------------------------

ACCOUNTS = """\
%%odibi_connections
bronze: {type: azure_adls, account: account1, auth_mode: databricks_secret, secret_scope: kv, secret_key: bronze}
silver: {type: azure_adls, account: account2, auth_mode: databricks_secret, secret_scope: kv, secret_key: silver}
"""
COPY = """\
%%odibi_pipeline --engine pandas
- name: sales
  read: {connection: bronze, path: raw/sales.csv}
  write: {connection: silver, path: clean/from_databricks}
"""


def test_secrets_of_a_scope_open_accounts_and_are_in_no_output(loaded: Notebook, cloud: Cloud) -> None:
    """On the pandas engine: this session's Java knows nothing of the practice cloud."""
    keys = {
        name: cloud.storage(account).key for name, account in (("bronze", "account1"), ("silver", "account2"))
    }
    kept = loaded["dbutils"].secrets.kept
    kept["kv", "bronze"] = keys["bronze"]
    ran = [loaded.good(ACCOUNTS)]
    missing = loaded.run("%odibi_connections")
    assert "Secret 'silver' not found in scope 'kv'" in missing.printed + "".join(missing.text)
    kept["kv", "silver"] = keys["silver"]
    before = settings(loaded["spark"])
    cells = (
        "%odibi_connections --refresh", COPY.replace("pandas", "pandas --plan"), COPY, "odibi_result", "print(odibi_result)",
        "%odibi", "%whos", "vars(odibi_result)",
    )  # fmt: skip
    ran += [missing, *(loaded.good(cell) for cell in cells)]
    assert loaded["odibi_result"].state == "done" and len(loaded["odibi_result"]["sales"]) > 1000
    assert settings(loaded["spark"]) == before
    shown = "".join(part for one in ran for part in (*one.html, *one.text, one.printed))
    for key in keys.values():
        assert key not in shown and quote(key, safe="") not in shown
