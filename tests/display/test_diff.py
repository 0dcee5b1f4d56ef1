"""What differs, as it is shown: in words and signs, not by colour alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from odibi_magics.delta.diff import Diff, DiffColumn, DiffSide, RowDiff
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.display.commands import Commands
from odibi_magics.display.diff import diff_html, diff_text
from odibi_magics.display.html import LIMIT, style
from odibi_magics.secret import Secret
from tests.display.samples import read, texts

SIDE = DiffSide("lake:clean/orders", "file:///lake/clean/orders", 5, 10_003, 3, 4_000_000)
DIFF = Diff(
    before=SIDE,
    after=replace(SIDE, version=9, rows=10_002),
    keys=("id",),
    columns=(
        DiffColumn("id", "int", "bigint"),
        DiffColumn("city", "string", "string"),
        DiffColumn("qty", "int", "int"),
        DiffColumn("code", "string", "int", compared=False),
    ),
    schema_changes=(SchemaChange("removed", "note", "string"), SchemaChange("type", "id", "int → bigint")),
    added=1,
    removed=2,
    changed=1,
    unchanged=10_000,
    sample=(
        RowDiff("changed", (7, "Oslo", 1), (7, "Oslo", 2), ("qty",)),
        RowDiff("removed", (8, None, 1)),
        RowDiff("added", None, (9, "NULL", 3)),
    ),
    files_read=2,
    bytes_read=1_000_000,
    files_skipped=1,
    bytes_skipped=3_000_000,
)
WHOLES = replace(
    DIFF,
    keys=(),
    changed=None,
    schema_changes=(),
    columns=DIFF.columns[:3],
    files_skipped=0,
    sample=DIFF.sample[1:],
)
SAME = replace(WHOLES, added=0, removed=0, unchanged=10_003, sample=())


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def test_what_differs_in_a_few_lines() -> None:
    text = lines(diff_text(DIFF))
    assert text[0] == (
        "lake:clean/orders@5 → lake:clean/orders@9: rows: 1 added, 2 removed, 1 changed, 10,000 unchanged"
    )
    assert (
        text[1] == "rows compared by id · 2 files (1.0 MB) read · 1 file (3.0 MB) of both versions not read"
    )
    assert text[2] == "column note on one side only, and not compared"
    assert text[3] == "column code of types that have no values in common, and not compared"
    assert text[4:8] == [
        "Schema",
        "change     column  detail",
        "− removed  note    string",
        "~ type     id      int → bigint",
    ]
    assert text[8:14] == [
        "3 of 4 rows that differ",
        "row                  id    qty  city",
        "           int → bigint    int  string",
        "~ qty                 7  1 → 2  Oslo",
        "− removed             8      1  NULL",
        "+ added               9      3  'NULL'",
    ]
    assert text[14:] == [
        "What happened in between",
        "  %odibi_history lake:clean/orders",
        "Back to version 5: what that would do",
        "  %odibi_restore lake:clean/orders@5",
    ]


def test_rows_as_wholes() -> None:
    text = diff_text(replace(WHOLES, added=4, sample=(replace(WHOLES.sample[1], count=4),)))
    assert "4 added, 2 removed, 10,000 unchanged" in text and "changed," not in text
    assert "rows compared as wholes, as often as they come; --keys tells changed rows" in text
    assert "+ added × 4" in text and "4 of 6 rows that differ" in text


def test_nothing_that_differs() -> None:
    text = diff_text(SAME)
    assert lines(text)[0] == "lake:clean/orders@5 → lake:clean/orders@9: identical: 10,003 rows, 3 columns"
    assert "restore" not in text and "Rows that differ" not in text


def test_the_same_rows_in_other_columns_are_not_identical() -> None:
    text = diff_text(replace(SAME, schema_changes=DIFF.schema_changes))
    assert "identical" not in text and "rows: 0 added, 0 removed, 10,003 unchanged" in text


def test_signs_beside_colours() -> None:
    html = diff_html(DIFF)
    cells = [(each.attributes.get("class"), each.text) for each in read(html) if each.name == "td"]
    assert {("warned", "~ qty"), ("failed", "− removed"), ("done", "+ added"), ("changed", "1 → 2")} <= set(
        cells
    )
    assert ".changed" in style()


def test_commands_of_a_shell() -> None:
    odd = replace(
        DIFF,
        before=replace(SIDE, address="lake:my orders"),
        after=replace(DIFF.after, address="lake:my orders"),
    )
    text = diff_text(odd, Commands(shell=True))
    assert "  odibi-magics history 'lake:my orders'" in text
    assert "  odibi-magics restore 'lake:my orders@5'" in text


@pytest.mark.parametrize(
    "other",
    [replace(DIFF.after, url="file:///lake/other"), replace(DIFF.after, version=3)],
    ids=["another table", "an older version"],
)
def test_no_way_back_from_another_table_or_an_older_version(other: DiffSide) -> None:
    assert "restore" not in diff_text(replace(DIFF, after=other))


def test_keys_that_were_not_looked_for() -> None:
    text = lines(diff_text(replace(DIFF, unchecked=3, files_skipped=5, keys_read=2)))
    assert text[0].endswith(
        "1 added, 2 removed, 1 changed, 10,000 unchanged; keys not checked in 3 unchanged files"
    )
    assert "5 files (3.0 MB) of both versions not read, but for the keys in 2" in text[1]
    assert "a key of a row above that stands a second time in 3 files of both versions would not show" in text


@pytest.mark.parametrize(("before", "after", "shown"), [
    ("a", "b", "a → b"),
    (None, "NULL", "NULL → 'NULL'"),
    ("", " x", "'' → '␣x'"),
    ("the same beginning, and then A at the end", "the same beginning, and then B at the end", "…then A at the end → …then B at the end"),
    ("x" * 100, "y" * 100, f"{'x' * 27}… → {'y' * 27}…"),
])  # fmt: skip
def test_a_changed_value(before: Any, after: Any, shown: str) -> None:
    row = RowDiff("changed", (1, before, 1), (1, after, 1), ("city",))
    html = diff_html(replace(DIFF, sample=(row,)))
    assert shown in texts(html, "td")
    assert shown in diff_text(replace(DIFF, sample=(row,)))


def test_a_long_value_is_whole_on_hover() -> None:
    row = RowDiff("changed", (1, "x" * 100, 1), (1, "y" * 100, 1), ("city",))
    hovers = {each.attributes.get("title") for each in read(diff_html(replace(DIFF, sample=(row,))))}
    assert f"{'x' * 100} → {'y' * 100}" in hovers


def hostile(text: str) -> Diff:
    """All text that comes from a table or its path."""
    side = replace(SIDE, address=text, url=text)
    rows = (
        RowDiff("changed", (text, text), (text, text + "x"), (text, "b")),
        RowDiff("added", None, (text, {text: [text]})),
    )
    return replace(
        DIFF,
        before=side,
        after=replace(side, version=9),
        keys=(text,),
        columns=(
            DiffColumn(text, text, text),
            DiffColumn("b", text, text),
            DiffColumn("c", text, text, False),
        ),
        schema_changes=(SchemaChange(text, text, text), SchemaChange("added", text, text)),
        sample=rows,
        unchecked=1,
    )


def test_hostile_text_stays_text() -> None:
    harmless, made = diff_html(hostile("x")), diff_html(hostile("</td></style><script>'\"&\x1b[31m\u202e\n"))
    assert [each.name for each in read(made)] == [each.name for each in read(harmless)]
    assert not {"\x1b", "\u202e"} & set(made + diff_text(hostile("\x1b[31m\u202e")))


def test_no_secret_shows() -> None:
    Secret("s3cr<&>t\n'words'")
    for made in (diff_html(hostile("s3cr<&>t\n'words'")), diff_text(hostile("s3cr<&>t\n'words'"))):
        assert "s3cr" not in made and "words" not in made and "[hidden]" in made


@pytest.mark.parametrize("text", ["a usual value", "<&é>" * 200])
def test_however_large_it_fits(text: str) -> None:
    columns = tuple(DiffColumn(f"{text[:300]}{i}", "string", "string") for i in range(200))
    row = RowDiff("changed", (text,) * 200, (f"{text}!",) * 200, tuple(column.name for column in columns))
    changes = tuple(SchemaChange("added", f"{text[:300]}{i}", "string") for i in range(200))
    made = diff_html(replace(DIFF, columns=columns, keys=(), sample=(row,) * 20, schema_changes=changes))
    assert 20_000 < len(made.encode()) < LIMIT
    read(made)
