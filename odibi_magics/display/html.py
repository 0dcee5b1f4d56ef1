"""Blocks as HTML: escaped by construction, without scripts, and nothing fetched from anywhere.

What it says survives without the style sheet, which some renderers of saved notebooks strip.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any

import htpy as h
from markupsafe import Markup, escape

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
from odibi_magics.display.units import count, plural
from odibi_magics.display.values import block, cut, line
from odibi_magics.errors import OdibiError

# Bytes of one display, and what of that is left for words beside the style sheet and the frame.
LIMIT = 100_000
ROOM = 90_000


@dataclass(frozen=True)
class Displayed:
    """A display with its HTML and its text, for front ends to choose from."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": fitting_text(self.text)}

    def __repr__(self) -> str:
        return self.text


def fitting_text(text: str, room: int = ROOM) -> str:
    """As many of the text's first lines as fit, escaped or not, and how many are missing."""
    lines = text.split("\n")
    kept: list[str] = []
    for each in lines:
        room -= len(escape(each).encode()) + 1
        if room < 0:
            return "\n".join([*kept, f"… and {plural(len(lines) - len(kept), 'more line')}"])
        kept.append(each)
    return text


@cache
def style() -> Markup:
    """The one style sheet, scoped to what is ours."""
    return Markup(files("odibi_magics.display").joinpath("style.css").read_text("utf-8"))


def framed(*children: Any) -> str:
    """A display: its parts and the style sheet, in one element."""
    return str(h.div(".odibi")[h.style[style()], children])


def blocks_html(blocks: Sequence[Block], *more: Any, room: int = ROOM) -> str:
    """A display of blocks; where not everything fits, each says how much more there is."""
    return framed(*_parts(blocks, room), *more)


