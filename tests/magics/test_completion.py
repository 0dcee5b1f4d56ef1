"""Completion as IPython's own completer gives it, in a real shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell

from tests.magics.conftest import Notebook, orders_cell

NODE = """\
%%odibi_pipeline
connections:
  lake: {type: local, base_path: .}
pipelines:
  - pipeline: etl
    nodes:
      - name: orders
        read: {connection: lake, path: orders.csv}
      - name: clean
"""


def asked(shell: InteractiveShell, cell: str) -> dict[str, str]:
    """What is offered at the ¦ of a cell, each with its type."""
    at = cell.index("¦")
    with provisionalcompleter():
        found = list(shell.Completer.completions(cell.replace("¦", ""), at))
    return {one.text: one.type or "" for one in found}


def applied(shell: InteractiveShell, cell: str, text: str) -> str:
    """The cell with an offer taken, as front ends do."""
    at, plain = cell.index("¦"), cell.replace("¦", "")
    with provisionalcompleter():
        [taken] = [one for one in shell.Completer.completions(plain, at) if one.text == text]
    return plain[: taken.start] + taken.text + plain[taken.end :]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("        wri¦", ["write:"]),
        ("        write: {connection: ¦}", ["lake"]),
        ("        write: {connection: lake, mode: app¦", ["append", "append_once"]),
        ("        read: {connection: lake, path: ord¦", ["orders.csv"]),
        ("        depends_on: [¦]", ["orders"]),
        ("        transform:\n          steps:\n            - sql: SELECT q¦ FROM orders", ["qty"]),
        ("        transform:\n          steps:\n            - sql: SELECT coal¦", ["coalesce("]),
        ("        transform:\n          steps:\n            - sql: SELECT * FROM ¦", ["orders", "df"]),
        (
            "        transform:\n          steps:\n            - sql: |\n                SELECT id AS number\n"
            "                FROM orders\n        write: {keys: [nu¦",
            ["number"],
        ),
    ],
)
def test_in_a_cell(notebook: Notebook, typed: str, words: list[str]) -> None:
    asked(notebook.shell, NODE + typed)  # the first one imports what it takes, for which nobody waits
    wait_for(notebook, NODE + typed, words)


def wait_for(notebook: Notebook, cell: str, words: list[str]) -> None:
    """Until what is looked for in the background is there."""
    for _ in range(200):
        if set(words) <= asked(notebook.shell, cell).keys():
            return
    assert set(words) <= asked(notebook.shell, cell).keys()


def test_a_key_comes_with_what_it_means(notebook: Notebook) -> None:
    assert (
        asked(notebook.shell, NODE + "        write: {mo¦")["mode: "] == "What happens to rows already there"
    )


def test_what_is_taken_stands_in_the_cell(notebook: Notebook) -> None:
    assert applied(notebook.shell, NODE + "        wri¦", "write:") == NODE + "        write:"
    cell = NODE + "        write: {connection: lake, mode: mer¦}"
    assert applied(notebook.shell, cell, "merge").endswith("mode: merge}")


def test_nothing_of_python_is_offered_in_a_cell_of_ours(notebook: Notebook) -> None:
    assert asked(notebook.shell, NODE + "        pri¦") == {}
    assert asked(notebook.shell, NODE + "        # pri¦") == {}


@pytest.mark.parametrize("cell", ["pri¦", "%%time\npri¦", "%odibi_pipelin = 1\npri¦"])
def test_other_cells_are_as_they_were(notebook: Notebook, cell: str) -> None:
    assert "print" in asked(notebook.shell, cell)


def test_names_of_magics_are_ipythons(notebook: Notebook) -> None:
    assert "%odibi_history" in asked(notebook.shell, "%odibi_hi¦")
    assert "%%odibi_pipeline" in asked(notebook.shell, "%%odibi_pi¦")


def test_on_lines(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    shell = notebook.shell

    assert set(asked(shell, "%odibi_history ¦")) == {"orders", "clean", "lake:"}
    assert set(asked(shell, "%odibi_history lake:cl¦")) == {"lake:clean/"}
    assert set(asked(shell, "%odibi_history lake:clean/¦")) == {"lake:clean/orders"}
    assert asked(shell, "%odibi_history lake clean/¦") == {"clean/orders": "Delta table"}
    assert asked(shell, "x = 1\n%odibi_vacuum clean --ret¦") == {
        "--retention-hours": brief_of("--retention-hours")
    }
    assert set(asked(shell, "%odibi --forget ¦")) == {"orders", "clean"}
    assert set(asked(shell, "%odibi_doctor ¦")) == {"lake"}
    assert set(asked(shell, "%odibi_undo --at cl¦")) == {"clean"}


def test_versions_and_keys_of_a_table(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    notebook.good(orders_cell("--again"))
    shell = notebook.shell
    shown = asked(shell, "%odibi_history lake:clean/orders@¦")
    assert list(shown) == ["lake:clean/orders@1", "lake:clean/orders@0"]
    assert shown["lake:clean/orders@1"].endswith(" UTC, WRITE")
    assert set(asked(shell, "%odibi_diff clean@0 clean@¦")) == {"clean@1", "clean@0"}
    assert set(asked(shell, "%odibi_preview lake clean/orders@¦")) == {"clean/orders@1", "clean/orders@0"}
    assert asked(shell, "%odibi_vacuum clean@¦") == {}, "it takes none"
    assert set(asked(shell, "%odibi_restore clean@0 --at ¦")) == {"1"}
    assert set(asked(shell, "%odibi_undo --at clean=¦")) == {"clean=1"}
    assert "qty" in asked(shell, "%odibi_diff clean@0 --keys ¦")
    assert set(asked(shell, "%odibi_diff lake clean/orders@0 --keys id,q¦")) == {"id,qty"}
    assert set(asked(shell, "%odibi_history clean/orders@¦")) == {"clean/orders@1", "clean/orders@0"}
    for nothing in (
        "%odibi_diff --keys ¦",
        "%odibi_history orders@¦",
        "%odibi_diff nowhere@¦",
        "%odibi_history @¦",
    ):
        assert asked(shell, nothing) == {}


def brief_of(option: str) -> str:
    from odibi_magics.completion.offers import brief
    from odibi_magics.magics.grammar import parser

    return brief(parser("%odibi_vacuum")._option_string_actions[option].help or "")


def test_on_a_cells_first_line(notebook: Notebook) -> None:
    environments = "environments:\n  prod: {engine: spark}\nvars: {region: EU}\n"

    def first(typed: str) -> set[str]:
        return set(asked(notebook.shell, NODE.replace("pipeline\n", f"pipeline {typed}\n", 1) + environments))

    assert first("--eng¦") == {"--engine"}
    assert first("--engine ¦") == {"auto", "pandas", "spark"}
    assert first("--only ¦") == {"orders", "clean"}
    assert first("--only orders --only c¦") == {"clean"}
    assert first("--preview ¦") >= {"orders", "clean"}
    assert first("--env ¦") == {"prod"}
    assert first("--set re¦") == {"region="}
    assert first("--as x=c¦") == {"x=clean"}
    assert "--plan" not in first("--plan ¦") and "--sql" in first("--plan ¦")


def test_a_file_and_what_stands_in_it(notebook: Notebook) -> None:
    (notebook.folder / "etl.odibi.yaml").write_text(NODE.partition("\n")[2])
    assert set(asked(notebook.shell, "%odibi_run et¦")) == {"etl.odibi.yaml"}
    assert set(asked(notebook.shell, "%odibi_run etl.odibi.yaml --from-node ¦")) == {"orders", "clean"}


def test_later_cells_know_connections_nodes_and_columns_of_earlier_ones(notebook: Notebook) -> None:
    notebook.good(orders_cell())
    cell = "%%odibi_pipeline\nnodes:\n  - name: late\n    "

    assert asked(notebook.shell, cell + "read: {connection: ¦") == {"lake": "connection, local, cell [1]"}
    assert set(asked(notebook.shell, cell + "depends_on: [¦")) == {"orders", "clean"}
    wait_for(notebook, cell + "transform: {steps: [{sql: 'SELECT ¦ FROM clean", ["id", "qty"])


def test_functions_and_their_parameters(notebook: Notebook) -> None:
    notebook.good(
        "from typing import Literal\nfrom odibi_magics import transform\n"
        "@transform\ndef add_margin(df, rate: float, way: Literal['up', 'down'] = 'up'):\n"
        "    'Adds a column.'\n    return df"
    )
    cell = "%%odibi_pipeline\nnodes:\n  - name: late\n    transform: {steps: [{function: "

    assert asked(notebook.shell, cell + "add¦")["add_margin"] == "(rate, way) Adds a column"
    assert asked(notebook.shell, cell + "add_margin, params: {¦") == {
        "rate: ": "parameter, number",
        "way: ": "parameter, up, down",
    }
    assert set(asked(notebook.shell, cell + "add_margin, params: {way: ¦")) == {"up", "down"}


def test_connections_have_a_cell_of_their_own(notebook: Notebook) -> None:
    cell = "%%odibi_connections\nlake: {"
    assert set(asked(notebook.shell, cell + "type: ¦")) == {"local", "azure_adls", "unity_catalog"}
    assert set(asked(notebook.shell, cell + "type: local, ¦")) == {"base_path: "}


def test_a_fault_of_ours_is_no_traceback(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from odibi_magics.completion import cell

    def broken(*given: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(cell, "complete_cell", broken)
    assert asked(notebook.shell, NODE + "        wri¦") == {}
    assert capsys.readouterr() == ("", "")


class Kernel:
    """As far as an extension sees one."""

    def do_inspect(self, code: str, cursor_pos: int, detail_level: int = 0) -> dict[str, Any]:
        return {"found": False, "code": code, "level": detail_level}


def test_help_leaves_with_the_extension(shell: InteractiveShell) -> None:
    kernel = Kernel()
    shell.kernel = kernel  # type: ignore[attr-defined]
    shell.run_line_magic("load_ext", "odibi_magics")
    cell = "%%odibi_pipeline\nengine: auto"
    assert "auto: spark where" in kernel.do_inspect(cell, 19)["data"]["text/plain"]
    assert kernel.do_inspect("print", 2, 1) == {"found": False, "code": "print", "level": 1}

    kept = kernel.do_inspect
    shell.run_line_magic("unload_ext", "odibi_magics")
    assert vars(kernel) == {}
    assert kept(cell, 19) == {"found": False, "code": cell, "level": 0}, "also where somebody wrapped ours"


def test_nothing_is_imported_for_other_cells(tmp_path: Path) -> None:
    import subprocess

    code = """
import sys
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "odibi_magics")
with provisionalcompleter():
    list(shell.Completer.completions("import sys\\npri", 14))
print([name for name in sys.modules if name.startswith("odibi_magics.completion") or name == "pydantic"])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
