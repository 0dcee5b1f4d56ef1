"""What displays are made of. A report is built once as blocks, and both HTML and text are made from them.

A block's `weight` is its share of the room that a display has, where not everything fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from odibi_magics.display.units import count
from odibi_magics.display.values import cut, line, shown


@dataclass(frozen=True)
class Cell:
    """What stands in a table's cell. hover: the whole of what was cut. kind: a CSS class, as "failed"."""

    text: str
    hover: str = ""
    kind: str = ""
    right: bool = False


CellValue = Cell | str | int | float | None


@dataclass(frozen=True)
class Line:
    """A paragraph: a word that stands out, in the colour of `kind`, then the rest."""

    strong: str
    text: str = ""
    kind: str = ""
    weight: int = 1


@dataclass(frozen=True)
class Table:
    """A small table.

    types: below the columns' names, where the rows are data.
    right: columns of measures, which are aligned right though they are text.
    folded: HTML shows its title alone until it is clicked.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[CellValue, ...], ...]
    title: str = ""
    note: str = ""
    right: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    weight: int = 1
    folded: bool = False


@dataclass(frozen=True)
class Item:
    """An entry of a list: whom it is about, what is said, and what to do about it."""

    about: str
    text: str
    remedy: str = ""


@dataclass(frozen=True)
class Items:
    """A list of messages."""

    title: str
    items: tuple[Item, ...]
    kind: str = ""
    weight: int = 1


@dataclass(frozen=True)
class Texts:
    """Texts of several lines, as they are, each under a heading. whole: how to get one that did not fit."""

    entries: tuple[tuple[str, str], ...]
    kind: str = ""
    whole: str = ""
    weight: int = 3


@dataclass(frozen=True)
class Advice:
    """What to do: words, a command for a shell, which stands alone to be copied, and words that come after it."""

    title: str
    text: str
    command: str = ""
    after: str = ""
    kind: str = ""
    weight: int = 1


Block = Line | Table | Items | Texts | Advice


def cell(value: CellValue) -> Cell:
    """A value of ours as a cell: counts with separators and to the right, text redacted, None empty."""
    if isinstance(value, Cell):
        return value
    if value is None:
        return Cell("")
    if isinstance(value, int) and not isinstance(value, bool):
        return Cell(count(value), right=True)
    return Cell(line(value), right=isinstance(value, float))


_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal")


def data_cell(value: object, type_: str = "") -> Cell:
    """A value of the user's as a cell: cut, the whole on hover; no separators, as a year is no count."""
    seen = shown(value, type_)
    text = cut(seen.text)
    hover = seen.text if text != seen.text else ""
    return Cell(text, hover, "null" if seen.null else "", type_.startswith(_NUMBERS))


def aligned_right(table: Table, cells: Sequence[Sequence[Cell]]) -> list[bool]:
    """Of each column of the cells, whether it stands right: it holds measures, or nothing but numbers."""
    columns = zip(*cells, strict=True) if cells else ((),) * len(table.columns)
    return [
        name in table.right or _numbers(column) for name, column in zip(table.columns, columns, strict=False)
    ]


def _numbers(column: Sequence[Cell]) -> bool:
    full = [each for each in column if each.text and each.kind != "null"]
    return bool(full) and all(each.right for each in full)


def without_empty(
    columns: Sequence[str], rows: Sequence[Sequence[CellValue]]
) -> tuple[tuple[str, ...], tuple[tuple[CellValue, ...], ...]]:
    """The table without columns in which no row has anything."""
    kept = [i for i in range(len(columns)) if any(row[i] not in (None, "") for row in rows)]
    return tuple(columns[i] for i in kept), tuple(tuple(row[i] for i in kept) for row in rows)
