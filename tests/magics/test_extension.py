from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.magics.conftest import ORDERS, Notebook, orders_cell

ROOT = Path(__file__).resolve().parents[2]
NAMES = {
    "line": {
        "odibi",
        "odibi_run",
        "odibi_save",
        "odibi_setup",
        "odibi_connections",
        "odibi_doctor",
        "odibi_preview",
        "odibi_history",
        "odibi_undo",
        "odibi_diff",
        "odibi_restore",
        "odibi_vacuum",
        "odibi_optimize",
        "odibi_graph",
    },
    "cell": {"odibi_pipeline", "odibi_connections"},
}
HEAVY = {
    "pandas",
    "pyarrow",
    "duckdb",
    "deltalake",
    "pydantic",
    "sqlglot",
    "azure",
    "pyspark",
    "ipywidgets",
    "yaml",
}


def state(shell: InteractiveShell) -> dict[str, Any]:
    """All that an extension could leave behind."""
    assert shell.display_formatter is not None
    formatters = shell.display_formatter.formatters
    return {
        "magics": {kind: dict(table) for kind, table in shell.magics_manager.magics.items()},
        "registry": set(shell.magics_manager.registry),
        "configurables": list(shell.configurables),
        "names": dict(shell.user_ns),
        "hidden": set(shell.user_ns_hidden),
        "deferred": {kind: dict(formatter.deferred_printers) for kind, formatter in formatters.items()},
        "printers": {kind: dict(formatter.type_printers) for kind, formatter in formatters.items()},
        "matchers": list(shell.Completer.custom_matchers),
        "handlers": type(shell).showtraceback,
        "events": {name: list(called) for name, called in shell.events.callbacks.items()},
    }


@pytest.fixture
def before(shell: InteractiveShell) -> dict[str, Any]:
    for name in ("load_ext", "config"):
        shell.find_line_magic(name)  # IPython loads its own magics when they are first looked for
    return state(shell)


def test_every_magic_of_the_language_is_there(shell: InteractiveShell) -> None:
    shell.run_line_magic("load_ext", "odibi_magics")

    added = {
        kind: {name for name in table if name.startswith("odibi")}
        for kind, table in shell.magics_manager.magics.items()
    }
    assert added == NAMES


def test_unload_restores_everything(shell: InteractiveShell, before: dict[str, Any]) -> None:
    shell.run_line_magic("load_ext", "odibi_magics")
    assert state(shell) != before

    shell.run_line_magic("unload_ext", "odibi_magics")

    assert state(shell) == before


def test_unload_brings_back_a_magic_of_the_same_name(shell: InteractiveShell) -> None:
    def own(line: str) -> str:
        return f"mine {line}"

    shell.magics_manager.register_function(own, "line", "odibi_run")
    shell.run_line_magic("load_ext", "odibi_magics")
    shell.run_line_magic("unload_ext", "odibi_magics")

    assert shell.run_line_magic("odibi_run", "x") == "mine x"


def test_unload_takes_the_last_result_but_no_data_of_the_user(notebook: Notebook) -> None:
    notebook.good(orders_cell("--as x"))
    notebook.good("%unload_ext odibi_magics")
    assert "odibi_result" not in notebook.shell.user_ns
    assert len(notebook["x"]) == 2


def test_unload_leaves_a_variable_of_that_name_that_is_not_ours(notebook: Notebook) -> None:
    notebook.good("odibi_result = 5")
    notebook.good("%unload_ext odibi_magics")
    assert notebook["odibi_result"] == 5


def test_an_unforeseen_error_is_told_whole_but_redacted(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odibi_magics.session import Session

    def broken(session: Session) -> None:
        raise RuntimeError("AccountKey=c2VjcmV0c2VjcmV0 was refused")

    monkeypatch.setattr(Session, "nodes", broken)
    ran = notebook.run("%odibi")
    assert "RuntimeError" in ran.printed
    assert "in broken" in ran.printed
    assert "c2VjcmV0" not in ran.printed + str(ran.error)


def test_a_stop_outside_of_a_run_has_no_traceback_either(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odibi_magics.session import Session

    def stopped(session: Session) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "nodes", stopped)
    ran = notebook.run("%odibi")
    assert type(ran.error).__name__ == "Cancelled" and ran.printed.strip() == "stopped"


def test_in_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS)
    cell = orders_cell().partition("\n")[2]
    lines = [
        "get_ipython().run_line_magic('load_ext', 'odibi_magics')",
        f"get_ipython().run_cell_magic('odibi_pipeline', '', {cell!r})",
        "get_ipython().run_line_magic('odibi_run', 'nope.yaml')",
    ]
    words = ["-m", "IPython", "--colors=nocolor", "--HistoryManager.enabled=False", "-c", "\n".join(lines)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / ".ipython")}
    done = subprocess.run(
        [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert done.stdout.count("✓ Run") == 1, "the report once, not once for each update"
    assert "clean: done" in done.stderr
    assert "<div" not in done.stdout
    assert "'nope.yaml' cannot be read" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_loading_twice_changes_nothing(shell: InteractiveShell, before: dict[str, Any]) -> None:
    from odibi_magics import load_ipython_extension, unload_ipython_extension

    load_ipython_extension(shell)
    loaded = state(shell)
    load_ipython_extension(shell)
    assert state(shell) == loaded

    unload_ipython_extension(shell)
    unload_ipython_extension(shell)
    assert state(shell) == before


def test_keep_rows_is_configured_and_checked(shell: InteractiveShell) -> None:
    shell.run_line_magic("load_ext", "odibi_magics")
    shell.run_line_magic("config", "OdibiMagics.keep_rows = 0")
    magics = shell.magics_manager.registry["OdibiMagics"]
    assert magics.keep_rows == 0

    shell.run_line_magic("config", "OdibiMagics.keep_rows = -1")
    assert magics.keep_rows == 0


def test_loading_imports_nothing_heavy() -> None:
    code = f"""
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "odibi_magics")
print(sorted({HEAVY!r} & {{name.partition(".")[0] for name in set(sys.modules) - before}}))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert ran.stdout.strip() == "[]"


def test_help_names_every_option(shell: InteractiveShell) -> None:
    from odibi_magics.magics.grammar import parser

    shell.run_line_magic("load_ext", "odibi_magics")
    help_ = shell.find_cell_magic("odibi_pipeline").__doc__
    options = [word for word in parser("%%odibi_pipeline")._option_string_actions if word.startswith("--")]

    assert [word for word in options if word not in help_] == []


@pytest.mark.parametrize(
    "name", ["Project", "transform", "OdibiError", "NodeFailed", "Cancelled", "UsageError"]
)
def test_public_names(name: str) -> None:
    import odibi_magics

    assert getattr(odibi_magics, name).__name__ == name
    assert name in dir(odibi_magics)


def test_a_name_that_is_not_public() -> None:
    import odibi_magics

    with pytest.raises(AttributeError, match="no attribute 'projekt'"):
        odibi_magics.projekt  # noqa: B018


def test_the_help_names_every_magic(notebook: Notebook) -> None:
    shown = "".join(notebook.good("%odibi").text)
    for kind, names in NAMES.items():
        for name in names:
            assert f"{'%%' if kind == 'cell' else '%'}{name}" in shown, name
