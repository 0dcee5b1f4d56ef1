"""Sources into frames: opened by their format, then filtered, cut to what is newer, and to the columns asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.pandas.files import Files, find_files, holds_files
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.names import literal, quoted, select
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.types import duckdb_type
from odibi_magics.engines.source_columns import check_comparable, check_highest, chosen, column_of, lag_of
from odibi_magics.errors import EngineError

Columns = tuple[Column, ...]


class Told:
    """Columns told from samples, kept as long as the files are the same: a thousand nodes read the same few files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[object, Columns] = {}

    def columns(self, source: Source, files: Files, look: Callable[[], Columns]) -> Columns:
        """The columns of these files read this way; `look` finds them."""
        key = (source.place.format, repr(sorted(source.options.items())), source.schema, source.infer, files)
        with self._lock:
            found = self._found.get(key)
        if found is None:
            found = look()
            with self._lock:
                self._found[key] = found
        return found


def scan(session: Session, source: Source, told: Told) -> Scan:
    """A source as it stands, whole. Raises EngineError, ConnectionFailed."""
    if source.place.format == "delta":
        from odibi_magics.engines.pandas.read_delta import open_whole, scan_delta

        return scan_delta(session, source, open_whole(source.place, source.version, source.timestamp))
    files = find_files(source.place)
    found = _scan_files(session, source, files, told)
    return replace(found, tables={session.name("files"): lambda: session.check_unchanged(files)})


def pins(source: Source) -> dict[str, Any]:
    """What reading a source now would pin. Raises as `scan`."""
    if source.place.format != "delta":
        return find_files(source.place).pins()
    from odibi_magics.engines.pandas.read_delta import open_table, pins_of

    return pins_of(open_table(source.place, source.version, source.timestamp))


def describe_table(source: Source) -> Columns:
    """The columns of a Delta table, whole, from its log alone. Raises as `scan`.

    Whether an older version's files are all there is looked at on this machine, where that is microseconds for each; a
    storage account would have to list them, or be asked for each, and `scan` does that.
    """
    from odibi_magics.engines.pandas.read_delta import columns_of, open_table, open_whole

    opened = open_whole if isinstance(source.place.connection, LocalConnection) else open_table
    return columns_of(opened(source.place, source.version, source.timestamp))


def describe_files(session: Session, source: Source, files: Files, told: Told) -> Columns:
    """The columns of these files together, from samples and footers. Raises as `scan`."""
    session.pin(files)
    if source.place.format in ("csv", "json"):
        return told.columns(source, files, lambda: _look(session, source, files))
    return _scan_files(session, source, files, told).columns


def _scan_files(session: Session, source: Source, files: Files, told: Told) -> Scan:
    session.pin(files)
    if source.place.format == "parquet":
        from odibi_magics.engines.pandas.read_parquet import scan_parquet

        return scan_parquet(session, source, files)
    columns = told.columns(source, files, lambda: _look(session, source, files))
    if source.place.format == "csv":
        from odibi_magics.engines.pandas.read_csv import scan_csv

        return scan_csv(session, source, files, columns)
    from odibi_magics.engines.pandas.read_json import scan_json

    return scan_json(session, source, files, columns)


def _look(session: Session, source: Source, files: Files) -> Columns:
    if source.place.format == "csv":
        from odibi_magics.engines.pandas.read_csv import describe_csv

        return describe_csv(session, source, files)
    from odibi_magics.engines.pandas.read_json import describe_json

    return describe_json(source, files)


def read(session: Session, source: Source, told: Told, limit: int | None = None) -> DuckFrame:
    """A lazy frame over a source. limit: only so many of its rows. Raises as `scan`, and for columns it lacks."""
    whole = scan(session, source, told)
    conditions = [_filter(source.filter, whole.columns)] if source.filter else []
    if source.newer_than:
        conditions += _newer(session, source, whole.columns, told)
    columns = chosen(source, whole.columns)
    sql = whole.sql
    if columns != whole.columns or conditions:
        where = f" WHERE {' AND '.join(f'({condition})' for condition in conditions)}" if conditions else ""
        sql = select((column.name for column in columns), f"(\n{sql}\n){where}")
    if limit is not None:
        sql = f"SELECT * FROM (\n{sql}\n) LIMIT {int(limit)}"
    bare = whole.plain and not conditions and limit is None
    frame = DuckFrame(session, sql, columns, whole.tables, (whole.pins,), bare=bare)
    if source.filter:
        frame.check()
    return frame


def _filter(text: str, columns: Sequence[Column]) -> str:
    from odibi_magics.sql.check import check_predicate
    from odibi_magics.sql.problems import SqlErrors
    from odibi_magics.sql.transpile import predicate_to_duckdb

    try:
        return predicate_to_duckdb(check_predicate(text), [(column.name, column.type) for column in columns])
    except SqlErrors as error:
        raise EngineError(f"filter: {error}") from None


# newer_than -----------------------------------------------------------------------------------------------------------


def _newer(session: Session, source: Source, columns: Sequence[Column], told: Told) -> list[str]:
    """The condition for rows above the maximum in the table this chain writes; none where it has no rows yet."""
    assert source.newer_than is not None
    column = column_of(source, source.newer_than, columns)
    if source.watermark is None or not is_there(source.watermark):
        return []
    table = Source(source.watermark)
    found = scan(session, table, told)
    written = column_of(table, source.newer_than, found.columns)
    check_comparable(source, column, written)
    name, type_ = quoted(written.name), duckdb_type(written.type)
    highest = session.run(f"SELECT CAST(max({name}) AS VARCHAR) FROM (\n{found.sql}\n)", found.tables)[0][0]
    if highest is None:
        return []
    check_highest(source, written, highest)
    start = f"CAST({literal(highest)} AS {type_})"
    return [f"{quoted(column.name)} > {_minus(start, source.lag, column) if source.lag else start}"]


def _minus(start: str, lag: timedelta, column: Column) -> str:
    return f"CAST({start} AS TIMESTAMP) - to_microseconds({lag_of(lag, column)})"


def is_there(place: Place) -> bool:
    """Whether anything stands at a place. Raises ConnectionFailed, EngineError."""
    if place.format == "delta":
        from odibi_magics.engines.pandas.snapshot import open_snapshot
        from odibi_magics.engines.pandas.storage import open_store

        return open_snapshot(open_store(place)) is not None
    return holds_files(place)