def beside(blocks: Sequence[Block], picture: Markup) -> str:
    """A display of blocks with a picture at their right, or below them where there is no room."""
    told, drawn = h.div[list(_parts(blocks, ROOM // 2))], h.div(".picture")[picture]
    return framed(h.div(".beside")[told, drawn])


def page(title: str, blocks: Sequence[Block], *more: Any) -> str:
    """A standalone page with everything in it."""
    body = h.body[h.div(".odibi.page")[h.style[style()], _parts(blocks, None), more]]
    schemes = h.meta(name="color-scheme", content="light dark")
    return str(h.html(lang="en")[h.head[h.meta(charset="utf-8"), schemes, h.title[line(title)]], body])


def error_html(error: OdibiError) -> str:
    """An error as its text says it, to the last word."""
    return blocks_html([Texts(((type(error).__name__, str(error)),), "failed")])


def _parts(blocks: Sequence[Block], room: int | None) -> Iterator[Markup]:
    """What a block does not need of its share goes to those after it. room: None where everything fits."""
    for i, each in enumerate(blocks):
        share = None if room is None else room * each.weight // sum(after.weight for after in blocks[i:])
        part = Markup(_RENDER[type(each)](each, share))
        room = None if room is None else max(0, room - len(part.encode()))
        yield part


def fit(rows: Iterable[Any], room: int | None) -> tuple[list[Markup], int]:
    """The first rows whose HTML takes no more than `room` bytes, and how many are left out."""
    kept: list[Markup] = []
    left_out = 0
    for row in rows:
        made = Markup(str(row)) if not left_out else Markup("")
        if room is not None and not left_out:
            room -= len(made.encode())
        if left_out or (room is not None and room < 0):
            left_out += 1
        else:
            kept.append(made)
    return kept, left_out


def _line(each: Line, room: int | None) -> str:
    strong = h.b(class_=each.kind or None)[line(each.strong)]
    return str(h.p[strong, f" {line(each.text)}".rstrip()])


def _table(each: Table, room: int | None) -> str:
    cells = [[cell(value) for value in row] for row in each.rows]
    fitting = _fitting_columns(each.columns, cells, room)
    cells = [row[:fitting] for row in cells]
    right = aligned_right(each, cells)
    widest = _HOVER if room is None else _widest_hover(cells, room // 2)
    rows, left_out = fit((_row(row, right, widest) for row in cells), room)
    table = h.table(class_="data" if each.types else None)[h.thead[_head(each, right)], h.tbody[rows]]
    more = [_more(left_out, "row"), _more(len(each.columns) - fitting, "column")]
    told = h.div(".scroll.data" if each.types else ".scroll")[table], more, _note(each.note)
    if each.folded:
        return str(h.details[h.summary[line(each.title)], told])
    return str(h.fragment[_title(each.title), told])


# Characters of a value that show on hover.
_HOVER = 4000

# Bytes of a cell's tags, and rows that are to be seen of a table with many columns.
_TAGS, _LEAST_ROWS = 30, 20


def _fitting_columns(names: Sequence[str], cells: Sequence[Sequence[Cell]], room: int | None) -> int:
    """How many columns there is room for, so that of a wide table some rows are seen whole."""
    if room is None:
        return len(names)
    room //= 2
    for i, name in enumerate(names):
        shown = [name, *(row[i].text for row in cells[:_LEAST_ROWS])]
        room -= sum(len(escape(text).encode()) + _TAGS for text in shown)
        if room < 0:
            return max(1, i)
    return len(names)


def _widest_hover(cells: Sequence[Sequence[Cell]], room: int) -> int:
    """How many characters each hover may have, so that all together take no more than the room."""
    hovers = [cut(one.hover, _HOVER) for row in cells for one in row if one.hover]
    escaped = sum(len(escape(hover).encode()) for hover in hovers)
    if escaped <= room:
        return _HOVER
    return max(1, room * sum(map(len, hovers)) // escaped // len(hovers))


def _head(each: Table, right: Sequence[bool]) -> h.Element:
    types: Sequence[str | None] = each.types or [None] * len(right)
    names = zip(each.columns, types, right, strict=False)
    return h.tr[[_th(name, type_, is_right) for name, type_, is_right in names]]


def _th(name: str, type_: str | None, right: bool) -> h.Element:
    below = h.fragment[h.br, h.small[cut(line(type_))]] if type_ else None
    return h.th(align=_align(right))[line(name), below]


def _row(cells: Sequence[Cell], right: Sequence[bool], widest: int) -> h.Element:
    return h.tr[[_td(each, is_right, widest) for each, is_right in zip(cells, right, strict=True)]]


def _td(each: Cell, right: bool, widest: int) -> h.Element:
    hover = cut(each.hover, widest) if each.hover else None
    if each.kind == "null":
        return h.td(align=_align(right))[h.i(".null")[each.text]]
    return h.td(class_=each.kind or None, align=_align(right), title=hover)[each.text]


def _align(right: bool) -> str | None:
    # An attribute and no class: renderers that strip the style sheet keep it.
    return "right" if right else None


def _title(title: str) -> h.Element | None:
    return h.p(".title")[h.b[line(title)]] if title else None


def _note(text: str) -> h.Element | None:
    return h.p[line(text)] if text else None


def _more(left_out: int, noun: str) -> h.Element | None:
    return _note(f"and {plural(left_out, f'more {noun}')}") if left_out else None


def _items(each: Items, room: int | None) -> str:
    rows, left_out = fit(map(_item, each.items), room)
    return str(
        h.fragment[_title(each.title), h.ul(class_=each.kind or None)[rows], _more(left_out, "message")]
    )


def _item(each: Item) -> h.Element:
    about = h.fragment[h.b[line(each.about)], ": "] if each.about else None
    remedy = h.fragment[h.br, "→ ", line(each.remedy)] if each.remedy else None
    return h.li[about, line(each.text), remedy]


def _texts(each: Texts, room: int | None) -> str:
    whole, left_out = fit((_entry(*entry, each.kind) for entry in each.entries), room)
    if whole or not each.entries:
        return str(h.fragment[whole, _more(left_out, "text"), _note(each.whole) if left_out else None])
    about, text = each.entries[0]
    begin = _beginning(block(text), room or 0)
    return str(
        h.fragment[
            _entry(about, begin, each.kind),
            h.p[f"and {count(len(text) - len(begin))} more characters. {line(each.whole)}".rstrip()],
            _more(len(each.entries) - 1, "text"),
        ]
    )


def _entry(about: str, text: str, kind: str) -> h.Fragment:
    return h.fragment[h.p(".title")[h.b(class_=kind or None)[line(about)]], text_html(text)]


def _advice(each: Advice, room: int | None) -> str:
    title = h.p(".title")[h.b(class_=each.kind or None)[line(each.title)]]
    command = h.pre(".text.command")[line(each.command)] if each.command else ""
    parts, left_out = fit((title, _note(each.text) or "", command, _note(each.after) or ""), room)
    return str(h.fragment[parts, _more(left_out, "line")])


# A line of source in an error, with its number, or with the caret below it.
_EXCERPT = re.compile(r" +\d* \| ")


def text_html(text: str) -> h.Element:
    """A text of several lines as it is: long lines wrap, but those of an excerpt scroll, so that carets stay true."""
    lines = block(text).splitlines(keepends=True)
    runs = groupby(lines, key=lambda each: _EXCERPT.match(each) is not None)
    return h.pre(".text")[(h.span["".join(run)] if excerpt else "".join(run) for excerpt, run in runs)]


def _beginning(text: str, room: int) -> str:
    """As much of a text as fits once it is escaped, in steps of 500 characters."""
    end = 0
    while end < len(text):
        room -= len(escape(text[end : end + 500]).encode())
        if room < 0:
            break
        end += 500
    return text[:end]


_RENDER: dict[type, Any] = {Line: _line, Table: _table, Items: _items, Texts: _texts, Advice: _advice}
