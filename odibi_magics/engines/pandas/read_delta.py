"""delta: a table at one version.

Tables are read by DuckDB from the files the log names, less the rows that deletion vectors take out: five times as fast
as through Arrow, and columns that older files lack cost no look into them. Tables with column mapping go through
deltalake's own scan. What neither reads right is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from odibi_magics.config.types import Column
from odibi_magics.delta.features import text_lengths
from odibi_magics.delta.log import newest_version
from odibi_magics.delta.travel import shown, spans, version_at
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.deleted import deleted_rows
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.footers import are_alike
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.no_table import no_table
from odibi_magics.engines.pandas.read_parquet import FILE_NAME, ROW_NUMBER, Broken, from_files, relabelled
from odibi_magics.engines.pandas.recent import remembered
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.snapshot import Snapshot, is_elsewhere, language_type, open_snapshot
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.engines.pandas.trees import File
from odibi_magics.engines.pandas.types import duckdb_type, empty_table
from odibi_magics.errors import EngineError, NoSuchVersion
from odibi_magics.quoting import Data, Quoting

if TYPE_CHECKING:
    from odibi_magics.delta.replay import Versions

# Reading files by their names and types alone is right in spite of these.
_PLAIN = {"timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening", "typeWidening-preview"}
_DELETED, _MAPPED = "deletionVectors", "columnMapping"
_NULL = "__HIVE_DEFAULT_PARTITION__"


def open_table(place: Place, version: int | None = None, timestamp: datetime | None = None) -> Snapshot:
    """A table, newest or as it was; whether its files are still there is not looked at.

    Raises EngineError where there is none, or not at that time; ConnectionFailed.
    """
    return _opened(open_store(place), version, timestamp)[0]


def open_whole(place: Place, version: int | None = None, timestamp: datetime | None = None) -> Snapshot:
    """As `open_table`, to read all of it: NoSuchVersion for an older version of which files were deleted since."""
    table, newest = _opened(open_store(place), version, timestamp)
    old = [] if newest else [one.path for one in table.files if not is_elsewhere(one.path)]
    if old and (gone := table.store.missing(old)):
        raise NoSuchVersion(
            f"{table.store.told} cannot be read at version {table.version}{_stood(timestamp)} any more, "
            f"{len(gone):,} of its {len(table.files):,} files went missing, as after a VACUUM: "
            f"{_reading(still_readable(table.store))}"
        )
    return table


def _opened(store: Store, version: int | None, timestamp: datetime | None) -> tuple[Snapshot, bool]:
    """The table, and whether it is the newest version."""
    if version is None and timestamp is None:
        return _newest(store), True
    if version is not None and (held := remembered(store, version)):
        return held, held.changed is not None  # what a plan opened may be an older version by now
    log = StoreLog(store)
    newest = newest_version(log)
    wanted = version if timestamp is None else version_at(log, timestamp)
    if newest is None or wanted is None:
        raise no_table(store)
    if not 0 <= wanted <= newest:
        raise NoSuchVersion(f"{store.told} has no version {wanted}: {_still(_versions(store))}")
    return _at(store, wanted), wanted == newest


def _newest(store: Store) -> Snapshot:
    if (found := open_snapshot(store)) is None:
        raise no_table(store)
    return found


def _at(store: Store, version: int) -> Snapshot:
    """The table at exactly this version, whatever is committed meanwhile."""
    try:
        found = open_snapshot(store, version)
    except EngineError:
        _check_told(store, version)
        raise
    if found is None:
        _check_told(store, version)
        raise no_table(store)
    return found


def _check_told(store: Store, version: int) -> None:
    """Raises NoSuchVersion for a version from before those that the log still tells: that is no damage."""
    versions = _versions(store)
    if versions and version < versions[0]:
        raise NoSuchVersion(
            f"{store.told} cannot be read at version {version} any more, its commits were cleaned up: "
            f"{_reading(versions)}"
        ) from None


def still_readable(store: Store) -> list[int]:
    """The versions all of whose files are there, sorted. Reads all commits; raises as the log does."""
    from odibi_magics.delta.lifetimes import lifetimes

    lived = lifetimes(_told(store))
    return lived.readable(store.missing(list(lived.spans)))


def _versions(store: Store) -> range:
    """Those that the log still tells."""
    found = _told(store)
    return range(found.oldest, found.newest + 1)


def _told(store: Store) -> Versions:
    """All that the log tells, which only errors ask for: what replays it is loaded with them."""
    from odibi_magics.delta.replay import Versions
    from odibi_magics.engines.pandas.checkpoints import decoded

    log = StoreLog(store)
    return Versions(log, tuple(log.names()), decoded)


def _stood(timestamp: datetime | None) -> str:
    return f", which stood at {shown(timestamp)}," if timestamp else ""


def _reading(versions: Sequence[int]) -> str:
    return f"versions that still read: {spans(versions) or 'none'}"


def _still(versions: Sequence[int]) -> str:
    return (
        f"its versions are {spans(versions)}" if len(versions) != 1 else f"its only version is {versions[0]}"
    )


def columns_of(table: Snapshot) -> tuple[Column, ...]:
    """The columns as SQL sees them: DuckDB has one type for `timestamp_ntz` and `timestamp`, taken for UTC."""
    return tuple(Column(c.name, c.type.replace("timestamp_ntz", "timestamp")) for c in table.columns)


def scan_delta(session: Session, source: Source, table: Snapshot) -> Scan:
    """The table's rows. Raises EngineError for features that cannot be read right."""
    columns = columns_of(table)
    if can_choose(table) or not (_MAPPED in table.reader_features or _is_column(ROW_NUMBER, columns)):
        return scan_some(session, table, table.files, joined=True)
    return _filled_up(table, _scanned(session, table, columns, pins_of(table)))


