"""An undo that is refused, in words, with the commands that go on from there."""

from __future__ import annotations

from collections.abc import Iterator

from odibi_magics.delta.undo import Later, Undone, UndoneTable
from odibi_magics.pipeline.ways import Ways


def refused_words(undone: Undone, ways: Ways, also: str = "") -> str:
    """Why no table was touched, and what to type next. also: what was not done either."""
    told = [f"  {table.table}: {table.why}" for table in undone.refused]
    typed = [line for title, command in ways_on(undone, ways) for line in (title, f"  {command}")]
    return "\n".join([f"run {undone.run} was not undone, no table was touched{also}:", *told, *typed])


def ways_on(undone: Undone, ways: Ways) -> Iterator[tuple[str, str]]:
    """Titles and commands. Where files or the log are lost no command helps, so there is none."""
    blocked = {table.blocked for table in undone.refused}
    there = [table.table for table in undone.tables if table.at is not None]
    if "lost" in blocked:
        return
    if "later" in blocked:
        if first := _newest(undone):
            table, later = first
            yield (
                f"To undo run {later.run} first, which is the newest of them",
                ways.undo(later.run, {}, tables=[table.table]),
            )
        yield (
            "To take all of it away with this run, shown first",
            ways.undo(undone.run, {}, tables=there, force=True),
        )
    else:
        yield "To look again", ways.undo(undone.run, {}, tables=there)


def _newest(undone: Undone) -> tuple[UndoneTable, Later] | None:
    """The newest commit behind the run, where it is a run of ours that can be undone before this one."""
    later = [(table, one) for table in undone.refused for one in table.later]
    table, one = max(later, key=lambda each: each[1].time)
    return (table, one) if one.run else None


def behind_words(later: tuple[Later, ...], told: str) -> str:
    """Whose the commits behind a run are. told: the commits in words."""
    runs = {one.run for one in later}
    if "" not in runs:
        return f"{'a later run' if len(runs) == 1 else 'later runs'} wrote to it: {told}"
    return f"{'others' if runs == {''} else 'later runs and others'} wrote to it behind the run: {told}"
