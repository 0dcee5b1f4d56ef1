"""parquet: DuckDB reads it, with filters and columns pushed down; instants lose their zone without ICU."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.strict import or_raise
from odibi_magics.engines.pandas.types import duckdb_type, from_duckdb, is_field_name
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting

_ZONED = "TIMESTAMP WITH TIME ZONE"
_NANOSECONDS = ("TIMESTAMP_NS", "TIMESTAMPTZ_NS")
_ONLY_NULLS = '"NULL"'
_UNTYPED = re.compile(r'"NULL"(?! )')  # before a space it is a name
_DIGITS = 38

# Bounds in footers leave NaN out, which is above every number: without this a row group of 1 and NaN has none above 1.
READ = "hive_partitioning = false, can_have_nan = true"


def scan_parquet(session: Session, source: Source, files: Files) -> Scan:
    """The files; all must have the same columns and types. Raises EngineError naming file and columns."""
    number = session.failures.number()
    if source.schema is not None:
        session.failures.add(number, files.paths, Broken(files.url, source.schema))
        return Scan(from_files(source.schema, files.paths), source.schema, files.pins(), plain=True)
    described = _described(session, files)
    columns = tuple(Column(name, _type(files.url, name, type_)) for name, type_ in described.items())
    session.failures.add(number, files.paths, Broken(files.url, columns))
    items = (
        _whole_microseconds(column, number, i) if type_ in _NANOSECONDS else relabelled(column, type_)
        for i, (column, type_) in enumerate(zip(columns, described.values(), strict=True))
    )
    paths = literal([escaped(path) for path in files.paths])
    # By name, because files may hold the same columns in another order.
    by_name = ", union_by_name = true" if len(files.paths) > 1 else ""
    sql = f"SELECT {', '.join(items)} FROM read_parquet({paths}, {READ}{by_name})"
    return Scan(sql, columns, files.pins(), plain=True)


FILE_NAME = quoted("odibi file name")
ROW_NUMBER = "file_row_number"  # DuckDB's own name for it


def from_files(
    columns: Sequence[Column],
    paths: Sequence[str],
    items: Mapping[str, str] | None = None,
    *,
    deleted: str = "",
    alike: bool = False,
) -> str:
    """A query over files whose columns are known, so that none is opened before its rows are wanted.

    Columns that a file lacks are NULL. items: SQL for columns that stand in no file; it may use FILE_NAME.
    deleted: a table of rows to leave out, by `file` and `row`, its number in the file from 0.
    alike: as `footers.are_alike` has it. Then DuckDB opens the first file for how many rows there are, which it takes
    for none otherwise: TPC-H's joins, in whatever order, took up to four times as long.
    """
    items = items or {}
    stored = ", ".join(_stored(column) for column in columns if column.name not in items)
    selected = (f"{items.get(c.name) or relabelled(c, stored_type(c))}" for c in columns)
    names = literal([escaped(path) for path in paths])
    schema = "" if alike else f", schema = MAP {{{stored}}}"
    known = f"{READ}{schema}, filename = 'odibi file name'"
    if not deleted:
        return f"SELECT {', '.join(selected)} FROM read_parquet({names}, {known})"
    gone = f"ANTI JOIN {quoted(deleted)} gone ON {FILE_NAME} = gone.file AND {ROW_NUMBER} = gone.row"
    return f"SELECT {', '.join(selected)} FROM read_parquet({names}, {known}, {ROW_NUMBER} = true) {gone}"


def _stored(column: Column) -> str:
    name = literal(column.name)
    return f"{name}: {{'name': {name}, 'type': {literal(stored_type(column))}, 'default_value': NULL}}"


def stored_type(column: Column) -> str:
    return _ZONED if column.type == "timestamp" else duckdb_type(column.type)


def relabelled(column: Column, type_: str) -> str:
    """A column of DuckDB's `type_` as one of the language's type; instants keep their microseconds."""
    name = quoted(column.name)
    if type_ == _ZONED:
        return f"make_timestamp(epoch_us({name})) AS {name}"
    if type_ == duckdb_type(column.type):
        return name
    return f"CAST({name} AS {duckdb_type(column.type)}) AS {name}"


def _whole_microseconds(column: Column, number: int, i: int) -> str:
    """A column of nanoseconds; what no `timestamp` holds raises with a ticket."""
    name = quoted(column.name)
    whole = f"CASE WHEN epoch_ns({name}) % 1000 = 0 THEN make_timestamp(epoch_ns({name}) // 1000) END"
    return f"{or_raise(whole, f'CAST({name} AS VARCHAR)', number, i)} AS {name}"


def _type(url: str, name: str, type_: str) -> str:
    if type_ in _NANOSECONDS:
        return "timestamp"
    try:
        return from_duckdb(_UNTYPED.sub("VARCHAR", type_))  # any type would hold only NULLs; as of json
    except ValueError as error:
        raise EngineError(f"{url}: column '{name}': {error}") from None


# Footers --------------------------------------------------------------------------------------------------------------


def _described(session: Session, files: Files) -> dict[str, str]:
    """Names and DuckDB's types, the same for all files; where one holds only NULLs, the others tell the type."""
    found = {path: _columns(session, path) for path in files.paths}
    first = dict(found[files.paths[0]])
    for types in found.values():
        first |= {name: types.get(name, type_) for name, type_ in first.items() if type_ == _ONLY_NULLS}
    for path, types in found.items():
        own = {
            name: type_ if type_ != _ONLY_NULLS else first.get(name, type_) for name, type_ in types.items()
        }
        if own != first:
            raise EngineError(differs(path, own, first))
    return first


