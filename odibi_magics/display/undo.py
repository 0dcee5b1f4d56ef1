"""An undo as people read it: what would come and go in each table, or where each of them stands."""

from __future__ import annotations

from collections.abc import Iterator

from odibi_magics.delta.undo import Later, Undone, UndoneTable
from odibi_magics.display.document import Advice, Block, Cell, Item, Items, Line, Table, without_empty
from odibi_magics.display.html import Displayed, blocks_html
from odibi_magics.display.plan import at
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, plural
from odibi_magics.pipeline.undo_words import ways_on
from odibi_magics.pipeline.ways import Ways


def undone_shown(undone: Undone, ways: Ways) -> Displayed:
    """The undo as a display. ways: how its commands are typed where it shows."""
    blocks = undone_blocks(undone, ways)
    return Displayed(blocks_html(blocks), blocks_text(blocks))


def undone_blocks(undone: Undone, ways: Ways) -> list[Block]:
    """The tables first, then what stays, then the command that goes on from here."""
    return [
        _head(undone),
        *_tables(undone),
        *_reasons(undone),
        *_later(undone),
        *_left(undone),
        *_next(undone, ways),
    ]


_HEADS = {
    "preview": ("Undo of run {}:", "a preview, no table was touched", ""),
    "nothing": ("Run {} is undone:", "there is nothing to do", "done"),
    "done": ("✓ Run {} was undone:", "", "done"),
    "failed": ("✗ Run {} was not undone:", "", "failed"),
}


def _head(undone: Undone) -> Line:
    strong, said, kind = _HEADS[undone.state]
    left = sum(table.state in ("not written", "gone") for table in undone.tables)
    tables = plural(len(undone.tables) - left, "table")
    others = f"{left} with nothing to undo" if left else ""
    return Line(strong.format(undone.run), " · ".join(part for part in (tables, others, said) if part), kind)


_KINDS = {"undone": "done", "refused": "failed", "failed": "failed", "put back": "warned", "gone": "warned"}
_SIGNS = {"undone": "✓", "refused": "✗", "failed": "✗", "put back": "↶", "to undo": "·"}


def _tables(undone: Undone) -> Iterator[Table]:
    columns = (
        "table",
        "written by",
        "state",
        "version",
        "becomes",
        "rows come back",
        "rows go",
        "other changes",
    )
    rows = [
        (table.table, ", ".join(table.nodes), _state(table), _version(table), _becomes(table), *_rows(table))
        for table in undone.tables
    ]
    kept, cells = without_empty(columns, rows)
    if cells:
        yield Table(kept, cells, right=("rows come back", "rows go"), weight=6)


def _state(table: UndoneTable) -> Cell:
    return Cell(f"{_SIGNS.get(table.state, '–')} {table.state}", kind=_KINDS.get(table.state, ""))


def _version(table: UndoneTable) -> str:
    if table.now is not None and table.now != table.at:
        return f"{table.at} → {table.now}"
    return "" if table.at is None else str(table.at)


def _becomes(table: UndoneTable) -> str:
    """What the table is to be like, or is by now."""
    if table.state not in ("to undo", "refused", "undone") or table.restored is None:
        return ""
    return "empty: the run created it" if table.back_to is None else f"as version {table.back_to}"


def _rows(table: UndoneTable) -> tuple[str, str, str]:
    if table.restored is None or table.state not in ("to undo", "refused", "undone"):
        return "", "", ""
    back, gone = table.restored.back, table.restored.gone
    changes = ", ".join(change.what for change in table.restored.changes)
    return _number(back.rows, back.files), _number(gone.rows, gone.files), changes


def _number(rows: int | None, files: int) -> str:
    return count(rows) if rows is not None else f"in {plural(files, 'file')}"


def _reasons(undone: Undone) -> Iterator[Items]:
    items = tuple(Item(table.table, table.why) for table in undone.tables if table.why)
    if items:
        yield Items("Why", items, "failed" if undone.refused or undone.state == "failed" else "", weight=3)


def _later(undone: Undone) -> Iterator[Table]:
    """What others wrote behind the run: it would go as well."""
    rows = [(at(table.table, one.version), *_told(one)) for table in undone.tables for one in table.later]
    if rows:
        yield Table(("version", "time", "operation", "by"), tuple(rows), "Committed behind the run", weight=2)


def _told(one: Later) -> tuple[str, str, str]:
    return f"{one.time:%Y-%m-%d %H:%M:%S} UTC", one.operation, one.who


def _left(undone: Undone) -> Iterator[Items]:
    if undone.left:
        yield Items("Cannot be taken back", tuple(Item("", one) for one in undone.left), weight=2)


def _next(undone: Undone, ways: Ways) -> Iterator[Advice]:
    versions = {each.table: each.at for each in undone.to_do if each.at is not None}
    if undone.state == "preview" and not undone.refused:
        yield Advice("To undo it", "", ways.undo(undone.run, versions, force=undone.force))
    elif undone.state == "preview":
        for title, command in ways_on(undone, ways):
            yield Advice(title, "", command)
    elif undone.state == "nothing":
        by = {table.undone_by: table.table for table in reversed(undone.tables) if table.undone_by}
        for undo, table in reversed(by.items()):
            said = f"It is undone already, by undo {undo}; to take that back"
            yield Advice(said, "", ways.undo(undo, {}, tables=[table]))
    elif undone.state == "done":
        # The mark of any one of them leads to the others.
        one = [table.table for table in undone.tables if table.state == "undone"][:1]
        yield Advice("To take the undo back", "", ways.undo(undone.undo, {}, tables=one))
    elif undone.state == "failed":
        now = {
            each.table: each.now
            for each in undone.tables
            if each.state not in ("undone", "undone already", "not written", "gone") and each.now is not None
        }
        yield Advice(
            "To go on", "", ways.undo(undone.run, now, force=undone.force), "or look first, without --at"
        )
