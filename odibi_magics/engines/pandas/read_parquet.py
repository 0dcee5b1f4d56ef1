"""parquet: DuckDB reads it, with filters and columns pushed down; instants lose their zone without ICU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.types import duckdb_type, from_duckdb
from odibi_magics.errors import EngineError

_ZONED = "TIMESTAMP WITH TIME ZONE"


def scan_parquet(session: Session, source: Source, files: Files) -> Scan:
    """The files; all must have the same columns and types. Raises EngineError naming file and columns."""
    session.failures.add(session.failures.number(), files.paths, Broken())
    if source.schema is not None:
        return Scan(from_files(source.schema, files.paths), source.schema, files.pins(), plain=True)
    described = _described(session, files)
    columns = tuple(Column(name, _type(files.url, name, type_)) for name, type_ in described)
    items = (relabelled(column, type_) for column, (_, type_) in zip(columns, described, strict=True))
    paths = literal([escaped(path) for path in files.paths])
    # By name, because files may hold the same columns in another order.
    by_name = ", union_by_name = true" if len(files.paths) > 1 else ""
    sql = f"SELECT {', '.join(items)} FROM read_parquet({paths}, hive_partitioning = false{by_name})"
    return Scan(sql, columns, files.pins(), plain=True)


FILE_NAME = quoted("odibi file name")


def from_files(
    columns: Sequence[Column], paths: Sequence[str], items: Mapping[str, str] | None = None
) -> str:
    """A query over files whose columns are known, so that none is opened before its rows are wanted.

    Columns that a file lacks are NULL. items: SQL for columns that stand in no file; it may use FILE_NAME.
    """
    items = items or {}
    stored = ", ".join(_stored(column) for column in columns if column.name not in items)
    selected = (f"{items.get(c.name) or relabelled(c, _stored_type(c))}" for c in columns)
    names = literal([escaped(path) for path in paths])
    read = f"read_parquet({names}, schema = MAP {{{stored}}}, filename = 'odibi file name')"
    return f"SELECT {', '.join(selected)} FROM {read}"


def _stored(column: Column) -> str:
    name = literal(column.name)
    return f"{name}: {{'name': {name}, 'type': {literal(_stored_type(column))}, 'default_value': NULL}}"


def _stored_type(column: Column) -> str:
    return _ZONED if column.type == "timestamp" else duckdb_type(column.type)


def relabelled(column: Column, type_: str) -> str:
    """A column of DuckDB's `type_` as one of the language's type; instants keep their microseconds."""
    name = quoted(column.name)
    if type_ == _ZONED:
        return f"make_timestamp(epoch_us({name})) AS {name}"
    if type_ == duckdb_type(column.type):
        return name
    return f"CAST({name} AS {duckdb_type(column.type)}) AS {name}"


def _type(url: str, name: str, type_: str) -> str:
    if type_ == "TIMESTAMP_NS":
        return "timestamp"
    try:
        return from_duckdb(type_)
    except ValueError as error:
        raise EngineError(f"{url}: column '{name}': {error}") from None


def _described(session: Session, files: Files) -> list[tuple[str, str]]:
    """Names and DuckDB's types, the same for all files."""
    first: list[tuple[str, str]] | None = None
    for path in files.paths:
        found = _one(session, path)
        first = first or found
        if dict(found) != dict(first):
            raise EngineError(_differs(path, dict(found), dict(first)))
    assert first is not None
    return first


def _one(session: Session, path: str) -> list[tuple[str, str]]:
    query = f"DESCRIBE SELECT * FROM read_parquet({literal(escaped(path))}, hive_partitioning = false)"
    try:
        return [(row[0], row[1]) for row in session.run(query)]
    except EngineError as error:
        raise EngineError(f"{path} is no parquet file that can be read: {plain(str(error))}") from None


def _differs(path: str, found: dict[str, str], first: dict[str, str]) -> str:
    missing = [name for name in first if name not in found]
    more = [name for name in found if name not in first]
    both = [name for name in found if found[name] != first.get(name, found[name])]
    other = [f"{name} as {found[name]}, not {first[name]}" for name in both]
    kinds = (("lacks", missing), ("has also", more), ("has", other))
    told = [f"{word} {', '.join(names)}" for word, names in kinds if names]
    return f"{path} {' and '.join(told)}; the first of these files has the columns {', '.join(first)}"


class Broken:
    """A file that cannot be read whole."""

    def value(self, column: int, text: str) -> str:
        return text

    def broken(self, path: str, message: str) -> str:
        return f"{path}: {plain(message).partition(chr(10) * 2)[0]}"
