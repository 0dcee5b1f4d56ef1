"""What a table went through, version by version. Every text in it is somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.delta.removed import END
from odibi_magics.display.commands import NOTEBOOK, Commands
from odibi_magics.display.document import Block, Cell, CellValue, Item, Line, Table, Texts, without_empty
from odibi_magics.display.html import Displayed, blocks_html
from odibi_magics.display.plan import warning_items
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, plural, size
from odibi_magics.display.values import cut, shown
from odibi_magics.engines.base import Warned


def history_shown(
    history: History, warnings: Sequence[Warned] = (), commands: Commands = NOTEBOOK
) -> Displayed:
    """A page of versions, what the table's state asks for, and commands that go on from a version."""
    blocks = history_blocks(history, warnings, commands)
    return Displayed(blocks_html(blocks), blocks_text(blocks))


def history_blocks(
    history: History, warnings: Sequence[Warned] = (), commands: Commands = NOTEBOOK
) -> list[Block]:
    """The same as blocks."""
    items = tuple(Item("", one.message, one.remedy) for one in warnings)
    return [
        Line(f"{history.address}:", extent(history)),
        _table(history.entries),
        *warning_items(items),
        *_next(history, commands),
    ]


def extent(history: History) -> str:
    """How much is loaded of how much: `20 of 1,204 versions, 1203 to 1184`."""
    there = len(history.entries)
    if not there:
        return f"version {history.newest}; the commits that tell how it came to be were cleaned up"
    newest, last = history.entries[0].version, history.entries[-1].version
    total = history.newest - history.oldest + 1
    loaded = plural(total, "version") if there == total else f"{count(there)} of {plural(total, 'version')}"
    gone = f"; older than {history.oldest} were cleaned up" if history.oldest else ""
    return f"{loaded}, {newest} to {last}{gone}" if there > 1 else f"{loaded}, {newest}{gone}"


COLUMNS = ("version", "time", "operation", "user", "run and node", "rows", "files", "bytes", "parameters")


def _table(entries: Sequence[HistoryEntry]) -> Table:
    columns, rows = without_empty(COLUMNS, [row(entry) for entry in entries])
    return Table(columns, rows, right=("rows", "files", "bytes"), weight=10)


def row(entry: HistoryEntry) -> tuple[CellValue, ...]:
    """A version's cells, in the order of COLUMNS."""
    return (
        Cell(str(entry.version), right=True),
        Cell(time_shown(entry.time), time_exact(entry.time), "name"),
        _text(operation(entry), logged=entry.operation),
        _text(entry.user),
        _text(" ".join(part for part in (entry.run, entry.node) if part), "name"),
        rows_changed(entry),
        difference(entry.files_added, entry.files_removed, count),
        # No writer tells the bytes of what a vacuum deleted; its beginning told what it was about to.
        difference(entry.bytes_added, 0 if entry.operation == END else entry.bytes_removed, size),
        _text(parameters(entry.parameters)),
    )


def operation(entry: HistoryEntry) -> str:
    """`RESTORE`, or `RESTORE · undo of 20261120T180030-1a993f`; `MERGE` for one that was logged as a write."""
    merged = entry.operation == "WRITE" and entry.parameters.get("writeMode") == "merge"
    name = "MERGE" if merged else entry.operation
    return " · ".join([name, *([f"undo of {entry.undoes}"] if entry.undoes else [])])


def time_shown(when: datetime) -> str:
    """`2026-11-20 18:00:30 UTC`."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def time_exact(when: datetime) -> str:
    """As a TABLE takes it behind its `@`: `2026-11-20T18:00:30.120Z`."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rows_changed(entry: HistoryEntry) -> str:
    """`+12 ~30 −4`: inserted, changed, deleted; what is none is left out, and what nobody told is a question mark."""
    parts = (("+", entry.rows_inserted), ("~", entry.rows_changed), ("−", entry.rows_deleted))
    return " ".join(sign + ("?" if rows is None else count(rows)) for sign, rows in parts if rows != 0)


def difference(added: int, removed: int | None, told: Callable[[int], str]) -> str:
    """`+3 −1`; what is none is left out, and what nobody told is a question mark."""
    parts = [f"+{told(added)}"] if added else []
    parts += ["−?"] if removed is None else [f"−{told(removed)}"] if removed else []
    return " ".join(parts)


_WHOLE = ("location", "protocol", "metadata")


def parameters(given: Mapping[str, str]) -> str:
    """`partitionBy=[], writeMode=append`; not what tells the table itself again, in whole JSON."""
    return ", ".join(f"{name}={value}" for name, value in given.items() if name not in _WHOLE)


def _text(text: str | None, kind: str = "", logged: str | None = None) -> CellValue:
    """A text of a table's, cut; the whole on hover. kind: a CSS class; a name keeps to one line. logged: what the log
    has, which is on hover where the text does not begin with it."""
    if not text:
        return None
    whole = shown(text).text
    if logged and not text.startswith(logged):
        whole = f"{whole} (in the log: {shown(logged).text})"
        return Cell(cut(shown(text).text), whole, kind)
    short = cut(whole)
    return Cell(short, whole if short != whole else "", kind)


def _next(history: History, commands: Commands) -> list[Block]:
    """What can be done with a version: the newest one shown, or, of a whole history, the one before it."""
    if not history.entries:
        return []
    first = history.entries[0].version
    version = first if first < history.newest else max(first - 1, history.oldest)
    then, now = f"{history.address}@{version}", f"{history.address}@{history.newest}"
    lines = [commands.line("preview", then)]
    if version < history.newest:
        lines += [commands.line("diff", then, now), commands.line("restore", then)]
    if history.more:
        lines.append(commands.line("history", f"{history.address}@{history.entries[-1].version - 1}"))
    return [Texts((("With a version, as these:", "\n".join(lines)),))]
