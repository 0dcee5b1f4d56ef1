"""An engine's verbs on tables, by connection and path or by TABLE address."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from odibi_magics.config.formats import infer_format
from odibi_magics.config.times import NotAnInstant, instant, zoned
from odibi_magics.connections.address import Address, parse_address
from odibi_magics.connections.local import LocalConnection
from odibi_magics.delta.detail import Detail
from odibi_magics.delta.diff import Diff
from odibi_magics.delta.history import History
from odibi_magics.delta.travel import spans
from odibi_magics.engines.base import Engine, Frame, Place, Source, Warned
from odibi_magics.errors import ConnectionFailed, NoSuchVersion, UsageError, nearest

if TYPE_CHECKING:
    from odibi_magics.connections.adls import AdlsConnection
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.delta.restore import Restored
    from odibi_magics.delta.vacuum import Vacuumed
    from odibi_magics.project import Project


class Tables:
    """An engine's verbs on tables, by connection and path or by TABLE address."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def read_delta(
        self,
        *,
        connection: str,
        path: str,
        version: int | None = None,
        timestamp: datetime | str | None = None,
    ) -> Frame:
        """A Delta table, now or as it was; the same frame type as `result[...]`.

        timestamp: with a zone. Raises UsageError, EngineError, ConnectionFailed.
        """
        place = Place(self._project.connection(connection), path, "delta")
        return self._open(Source(place, version=version, timestamp=_when(timestamp)))

    def delta_history(
        self, *, connection: str, path: str, limit: int | None = 20, before: int | None = None
    ) -> History:
        """A Delta table's newest versions, at most `limit` (None: all), only those below `before`.

        The table is not opened. Raises UsageError, EngineError, ConnectionFailed.
        """
        place = Place(self._project.connection(connection), path, "delta")
        return self._engine.history(place, limit=_counted(limit), before=before)

    def history(self, address: str, *more: str, limit: int | None = 20, before: int | None = None) -> History:
        """The same of a TABLE; of `TABLE@5` the versions up to 5. Raises NoSuchVersion, and as `delta_history`."""
        parsed = parse_address(address, *more)
        if parsed.timestamp is not None:
            upto = replace(parsed, version=5, timestamp=None)
            raise UsageError(f"{parsed}: a history goes up to a version, as {upto}, and not to a time")
        if parsed.version is not None:
            before = parsed.version + 1
        place = _as_delta(self._place(parsed.connection, parsed.path))
        found = self._engine.history(place, limit=_counted(limit), before=before)
        if parsed.version is not None and parsed.version > found.newest:
            there = spans(range(found.oldest, found.newest + 1)) or found.newest
            raise NoSuchVersion(f"{found.address} has no version {parsed.version}: its versions are {there}")
        return found

    def delta_detail(self, *, connection: str, path: str) -> Detail:
        """A Delta table as it stands: columns, files, properties, log. Lists its files and reads its commits.

        Raises UsageError, EngineError, ConnectionFailed.
        """
        return self._engine.detail(Place(self._project.connection(connection), path, "delta"))

    def detail(self, address: str, *more: str) -> Detail:
        """The same of a TABLE, without a version. Raises as `delta_detail`."""
        return self._engine.detail(self._delta(address, *more))

    def glance(self, address: str, *more: str) -> tuple[Warned, ...]:
        """What the state of a TABLE asks for, as far as a look in passing tells. Raises UsageError, Cancelled."""
        parsed = parse_address(address, *more)
        return self._engine.glance(_as_delta(self._place(parsed.connection, parsed.path)))

    def _delta(self, address: str, *more: str) -> Place:
        """The place of a TABLE without a version. Raises UsageError."""
        parsed = parse_address(address, *more)
        if parsed.version is not None or parsed.timestamp is not None:
            now = replace(parsed, version=None, timestamp=None)
            raise UsageError(f"{parsed} is a version, and this is about the table as it is now: {now}")
        return _as_delta(self._place(parsed.connection, parsed.path))

    def restore_delta(
        self,
        *,
        connection: str,
        path: str,
        version: int | None = None,
        timestamp: datetime | str | None = None,
        at: int | None = None,
        dry_run: bool = False,
    ) -> Restored:
        """Makes a new version of a Delta table that is like an older one, or like the one that stood at a time.

        timestamp: with a zone. at: the newest version that was looked at; without it, as it is now. Raises
        WriteConflict where anything but OPTIMIZE and VACUUM was committed after `at`, NoSuchVersion where the version
        or one of its files is gone, UsageError, EngineError, ConnectionFailed.
        """
        wanted = _when(timestamp) if version is None else version
        if wanted is None or (version is not None and timestamp is not None):
            raise UsageError("restore_delta: to which version? version= or timestamp=, one of the two")
        place = Place(self._project.connection(connection), path, "delta")
        return self._engine.restore(place, wanted, at=at, dry_run=dry_run)

    def restore(self, address: str, *more: str, at: int | None = None, dry_run: bool = False) -> Restored:
        """The same of `TABLE@5` or `TABLE@2026-11-20T18:00Z`. Raises as `restore_delta`."""
        parsed = parse_address(address, *more)
        wanted = parsed.timestamp if parsed.version is None else parsed.version
        if wanted is None:
            raise UsageError(f"{parsed}: to which version? {parsed}@5, or {parsed}@2026-11-20T18:00Z")
        place = _as_delta(self._place(parsed.connection, parsed.path))
        return self._engine.restore(place, wanted, at=at, dry_run=dry_run)

    def vacuum_delta(
        self,
        *,
        connection: str,
        path: str,
        retention_hours: float = 168,
        dry_run: bool = False,
        force: bool = False,
    ) -> Vacuumed:
        """Deletes files of a Delta table's folder that no version within the retention needs.

        force: for a retention below 168 hours, where nobody is at work on the table. Raises UsageError, EngineError,
        ConnectionFailed; where deleting broke off they say how many files went.
        """
        place = Place(self._project.connection(connection), path, "delta")
        return self._engine.vacuum(place, retention_hours=retention_hours, force=force, dry_run=dry_run)

    def vacuum(
        self,
        address: str,
        *more: str,
        retention_hours: float = 168,
        dry_run: bool = False,
        force: bool = False,
    ) -> Vacuumed:
        """The same of a TABLE. Raises as `vacuum_delta`."""
        place = self._delta(address, *more)
        return self._engine.vacuum(place, retention_hours=retention_hours, force=force, dry_run=dry_run)

    def optimize_delta(self, *, connection: str, path: str, dry_run: bool = False) -> Optimized:
        """Joins small files of a Delta table in a commit that changes no row, and writes a checkpoint where one is due.

        Raises UsageError, EngineError, WriteConflict, ConnectionFailed.
        """
        place = Place(self._project.connection(connection), path, "delta")
        return self._engine.optimize(place, dry_run=dry_run)

    def optimize(self, address: str, *more: str, dry_run: bool = False) -> Optimized:
        """The same of a TABLE. Raises as `optimize_delta`."""
        return self._engine.optimize(self._delta(address, *more), dry_run=dry_run)

    def read(self, address: str, *more: str) -> Frame:
        """The rows at a TABLE address: `conn:path@5`, a node's name, a local path, an `abfss://` URL.

        A node that writes is its table; another is evaluated.
        """
        parsed = parse_address(address, *more)
        defined = self._project.definitions.nodes.get(parsed.path) if parsed.connection is None else None
        if defined is not None and defined.node.write is None:
            if parsed.version is not None or parsed.timestamp is not None:
                raise UsageError(f"node '{parsed.path}' writes no table, so it has no versions")
            return self._project.evaluate(parsed.path)
        place = self._place(parsed.connection, parsed.path)
        if place.format != "delta" and (parsed.version is not None or parsed.timestamp is not None):
            raise UsageError(f"{place.address} is {place.format}: only Delta tables have versions")
        return self._open(Source(place, version=parsed.version, timestamp=parsed.timestamp))

    def diff_delta(
        self,
        *,
        connection: str,
        path: str,
        version: int | None = None,
        timestamp: datetime | str | None = None,
        other_connection: str | None = None,
        other_path: str | None = None,
        other_version: int | None = None,
        other_timestamp: datetime | str | None = None,
        keys: Sequence[str] = (),
        rows: int = 20,
    ) -> Diff:
        """What differs from one version of a Delta table to another, or to another table.

        other_: what it is compared with; the same connection and path without them, its newest version without a
        version or timestamp. keys: columns that tell rows apart; with none, rows are compared as wholes, as often as
        they come. rows: so many of those that differ are in the sample. Raises UsageError, EngineError,
        ConnectionFailed.
        """
        places = (
            Place(self._project.connection(connection), path, "delta"),
            Place(self._project.connection(other_connection or connection), other_path or path, "delta"),
        )
        before = Source(places[0], version=version, timestamp=_when(timestamp))
        after = Source(places[1], version=other_version, timestamp=_when(other_timestamp))
        return self._diff(before, after, keys, rows)

    def diff(
        self,
        table: str | Sequence[str],
        other: str | Sequence[str] | None = None,
        *,
        keys: Sequence[str] = (),
        rows: int = 20,
    ) -> Diff:
        """What differs from one TABLE to another; without the other, from `conn:path@5` to the newest version.

        A TABLE is one word, or the two words of CONN PATH@5. keys, rows: as of `diff_delta`, which says what is raised.
        """
        before = _address(table)
        after = replace(before, version=None, timestamp=None) if other is None else _address(other)
        return self._diff(self._source(before), self._source(after), keys, rows)

    def _diff(self, before: Source, after: Source, keys: Sequence[str], rows: int) -> Diff:
        if isinstance(keys, str):
            raise UsageError(f"keys: a list of columns is wanted, as ['{keys}'], not '{keys}'")
        if before == after:
            raise UsageError(_TWICE if before.version is None and before.timestamp is None else _SAME)
        return self._engine.diff(before, after, keys=keys, rows=rows)

    def _source(self, address: Address) -> Source:
        """A Delta table at an address."""
        defined = self._project.definitions.nodes.get(address.path) if address.connection is None else None
        if defined is not None and defined.node.write is None:
            raise UsageError(f"node '{address.path}' writes no table, so it has no versions")
        place = _as_delta(self._place(address.connection, address.path))
        return Source(place, version=address.version, timestamp=address.timestamp)

    def _place(self, connection: str | None, path: str) -> Place:
        if connection is not None:
            return Place(self._project.connection(connection), path, infer_format(path))
        defined = self._project.definitions.nodes.get(path)
        if defined is not None and defined.node.write is not None:
            write = defined.node.write
            where = write.table or write.path or ""
            format_ = write.format or ("delta" if write.table else infer_format(where))
            return Place(self._project.connection(write.connection), where, format_)
        if "://" in path:
            return self._at_url(path)
        if defined is not None and not os.path.exists(path):
            raise UsageError(f"node '{path}' writes no table")
        if os.path.exists(path) or not (named := in_catalog(path)):
            return local_place(path, self._near(path))
        return named

    def _near(self, path: str) -> Iterator[str]:
        """TABLEs that may have been meant by a word that names none, the likeliest first. Opens no connection."""
        known = self._project.definitions
        first, slash, rest = path.partition("/")
        if slash and rest and first in known.connections:
            yield f"{first}:{rest}"
        for name in known.connections:
            with suppress(ConnectionFailed):
                there = self._project.connection(name)
                if isinstance(there, LocalConnection) and os.path.exists(there.url(path)):
                    yield f"{name}:{path}"
        if close := nearest(path, list(known.nodes)):
            yield close
        folder, name = os.path.split(path.rstrip("/"))
        with suppress(OSError, ValueError):  # no such folder, or a name that none can have
            if beside := nearest(name, os.listdir(folder or ".")):
                yield os.path.join(folder, beside)

    def _at_url(self, url: str) -> Place:
        """A whole URL: in the connection that reaches it most closely, without one as who is signed in."""
        from odibi_magics.connections.adls import AdlsConnection

        there = map(self._project.connection, self._project.definitions.connections)
        reaching = [one for one in there if isinstance(one, AdlsConnection) and one.reaches(url)]
        closest = max(reaching, key=lambda one: len(one.url("")), default=None)
        found = closest or signed_in(url)
        return Place(found, found.path(url), infer_format(url), given=None if closest else url)

    def _open(self, source: Source) -> Frame:
        frame: Frame = self._engine.open([source.place]).read(source)
        return frame

    @property
    def _engine(self) -> Engine:
        return self._project._engine(None)