def can_choose(table: Snapshot) -> bool:
    """Whether some of the table's files can be read without the others, and the same path has the same rows always.

    Raises EngineError for features that cannot be read right.
    """
    features = table.reader_features
    if refused := sorted(features - _PLAIN - {_DELETED, _MAPPED}):
        named = ", ".join(refused)
        raise EngineError(
            f"{table.store.url} uses {named}, which this engine cannot read: read it with Spark"
        )
    return not features & {_DELETED, _MAPPED}


def is_plain(table: Snapshot) -> bool:
    """Whether reading its files by their names and types alone is right."""
    return table.reader_features <= _PLAIN


# So many footers of files on this machine are looked into before a table is joined, at some 0.1 ms each.
_FEW = 100


def scan_some(session: Session, table: Snapshot, files: Sequence[DataFile], *, joined: bool = False) -> Scan:
    """The rows of these files of a table without column mapping. joined: perhaps with other tables."""
    columns = columns_of(table)
    if not files:
        return Scan(empty_table(columns), columns, pins_of(table), plain=True)
    paths = [_path(table, file.path) for file in files]
    session.pin(_files(table, files, paths))
    session.failures.add(session.failures.number(), paths, _BrokenTable(table.store.url, columns))
    partitions = _partitions(table, files, paths)
    stored = [column for column in columns if column.name not in partitions]
    near = joined and len(paths) <= _FEW and not table.store.options
    alike = near and are_alike(session, stored, paths)
    deleted = deleted_rows(table, files, paths) if _DELETED in table.reader_features else None
    if not deleted:
        return _filled_up(
            table,
            Scan(from_files(columns, paths, partitions, alike=alike), columns, pins_of(table), plain=True),
        )
    name = session.name("deleted")
    sql = from_files(columns, paths, partitions, deleted=name, alike=alike)
    return _filled_up(table, Scan(sql, columns, pins_of(table), {name: lambda: deleted}, plain=True))


def _filled_up(table: Snapshot, scan: Scan) -> Scan:
    """Texts of char(n) with the spaces that Spark reads behind them, whether they are in the files or not."""
    lengths = {name: n for name, (kind, n) in text_lengths(table.fields).items() if kind == "char"}
    if not lengths:
        return scan
    items = (
        f"rpad({name}, CAST(greatest({lengths[column.name]}, length({name})) AS INTEGER), ' ') AS {name}"
        if column.name in lengths
        else name
        for column in scan.columns
        if (name := quoted(column.name))
    )
    return replace(scan, sql=f"SELECT {', '.join(items)} FROM (\n{scan.sql}\n)")


class _BrokenTable(Broken):
    """A table with a file that is not there, or not as it was written."""

    def broken(self, path: str, message: str) -> str:
        gone = message.startswith("IO Error: No files found")
        what = "is not there any more, as after a VACUUM" if gone else "is not whole"
        said = "" if gone else Quoting(" (", plain(message.partition("\n\n")[0]), ")")
        folder, _, name = path.rpartition("/")  # a partition's folder tells a value of its rows
        return Quoting(
            "the file ", Data(folder) if "=" in folder else folder,
            f"/{name} of the Delta table {self.url} {what}", said,
            ": bring it back from a copy of the storage, or restore a version that does without it",
        )  # fmt: skip


def _is_column(name: str, columns: Sequence[Column]) -> bool:
    return any(column.name.lower() == name for column in columns)


def pins_of(table: Snapshot) -> dict[str, Any]:
    """The id tells it from another table that was made at the same place later."""
    return {"url": table.store.url, "version": table.version, "id": str(table.delta.metadata().id)}


def _files(table: Snapshot, files: Sequence[DataFile], paths: Sequence[str]) -> Files:
    """The files, which nobody changes: their times and tags do not matter."""
    tree = table.store.tree
    sizes = (file.size for file in files)
    return Files(
        table.store.url,
        tuple(File(path, size, 0, tree=tree) for path, size in zip(paths, sizes, strict=True)),
    )


def _path(table: Snapshot, path: str) -> str:
    if is_elsewhere(path):
        raise EngineError(
            f"{table.store.url} is a shallow clone: its files lie in another table, {path}. Read it with Spark, or "
            "read the table it was cloned from"
        )
    return table.store.at(path)


# Plain tables ---------------------------------------------------------------------------------------------------------


