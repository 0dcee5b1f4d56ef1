"""The history as people see it: every text in it is a stranger's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.display.commands import Commands
from odibi_magics.display.history import history_shown, rows_changed
from odibi_magics.display.html import LIMIT
from odibi_magics.engines.base import Warned
from odibi_magics.secret import Secret
from tests.display.samples import read

HOSTILE = (
    "</td></pre></style><script>alert(1)</script><img src=x onerror=alert(2)>'\"&\x1b[31m\x9b\u202e\x00\n"
)


def history(text: str, count: int = 20) -> History:
    """A page in which every text is `text`."""
    told = HistoryEntry(
        version=0, time=datetime(2026, 11, 20, 18, 0, 30, 120_000, UTC), operation=text, user=text, engine=text, run=text,
        pipeline=text, node=text, undoes=None, rows_inserted=1234, rows_changed=30, rows_deleted=4, files_added=3, files_removed=1, bytes_added=41_300, bytes_removed=None,
        changes_data=True, parameters={text: text, f"{text}2": text},
    )  # fmt: skip
    entries = tuple(replace(told, version=1203 - i) for i in range(count))
    return History(text, text, entries, 1203, 0)


WARNED = (Warned("many files", "compact it"),)


def test_what_a_version_tells() -> None:
    found = history("x", 2)
    entries = (
        replace(found.entries[0], parameters={"mode": "Append"}),
        replace(found.entries[1], operation="MERGE"),
    )
    shown = history_shown(replace(found, address="lake:clean/t", entries=entries), WARNED)
    for made in (shown.html, shown.text):
        for told in (
            "2 of 1,204 versions, 1203 to 1202", "2026-11-20 18:00:30 UTC", "MERGE", "+1,234 ~30 −4", "+3 −1", "+41.3 kB −?",
            "mode=Append", "x x", "many files",
            "%odibi_preview lake:clean/t@1202", "%odibi_diff lake:clean/t@1202 lake:clean/t@1203",
            "%odibi_restore lake:clean/t@1202", "%odibi_history lake:clean/t@1201",
        ):  # fmt: skip
            assert told in made, told
    titles = [element.attributes.get("title") for element in read(shown.html)]
    assert "2026-11-20T18:00:30.120Z" in titles
    named = {each.text for each in read(shown.html) if each.attributes.get("class") == "name"}
    assert {"2026-11-20 18:00:30 UTC", "x x"} <= named  # which keep to one line


def test_an_undo_and_the_end_of_a_vacuum() -> None:
    found = history("x", 2)
    entries = (
        replace(found.entries[0], operation="RESTORE", undoes="r-1"),
        replace(found.entries[1], operation="VACUUM END", files_added=0, bytes_added=0),
    )
    text = history_shown(replace(found, entries=entries)).text
    assert "RESTORE · undo of r-1" in text
    assert text.count("−?") == 1


@pytest.mark.parametrize(("rows", "shown"), [
    ((8996, 0, 0), "+8,996"), ((0, 0, 8996), "−8,996"), ((12, 30, 4), "+12 ~30 −4"), ((0, 0, 0), ""), ((5, 0, None), "+5 −?"),
])  # fmt: skip
def test_rows_are_a_signed_change(rows: tuple[int, int, int | None], shown: str) -> None:
    entry = replace(
        history("x").entries[0], rows_inserted=rows[0], rows_changed=rows[1], rows_deleted=rows[2]
    )
    assert rows_changed(entry) == shown


def test_a_merge_of_ours_is_called_one() -> None:
    """What the log calls it is on hover."""
    found = history("x", 1)
    entry = replace(found.entries[0], operation="WRITE", parameters={"writeMode": "merge"})
    shown = history_shown(replace(found, entries=(entry,)))
    assert "MERGE (in the log: WRITE)" in [each.attributes.get("title") for each in read(shown.html)]
    assert "MERGE" in shown.text
    appended = replace(entry, parameters={"writeMode": "append"})
    assert "MERGE" not in history_shown(replace(found, entries=(appended,))).html


def test_commands_go_on_from_the_newest_version_shown() -> None:
    found = history("x", 3)
    text = history_shown(replace(found, address="t", entries=found.entries[1:])).text
    for line in ("%odibi_preview t@1202", "%odibi_diff t@1202 t@1203", "%odibi_restore t@1202"):
        assert line in text
    newest = history_shown(replace(found, address="t")).text
    assert "%odibi_restore t@1202" in newest


def test_what_nobody_told_takes_no_column() -> None:
    found = history("x", 2)
    entries = tuple(
        replace(one, user=None, run=None, node=None, rows_inserted=0, rows_changed=0, rows_deleted=0)
        for one in found.entries
    )
    text = history_shown(replace(found, entries=entries)).text
    assert "user" not in text and "run and node" not in text and "rows" not in text


def test_how_much_is_loaded() -> None:
    def first(found: History) -> str:
        return history_shown(found).text.splitlines()[0]

    found = replace(history("x", 3), address="t")
    assert first(found) == "t: 3 of 1,204 versions, 1203 to 1201"
    assert (
        first(replace(found, oldest=1201)) == "t: 3 versions, 1203 to 1201; older than 1201 were cleaned up"
    )
    assert "1 version, 0" in first(replace(found, entries=(replace(found.entries[0], version=0),), newest=0))
    assert "the commits that tell how it came to be were cleaned up" in first(replace(found, entries=()))


def test_commands_for_a_shell() -> None:
    found = replace(history("x", 2), address="lake:my table")
    text = history_shown(found, commands=Commands(shell=True, project=("--file", "my etl.odibi.yaml"))).text
    assert "odibi-magics restore 'lake:my table@1202' --file 'my etl.odibi.yaml'" in text
    assert "%odibi_restore 'lake:my table@1202'" in history_shown(found).text
    alone = replace(found, entries=(replace(found.entries[0], version=0),), newest=0)
    assert "diff" not in history_shown(alone).text


def test_hostile_text_stays_text() -> None:
    harmless, hostile = history_shown(history("x")), history_shown(history(HOSTILE))
    assert {element.name for element in read(hostile.html)} <= {
        element.name for element in read(harmless.html)
    }
    assert "<script" not in hostile.html and "<img" not in hostile.html
    assert not {
        name for element in read(hostile.html) for name in element.attributes if name.startswith("on")
    }
    for made in (hostile.html, hostile.text):
        assert not {"\x1b", "\x9b", "\u202e", "\x00"} & set(made)


@pytest.mark.parametrize("text", ["x" * 10_000_000, "<&é>" * 10_000, HOSTILE * 500])
def test_it_fits_whatever_the_table_says(text: str) -> None:
    shown = history_shown(replace(history(text, 5), address="t", url="t"))
    assert len(shown.html.encode()) < LIMIT
    assert len(shown._repr_mimebundle_()["text/plain"].encode()) < LIMIT
    assert shown.html.count("<tr") == 6


def test_of_a_thousand_versions_the_first_fit() -> None:
    shown = history_shown(replace(history("<&é>" * 20, 1000), address="t"))
    assert len(shown.html.encode()) < LIMIT and " more rows" in shown.html
    assert len(shown._repr_mimebundle_()["text/plain"].encode()) < LIMIT


def test_no_secret_shows() -> None:
    Secret("s3cr<&>t\n'words'")
    shown = history_shown(history("s3cr<&>t\n'words'"))
    for made in (shown.html, shown.text):
        assert "s3cr" not in made and "words" not in made and "[hidden]" in made