def _as_delta(place: Place) -> Place:
    """Versions are a Delta table's, whatever its path ends in."""
    return replace(place, format="delta")


def _counted(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise UsageError(f"limit: a number of versions, at least 1, or None for all; not {limit}")
    return limit


_TWICE = "which versions? TABLE@5 TABLE@9, or TABLE@5 alone for what has changed since"
_SAME = "both are the same version of the same table, which does not differ from itself"


def _address(table: str | Sequence[str]) -> Address:
    return parse_address(table) if isinstance(table, str) else parse_address(*table)


def _when(timestamp: datetime | str | None) -> datetime | None:
    """A time as it was given. Raises UsageError for one without a zone."""
    try:
        return instant(timestamp) if isinstance(timestamp, str) else timestamp and zoned(timestamp)
    except NotAnInstant as error:
        raise UsageError(f"timestamp {timestamp}: {error}") from None


def signed_in(url: str) -> AdlsConnection:
    """The account of a URL, opened as who is signed in. Raises UsageError where it is none of Azure's."""
    from odibi_magics.config.models import AdlsConnection as Model
    from odibi_magics.connections.adls import AdlsConnection

    account = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(".")[0]
    made = AdlsConnection.of_model(
        account, Model(type="azure_adls", account=account or "-", auth_mode="identity")
    )
    if not made.reaches(url):
        raise UsageError(
            f"'{url}' is no URL of a storage account: abfss://container@account.dfs.core.windows.net/path"
        )
    return made


def in_catalog(name: str) -> Place | None:
    """The place of `catalog.schema.table`; None for any other text."""
    from odibi_magics.connections.unity import table_of

    found = table_of(name)
    return Place(*found, "delta", given=name) if found else None


def local_place(path: str, near: Iterator[str]) -> Place:
    """A path of this machine as a place of its own. near: TABLEs that may have been meant.

    Raises UsageError where nothing is there.
    """
    try:
        target = Path(path).expanduser()
        # Followed before it is taken apart: `.` has no name of its own, and what `..` or a link is called says
        # nothing of what the folder that it leads to is called.
        real = target.resolve() if target.exists() else None
    except (OSError, RuntimeError) as error:
        raise UsageError(
            f"'{path}' cannot be followed: {getattr(error, 'strerror', None) or error}"
        ) from None
    if real is None:
        close = next(near, None)
        meant = f": did you mean '{close}'?" if close else ""
        raise UsageError(
            f"'{path}' not found: it is no connection's path (conn:path), no node, no catalog.schema.table, and no "
            f"file or folder here{meant}"
        )
    named = target.name if target.suffix else real.name
    return Place(LocalConnection("local", real.parent), real.name, infer_format(named), given=path)
