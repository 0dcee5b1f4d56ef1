"""The installed entry point, called as a wheel task of Databricks calls it: found by name among the distribution's, with
the task's parameters as `sys.argv`, in a cell of IPython, which fails on whatever is raised, SystemExit(0) too.

Simulated: none of this has run on Databricks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from tests.cli.conftest import PROJECT

pytestmark = pytest.mark.filterwarnings("ignore:To exit")  # IPython's, at every SystemExit

TASK = """\
import sys
from importlib.metadata import distribution
sys.argv = ["odibi-magics", *{parameters}]
[main] = [one.load() for one in distribution("odibi-magics").entry_points if one.name == "odibi-magics"]
main()
"""


@dataclass(frozen=True)
class Task:
    """How it ended: failed or not, the code it raised, and what it said."""

    failed: bool
    code: object
    said: str


Run = Callable[..., Task]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    (tmp_path / "orders.csv").write_text("id,qty,day\n1,5,2026-01-01\n2,0,2026-01-01\n3,7,2026-01-02\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / ".ipython"))
    monkeypatch.setattr("sys.argv", [])
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)

    def task(text: str, *parameters: str) -> Task:
        (tmp_path / "etl.odibi.yaml").write_text(text)
        with capture_output() as captured:
            outcome = shell.run_cell(TASK.format(parameters=list(parameters)))
        error = outcome.error_in_exec
        return Task(not outcome.success, getattr(error, "code", None), captured.stdout + captured.stderr)

    yield task
    InteractiveShell.clear_instance()


def test_a_task_that_worked_returns(run: Run, tmp_path: Path) -> None:
    done = run(PROJECT, "run", "etl.odibi.yaml")
    assert (done.failed, done.code) == (False, None)
    assert (tmp_path / "clean/orders/_delta_log").is_dir()
    assert not run(PROJECT, "history", "lake:clean/orders").failed
    assert not run(PROJECT, "--help").failed


def test_a_task_that_failed_raises(run: Run, tmp_path: Path) -> None:
    failing = PROJECT.replace("write:", "validation: {row_count: {min: 9}}\n        write:")
    done = run(failing, "run", "etl.odibi.yaml")
    assert (done.failed, done.code) == (True, 1)
    assert "row_count" in done.said
    assert not (tmp_path / "clean/orders").exists()


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        (PROJECT.replace("write:", "wriite:"), ["run", "etl.odibi.yaml"], "did you mean 'write'?"),
        (PROJECT, ["rnu", "etl.odibi.yaml"], "did you mean 'run'?"),
        (PROJECT, [], "usage: odibi-magics COMMAND"),
    ],
)
def test_a_task_with_a_wrong_text_or_call_raises(run: Run, text: str, words: list[str], said: str) -> None:
    done = run(text, *words)
    assert (done.failed, done.code) == (True, 2)
    assert said in done.said
