"""Small tables of ours, and the first rows of the user's data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from odibi_magics.display.document import CellValue, Line, Table, data_cell
from odibi_magics.display.html import blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, plural
from odibi_magics.engines.base import Preview


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[CellValue]],
    title: str = "",
    note: str = "",
    right: Sequence[str] = (),
) -> Table:
    """A table as a block, for displays of several; as `table_html`."""
    return Table(tuple(columns), tuple(map(tuple, rows)), title, note, tuple(right))


def table_html(
    columns: Sequence[str],
    rows: Iterable[Sequence[CellValue]],
    *,
    title: str = "",
    note: str = "",
    right: Sequence[str] = (),
) -> str:
    """A table with text, counts (to the right, with separators) and None (empty). note: a line below it.

    right: columns of measures ("1.2 s"), aligned right though they are text.
    """
    return blocks_html([table(columns, rows, title, note, right)])


def table_text(
    columns: Sequence[str],
    rows: Iterable[Sequence[CellValue]],
    *,
    title: str = "",
    note: str = "",
    right: Sequence[str] = (),
) -> str:
    """The same as text."""
    return blocks_text([table(columns, rows, title, note, right)])


# Columns of a preview as text, where each makes every line longer.
_COLUMNS = 200


def preview_html(preview: Preview) -> str:
    """A preview's rows as a table that scrolls, names and types on top."""
    return blocks_html(preview_blocks(preview))


def preview_text(preview: Preview) -> str:
    """A preview's rows as text."""
    blocks = preview_blocks(replace(preview, columns=preview.columns[:_COLUMNS]))
    left_out = len(preview.columns) - _COLUMNS
    return blocks_text(
        blocks + ([Line("", f"and {plural(left_out, 'more column')}")] if left_out > 0 else [])
    )


def preview_blocks(preview: Preview) -> list[Line | Table]:
    """The rows, and how many of how many they are."""
    names = tuple(column.name for column in preview.columns)
    types = tuple(column.type for column in preview.columns)
    rows = tuple(tuple(map(data_cell, row, types)) for row in preview.rows)
    head = Line(f"{preview.title}:" if preview.title else "", _extent(preview))
    return [head, Table(names, rows, types=types, weight=10)]


def _extent(preview: Preview) -> str:
    columns = plural(len(preview.columns), "column")
    there = len(preview.rows)
    if preview.total is None:
        return f"first {plural(there, 'row')}, {columns}"
    if preview.total == there:
        return f"{plural(there, 'row')}, {columns}"
    return f"{count(there)} of {plural(preview.total, 'row')}, {columns}"
