"""The verbs on Delta tables that go by a table's log and files, whatever engine runs pipelines."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from odibi_magics.delta.log import Log
from odibi_magics.engines.base import Place, Source, Warned
from odibi_magics.engines.pandas.session import Session

if TYPE_CHECKING:
    from odibi_magics.delta.detail import Detail
    from odibi_magics.delta.diff import Diff
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.delta.restore import Restored
    from odibi_magics.delta.vacuum import Vacuumed


class TableVerbs:
    """A part of Engine. One DuckDB instance is kept for each connection that is looked into."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def log(self, place: Place) -> Log:
        """The log of the Delta table at a place. Raises ConnectionFailed."""
        from odibi_magics.engines.pandas.log import StoreLog
        from odibi_magics.engines.pandas.storage import open_store

        return StoreLog(open_store(place))

    def history(self, place: Place, *, limit: int | None = 20, before: int | None = None) -> History:
        """A Delta table's newest versions. Raises EngineError, ConnectionFailed."""
        from odibi_magics.engines.pandas.history import history

        return history(place, limit=limit, before=before)

    def detail(self, place: Place) -> Detail:
        """A Delta table as it stands. Raises EngineError, ConnectionFailed."""
        from odibi_magics.engines.pandas.detail import detail

        return detail(place)

    def glance(self, place: Place) -> tuple[Warned, ...]:
        """What a Delta table's state asks for, as far as a look in passing tells."""
        from odibi_magics.engines.pandas.glance import glance

        return glance(place)

    def restore(
        self,
        place: Place,
        version: int | datetime,
        *,
        at: int | None = None,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Restored:
        """A table like one of its older versions. Raises as `Engine.restore`."""
        from odibi_magics.engines.pandas.restore import restore

        return restore(place, version, at=at, mark=mark, dry_run=dry_run)

    def empty(
        self, place: Place, *, at: int | None = None, mark: str | None = None, dry_run: bool = False
    ) -> Restored:
        """A table without rows. Raises as `Engine.restore`."""
        from odibi_magics.engines.pandas.restore import empty

        return empty(place, at=at, mark=mark, dry_run=dry_run)

    def diff(self, before: Source, after: Source, *, keys: Sequence[str] = (), rows: int = 20) -> Diff:
        """What differs from one table or version to another. Raises as `Engine.diff`."""
        from odibi_magics.engines.pandas.diff import diff

        if before.place.root == after.place.root:  # one that is there already: another costs 30 ms
            return diff(self._session(before.place), before, after, keys=keys, rows=rows)
        session = Session([before.place.root, after.place.root])
        try:
            return diff(session, before, after, keys=keys, rows=rows)
        finally:
            session.close()

    def vacuum(
        self,
        place: Place,
        *,
        retention_hours: float = 168,
        force: bool = False,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Vacuumed:
        """What no version needs any more, deleted. Raises as `Engine.vacuum`."""
        from odibi_magics.engines.pandas.vacuum import vacuum

        return vacuum(place, retention_hours=retention_hours, force=force, mark=mark, dry_run=dry_run)

    def optimize(self, place: Place, *, mark: str | None = None, dry_run: bool = False) -> Optimized:
        """Small files joined. Raises as `Engine.optimize`."""
        from odibi_magics.engines.pandas.optimize import optimize

        return optimize(place, mark=mark, dry_run=dry_run)

    def _session(self, place: Place) -> Session:
        root = place.root
        with self._lock:
            if root not in self._sessions:
                self._sessions[root] = Session([root])
            return self._sessions[root]
