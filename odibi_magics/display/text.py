"""Blocks as plain text, for terminals, logs and front ends without HTML."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
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
from odibi_magics.display.values import block, line


def blocks_text(blocks: Sequence[Block]) -> str:
    """One paragraph for each block."""
    return "\n\n".join(part for part in (_RENDER[type(each)](each) for each in blocks) if part)


def width(text: str) -> int:
    """Columns a terminal gives to a text: two for East Asian wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or char in "\u200c\u200d\ufe0e\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _line(each: Line) -> str:
    return f"{line(each.strong)} {line(each.text)}".strip()


# Characters of a line; a table of ours that is wider reads better one row below the other. Data stays a table, and so
# does one whose last column begins early: a line that runs over is easier on the eye there.
_WIDEST, _EARLY = 120, 70


def _table(each: Table) -> str:
    cells = [[cell(value) for value in row] for row in each.rows]
    head = [[line(name) for name in names] for names in (each.columns, each.types) if names]
    texts = [*head, *([_cell(one) for one in row] for row in cells)]
    widths = [max(map(width, column)) for column in zip(*texts, strict=True)]
    whole = sum(widths) + 2 * (len(widths) - 1)
    if whole > _WIDEST and whole - widths[-1] > _EARLY and not each.types:
        lines = [told for row in texts[1:] for told in _record(texts[0], row)]
    else:
        right = aligned_right(each, cells)
        lines = [_aligned(row, widths, right) for row in texts]
    return "\n".join(part for part in (line(each.title), *lines, line(each.note)) if part)


def _record(names: Sequence[str], row: Sequence[str]) -> Iterator[str]:
    """A row as a paragraph: its first cell, then what the others say under their names."""
    yield row[0]
    told = [(name, text) for name, text in zip(names[1:], row[1:], strict=True) if text]
    longest = max((width(name) for name, _ in told), default=0)
    for name, text in told:
        yield f"  {_aligned([name, text], [longest, 0], [False, False])}"


def _cell(each: Cell) -> str:
    """Text that says NULL stands in quotes: in plain text nothing else tells it from a NULL."""
    return "'NULL'" if each.text == "NULL" and each.kind != "null" else each.text


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, wide, is_right in zip(row, widths, right, strict=True):
        space = " " * (wide - width(text))
        parts.append(space + text if is_right else text + space)
    return "  ".join(parts).rstrip()


def _items(each: Items) -> str:
    return "\n".join([line(each.title), *map(_item, each.items)])


def _item(each: Item) -> str:
    about = f"{line(each.about)}: " if each.about else ""
    return f"  {about}{line(each.text)}" + (f"\n    → {line(each.remedy)}" if each.remedy else "")


def _texts(each: Texts) -> str:
    return "\n\n".join(f"{line(about)}\n{_indented(block(text))}" for about, text in each.entries)


def _advice(each: Advice) -> str:
    said = [line(each.title), *(f"  {line(part)}" for part in (each.text, each.command, each.after) if part)]
    return "\n".join(said)


def _indented(text: str) -> str:
    return "\n".join(f"  {each}".rstrip() for each in text.rstrip("\n").split("\n"))


_RENDER: dict[type, Any] = {Line: _line, Table: _table, Items: _items, Texts: _texts, Advice: _advice}
