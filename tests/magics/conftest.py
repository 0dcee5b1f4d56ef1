from __future__ import annotations

import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

ORDERS = "id,qty,day\n1,5,2026-01-01\n2,0,2026-01-01\n3,7,2026-01-02\n"


@dataclass(frozen=True)
class Ran:
    """A cell that ran: its displays as they are saved, what it printed, its error."""

    html: tuple[str, ...]
    text: tuple[str, ...]
    printed: str
    error: BaseException | None


@dataclass(frozen=True)
class Notebook:
    """A real shell, cell by cell."""

    shell: InteractiveShell
    folder: Path

    def run(self, cell: str) -> Ran:
        with capture_output() as captured:
            outcome = self.shell.run_cell(cell, store_history=True)
        displays = saved(captured.outputs)
        error = outcome.error_before_exec or outcome.error_in_exec
        return Ran(
            tuple(data.get("text/html", "") for data in displays),
            tuple(data["text/plain"] for data in displays),
            captured.stdout + captured.stderr,
            error,
        )

    def good(self, cell: str) -> Ran:
        ran = self.run(cell)
        assert ran.error is None, ran.printed
        return ran

    def bad(self, cell: str) -> str:
        """The error's text, as the front end shows it."""
        ran = self.run(cell)
        assert ran.error is not None, "the cell did not fail"
        assert "Traceback" not in ran.printed
        assert str(ran.error) in ran.printed
        return str(ran.error)

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


def saved(outputs: list[Any]) -> list[dict[str, str]]:
    places: dict[Any, dict[str, str]] = {}
    for number, output in enumerate(outputs):
        key = (output.transient or {}).get("display_id", number)
        places[key] = output.data
    return list(places.values())


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(shell: InteractiveShell, tmp_path: Path) -> Notebook:
    (tmp_path / "orders.csv").write_text(ORDERS)
    shell.run_line_magic("load_ext", "odibi_magics")
    return Notebook(shell, tmp_path)


ORDERS_SQL = "SELECT id, qty FROM orders WHERE qty > 0"
ORDERS_CELL = """\
%%odibi_pipeline {options}
connections:
  lake: {{type: local, base_path: .}}
pipelines:
  - pipeline: etl
    nodes:
      - name: orders
        read: {{connection: lake, path: orders.csv}}
      - name: clean
        transform: {{steps: [{{sql: "{sql}"}}]}}
        write: {{connection: lake, path: clean/orders}}
"""


def orders_cell(options: str = "") -> str:
    return ORDERS_CELL.format(options=options, sql=ORDERS_SQL)


def without_anywidget(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """Has a module that stands on anywidget be imported anew, where that is not installed."""
    monkeypatch.delitem(sys.modules, module, raising=False)
    importing = builtins.__import__

    def missing(name: str, *given: Any, **more: Any) -> Any:
        if name == "anywidget":
            raise ModuleNotFoundError("No module named 'anywidget'", name="anywidget")
        return importing(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
