"""What differs between two tables or versions: counts in words, columns, some of the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from odibi_magics.delta.diff import Diff, DiffColumn, DiffSide, RowDiff
from odibi_magics.display.commands import NOTEBOOK, Commands
from odibi_magics.display.document import Advice, Block, Cell, Line, Table, data_cell
from odibi_magics.display.html import blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, plural, size
from odibi_magics.display.values import cut, line, shown


def diff_html(diff: Diff, commands: Commands = NOTEBOOK) -> str:
    """A diff as a display, with commands that go on from here."""
    return blocks_html(diff_blocks(diff, commands))


def diff_text(diff: Diff, commands: Commands = NOTEBOOK) -> str:
    """A diff as text."""
    return blocks_text(diff_blocks(diff, commands))


def diff_blocks(diff: Diff, commands: Commands = NOTEBOOK) -> list[Block]:
    """All there is to say of a diff."""
    return [_head(diff), *_notes(diff), *_schema(diff), *_sample(diff), *_next(diff, commands)]


def _head(diff: Diff) -> Line:
    if diff.identical:
        words = f"identical: {plural(diff.unchanged, 'row')}, {plural(len(diff.columns), 'column')}"
        if diff.same_table and diff.before.version == diff.after.version:
            return Line(
                f"{diff.after.address}:", f"both lead to version {diff.after.version}, {words}", "done"
            )
        return Line(f"{_between(diff)}:", words, "done")
    parts = [f"{count(diff.added)} added", f"{count(diff.removed)} removed"]
    parts += [f"{count(diff.changed)} changed"] if diff.changed is not None else []
    words = f"rows: {', '.join(parts)}, {count(diff.unchanged)} unchanged"
    files = plural(diff.unchecked, "unchanged file")
    return Line(f"{_between(diff)}:", f"{words}; keys not checked in {files}" if diff.unchecked else words)


def _between(diff: Diff) -> str:
    return f"{_named(diff.before)} → {_named(diff.after)}"


def _named(side: DiffSide) -> str:
    return f"{side.address}@{side.version}"


def _notes(diff: Diff) -> Iterator[Line]:
    """How rows were told apart, what was not compared, and what was read."""
    how = f"by {', '.join(diff.keys)}" if diff.keys else f"as wholes, as often as they come; {_KEYS}"
    read = (
        f"{plural(diff.files_read, 'file')} ({size(diff.bytes_read)}) read"
        if diff.files_read
        else "no file read"
    )
    kept = f"{plural(diff.files_skipped, 'file')} ({size(diff.bytes_skipped)}) of both versions not read"
    kept += f", but for the keys in {count(diff.keys_read)}" if diff.keys_read else ""
    yield Line("", " · ".join([f"rows compared {how}", read, *([kept] if diff.files_skipped else [])]))
    if lonely := [change.column for change in diff.schema_changes if change.kind in ("added", "removed")]:
        yield Line("", f"{_columns(lonely)} on one side only, and not compared", "warned")
    if others := [column.name for column in diff.columns if not column.compared]:
        yield Line(
            "", f"{_columns(others)} of types that have no values in common, and not compared", "warned"
        )
    if diff.unchecked:
        files = plural(diff.unchecked, "file")
        words = f"a key of a row above that stands a second time in {files} of both versions would not show"
        yield Line("", words, "warned")


_KEYS = "--keys tells changed rows from added and removed ones"


# Names in a line; the table of changes has them all.
_NAMES = 8


def _columns(names: Sequence[str]) -> str:
    more = f" and {plural(len(names) - _NAMES, 'other')}" if len(names) > _NAMES else ""
    return f"{'column' if len(names) == 1 else 'columns'} {', '.join(map(cut, names[:_NAMES]))}{more}"


_KINDS = {"added": "+ added", "removed": "− removed"}


def _schema(diff: Diff) -> Iterator[Table]:
    rows = [
        (_KINDS.get(change.kind, f"~ {change.kind}"), change.column, change.detail)
        for change in diff.schema_changes
    ]
    if rows:
        yield Table(("change", "column", "detail"), tuple(rows), "Schema", weight=2)


# Rows -----------------------------------------------------------------------------------------------------------------


def _sample(diff: Diff) -> Iterator[Table]:
    if not diff.sample:
        return
    columns = _in_order(diff)
    total = diff.added + diff.removed + (diff.changed or 0)
    there = sum(row.count for row in diff.sample)
    title = "Rows that differ" if there == total else f"{count(there)} of {plural(total, 'row')} that differ"
    names = tuple(column.name for _, column in columns)
    rows = tuple(_row(row, columns) for row in diff.sample)
    types = tuple(_type(column) for _, column in columns)
    yield Table(("row", *names), rows, title, types=("", *types), weight=10)


def _in_order(diff: Diff) -> list[tuple[int, DiffColumn]]:
    """The columns with their numbers: keys, then those that differ in a row shown, then the others."""
    differ = {name for row in diff.sample for name in row.changed}
    numbered = list(enumerate(diff.compared))
    return sorted(numbered, key=lambda one: (one[1].name not in diff.keys, one[1].name not in differ, one[0]))


def _type(column: DiffColumn) -> str:
    return column.after if column.before == column.after else f"{column.before} → {column.after}"


def _row(row: RowDiff, columns: Sequence[tuple[int, DiffColumn]]) -> tuple[Cell, ...]:
    if row.before is None or row.after is None:
        values = row.after if row.before is None else row.before
        return (
            _mark(row),
            *(data_cell(values[i], column.after) for i, column in columns if values is not None),
        )
    cells = (
        _pair(row.before[i], row.after[i], column)
        if column.name in row.changed
        else data_cell(row.after[i], column.after)
        for i, column in columns
    )
    return (_mark(row), *cells)


def _mark(row: RowDiff) -> Cell:
    """The kind as a sign and a word, so that colour is not needed."""
    if row.kind == "changed":
        text = line(f"~ {', '.join(row.changed)}")
        return Cell(cut(text), text, "warned")
    times = f" × {count(row.count)}" if row.count > 1 else ""
    return Cell(_KINDS[row.kind] + times, kind="done" if row.kind == "added" else "failed")


# Characters of each of two values in one cell, and of what they begin with alike.
_EACH, _ALIKE = 28, 10


def _pair(before: object, after: object, column: DiffColumn) -> Cell:
    """A changed cell: `5 → 7`; of long values the part in which they differ."""
    texts = [_said(value, type_) for value, type_ in ((before, column.before), (after, column.after))]
    whole = " → ".join(texts)
    alike = sum(1 for _ in takewhile(lambda chars: chars[0] == chars[1], zip(*texts, strict=False)))
    if max(map(len, texts)) > _EACH and alike > _ALIKE:
        texts = [f"…{text[alike - _ALIKE // 2 :]}" for text in texts]
    text = " → ".join(cut(text, _EACH) for text in texts)
    return Cell(text, whole if text != whole else "", "changed", data_cell(after, column.after).right)


def _said(value: object, type_: str) -> str:
    seen = shown(value, type_)
    return "'NULL'" if seen.text == "NULL" and not seen.null else seen.text


# What to do next ------------------------------------------------------------------------------------------------------


def _next(diff: Diff, commands: Commands) -> Iterator[Advice]:
    if diff.identical or not diff.same_table:
        return
    yield Advice("What happened in between", "", commands.line("history", line(diff.after.address)))
    if diff.before.version < diff.after.version:
        title = f"Back to version {diff.before.version}: what that would do"
        yield Advice(title, "", commands.line("restore", line(_named(diff.before))))
