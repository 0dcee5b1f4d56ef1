"""The checks of connections side by side, each a row that one can run again alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from threading import Lock, Thread

from odibi_magics.checks import followed
from odibi_magics.connections.prepare import forget
from odibi_magics.doctor.diagnosis import Diagnosis, Layer
from odibi_magics.errors import said
from odibi_magics.project import Project
from odibi_magics.secret import redact


@dataclass(frozen=True)
class Row:
    """A connection's check. found: what the doctor found so far; None before it looked."""

    name: str
    found: Diagnosis | None = None

    @property
    def state(self) -> str:
        """ "waiting", "running", "ok", "warning" or "failed"; "skipped" of one that only Spark could look at."""
        if self.found is None:
            return "waiting"
        nothing = self.found.layers and all(layer.state == "skipped" for layer in self.found.layers)
        return "skipped" if nothing else self.found.state

    @property
    def over(self) -> bool:
        return self.state not in ("waiting", "running")


class Rows:
    """The checks. changed: called from a thread whenever a row is another one, a few times a second at most."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = Lock()
        self._rows: dict[str, Row] = {}
        self._turns: dict[str, object] = {}

    @property
    def rows(self) -> tuple[Row, ...]:
        with self._lock:
            return tuple(self._rows.values())

    @property
    def over(self) -> bool:
        """Whether there are rows, and all have ended."""
        return bool(self.rows) and all(row.over for row in self.rows)

    def arrange(self, names: Iterable[str], changed: Collection[str]) -> None:
        """Rows of these names, in this order. changed: those that are not what was looked at; what is still on its way
        of them counts no more."""
        with self._lock:
            kept = {name: row for name, row in self._rows.items() if name not in changed}
            self._rows = {name: kept.get(name, Row(name)) for name in names}
            self._turns = {name: turn for name, turn in self._turns.items() if name in kept}

    def start(self, project: Project, names: Iterable[str]) -> None:
        """Looks at these rows in threads, secrets and tokens fetched anew; the others stay as they are."""
        with self._lock:
            turn = object()
            chosen = [name for name in self._rows if name in set(names)]
            for name in chosen:
                self._rows[name], self._turns[name] = Row(name), turn
        Thread(target=self._run, args=(project, chosen, turn), name="odibi checks", daemon=True).start()

    def _run(self, project: Project, names: list[str], turn: object) -> None:
        forget()
        watchers = [
            Thread(target=self._watch, args=(project, name, turn), name=f"odibi check of {name}", daemon=True)
            for name in names
        ]
        for watcher in watchers:
            watcher.start()

    def _watch(self, project: Project, name: str, turn: object) -> None:
        """One row to its end, whatever becomes of it."""
        try:
            for found in followed(project, [name]):
                self._put(name, turn, found[name])
        except Exception as error:  # of a library: a failure of this row alone
            told = redact(f"{type(error).__name__}: {said(error)}")
            layer = Layer("check", "failed", told, remedy="Check it again; if it stays, please report it")
            self._put(name, turn, Diagnosis(name, "", (layer,)))

    def _put(self, name: str, turn: object, found: Diagnosis) -> None:
        with self._lock:
            if self._turns.get(name) is not turn:
                return  # it was started again, or its connection is another one by now
            self._rows[name] = Row(name, found)
        self._changed()
