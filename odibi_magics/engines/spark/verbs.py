"""The verbs on Delta tables: by Spark where nobody else can open them, else by our own client, which tells more."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from odibi_magics.delta.log import Log
from odibi_magics.engines.base import Place, Source, Warned
from odibi_magics.engines.pandas.verbs import TableVerbs

if TYPE_CHECKING:
    from odibi_magics.delta.detail import Detail
    from odibi_magics.delta.diff import Diff
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.delta.restore import Restored
    from odibi_magics.delta.vacuum import Vacuumed
    from odibi_magics.engines.spark.work import Work


class SparkVerbs(TableVerbs):
    """A part of Engine. Each verb raises as it does there."""

    @abstractmethod
    def planning(self) -> Work:
        """The hold on the session in which verbs run."""

    def log(self, place: Place) -> Log:
        """The log of the Delta table at a place."""
        from odibi_magics.engines.spark.log import HistoryLog

        return HistoryLog(self.planning(), place) if place.connection.only_spark else super().log(place)

    def history(self, place: Place, *, limit: int | None = 20, before: int | None = None) -> History:
        """A Delta table's newest versions."""
        from odibi_magics.engines.spark.history import history

        if not place.connection.only_spark:
            return super().history(place, limit=limit, before=before)
        return history(self.planning(), place, limit=limit, before=before)

    def detail(self, place: Place) -> Detail:
        """A Delta table as it stands."""
        from odibi_magics.engines.spark.detail import detail

        return detail(self.planning(), place) if place.connection.only_spark else super().detail(place)

    def glance(self, place: Place) -> tuple[Warned, ...]:
        """What a Delta table's state asks for, as far as a look in passing tells."""
        from odibi_magics.engines.spark.detail import glance

        return glance(self.planning(), place) if place.connection.only_spark else super().glance(place)

    def restore(
        self,
        place: Place,
        version: int | datetime,
        *,
        at: int | None = None,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Restored:
        """A table like one of its older versions."""
        from odibi_magics.engines.spark.restore import restore

        if not place.connection.only_spark:
            return super().restore(place, version, at=at, mark=mark, dry_run=dry_run)
        return restore(self.planning(), place, version, at=at, mark=mark, dry_run=dry_run)

    def empty(
        self, place: Place, *, at: int | None = None, mark: str | None = None, dry_run: bool = False
    ) -> Restored:
        """A table without rows."""
        from odibi_magics.engines.spark.restore import empty

        if not place.connection.only_spark:
            return super().empty(place, at=at, mark=mark, dry_run=dry_run)
        return empty(self.planning(), place, at=at, mark=mark, dry_run=dry_run)

    def diff(self, before: Source, after: Source, *, keys: Sequence[str] = (), rows: int = 20) -> Diff:
        """What differs from one table or version to another; by Spark where it alone can open one of them."""
        from odibi_magics.engines.spark.diff import diff

        if not (before.place.connection.only_spark or after.place.connection.only_spark):
            return super().diff(before, after, keys=keys, rows=rows)
        work = self.planning()
        for source in (before, after):
            work.open_account(source.place)
        return diff(work, before, after, keys=keys, rows=rows)

    def vacuum(
        self,
        place: Place,
        *,
        retention_hours: float = 168,
        force: bool = False,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Vacuumed:
        """What no version needs any more, deleted."""
        from odibi_magics.engines.spark.upkeep import vacuum

        if not place.connection.only_spark:
            return super().vacuum(
                place, retention_hours=retention_hours, force=force, mark=mark, dry_run=dry_run
            )
        return vacuum(
            self.planning(), place, retention_hours=retention_hours, force=force, mark=mark, dry_run=dry_run
        )

    def optimize(self, place: Place, *, mark: str | None = None, dry_run: bool = False) -> Optimized:
        """Small files joined."""
        from odibi_magics.engines.spark.upkeep import optimize

        if not place.connection.only_spark:
            return super().optimize(place, mark=mark, dry_run=dry_run)
        return optimize(self.planning(), place, mark=mark, dry_run=dry_run)
