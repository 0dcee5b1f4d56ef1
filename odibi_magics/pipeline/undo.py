"""Undoing a run: all tables it wrote, found from any one of them, go back to their versions from before it.

Everything is looked at before the first table is touched. Each table is restored as exactly the version that follows
the one that was looked at, so nothing that others write meanwhile is lost. Where one cannot be, those that were done
are put back, unless someone has written to them since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from odibi_magics.delta.held import newest_run
from odibi_magics.delta.line import UNDO, backwards
from odibi_magics.delta.log import newest_version
from odibi_magics.delta.mark import RunMark, Target
from odibi_magics.delta.restore import Restored
from odibi_magics.delta.undo import (
    Ended,
    Later,
    Trace,
    Undone,
    UndoneTable,
    since,
    trace,
)
from odibi_magics.engines.base import Engine, Place
from odibi_magics.errors import (
    Cancelled,
    ConnectionFailed,
    EngineError,
    OdibiError,
    UndoFailed,
    UndoRefused,
    UsageError,
)
from odibi_magics.pipeline.undo_words import behind_words, refused_words
from odibi_magics.pipeline.ways import Ways
from odibi_magics.pipeline.workers import deaf_to_signals
from odibi_magics.quoting import Quoting

Finder = Callable[[str, str], Place]
"""The place of a URL with a format. Raises UsageError where no connection reaches it."""


@dataclass
class Undo:
    """The undo of one run.

    known: places that may tell of it. place_of: where the run's other tables are.
    at: the versions that tables must have, by URL; None: as they are now. force: over later data of others, too.
    passing: later runs that are not in its way, for they will be undone before.
    """

    engine: Engine
    run: str
    undo: str
    known: Sequence[Place]
    place_of: Finder
    at: Mapping[str, int] | None = None
    force: bool = False
    passing: Collection[str] = ()
    _places: dict[str, Place] = field(default_factory=dict)
    _targets: dict[str, Target] = field(default_factory=dict)
    _unseen: dict[str, str] = field(default_factory=dict)

    # Looking --------------------------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        self._places.update({place.url: place for place in self.known})

    def preview(self) -> Undone:
        """What it would do. Raises UsageError where nothing tells of the run, EngineError, ConnectionFailed."""
        traces = self._traces()
        self._check_named(traces)
        tables = tuple(self._table(url, found) for url, found in traces.items())
        left = tuple(self._left(traces))
        state: Ended = (
            "preview" if any(table.state in ("to undo", "refused") for table in tables) else "nothing"
        )
        return Undone(self.run, self.undo, tables, left, state, self.force)

    def _traces(self) -> dict[str, Trace | None]:
        """What the run left in each of its tables; each one's marks lead to more. None where a table is gone.

        All known places are looked at: marks of before a resume name no table that only came with it.
        """
        found: dict[str, Trace | None] = {}
        copied: list[tuple[Place, RunMark]] = []
        failed: list[Exception] = []
        for place in self.known:
            try:
                told = None if place.url in found else self._trace(place)
            except (EngineError, ConnectionFailed, OSError) as error:
                failed.append(error)
                self._unseen[place.url] = f"{place.address}: {error}"
                continue
            if told is None or not told.marks:
                continue
            if any(target.url == place.url for mark in told.marks for target in mark.targets):
                self._follow(found, place.url, told)
            else:
                copied.append((place, told.marks[0]))
        if found:
            return {url: found[url] for url in self._targets if url in found}
        if copied:
            raise UsageError(_copied(self.run, *copied[0]))
        if failed:
            raise failed[0]
        looked = ", ".join(place.address for place in self.known)
        said = (
            f"no commit of run '{self.run}' is in {looked}" if looked else "no table is known here to look in"
        )
        raise UsageError(f"{said}: name a TABLE that run '{self.run}' wrote, behind its id{self._newest()}")

    def _newest(self) -> str:
        """The run that may have been meant, where the known places hold one."""
        logs = ((log, newest_version(log)) for log in map(self.engine.log, self.known))
        run = newest_run(backwards(log, newest) for log, newest in logs if newest is not None)
        return f"; the newest run there is '{run}'" if run else ""

    def _follow(self, found: dict[str, Trace | None], url: str, told: Trace) -> None:
        """Adds a table, and those that its marks lead to. A run of several calls has several sets of them."""
        found[url] = told
        stack = [told.marks]
        while stack:
            for target in (target for mark in stack.pop() for target in mark.targets):
                self._targets.setdefault(target.url, target)
                if target.format == "delta" and target.url not in found:
                    left = found[target.url] = self._trace(self._place(target))
                    stack.extend([left.marks] if left else [])

    def _check_named(self, traces: Mapping[str, Trace | None]) -> None:
        """Raises UsageError for versions of tables that the run did not write."""
        strange = [url for url in self.at or () if url not in traces]
        if strange:
            wrote = ", ".join(self._places[url].address for url in traces)
            named = ", ".join(self._places[url].address if url in self._places else url for url in strange)
            raise UsageError(f"--at gives a version for {named}, but run {self.run} wrote {wrote}")

    def _place(self, target: Target) -> Place:
        if target.url not in self._places:
            try:
                self._places[target.url] = self.place_of(target.url, target.format)
            except UsageError as error:
                raise UsageError(
                    Quoting(
                        f"run {self.run} wrote {target.url}, too ({target.node}), and nothing leads there: ",
                        error.text,
                        ". Nothing was touched",
                    )
                ) from None
        return self._places[target.url]

    def _trace(self, place: Place) -> Trace | None:
        self._places.setdefault(place.url, place)
        log = self.engine.log(place)
        newest = newest_version(log)
        return None if newest is None else trace(log, newest, self.run)

    def _table(self, url: str, found: Trace | None) -> UndoneTable:
        place, nodes = self._places[url], (self._targets[url].node,)
        if found is None:
            return UndoneTable(place.address, url, nodes, "gone", why="no table is there")
        table = UndoneTable(place.address, url, found.nodes or nodes, "to undo", found.newest)
        if found.undone is not None:
            by = found.undone
            return replace(table, state="undone already", why=_undone(by), undone_by=by.run)
        if found.first is None:
            return replace(table, state="not written", why=_unknown(found))
        at = self.at.get(url) if self.at is not None else found.newest
        later = tuple(one for one in found.later if one.run not in self.passing)
        table = replace(table, at=at, back_to=found.back_to, later=later)
        if at is None:
            said = f"--at gives no version for it; it has version {found.newest} now"
            return replace(table, state="refused", at=found.newest, why=said, blocked="moved")
        return self._checked(table, place, found.newest)

    def _checked(self, table: UndoneTable, place: Place, newest: int) -> UndoneTable:
        """The table with what would come and go; refused where that must not be, or cannot."""
        assert table.at is not None
        if table.at > newest:
            said = f"it has no version {table.at}, but {newest}"
            return replace(table, state="refused", why=said, blocked="moved")
        if moved := since(self.engine.log(place), table.at, newest):
            said = f"it was changed after version {table.at}: {_told(moved)}"
            return replace(table, state="refused", why=said, blocked="moved")
        if table.later and not self.force:
            said = behind_words(table.later, _told(table.later))
            return replace(table, state="refused", why=said, blocked="later")
        try:
            return replace(table, restored=self._restore(table, place, dry_run=True))
        except (EngineError, ConnectionFailed) as error:
            return replace(table, state="refused", why=str(error), blocked="lost")

    def _left(self, traces: Mapping[str, Trace | None]) -> Iterator[str]:
        """What stays as the run made it."""
        for target in self._targets.values():
            if target.format != "delta":
                yield f"{target.url}, written by {target.node} as {target.format}: files have no versions to go back to"
        for url, why in self._unseen.items():
            if url not in self._targets:
                yield f"what the run may have written where it could not be looked: {why}"
        if any(found is not None and found.first is not None for found in traces.values()):
            yield "what was read meanwhile: by streams, the change feed, other tables"

    # Acting ---------------------------------------------------------------------------------------------------

    def carry_out(self) -> Undone:
        """Undoes the run in every table.

        Raises UndoRefused where one of them must not be touched, and then none is; UndoFailed and Cancelled, each with
        `.result`, where it was begun and did not get to its end; otherwise as `preview`.
        """
        seen = self.preview()
        if seen.refused:
            raise UndoRefused(refused_words(seen, Ways()), seen)
        tables = list(seen.tables)
        for i, table in enumerate(tables):
            if table.state != "to undo":
                continue
            try:
                tables[i] = self._undone(table)
            except (EngineError, ConnectionFailed, KeyboardInterrupt) as error:
                with deaf_to_signals():
                    tables[i] = self._after(table, error)
                    if tables[i].state not in ("undone", "undone already"):
                        raise self._failed(seen, tables, error) from None
                    if isinstance(error, KeyboardInterrupt):
                        raise self._failed(seen, tables, error) from None
        state: Ended = "nothing" if seen.state == "nothing" else "done"
        return replace(seen, tables=tuple(tables), state=state)

    def _undone(self, table: UndoneTable) -> UndoneTable:
        done = self._restore(table, self._places[table.url])
        return replace(table.ended("undone", now=done.committed), restored=done)

    def _restore(self, table: UndoneTable, place: Place, *, dry_run: bool = False) -> Restored:
        mark = None if dry_run else self._mark(table)
        if table.back_to is None:
            return self.engine.empty(place, at=table.at, mark=mark, dry_run=dry_run)
        return self.engine.restore(place, table.back_to, at=table.at, mark=mark, dry_run=dry_run)

    def _mark(self, table: UndoneTable) -> str:
        targets = tuple(self._targets.values())
        return RunMark(self.undo, "", table.nodes[0], UNDO, "", (), targets, undoes=self.run).to_json()

    def _after(self, table: UndoneTable, error: BaseException) -> UndoneTable:
        """How a table stands after its restore failed: the commit may have landed, or another one undone the run."""
        try:
            found = self._trace(self._places[table.url])
        except (EngineError, ConnectionFailed, OSError) as second:
            return table.ended("failed", why=f"{error}; how it stands is unknown: {second}")
        if found is not None and found.undone is not None:
            ours = found.undone.who == f"run {self.undo}"
            why = "" if ours else _undone(found.undone)
            return table.ended("undone" if ours else "undone already", now=found.undone.version, why=why)
        return table.ended("failed", why=str(error) or "stopped")

    def _failed(self, seen: Undone, tables: list[UndoneTable], error: BaseException) -> BaseException:
        """Puts back what was done, and gives the error that tells where each table stands."""
        for i, table in enumerate(tables):
            if table.state == "undone":
                tables[i] = self.put_back(table)
            elif table.state == "to undo":
                tables[i] = table.ended("untouched")
        result = replace(seen, tables=tuple(map(self._as_it_stands, tables)), state="failed")
        if isinstance(error, KeyboardInterrupt):
            return Cancelled(failed_words(result, "stopped"), result)
        return UndoFailed(failed_words(result, "did not get to its end"), result)

    def _as_it_stands(self, table: UndoneTable) -> UndoneTable:
        """A table with the version it has now, for the command that goes on."""
        if table.state not in ("failed", "untouched"):
            return table
        try:
            return replace(table, now=newest_version(self.engine.log(self._places[table.url])))
        except (EngineError, ConnectionFailed, OSError):  # which is why it failed
            return table

    def put_back(self, table: UndoneTable) -> UndoneTable:
        """The table as it was before it was undone, unless someone has written to it since."""
        assert table.at is not None
        place = self._places[table.url]
        try:
            done = self.engine.restore(place, table.at, at=table.now, mark=self._mark(table))
        except (OdibiError, OSError) as error:
            return table.ended("undone", now=table.now, why=f"it could not be put back: {error}")
        return table.ended("put back", now=done.committed)


def failed_words(result: Undone, how: str) -> str:
    """Where each table stands, a line each."""
    lines = (f"\n  {table.table}: {standing(table)}" for table in result.tables)
    return f"the undo of run {result.run} {how}:{''.join(lines)}"


def standing(table: UndoneTable) -> str:
    """How a table stands after an undo, in words."""
    now = f", version {table.now}" if table.now is not None else ""
    return f"{table.state}{now}" + (f": {table.why}" if table.why else "")


def _copied(run: str, place: Place, mark: RunMark) -> str:
    written = next((target.url for target in mark.targets if target.node == mark.node), "another place")
    return (
        f"{place.address} tells of run '{run}', but that run wrote {written}: the table was moved or copied since, and "
        "an undo would change the tables of that place. Nothing was touched. To take back what this one holds, restore "
        "it: its history shows the version before the run"
    )


def _unknown(found: Trace) -> str:
    known = f"its history is known from version {found.since} on: what was before is not"
    return known if found.since is not None else ""


def _undone(by: Later) -> str:
    who = f" by {by.who}" if by.who else ""
    return f"version {by.version} of {by.time:%Y-%m-%d %H:%M:%S} UTC took it away ({by.operation}{who})"


def _commit(each: Later) -> str:
    who = f" by {each.who}" if each.who else ""
    return f"version {each.version}, {each.operation} of {each.time:%Y-%m-%d %H:%M:%S} UTC{who}"


_TOLD = 3


def _told(found: Sequence[Later]) -> str:
    """Commits in words, the newest of them."""
    shown = [_commit(each) for each in sorted(found, key=lambda one: -one.version)[:_TOLD]]
    more = f", and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    return "; ".join(shown) + more
