"""An undo as a display: what would come and go, what stays, and the command that goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from odibi_magics.delta.restore import Files, Restored
from odibi_magics.delta.undo import Later, Undone, UndoneTable
from odibi_magics.display.html import LIMIT, Displayed
from odibi_magics.display.undo import undone_shown
from odibi_magics.pipeline.ways import Ways
from odibi_magics.secret import Secret
from tests.display.samples import read

WHEN = datetime(2026, 11, 25, 14, 2, 11, tzinfo=UTC)
NOTEBOOK = Ways(("%%odibi_pipeline",), ("%odibi_undo",))
SHELL = Ways(("odibi-magics run", "etl.yaml"), ("odibi-magics undo", "--file", "my etl.yaml"))


def table(name: str = "lake:clean", **more: object) -> UndoneTable:
    restored = Restored(
        name,
        f"data/{name}",
        8,
        WHEN,
        9,
        None,
        Files(1, 120, 1000),
        Files(2, None, 3000),
        Files(2, 1, 1),
        Files(1, 1, 1),
    )
    made = UndoneTable(name, f"data/{name}", ("clean",), "to undo", 9, 8, restored=restored)
    return replace(made, **more)  # type: ignore[arg-type]


def shown(*tables: UndoneTable, state: str = "preview", ways: Ways = NOTEBOOK, **more: object) -> Displayed:
    undone = Undone("r1", "u1", tables, ("out.csv stays",), state, **more)  # type: ignore[arg-type]
    found = undone_shown(undone, ways)
    assert read(found.html)
    return found


def test_a_preview_gives_the_command_with_the_versions_it_saw() -> None:
    found = shown(table(), table("lake:daily x", at=3, back_to=None))
    assert "%odibi_undo r1 --at lake:clean=9 --at 'lake:daily x=3'" in found.text
    assert "as version 8" in found.text and "empty: the run created it" in found.text
    assert "120" in found.text and "in 2 files" in found.text, "rows are not known of all files"
    assert "Cannot be taken back\n  out.csv stays" in found.text


def test_the_shell_names_the_file_again() -> None:
    assert "odibi-magics undo r1 --at lake:clean=9 --file 'my etl.yaml'" in shown(table(), ways=SHELL).text


def test_what_is_refused_is_not_offered() -> None:
    later = Later(9, WHEN, "WRITE", "someone")
    found = shown(table(state="refused", why="others wrote to it", later=(later,)))
    assert "--at" not in found.text and "others wrote to it" in found.text
    assert "lake:clean@9  2026-11-25 14:02:11 UTC  WRITE      someone" in found.text


def test_force_stays_in_the_command_where_it_was_asked_for() -> None:
    assert "--at lake:clean=9 --force" in shown(table(), force=True).text


def test_done_says_how_it_is_taken_back() -> None:
    found = shown(table(state="undone", now=10), state="done")
    assert "✓ Run r1 was undone" in found.text and "9 → 10" in found.text
    assert found.text.rstrip().endswith("%odibi_undo u1 lake:clean")


def test_tables_that_the_run_did_not_write_are_not_counted_as_undone() -> None:
    tables = (
        table(state="undone", now=10),
        table("lake:b", state="not written"),
        table("lake:c", state="gone"),
    )
    assert "✓ Run r1 was undone: 1 table · 2 with nothing to undo\n" in shown(*tables, state="done").text
    assert "Undo of run r1: 1 table · a preview" in shown(table()).text


def test_a_failed_one_goes_on_with_the_versions_of_now() -> None:
    tables = (
        table(state="put back", now=11),
        table("lake:b", state="failed", now=4, why="no answer"),
        table("lake:c", state="untouched", now=7),
        table("lake:d", state="undone", now=5, why="it could not be put back"),
    )
    found = shown(*tables, state="failed")
    assert "%odibi_undo r1 --at lake:clean=11 --at lake:b=4 --at lake:c=7" in found.text
    assert "lake:b: no answer" in found.text and "put back" in found.text


def test_nothing_to_do() -> None:
    found = shown(table(state="undone already", why="version 9 took it away"), state="nothing")
    assert "there is nothing to do" in found.text and "%odibi_undo" not in found.text


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\x1b[31m", "a\nb", "‮"])
def test_text_stays_text(text: str) -> None:
    later = Later(9, WHEN, text, text)
    found = shown(table(text, nodes=(text,), why=text, later=(later,)))
    assert "<script>" not in found.html and "\x1b" not in found.text


def test_secrets_stay_inside() -> None:
    secret = Secret("s3cr3t-key-of-an-account")
    later = Later(9, WHEN, secret.reveal(), secret.reveal())
    found = shown(table(why=f"key {secret.reveal()}", later=(later,)))
    assert secret.reveal() not in found.html + found.text


def test_a_thousand_tables_stay_small() -> None:
    found = shown(*(table(f"lake:{'long' * 20}{i}", why="because " * 20) for i in range(1000)))
    assert len(found.html.encode()) < LIMIT
