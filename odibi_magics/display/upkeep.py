"""What restore, vacuum and optimize would do, with the command that does it, or did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.delta.optimize import Joined, Optimized
from odibi_magics.delta.removed import LEAST_HOURS
from odibi_magics.delta.restore import Files, Restored
from odibi_magics.delta.vacuum import RETENTION, Vacuumed
from odibi_magics.display.commands import NOTEBOOK, Commands
from odibi_magics.display.document import Advice, Block, Line, Table
from odibi_magics.display.history import time_shown
from odibi_magics.display.html import Displayed, blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, plural, size

_NOTHING = "there is nothing to do"

# Partitions of a table that are told one by one.
_PARTS = 20


def restored_shown(found: Restored, commands: Commands = NOTEBOOK) -> Displayed:
    """Files and rows that come back and go, what else changes, and the command with `--at` that does it."""
    return _shown(restored_blocks(found, commands))


def vacuumed_shown(found: Vacuumed, commands: Commands = NOTEBOOK) -> Displayed:
    """Files and bytes that go, the versions they take with them, and the command with `--yes` that does it."""
    return _shown(vacuumed_blocks(found, commands))


def optimized_shown(found: Optimized, commands: Commands = NOTEBOOK) -> Displayed:
    """Which small files become how many, and the command with `--yes` that does it."""
    return _shown(optimized_blocks(found, commands))


# Restore --------------------------------------------------------------------------------------------------------------


def restored_blocks(found: Restored, commands: Commands = NOTEBOOK) -> Iterator[Block]:
    """The same as blocks."""
    then = "without rows" if found.version is None else f"like version {found.version}"
    since = f" of {time_shown(found.time)}" if found.time else ""
    if found.committed is not None:
        yield Line(f"✓ {found.address}", f"is {then}{since}, as version {found.committed}", "done")
    elif found.changes_nothing:
        yield Line(
            f"✓ {found.address}", f"is {then}{since} at version {found.at} already: {_NOTHING}", "done"
        )
        return
    else:
        yield Line(f"{found.address}:", f"now at version {found.at}, would be {then}{since}")
    yield Table(
        ("", "files", "rows in them", "bytes"),
        (
            _files("come back", found.back),
            _files("go", found.gone),
            _files("before", found.before),
            _files("afterwards", found.after),
        ),
        right=("bytes",),
    )
    if found.changes:
        rows = tuple((one.what, one.before, one.after) for one in found.changes)
        yield Table(
            ("what else changes", "now" if found.committed is None else "before", "then"), rows, weight=3
        )
    if found.committed is not None and found.version is not None:
        yield Advice(
            "To take the restore back",
            "The table as it was before, as a new version, unless others commit in between:",
            commands.line("restore", f"{found.address}@{found.at}", "--at", str(found.committed)),
        )
    if found.committed is None and found.version is not None:
        address = f"{found.address}@{found.version}"
        yield Advice(
            "Nothing has changed yet",
            "This does it, as a new version; it refuses if anything but OPTIMIZE and VACUUM is committed before:",
            commands.line("restore", address, "--at", str(found.at)),
        )
        yield Advice(
            "Which rows differ",
            "A file that was rewritten counts whole above. Row by row:",
            commands.line("diff", f"{found.address}@{found.at}", address),
        )


def _files(what: str, files: Files) -> tuple[str | int | None, ...]:
    return what, files.files, "?" if files.rows is None else files.rows, size(files.bytes)


# Vacuum ---------------------------------------------------------------------------------------------------------------


def vacuumed_blocks(found: Vacuumed, commands: Commands = NOTEBOOK) -> Iterator[Block]:
    """The same as blocks."""
    yield Line(*_vacuum_head(found))
    yield Line("", _retention(found))
    if not found.files:
        return
    done = found.deleted is not None
    gone = (
        ("deleted", found.deleted, size(found.freed))
        if done
        else ("would go", found.files, size(found.bytes))
    )
    orphans = ("of these, named by no version", found.orphans, size(found.orphan_bytes))
    rows = (gone,) if found.orphans is None else (gone, orphans)
    yield Table(("", "files", "bytes"), rows, right=("bytes",))
    word = "can no longer be read" if done else "could no longer be read"
    if found.lost is None or found.kept is None:
        yield Line(f"Versions that {word}:", "Spark does not tell", "warned")
    else:
        yield Line(f"Versions that {word}:", _versions(found.lost), "warned" if found.lost else "")
        yield Line("Versions that stay:", _versions(found.kept))
    if not done:
        yield Advice(
            "Nothing was deleted yet", "This does it; deleted files do not come back:",
            commands.line("vacuum", found.address, *_asked(found), "--yes"),
        )  # fmt: skip


def _vacuum_head(found: Vacuumed) -> tuple[str, str, str]:
    if not found.files:
        return f"✓ {found.address}", f"at version {found.version}: {_NOTHING}", "done"
    if found.deleted is None:
        what = f"delete {plural(found.files, 'file')}" if found.bytes is None else f"free {size(found.bytes)}"
        return f"{found.address}:", f"at version {found.version}, a vacuum would {what}", ""
    less = found.files - found.deleted
    kept = f"; {plural(less, 'file')} of those looked at were gone, or needed again" if less else ""
    folders = f" and {plural(found.folders, 'empty folder')}" if found.folders else ""
    freed = "" if found.freed is None else f"{size(found.freed)} freed: "
    told = f"{freed}{plural(found.deleted, 'file')}{folders} deleted{kept}"
    return f"✓ {found.address}", told, "done"


def _retention(found: Vacuumed) -> str:
    hours, when = f"{found.retention_hours:g} hours", time_shown(found.cutoff)
    told = f"Files that were removed, or left behind, more than {hours} ago: before {when}"
    if found.retention_hours > found.asked_hours:
        told += (
            f". The table itself asks for that ({RETENTION}), where {found.asked_hours:g} hours were asked"
        )
    return told


def _asked(found: Vacuumed) -> list[str]:
    if found.asked_hours == LEAST_HOURS:
        return []
    force = ["--force"] if found.asked_hours < LEAST_HOURS else []
    return ["--retention-hours", f"{found.asked_hours:g}", *force]


def _versions(spans: Sequence[tuple[int, int]]) -> str:
    """`0 to 4, 6` and how many they are; the newest of many runs."""
    if not spans:
        return "none"
    shown = [str(low) if low == high else f"{low} to {high}" for low, high in spans[-_RUNS:]]
    total = sum(high - low + 1 for low, high in spans)
    more = ["…"] if len(spans) > _RUNS else []
    return f"{', '.join([*more, *shown])}" + (f" ({count(total)} in all)" if more else "")


_RUNS = 12


# Optimize -------------------------------------------------------------------------------------------------------------


def optimized_blocks(found: Optimized, commands: Commands = NOTEBOOK) -> Iterator[Block]:
    """The same as blocks."""
    yield Line(*_optimize_head(found))
    if found.changes_nothing:
        return
    if found.parts:
        yield _parts(found.parts, done=found.done)
    if found.checkpoint:
        yield Line("Checkpoint:", _checkpoint(found))
    if not found.done:
        yield Advice(
            "Nothing has changed yet", "This does it; no row changes, and older versions stay until a vacuum:",
            commands.line("optimize", found.address, "--yes"),
        )  # fmt: skip


def _checkpoint(found: Optimized) -> str:
    behind = plural(found.behind, "version")
    last = f"none yet: {behind}" if found.behind > found.version else f"{behind} behind the last one"
    if found.done:
        return f"written; before, {last}"
    return f"{last}; readers open the table quickly with a new one"


def _optimize_head(found: Optimized) -> tuple[str, str, str]:
    good = f"of up to {size(found.target_bytes)}"
    if found.changes_nothing:
        return f"✓ {found.address}", f"at version {found.version}: {_NOTHING}", "done"
    if not found.files:
        told = "a checkpoint was written" if found.done else "a checkpoint is due"
        return (f"✓ {found.address}", told, "done") if found.done else (f"{found.address}:", told, "")
    small = f"{plural(found.files, 'small file')} ({size(found.bytes)})"
    if not found.done:
        return (
            f"{found.address}:",
            f"at version {found.version}, {small} would become {count(found.into)} {good}",
            "",
        )
    made = f"became {count(found.into)} ({size(found.into_bytes)}), as version {found.committed}"
    return f"✓ {found.address}", f"{small} {made}", "done"


def _parts(parts: Sequence[Joined], *, done: bool) -> Table:
    rows = tuple((one.partition or "all", one.files, size(one.bytes), one.into) for one in parts[:_PARTS])
    more = len(parts) - _PARTS
    note = f"and {plural(more, 'more partition')}" if more > 0 else ""
    columns = ("partition", "small files", "bytes", "became" if done else "become")
    return Table(columns, rows, note=note, right=("bytes",), weight=4)


def _shown(blocks: Iterator[Block]) -> Displayed:
    made = list(blocks)
    return Displayed(blocks_html(made), blocks_text(made))
