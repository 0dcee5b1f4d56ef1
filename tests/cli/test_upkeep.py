"""`odibi-magics restore | vacuum | optimize` as processes, with their exit codes."""

from __future__ import annotations

import re

import pytest

from odibi_magics.cli.answer import FAILED, WRONG
from tests.cli.conftest import Command


@pytest.fixture
def table(odibi: Command) -> Command:
    odibi.data("run", "etl.odibi.yaml")
    odibi.data("run", "etl.odibi.yaml")
    return odibi


def test_a_restore_by_the_line_it_prints(table: Command) -> None:
    done = table("restore", "clean@0", "--file", "etl.odibi.yaml")
    assert done.returncode == 0, done.stderr
    line = re.search(r"odibi-magics (restore .*)", done.stdout)
    assert line is not None and line[1] == "restore lake:clean/orders@0 --at 1 --file etl.odibi.yaml"
    told = table.data(*line[1].split())
    assert (told["version"], told["at"], told["committed"], told["changes_nothing"]) == (0, 1, 2, False)
    assert told["back"]["files"] == told["gone"]["files"] == 1
    again = table(*line[1].split())
    assert (again.returncode, "was looked at when 1 was its newest version" in again.stderr) == (FAILED, True)


def test_a_vacuum(table: Command) -> None:
    nothing = table.data("vacuum", "lake", "clean/orders", "--yes")
    assert (nothing["files"], nothing["deleted"], nothing["kept"]) == (0, 0, [[0, 1]])
    refused = table("vacuum", "clean", "--retention-hours", "0")
    assert (refused.returncode, "--force" in refused.stderr, refused.stdout) == (WRONG, True, "")
    shown = table.data("vacuum", "clean", "--retention-hours", "0", "--force")
    assert (shown["files"], shown["deleted"], shown["lost"]) == (1, None, [[0, 0]])
    done = table.data("vacuum", "clean", "--retention-hours", "0", "--force", "--yes")
    assert (done["deleted"], done["freed"]) == (1, shown["bytes"])
    gone = table("restore", "clean@0")
    assert (gone.returncode, "files went missing" in gone.stderr) == (FAILED, True)


def test_an_optimize(table: Command) -> None:
    assert table.data("optimize", "clean")["changes_nothing"] is True
    assert "there is nothing to do" in table("optimize", "clean", "--yes").stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("restore", "clean"), WRONG), (("restore", "clean@x"), WRONG), (("restore", "clean@9"), FAILED),
        (("vacuum", "nowhere"), WRONG), (("vacuum", "orders.csv"), FAILED), (("optimize", "clean@0"), WRONG),
        (("optimize", "lake:other"), FAILED),
    ],
)  # fmt: skip
def test_what_is_wrong(table: Command, words: tuple[str, ...], code: int) -> None:
    done = table(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") < 6


def test_the_folder_one_stands_in(table: Command) -> None:
    """A partition's folder in it is no table: no verb takes the table above for it."""
    table_here = Command(table.folder / "clean/orders")
    short = ("--retention-hours", "0", "--force")
    shown = table_here.data("vacuum", ".", *short)
    assert (shown["url"], shown["address"], shown["files"]) == (str(table_here.folder), ".", 1)
    assert table_here("undo", ".").returncode == 0
    part = Command(table_here.folder / "month=1")
    part.folder.mkdir()
    for words in (("vacuum", ".", *short), ("optimize", "./"), ("history", ".@3"), ("restore", ".@0")):
        done = part(*words)
        assert (done.returncode, done.stdout) == (FAILED, ""), words
        here = words[1].partition("@")[0]
        assert done.stderr == f"{here} is no Delta table: it lies in the table {table_here.folder}\n"
    assert part.data("vacuum", "..", *short)["url"] == shown["url"]
    assert table.data("history", "clean/orders")["newest"] == 1