def _partitions(table: Snapshot, files: Sequence[DataFile], paths: Sequence[str]) -> dict[str, str]:
    """SQL for each partition column. The protocol has no empty text: it stands for NULL."""
    found = {}
    for column in columns_of(table):
        if column.name in table.partition_by:
            text = _partition_text(table, column.name, files, paths)
            found[column.name] = (
                f"CAST(nullif({text}, '') AS {duckdb_type(column.type)}) AS {quoted(column.name)}"
            )
    return found


def _partition_text(table: Snapshot, name: str, files: Sequence[DataFile], paths: Sequence[str]) -> str:
    """SQL for a partition value's text, from the file's name: DuckDB then skips files by it.

    Where the folders' names are not the values, as the protocol allows, from a list of all files.
    """
    if not all(_is_hive(table, file.path, file.partition) for file in files):
        values = [file.partition.get(name) for file in files]
        pairs = (f"{literal(path)}: {literal(value)}" for path, value in zip(paths, values, strict=True))
        return f"CAST(MAP {{{', '.join(pairs)}}}[{FILE_NAME}] AS VARCHAR)"
    later = table.partition_by[table.partition_by.index(name) + 1 :]
    pattern = f"/{name}=([^/]*)" + "".join(f"/{other}=[^/]*" for other in later) + "/[^/]*$"
    return f"url_decode(nullif(regexp_extract({FILE_NAME}, {literal(pattern)}, 1), {literal(_NULL)}))"


def _is_hive(table: Snapshot, path: str, partition: Any) -> bool:
    """Whether the folders say what the log says: year=2024/month=1/file."""
    *folders, _ = path.split("/")
    if len(folders) != len(table.partition_by) or "+" in path:
        return False
    return all(
        re.fullmatch(r"\w+", name)
        and folder == f"{name}={folder.partition('=')[2]}"
        and _says(folder, partition[name])
        for name, folder in zip(table.partition_by, folders, strict=True)
    )


def _says(folder: str, value: str | None) -> bool:
    text = folder.partition("=")[2]
    return text == _NULL if value is None else unquote(text) == value


# Other tables ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Anew:
    """A stream that begins anew whenever DuckDB asks for it."""

    table: Snapshot
    columns: tuple[str, ...]

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.delta.scan(list(self.columns)).__arrow_c_stream__()


def _scanned(session: Session, table: Snapshot, columns: tuple[Column, ...], pins: dict[str, Any]) -> Scan:
    if any("timestamp" in column.type for column in columns):
        _check_int96(session, table)
    name = session.name("delta")
    opened = _Anew(table, tuple(column.name for column in columns))
    items = (
        relabelled(column, "TIMESTAMP WITH TIME ZONE" if column.type == "timestamp" else "")
        for column in columns
    )
    return Scan(f"SELECT {', '.join(items)} FROM {quoted(name)}", columns, pins, {name: lambda: opened})


# What nanoseconds since 1970 reach in 64 bits.
_FIRST, _LAST = "1677-09-22", "2262-04-11"


def _check_int96(session: Session, table: Snapshot) -> None:
    """deltalake's scan turns INT96 outside of the years 1677 to 2262 into other times.

    Opens all footers; where they have INT96, which Spark writes unless told otherwise, reads their timestamps too.
    """
    paths = [_path(table, file.path) for file in table.files]
    if not paths:
        return
    session.pin(_files(table, table.files, paths))
    names = literal([escaped(path) for path in paths])
    found = session.run(
        f"SELECT DISTINCT file_name FROM parquet_schema({names}) WHERE type = 'INT96' ORDER BY 1"
    )
    if not found:
        return
    far = _far_away(session, table, [path for (path,) in found])
    if far:
        raise EngineError(
            f"{far} holds INT96 timestamps{_WHERE}, which cannot be read right in a table with column mapping: read "
            "it with Spark, or write the table anew there with spark.sql.parquet.outputTimestampType=TIMESTAMP_MICROS"
        )


_WHERE = f" before {_FIRST} or after {_LAST}, or inside other types"


def _far_away(session: Session, table: Snapshot, paths: Sequence[str]) -> str | None:
    """A file with times that the scan would misread, or with ones inside other types, which are not looked at."""
    columns = [
        Column(field["metadata"].get("delta.columnMapping.physicalName", field["name"]), "timestamp")
        for field in table.fields
        if field["type"] == "timestamp" and field["name"] not in table.partition_by
    ]
    if any(
        not isinstance(field["type"], str) and "timestamp" in language_type(field["type"])
        for field in table.fields
    ):
        return paths[0]
    if not columns:
        return None
    outside = " OR ".join(f"{quoted(c.name)} NOT BETWEEN '{_FIRST}' AND '{_LAST}'" for c in columns)
    rows = from_files([Column("odibi file name", "string"), *columns], paths, {"odibi file name": FILE_NAME})
    found = session.run(f"SELECT {FILE_NAME} FROM ({rows}) WHERE {outside} LIMIT 1")
    return str(found[0][0]) if found else None
