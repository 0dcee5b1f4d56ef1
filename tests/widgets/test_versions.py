"""What a live history does with the versions it has loaded."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.display.history import COLUMNS
from odibi_magics.secret import Secret
from odibi_magics.widgets.versions import WIDEST_WINDOW, Order, Versions

START = datetime(2026, 11, 20, 18, tzinfo=UTC)


def entry(version: int, **fields: Any) -> HistoryEntry:
    made = HistoryEntry(
        version,
        START + timedelta(minutes=version),
        "WRITE",
        None,
        None,
        None,
        None,
        None,
        None,
        0,
        0,
        0,
        1,
        0,
        100,
        0,
        True,
        {},
    )
    return replace(made, **fields)


def history(*entries: HistoryEntry, oldest: int = 0) -> History:
    return History("lake:t", "file:///lake/t", entries, entries[0].version, oldest)


def shown(versions: Versions, order: Order, first: int = 0, length: int = 50) -> list[int]:
    return [row["version"] for row in versions.window(order, first, length)["rows"]]


def test_a_window_is_a_part_and_says_how_much_there_is() -> None:
    versions = Versions(history(*(entry(v) for v in range(999, 499, -1))))
    window = versions.window(Order(), 100, 3)
    assert [row["version"] for row in window["rows"]] == [899, 898, 897]
    assert (window["matches"], window["loaded"], window["more"]) == (500, 500, 500)
    assert window["said"] == "500 of 1,000 versions loaded"


def test_no_question_gets_more_than_a_window_or_an_error() -> None:
    versions = Versions(history(*(entry(v) for v in range(999, -1, -1))))
    assert len(shown(versions, Order(), 0, 10**9)) == WIDEST_WINDOW
    assert shown(versions, Order(), 10**9) == [] and shown(versions, Order(), -5, 1) == [999]


def test_what_comes_later_is_sorted_in() -> None:
    versions = Versions(history(entry(3, rows_inserted=1), entry(2, rows_deleted=5), oldest=0))
    by_rows = Order(COLUMNS.index("rows"))
    assert shown(versions, by_rows) == [2, 3]
    versions.add(history(entry(1, rows_changed=9, rows_deleted=None), entry(0, changes_data=False), oldest=0))
    assert shown(versions, by_rows) == [1, 2, 3, 0], "what is not told comes last"
    assert shown(versions, replace(by_rows, descending=False)) == [3, 2, 1, 0]
    assert versions.window(by_rows, 0, 9)["said"] == "4 versions loaded"


@pytest.mark.parametrize(("name", "fields"), [
    ("version", ({}, {})),
    ("time", ({}, {})),
    ("operation", ({"operation": "MERGE"}, {"operation": "write"})),
    ("user", ({"user": "Ada"}, {"user": "bob"})),
    ("run and node", ({"run": "a"}, {"node": "b", "run": "a"})),
    ("rows", ({"rows_inserted": 9}, {"rows_inserted": 4, "rows_deleted": 6})),
    ("files", ({"files_added": 2}, {"files_added": 1, "files_removed": 9})),
    ("bytes", ({"bytes_added": 99, "bytes_removed": None}, {"bytes_added": 100})),
    ("parameters", ({"parameters": {"mode": "Append"}}, {"parameters": {"mode": "Overwrite"}})),
])  # fmt: skip
def test_every_column_sorts(name: str, fields: tuple[dict[str, Any], dict[str, Any]]) -> None:
    low, high = fields
    up = Order(COLUMNS.index(name), descending=False)
    if name in ("version", "time"):
        assert shown(Versions(history(entry(1), entry(0))), up) == [0, 1]
        return
    versions = Versions(history(entry(1, **low), entry(0, **high)))
    assert shown(versions, up) == [1, 0]
    assert shown(versions, replace(up, descending=True)) == [0, 1]


def test_all_words_of_a_filter_must_stand_in_a_version_anywhere() -> None:
    versions = Versions(
        history(
            entry(2, operation="MERGE", parameters={"predicate": "Id = 7"}),
            entry(1, operation="MERGE", user="Ada", node="clean", pipeline="etl"),
            entry(0, engine="delta-rs"),
        )
    )
    for words, expected in {
        "merge": [2, 1], "MERGE ada": [1], "id = 7": [2], "ETL clean": [1], "delta-RS": [0], "18:01": [1], "": [2, 1, 0],
        "merge delta-rs": [],
    }.items():  # fmt: skip
        assert shown(versions, Order(words=words)) == expected, words
    assert versions.window(Order(words="merge"), 0, 9)["said"] == "3 versions loaded, 2 match"
    versions.add(history(entry(0, operation="merge")))
    assert shown(versions, Order(words="merge")) == [2, 1, 0], "the next ones too"


def test_columns_that_tell_nothing_are_named_until_one_does() -> None:
    versions = Versions(history(entry(1), oldest=0))
    named = {"user", "run and node", "rows", "parameters"}
    assert {COLUMNS[i] for i in versions.window(Order(), 0, 9)["empty"]} == named
    versions.add(history(entry(0, user="ada", rows_inserted=7)))
    assert {COLUMNS[i] for i in versions.window(Order(), 0, 9)["empty"]} == named - {"user", "rows"}


def test_cells_pass_the_redactor_and_show_what_is_invisible() -> None:
    Secret("s3cr3t-value")
    [row] = Versions(history(entry(0, operation="s3cr3t-value\u202e", user="x" * 90))).window(Order(), 0, 1)[
        "rows"
    ]
    texts = [text for cell in row["cells"] for text in cell]
    assert "[hidden]\\u202e" in texts and not any("s3cr3t" in text for text in texts)
    assert "x" * 90 in texts and any(text.endswith("x…") for text in texts), "cut, the whole on hover"
