"""`--replace`: runs whose rows a plan would append again are undone first, and put back where its own run fails."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from odibi_magics.delta.restore import Restored
from odibi_magics.delta.undo import Undone, UndoneTable
from odibi_magics.engines.base import Warned
from odibi_magics.errors import Cancelled, OdibiError, UndoRefused
from odibi_magics.pipeline.plan import Plan
from odibi_magics.pipeline.result import Away, RunResult
from odibi_magics.pipeline.runner import Run
from odibi_magics.pipeline.undo import Undo
from odibi_magics.pipeline.undo_words import refused_words
from odibi_magics.pipeline.ways import Ways
from odibi_magics.pipeline.workers import deaf_to_signals
from odibi_magics.quoting import Quoting

Begin = Callable[[str, Collection[str]], Undo]
"""The undo of a run; commits of the runs named beside it are to be gone by then, and are not in its way."""


@dataclass
class Replacing:
    """What `--replace` undoes, one run after the other, and what it takes to have it back."""

    begin: Begin
    _done: list[tuple[Undo, Undone]] = field(default_factory=list)

    def without_held(self, plan: Plan, again: Callable[[], Plan]) -> Plan:
        """A plan whose tables hold nothing any more that it would append: the runs that wrote it are undone.

        Every one that holds these rows is, the newest first, and a warning of the plan tells of each. again: the plan
        as it is after that. Raises UndoRefused, UndoFailed, Cancelled, after what was undone is put back.
        """
        try:
            seen: set[str] = set()
            while run := newest_held(plan, seen):
                seen.add(run)
                undo = self.begin(run, ())
                self._done.append((undo, undo.carry_out()))
                plan = again()
        except BaseException as error:
            raise self.failed(error) from None
        return replace(plan, warnings=(*plan.warnings, *(_undone_first(undone) for _, undone in self._done)))

    def failed(self, error: BaseException) -> BaseException:
        """Puts back what was undone, for the run cannot begin; the error, saying so."""
        told = [warned.message for warned in _warnings(self._put_back())]
        if told and isinstance(error, (OdibiError, Cancelled)):
            error.args = (Quoting(str(error.args[0]), "\n", "\n".join(told)), *error.args[1:])
        if isinstance(error, UndoRefused):
            error.put_back = tuple(told)
        return error

    def execute(self, run: Run) -> RunResult:
        """The run's result, with what became of the runs that were undone for it. Raises as Run.execute."""
        try:
            return self._ended(run.execute())
        except Cancelled as stopped:
            stopped.result = self._ended(stopped.result)
            raise
        except Exception as error:
            raise self.failed(error) from None

    def _ended(self, result: RunResult) -> RunResult:
        """The result of the run: where it did not get to its end, what was undone is put back, and it says so."""
        if result.state == "done":
            return replace(result, away=self._away(_undone(self._done)))
        tables = self._put_back()
        away = self._away([table for table in tables if table.state != "put back"])
        return replace(result, warnings=(*result.warnings, *_warnings(tables)), away=away)

    def _put_back(self) -> list[UndoneTable]:
        """Each table as it was before the first undo, where nobody has written to it since the last one."""
        first = {table.url: table for table in reversed(_undone(self._done))}
        last = {
            table.url: (undo, table) for undo, undone in self._done for table in _undone([(undo, undone)])
        }
        with deaf_to_signals():
            return [undo.put_back(replace(first[url], now=table.now)) for url, (undo, table) in last.items()]

    def _away(self, tables: Collection[UndoneTable]) -> tuple[Away, ...]:
        """The undos that have these tables back, each the first one that touched them."""
        urls = {table.url for table in tables}
        found: list[Away] = []
        for undo, undone in self._done:
            mine = tuple(table for table in _undone([(undo, undone)]) if table.url in urls)
            urls -= {table.url for table in mine}
            found += [Away(undo.undo, undo.run, tuple(table.table for table in mine))] if mine else []
        return tuple(found)


def newest_held(plan: Plan, but: Collection[str]) -> str | None:
    """The run that made the newest of the commits that a plan would repeat, apart from some."""
    held = [node.held for node in plan.nodes if node.held and node.held.run not in but]
    return max(held, key=lambda one: one.time).run if held else None


def _undone(done: Collection[tuple[Undo, Undone]]) -> list[UndoneTable]:
    return [table for _, undone in done for table in undone.tables if table.state == "undone"]


def replaced_ahead(plan: Plan, begin: Begin, again: Callable[[Collection[str]], Plan]) -> Plan:
    """The plan of a run with `--replace`, with a warning for each run that would be undone; nothing is touched.

    again: the plan as it is without the rows of some runs.
    """
    seen: list[str] = []
    warned: list[Warned] = []
    while run := newest_held(plan, seen):
        warned.append(_ahead(begin(run, tuple(seen)).preview(), also=len(seen)))
        seen.append(run)
        plan = again(seen)
    return replace(plan, warnings=(*plan.warnings, *warned))


# In words -------------------------------------------------------------------------------------------------


def _ahead(undone: Undone, also: int) -> Warned:
    if undone.refused:
        said = refused_words(undone, Ways()).partition("\n")[2].strip().partition("\n")[0]
        return Warned(
            f"--replace would be refused, for run {undone.run} cannot be undone: {said}", "", "replaces"
        )
    told = "; ".join(
        f"{table.table} version {table.at} becomes {_like(table)}, {_moved(table.restored)}"
        for table in undone.tables
        if table.state == "to undo"
    )
    behind = f", with the {also} above" if also else ""
    return Warned(f"--replace would undo run {undone.run} first{behind}: {told}", "", "replaces")


def _like(table: UndoneTable) -> str:
    return "empty" if table.back_to is None else f"as version {table.back_to}"


def _undone_first(undone: Undone) -> Warned:
    """What an undo took away before the run."""
    told = [
        f"{table.table} version {table.at}, {_moved(table.restored)}"
        for table in undone.tables
        if table.state == "undone"
    ]
    said = f"undone first: run {undone.run} ({'; '.join(told) or 'it was undone already'})"
    return Warned(said, "", "undone-first")


def _moved(restored: Restored | None) -> str:
    """The rows that go, and those that come back, where there are some."""
    if restored is None or restored.gone.rows is None:
        return "its rows go"
    back = restored.back.rows
    gone = _rows(restored.gone.rows, "goes", "go")
    return f"{gone}, {_rows(back, 'comes back', 'come back')}" if back else gone


def _rows(count: int, one: str, more: str) -> str:
    return f"1 row {one}" if count == 1 else f"{count:,} rows {more}"


def _warnings(tables: Collection[UndoneTable]) -> Iterator[Warned]:
    back = [f"{table.table} (version {table.now})" for table in tables if table.state == "put back"]
    if back:
        said = f"put back, as it was before --replace undid it: {', '.join(back)}"
        yield Warned(said, "", "put-back")
    for table in tables:
        if table.state != "put back":
            why = table.why.removeprefix("it could not be put back: ")
            said = f"{table.table} could not be put back as it was before --replace undid it: {why}"
            yield Warned(said, "the command at the end has it back", "not-put-back")
