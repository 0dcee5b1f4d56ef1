"""%odibi_restore, %odibi_vacuum and %odibi_optimize in a real shell: what each prints does it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.magics.conftest import Notebook, orders_cell


@pytest.fixture
def table(notebook: Notebook) -> Notebook:
    notebook.good(orders_cell())
    notebook.good(orders_cell().replace("qty > 0", "qty > 6"))
    return notebook


def line(text: str) -> str:
    """The first magic in a display."""
    found = re.search(r"%odibi_(restore|vacuum|optimize) .*", text)
    assert found is not None
    return found[0]


@pytest.mark.parametrize("words", ["clean@0", "lake:clean/orders@0", "lake clean/orders@0", "clean/orders@0"])
def test_a_restore_by_the_line_it_prints(table: Notebook, words: str) -> None:
    shown = table.good(f"%odibi_restore {words}")
    assert "would be like version 0" in shown.text[0]
    do = line(shown.text[0])
    assert do.endswith("--at 1") and do in shown.html[0]
    done = table.good(do).text[0]
    assert (
        "as version 2" in done and line(done) == f"%odibi_restore {do.split()[1].removesuffix('@0')}@1 --at 2"
    )
    assert "2 rows, " in table.good("%odibi_preview lake:clean/orders").text[0]
    # Run All on Monday rolls nothing back.
    table.good(orders_cell().replace("qty > 0", "qty > 1"))
    assert "was looked at when 1 was its newest version" in table.bad(do)


def test_a_restore_says_what_is_missing(table: Notebook) -> None:
    assert "to which version? clean@5" in table.bad("%odibi_restore clean")
    assert "has no version 7" in table.bad("%odibi_restore clean@7")
    assert "without a zone" in table.bad("%odibi_restore clean@2026-11-20T18:00")
    assert "was not there at" in table.bad("%odibi_restore clean@2020-11-20T18:00Z")
    assert "a number from 0 on" in table.bad("%odibi_restore clean@0 --at x")
    assert "a number from 0 on, is wanted, not '-1'" in table.bad("%odibi_restore clean@0 --at -1")
    assert "is a file, not a Delta table" in table.bad("%odibi_restore orders.csv@0")
    assert "--at" in table.good("%odibi_restore --help").text[0]


def aged(folder: Path) -> None:
    """Has all files of the table look eight days old, as far as storage and log tell."""
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (path.stat().st_mtime - 8 * 86400,) * 2)
    for path in (folder / "_delta_log").glob("*.json"):
        old = re.sub(
            r'"deletionTimestamp":(\d+)',
            lambda m: f'"deletionTimestamp":{int(m[1]) - 8 * 86_400_000}',
            path.read_text(),
        )
        path.write_text(old)


def test_a_vacuum_by_the_line_it_prints(table: Notebook) -> None:
    aged(table.folder / "clean/orders")
    shown = table.good("%odibi_vacuum clean")
    assert "could no longer be read: 0" in shown.text[0]
    do = line(shown.text[0])
    assert do == "%odibi_vacuum lake:clean/orders --yes"
    done = table.good(do)
    assert "freed: 1 file deleted" in done.text[0]
    assert "there is nothing to do" in table.good(do).text[0]
    assert "files went missing, as after a vacuum" in table.bad("%odibi_restore clean@0")


def test_a_vacuum_refuses_a_short_retention(table: Notebook) -> None:
    assert "--force" in table.bad("%odibi_vacuum clean --retention-hours 1 --yes")
    for way in ("=-1", " -1"):
        said = "a number of hours from 0 on is wanted, not '-1'"
        assert table.bad(f"%odibi_vacuum clean --retention-hours{way}") == said
    shown = table.good("%odibi_vacuum clean --retention-hours 0 --force")
    assert line(shown.text[0]) == "%odibi_vacuum lake:clean/orders --retention-hours 0 --force --yes"
    said = "clean@0 is a version, and this is about the table as it is now: clean"
    assert table.bad("%odibi_vacuum clean@0") == table.bad("%odibi_optimize clean@0") == said


def test_an_optimize_by_the_line_it_prints(table: Notebook) -> None:
    append = orders_cell().replace(
        "path: clean/orders}", "path: clean/orders, mode: append, partition_by: [id]}"
    )
    table.good(append.replace("clean/orders,", "clean/parts,"))
    table.good(append.replace("clean/orders,", "clean/parts,").replace("qty > 0", "qty > 1"))
    shown = table.good("%odibi_optimize lake:clean/parts")
    assert "4 small files" in shown.text[0] and "id=1" in shown.text[0]
    assert "became 2" in table.good(line(shown.text[0])).text[0]
    assert "there is nothing to do" in table.good(line(shown.text[0])).text[0]
    table.good("%config OdibiMagics.keep_rows = 0")
    table.good(append.replace("clean/orders,", "clean/parts,").replace("qty > 0", "qty > 2"))
    kept = table.good("%odibi_optimize lake:clean/parts")
    assert "id=1" not in kept.text[0] + kept.html[0] and "[data]" in kept.text[0]


def test_the_folder_one_stands_in(table: Notebook, monkeypatch: pytest.MonkeyPatch) -> None:
    (table.folder / "clean/orders/month=1").mkdir()
    monkeypatch.chdir(table.folder / "clean/orders")
    shown = table.good("%odibi_vacuum . --retention-hours 0 --force")
    assert line(shown.text[0]) == "%odibi_vacuum . --retention-hours 0 --force --yes"
    assert ".: 2 versions, 1 to 0" in table.good("%odibi_history .").text[0]
    monkeypatch.chdir(table.folder / "clean/orders/month=1")
    assert ". is no Delta table: it lies in the table /" in table.bad(
        "%odibi_vacuum . --retention-hours 0 --force --yes"
    )
    assert "..: 2 versions, 1 to 0" in table.good("%odibi_history ..").text[0]
