"""Two versions of a table, or two tables, compared: files that both name are not read, where files can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from odibi_magics.config.types import Column
from odibi_magics.delta.diff import Diff, DiffColumn, DiffSide
from odibi_magics.delta.schema import Schema, schema_changes
from odibi_magics.delta.travel import spans
from odibi_magics.engines.base import Source
from odibi_magics.engines.compared import (
    Pair,
    distinct,
    keys_first,
    paired,
    refuse_null_keys,
    refuse_repeated_keys,
    shared_columns,
)
from odibi_magics.engines.pandas.checks import Rows
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.diff_keys import looked_into, may_share
from odibi_magics.engines.pandas.diff_sql import Comparison, Found, key_query
from odibi_magics.engines.pandas.read_delta import (
    can_choose,
    columns_of,
    open_table,
    scan_delta,
    scan_some,
    still_readable,
)
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.snapshot import Snapshot
from odibi_magics.errors import EngineError, NoSuchVersion


def diff(
    session: Session, before: Source, after: Source, *, keys: Sequence[str] = (), rows: int = 20
) -> Diff:
    """What differs from one to the other; up to `rows` of the rows that differ are in the sample.

    session: may open the files of both. Raises EngineError: no table, columns or files that are not there, keys that
    do not tell rows apart (KeysRefused), a version that is gone (NoSuchVersion); ConnectionFailed, Cancelled.
    """
    sides = _sides(before, after)
    columns = shared_columns(*sides)
    pairs = paired(*sides, columns, keys)
    others = _others(sides, pairs[: distinct(keys)])
    try:
        found = _found(session, sides, pairs, keys, rows, others.looked_into)
        shared = _count(session, sides[0].table, sides[0].shared)
    except EngineError as error:
        raise next(filter(None, map(_vacuumed, sides)), error) from None
    return _told(sides, columns, pairs[: distinct(keys)], found, shared, others)


@dataclass(frozen=True)
class _Side:
    """read: the files whose rows are compared. shared: those that the other side names too, which are not read."""

    source: Source
    table: Snapshot
    read: tuple[DataFile, ...]
    shared: tuple[DataFile, ...] = ()
    chosen: bool = True

    @property
    def name(self) -> str:
        return f"{self.source.place.address}@{self.table.version}"

    @property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.table)

    @property
    def schema(self) -> Schema:
        return Schema(self.table.columns, self.table.partition_by, self.table.not_null)

    def scan(self, session: Session) -> Scan:
        """The rows that are compared."""
        if self.chosen:
            return scan_some(session, self.table, self.read)
        return scan_delta(session, self.source, self.table)

    def whole(self, session: Session) -> Scan:
        """All rows of the version."""
        return replace(self, read=(*self.read, *self.shared)).scan(session)


_Sides = tuple[_Side, _Side]


@dataclass(frozen=True)
class _Others:
    """Files of both versions that may hold a key of a row that is read. looked_into: those whose keys are read."""

    may_share: tuple[DataFile, ...] = ()
    looked_into: tuple[DataFile, ...] = ()


def _others(sides: _Sides, pairs: Sequence[Pair]) -> _Others:
    keys = [Column(pair.before.name, pair.type) for pair in pairs]
    read = [file for side in sides for file in side.read]
    found = may_share(read, sides[0].shared, keys)
    return _Others(found, looked_into(read, found, keys))


def _sides(before: Source, after: Source) -> _Sides:
    sources = (before, after)
    old, new = (open_table(source.place, source.version, source.timestamp) for source in sources)
    choose = (can_choose(old), can_choose(new))
    same = all(choose) and old.store.url == new.store.url
    # No deletion vectors here, so that the path alone says which rows a file gives.
    both = {file.path for file in old.files} & {file.path for file in new.files} if same else set()
    first, second = (
        _Side(
            source,
            table,
            tuple(file for file in table.files if file.path not in both),
            tuple(file for file in table.files if file.path in both),
            chosen,
        )
        for source, table, chosen in zip(sources, (old, new), choose, strict=True)
    )
    return first, second


# Rows -----------------------------------------------------------------------------------------------------------------


def _found(
    session: Session,
    sides: _Sides,
    pairs: Sequence[Pair],
    keys: Sequence[str],
    rows: int,
    others: Sequence[DataFile],
) -> Found:
    """others: files of both versions in which no key of the others may stand."""
    if not any(side.read for side in sides):
        return Found()
    scans = [side.scan(session) for side in sides]
    comparison = Comparison(session, scans[0], scans[1], pairs, distinct(keys))
    if keys and comparison.has_bad_keys():
        _refuse_keys(session, sides, pairs[: comparison.keys])
    if others and comparison.stands_in(scan_some(session, sides[0].table, others)):
        _refuse_keys(session, sides, pairs[: comparison.keys], _TWICE)
    return comparison.find(rows)


# What a key in a file that both versions have is mostly from.
_TWICE = ", some in files that both versions have, as where the same rows were appended twice"


def _refuse_keys(session: Session, sides: _Sides, pairs: Sequence[Pair], where: str = "") -> None:
    """Raises KeysRefused with the side at fault, how many of all its rows and some of them."""
    for side, after in zip(sides, (False, True), strict=True):
        names = [(pair.after if after else pair.before).name for pair in pairs]
        scan = side.whole(session)
        rows = _rows(session, scan, key_query(scan, pairs, after=after))
        refuse_null_keys(side, names, *rows.nulls(names))
        refuse_repeated_keys(side, names, *rows.repeated(names), where)


def _rows(session: Session, scan: Scan, sql: str) -> Rows:
    return Rows(session, f"(\n{sql}\n)", lambda names: scan.tables)


def _count(session: Session, table: Snapshot, files: Sequence[DataFile]) -> int:
    """Rows of these files; of one of which the log does not tell, its footer does."""
    untold = [file for file in files if file.rows is None]
    told = sum(file.rows or 0 for file in files)
    if not untold:
        return told
    scan = scan_some(session, table, untold)
    return told + int(session.run(f"SELECT count(*) FROM (\n{scan.sql}\n)", scan.tables)[0][0])


# What comes out -------------------------------------------------------------------------------------------------------


def _told(
    sides: _Sides,
    columns: tuple[DiffColumn, ...],
    keys: Sequence[Pair],
    found: Found,
    shared: int,
    others: _Others,
) -> Diff:
    same = found.changed + found.unchanged + shared
    before, after = (
        _side(side, same + more) for side, more in zip(sides, (found.removed, found.added), strict=True)
    )
    named = [pair.after.name for pair in keys]
    read = [file for side in sides for file in side.read]
    return Diff(
        before,
        after,
        tuple(named),
        keys_first(columns, keys),
        schema_changes(sides[0].schema, sides[1].schema),
        found.added,
        found.removed,
        found.changed if keys else None,
        found.unchanged + shared,
        found.sample,
        len(read),
        sum(file.size for file in read),
        len(sides[0].shared),
        sum(file.size for file in sides[0].shared),
        len(others.looked_into),
        len(others.may_share) - len(others.looked_into),
    )


def _side(side: _Side, rows: int) -> DiffSide:
    table = side.table
    return DiffSide(
        side.source.place.address,
        table.store.url,
        table.version,
        rows,
        len(table.files),
        sum(file.size for file in table.files),
    )


def _vacuumed(side: _Side) -> NoSuchVersion | None:
    """That files of a version are gone, where they are, and which versions still read."""
    store = side.table.store
    there = {info.path.removeprefix(f"{store.root}/") for info in store.files()}
    gone = [file.path for file in (*side.read, *side.shared) if file.path not in there]
    if not gone:
        return None
    files = "1 of its files is" if len(gone) == 1 else f"{len(gone):,} of its files are"
    versions = still_readable(store)
    left = f"versions that still read: {spans(versions)}" if versions else "no version of it can be read"
    return NoSuchVersion(f"{side.name} cannot be read any more: {files} gone, as VACUUM deletes them; {left}")
