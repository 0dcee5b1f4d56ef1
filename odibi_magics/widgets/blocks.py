"""Blocks as JSON, which the page makes elements of by their text alone: nothing in them can become HTML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from odibi_magics.display.document import (
    Advice,
    Block,
    Cell,
    Item,
    Items,
    Line,
    Table,
    Texts,
    aligned_right,
    cell,
)
from odibi_magics.display.units import plural
from odibi_magics.display.values import block, cut, line

# What a page is given of a table, and of what shows on hover: the rest would be seen by nobody.
_COLUMNS, _ROWS, _HOVER = 100, 200, 1000


def blocks_json(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """Each block by its kind: text is redacted and shows what is invisible."""
    return [_MAKE[type(each)](each) for each in blocks]


def _line(each: Line) -> dict[str, Any]:
    return {"kind": "line", "strong": line(each.strong), "text": line(each.text), "look": each.kind}


def _table(each: Table) -> dict[str, Any]:
    rows = [[cell(value) for value in row[:_COLUMNS]] for row in each.rows[:_ROWS]]
    right = aligned_right(each, rows)
    left_out = [
        f"and {plural(more, f'more {noun}')}"
        for more, noun in ((len(each.rows) - _ROWS, "row"), (len(each.columns) - _COLUMNS, "column"))
        if more > 0
    ]
    return {
        "kind": "table",
        "title": line(each.title),
        "columns": [line(name) for name in each.columns[:_COLUMNS]],
        "types": [line(type_) for type_ in each.types[:_COLUMNS]],
        "right": right[:_COLUMNS],
        "rows": [[_cell(one) for one in row] for row in rows],
        "notes": [note for note in (*left_out, line(each.note)) if note],
    }


def _cell(each: Cell) -> list[str]:
    return [each.text, cut(each.hover, _HOVER), each.kind]


def _items(each: Items) -> dict[str, Any]:
    return {
        "kind": "items",
        "title": line(each.title),
        "items": [_item(item) for item in each.items],
        "look": each.kind,
    }


def _item(each: Item) -> list[str]:
    return [line(each.about), line(each.text), line(each.remedy)]


def _texts(each: Texts) -> dict[str, Any]:
    return {"kind": "texts", "entries": [[line(about), block(text)] for about, text in each.entries]}


def _advice(each: Advice) -> dict[str, Any]:
    parts = [line(part) for part in (each.title, each.text, each.command, each.after)]
    return {"kind": "advice", "parts": parts, "look": each.kind}


_MAKE: dict[type, Any] = {Line: _line, Table: _table, Items: _items, Texts: _texts, Advice: _advice}
