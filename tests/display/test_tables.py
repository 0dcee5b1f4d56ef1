"""Tables of ours and of the user's data, as HTML and text."""

from __future__ import annotations

from odibi_magics.config.types import Column
from odibi_magics.display.html import LIMIT, Displayed, error_html
from odibi_magics.display.tables import preview_html, preview_text, table_html, table_text
from odibi_magics.engines.base import Preview
from odibi_magics.errors import UsageError
from odibi_magics.rendering import RENDER
from tests.display.samples import columns, read, texts


def preview(value: object, type_: str = "string", total: int | None = None) -> Preview:
    return Preview((Column("c", type_),), ((value,),), total, "clean")


def test_a_preview_says_how_many_of_how_many() -> None:
    rows = Preview(columns("a int, b string"), ((2013, "x"), (None, "NULL")), 336776, "clean")
    assert texts(preview_html(rows), "p") == ["clean: 2 of 336,776 rows, 2 columns"]
    assert preview_text(rows) == (
        "clean: 2 of 336,776 rows, 2 columns\n\n   a  b\n int  string\n2013  x\nNULL  'NULL'"
    )


def test_a_preview_shows_itself() -> None:
    rows = preview("x", total=1)
    assert (str(rows), rows._repr_html_()) == (RENDER.preview_text(rows), RENDER.preview_html(rows))


def test_how_many_rows_there_are_is_not_made_up() -> None:
    assert "first 1 row," in preview_text(preview("x"))
    assert "clean: 1 row," in preview_text(preview("x", total=1))


def test_null_and_the_text_null_differ_in_html() -> None:
    assert "<i" in preview_html(preview(None)) and "<i" not in preview_html(preview("NULL"))


def test_a_long_value_is_cut_with_the_whole_on_hover() -> None:
    long = "0123456789" * 30
    (cell,) = [element for element in read(preview_html(preview(long))) if element.name == "td"]
    assert cell.text == long[:59] + "…" and cell.attributes["title"] == long
    (cell,) = [element for element in read(preview_html(preview("short"))) if element.name == "td"]
    assert "title" not in cell.attributes


def test_numbers_stand_right_and_the_attribute_outlives_the_style_sheet() -> None:
    html = preview_html(Preview(columns("n bigint, t string"), ((None, "1"), (12, "2"))))
    aligned = [element.attributes.get("align") for element in read(html) if element.name in ("th", "td")]
    assert aligned == ["right", None] * 3


def test_hostile_values_stay_text() -> None:
    html = preview_html(preview("</td></table><script>alert('\"')</script>\u202e\x1b[31m"))
    assert "script" not in {element.name for element in read(html)}
    assert texts(html, "td") == ["</td></table><script>alert('\"')</script>\\u202e\\x1b[31m"]


def test_a_preview_of_anything_fits() -> None:
    names = tuple(Column(f"column_{i}", "string") for i in range(1000))
    wide = Preview(names, (("<&>" * 100,) * 1000,) * 20, 20)
    html = preview_html(wide)
    assert len(html.encode()) < LIMIT
    assert len(texts(html, "tr")) == 21 and "more columns" in html
    assert "and 800 more columns" in preview_text(wide)
    tall = Preview(names[:2], (("é" * 300, "x"),) * 5000, 5000)
    html = preview_html(tall)
    assert len(html.encode()) < LIMIT and "more rows" in html and len(texts(html, "td")) > 200


def test_a_usual_preview_is_whole() -> None:
    names = tuple(Column(f"sched_dep_time_{i}", "timestamp") for i in range(40))
    html = preview_html(Preview(names, (("2013-01-01 05:00:00Z",) * 40,) * 20, 20))
    assert len(texts(html, "td")) == 800 and "more" not in "".join(texts(html, "p"))


def test_a_wide_table_is_told_row_by_row_unless_only_its_last_column_runs_over() -> None:
    long = "x" * 130
    assert table_text(("a", "b"), [("1", long)]) == f"a  b\n1  {long}"
    assert table_text(("a", "b"), [(long, "1")]) == f"{long}\n  b  1"


def test_no_rows_and_no_columns() -> None:
    assert texts(preview_html(Preview(columns("a int"), (), 0)), "p") == [" 0 rows, 1 column"]
    assert preview_text(Preview((), ((), ()), 2)) == "2 rows, 0 columns"


def test_a_small_table() -> None:
    names, rows = ("name", "rows", "time"), [("a", 1234, "1.2 s"), ("中文", None, "34 s")]
    assert table_text(names, rows, title="Title", note="note", right=("time",)) == (
        "Title\nname   rows   time\na     1,234  1.2 s\n中文          34 s\nnote"
    )
    html = table_html(names, rows, title="Title", note="note", right=("time",))
    assert texts(html, "p") == ["Title", "note"]
    assert texts(html, "td") == ["a", "1,234", "1.2 s", "中文", "", "34 s"]


def test_the_style_sheet_stands_in_each_display_once_and_fetches_nothing() -> None:
    html = table_html(("a",), [(1,)])
    assert len(texts(html, "style")) == 1
    assert not any(word in html for word in ("http", "url(", "@import", "<script", "<link"))


def test_a_display_has_both_kinds() -> None:
    both = Displayed("<b>x</b>", "x")
    assert both._repr_mimebundle_() == {"text/html": "<b>x</b>", "text/plain": "x"}
    assert (both._repr_html_(), repr(both)) == ("<b>x</b>", "x")


def test_the_text_of_a_display_fits_and_says_what_is_missing() -> None:
    text = Displayed("", "\n".join(["x" * 99] * 10_000))._repr_mimebundle_()["text/plain"]
    assert len(text) < LIMIT and text.endswith("… and 9,100 more lines")


def test_an_error_is_shown_whole() -> None:
    error = UsageError("a <b> is wrong\n    12 | x\n       | ^")
    assert texts(error_html(error), "pre") == [str(error)]