class _Element(NamedTuple):
    """A column or a field inside one, as a footer lists it: each before its children."""

    name: str
    type: str | None
    precision: int
    children: int


def _columns(session: Session, path: str) -> dict[str, str]:
    """Names and DuckDB's types. Raises EngineError for a file that has columns no table can have."""
    items = "name, duckdb_type, coalesce(precision, 0), coalesce(num_children, 0)"
    try:
        rows = session.run(f"SELECT {items} FROM parquet_schema({literal(escaped(path))})")
    except EngineError as error:
        said = plain(str(error))
        raise EngineError(Quoting(f"{path} is no parquet file that can be read: ", said)) from None
    elements = (_Element(*row) for row in rows)
    return _members(path, next(elements), elements)


def _members(path: str, parent: _Element, elements: Iterator[_Element], inside: str = "") -> dict[str, str]:
    """The names and types of what stands in a group; DuckDB would give some other names, and round long decimals."""
    found: dict[str, str] = {}
    lowered: dict[str, str] = {}
    for element in itertools.islice(elements, parent.children):
        name = inside + element.name
        if not element.name:
            raise EngineError(f"{path}: the name of column {name}{len(found) + 1} is empty")
        if inside and not is_field_name(element.name):
            raise EngineError(f"{path}: no type can hold the name of the field '{name}'")
        if twice := lowered.get(element.name.lower()):
            raise EngineError(f"{path} has two columns '{twice}' and '{name}', and SQL knows no capitals")
        if element.precision > _DIGITS:
            raise EngineError(
                f"{path}: column '{name}' has {element.precision} digits, a decimal at most {_DIGITS}"
            )
        _members(path, element, elements, f"{name}.")
        found[element.name] = element.type or ""
        lowered[element.name.lower()] = name
    return found


def differs(path: str, found: dict[str, str], first: dict[str, str]) -> str:
    """What a file has that the first of them has not, and the other way round."""
    missing = [name for name in first if name not in found]
    more = [name for name in found if name not in first]
    both = [name for name in found if found[name] != first.get(name, found[name])]
    other = [f"{name} as {found[name]}, not {first[name]}" for name in both]
    kinds = (("lacks", missing), ("has also", more), ("has", other))
    told = [f"{word} {', '.join(names)}" for word, names in kinds if names]
    return f"{path} {' and '.join(told)}; the first of these files has the columns {', '.join(first)}"


@dataclass(frozen=True)
class Broken:
    """A file that cannot be read whole, or holds what its column cannot."""

    url: str
    columns: Sequence[Column]

    def value(self, column: int, text: str) -> str:
        name = self.columns[column].name
        what = ", and a timestamp has microseconds, no nanoseconds"
        return Quoting(f"{self.url}: column '{name}' holds ", Data(text), what)

    def broken(self, path: str, message: str) -> str:
        return Quoting(f"{path}: ", plain(message.partition("\n\n")[0]))
