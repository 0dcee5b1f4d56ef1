"""csv: one rule for types, then every value must fit."""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from odibi_magics.config.dump import in_one_line
from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.csv_text import (
    LONGEST_LINE,
    SAMPLE_LINES,
    Dialect,
    check_escapes,
    find_line,
    first_record,
    header_names,
    long_line,
    misquoted_record,
    not_encoded,
    other_delimiter,
    other_end,
    sample,
)
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped, made
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.strict import TOLD, Formats, checked, from_text, told, too_long
from odibi_magics.engines.pandas.trees import File
from odibi_magics.engines.pandas.types import empty_table
from odibi_magics.errors import EngineError, suggest
from odibi_magics.quoting import Data, Quoting
from odibi_magics.secret import redact

# What the sniffer may find; other kinds of text (a time of day) stay text.
_CANDIDATES = ["BOOLEAN", "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "TIMESTAMPTZ", "VARCHAR"]
_LONG = "decimal(38,0)"

# What a column may be where the sniffer found this. It has one pattern for all dates of a file, so that beside
# 31/12/2024 it takes 2024-12-31 for a timestamp. Whole numbers too long for a bigint are doubles to it; as such they
# would lose their last digits.
_LIKELY = {
    "BOOLEAN": ("boolean",), "BIGINT": ("bigint",), "DOUBLE": (_LONG, "double"), "DATE": ("date",),
    "TIMESTAMP": ("date", "timestamp"), "TIMESTAMP WITH TIME ZONE": ("date", "timestamp"),
}  # fmt: skip
_SHOWN = 60

# DuckDB's buffers are 16 times the longest line unless they are given, and a file of fewer buffers than cores is read
# by few of them.
_BUFFERS = f"max_line_size = {LONGEST_LINE}, buffer_size = {2 * LONGEST_LINE}"


@dataclass(frozen=True)
class Group:
    """Files whose columns stand in the same order.

    skip: empty lines before the header, which DuckDB would take for it.
    """

    names: tuple[str, ...]
    files: Files
    skip: int = 0


def describe_csv(session: Session, source: Source, files: Files) -> tuple[Column, ...]:
    """The columns with their types: `schema:`, else text with `infer: false`, else told from the first lines.

    Raises EngineError.
    """
    dialect = Dialect.of(source.options, source.place.path)
    return _columns(session, source, dialect, grouped(source, files, dialect))


def scan_csv(session: Session, source: Source, files: Files, columns: tuple[Column, ...]) -> Scan:
    """The files with columns as `describe_csv` told. Values that do not fit raise EngineError with file and line."""
    dialect = Dialect.of(source.options, source.place.path)
    groups = grouped(source, files, dialect)
    if dialect.escape not in ("", dialect.quote):
        for file in files.files:
            check_escapes(file, dialect)
    queries = [_query(session, source, dialect, group, columns) for group in groups if group.files.paths]
    if not queries:
        queries = [empty_table(columns)]
    return Scan("\nUNION ALL\n".join(queries), columns, files.pins())


def _query(
    session: Session, source: Source, dialect: Dialect, group: Group, columns: Sequence[Column]
) -> str:
    number = session.failures.number()
    formats = replace(formats_of(source.options), inferred=source.schema is None)
    explainer = Explainer(weakref.proxy(session), dialect, group, columns, formats.inferred)
    session.failures.add(number, group.files.paths, explainer)
    items = []
    for i, column in enumerate(columns):
        text = quoted(column.name)
        value = text if column.type == "string" else checked(column.type, text, formats, number, i)
        items.append(f"{value} AS {text}")
    return f"SELECT {', '.join(items)} FROM {_read(dialect, group)}"


def _read(dialect: Dialect, group: Group, more: str = "") -> str:
    """read_csv with every setting given, so that nothing is guessed; all columns as text."""
    fields = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in group.names)
    alone = len(group.names) == 1
    nulls = [""] if alone else list(dict.fromkeys(["", dialect.null_value]))
    paths = literal([escaped(path) for path in group.files.paths])
    read = (
        f"read_csv({paths}, columns = {{{fields}}}, auto_detect = false, "
        f"{_settings(dialect)}, header = {literal(dialect.header)}, skip = {group.skip}, nullstr = {literal(nulls)}, "
        f"allow_quoted_nulls = {literal(not alone)}, strict_mode = true{more})"
    )
    if not alone:
        return read
    # An empty line is no record, but in DuckDB it is one of one column; quotes with nothing in them are one.
    name = quoted(group.names[0])
    value = f"nullif(nullif({name}, ''), {literal(dialect.null_value)})"
    return f"(SELECT * REPLACE ({value} AS {name}) FROM {read} WHERE {name} IS NOT NULL)"


def _settings(dialect: Dialect) -> str:
    escape = dialect.escape or dialect.quote
    return (
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(escape)}, "
        f"encoding = {literal(dialect.encoding)}, comment = '', {_BUFFERS}"
    )


def formats_of(options: Mapping[str, Any]) -> Formats:
    """How the options write dates and timestamps. Raises EngineError for what is no pattern."""
    (date, date_shape), (timestamp, timestamp_shape) = (
        _strptime(options, key) for key in ("date_format", "timestamp_format")
    )
    return Formats(date, timestamp, date_shape, timestamp_shape)


def _strptime(options: Mapping[str, Any], key: str) -> tuple[str, str]:
    """The option's pattern, in Java's letters as Spark has them, in strptime's, and the shape of its texts."""
    from odibi_magics.sql.patterns import read

    pattern = options.get(key)
    if not pattern:
        return "", ""
    found = read(str(pattern))
    if found is None:
        raise EngineError(
            f"the csv option {key}: '{pattern}' is no pattern such as dd.MM.yyyy or yyyy-MM-dd HH:mm:ss"
        )
    return found


# Columns --------------------------------------------------------------------------------------------------------------


def grouped(source: Source, files: Files, dialect: Dialect) -> list[Group]:
    """The files by the order of their columns; empty files hold no rows and are left out."""
    orders: dict[tuple[tuple[str, ...], int], list[File]] = {}
    first: tuple[str, ...] | None = None
    for file in files.files:
        found = first_record(file, dialect)
        if found is None:
            continue
        empty, record = found
        where = f"{file.path}, line {empty + 1}"
        if "delimiter" not in source.options and (other := other_delimiter(record)):
            raise EngineError(f"{where}: one column with {other!r} in it: options: {{delimiter: {other!r}}}?")
        names = header_names(record, dialect, where)
        if not dialect.header and source.schema:
            names = _positional(where, source.schema, names)
        first = first or names
        orders.setdefault((_same(file.path, names, first), empty * dialect.header), []).append(file)
    if not orders and source.schema is None:
        raise EngineError(f"{files.url} is empty: no line tells its columns; give them in read: schema:")
    return [Group(names, Files(files.url, tuple(found)), skip) for (names, skip), found in orders.items()]


def _positional(where: str, schema: Sequence[Column], names: Sequence[str]) -> tuple[str, ...]:
    if len(schema) != len(names):
        raise EngineError(f"{where}: {len(names)} columns, but schema: names {len(schema)}")
    return tuple(column.name for column in schema)


def _same(path: str, names: tuple[str, ...], first: tuple[str, ...]) -> tuple[str, ...]:
    """The names as the first file spells them. Raises EngineError where they are others."""
    spelled = {name.lower(): name for name in first}
    missing = [name for name in first if name.lower() not in {other.lower() for other in names}]
    more = [name for name in names if name.lower() not in spelled]
    if missing or more:
        told = [f"lacks {_listed(missing)}"] * bool(missing) + [f"has also {_listed(more)}"] * bool(more)
        raise EngineError(
            f"{path} {' and '.join(told)}; the first of these files has the columns {_listed(first)}"
        )
    return tuple(spelled[name.lower()] for name in names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (" …" if len(names) > 20 else "")


def _columns(
    session: Session, source: Source, dialect: Dialect, groups: Sequence[Group]
) -> tuple[Column, ...]:
    if source.schema is not None:
        if groups:
            _check_schema(source.schema, groups[0])
        return source.schema
    names = groups[0].names
    if not source.infer:
        return tuple(Column(name, "string") for name in names)
    return _told(session, source, dialect, groups[0])


def _check_schema(schema: Sequence[Column], group: Group) -> None:
    """Raises EngineError where `schema:` and the header name different columns, or a type csv cannot hold."""
    path = group.files.paths[0]
    given = {column.name: column.type for column in schema}
    for name, type_ in given.items():
        if type_.startswith(("array", "map", "struct")):
            raise EngineError(
                f"schema: {name} {type_}: csv holds no {type_.partition('<')[0]}; read it as string"
            )
        if name not in group.names:
            raise EngineError(
                f"{path} has no column '{name}', which schema: names ({suggest(name, group.names)})"
            )
    if more := [name for name in group.names if name not in given]:
        raise EngineError(f"{path} has columns that schema: does not name: {_listed(more)}")


def _told(session: Session, source: Source, dialect: Dialect, group: Group) -> tuple[Column, ...]:
    """Types by DuckDB's sniffer on the first lines; text where our strict reading of the same lines would fail."""
    text = _sample(group, dialect)
    names = group.names
    if not text:
        return tuple(Column(name, "string") for name in names)
    path = session.folder / f"{session.name('sample')}.csv"
    try:
        # Columns are numbered here: the sniffer takes names with spaces or keywords for something else.
        header = dialect.delimiter.join(f"c{i}" for i in range(len(names)))
        path.write_text(f"{header}\n{text}", encoding="utf-8", newline="")
        found = _sniffed(session, dialect, path, names, formats_of(source.options))
    finally:
        path.unlink(missing_ok=True)
    return found


def _sample(group: Group, dialect: Dialect) -> str:
    left = SAMPLE_LINES
    parts = []
    for file in group.files.files:
        parts.append(sample(file, dialect, left))
        left -= parts[-1].count("\n")
        if left <= 0:
            break
    return "".join(parts)


def _sniffed(
    session: Session, dialect: Dialect, path: Path, names: Sequence[str], formats: Formats
) -> tuple[Column, ...]:
    plain_text = replace(dialect, encoding="utf-8", header=True)
    nulls = list(dict.fromkeys(["", dialect.null_value]))
    sniff = (
        f"SELECT Columns FROM sniff_csv({literal(str(path))}, {_settings(plain_text)}, header = true, "
        f"nullstr = {literal(nulls)}, sample_size = {SAMPLE_LINES}, auto_type_candidates = {literal(_CANDIDATES)})"
    )
    try:
        found = session.run(sniff)[0][0]
    except EngineError:
        found = []
    if len(found) != len(names):  # ragged lines, which the reading itself tells of with file and line
        return tuple(Column(name, "string") for name in names)
    by_pattern = ("date",) * bool(formats.date) + ("timestamp",) * bool(formats.timestamp)
    likely = [_LIKELY.get(column["type"], by_pattern) for column in found]
    types = _fitting(session, plain_text, path, likely, formats)
    return tuple(Column(name, type_) for name, type_ in zip(names, types, strict=True))


def _fitting(
    session: Session, dialect: Dialect, path: Path, likely: Sequence[Sequence[str]], formats: Formats
) -> list[str]:
    """Of each column's likely types the first one that all values of the sample fit as they will be read, else text."""
    texts = [quoted(f"c{i}") for i in range(len(likely))]
    choices = []
    for text, types in zip(texts, likely, strict=True):
        fits = (
            f"WHEN bool_and({text} IS NULL OR {_fits(type_, text, formats)}) THEN '{type_}'"
            for type_ in types
        )
        choices.append(f"CASE WHEN count({text}) = 0 THEN 'string' {' '.join(fits)} ELSE 'string' END")
    read = _read(dialect, Group(tuple(f"c{i}" for i in range(len(likely))), made(path)))
    return list(session.run(f"SELECT {', '.join(choices)} FROM {read}")[0])


def _fits(type_: str, text: str, formats: Formats) -> str:
    fits = f"({from_text(type_, text, formats)}) IS NOT NULL"
    if type_ == _LONG:
        return f"NOT contains({text}, '.') AND {fits}"
    if type_ == "double":
        return f"NOT {too_long(text)} AND {fits}"
    return fits


# Errors ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explainer:
    """Finds the line where a file does not fit, by reading it once more: slow, but only where a run has failed.

    session: a proxy, for the session holds its explainers, and is to go with all its data once nobody holds it.
    inferred: whether the types of the columns were.
    """

    session: Session
    dialect: Dialect
    group: Group
    columns: Sequence[Column]
    inferred: bool

    def value(self, column: int, text: str) -> str:
        """File, line, column, value, and the type that was expected."""
        name, type_ = self.columns[column].name, self.columns[column].type
        file = self._file(name, text)
        at = self.group.names.index(name)
        found = find_line(file, self.dialect, lambda record: len(record) > at and record[at][:TOLD] == text)
        where = f"{file.path}, line {found[0]}" if found else file.path
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return Quoting(
            f"{where}: column '{name}' holds ",
            Data(redact(repr(shown))),
            f", which is no {type_}; {self._remedy(name)}",
        )

    def _remedy(self, name: str) -> str:
        if not self.inferred:
            return "schema: gives that type, string would take it"
        types = {column.name: "string" if column.name == name else column.type for column in self.columns}
        told = f"types come from the first {SAMPLE_LINES:,} lines"
        return (
            f"{told}: give them in read: schema: {in_one_line(types)}, or read all as text with infer: false"
        )

    def _file(self, name: str, text: str) -> File:
        if len(self.group.files.files) == 1:
            return self.group.files.files[0]
        read = _read(self.dialect, self.group, ", filename = true")
        query = f"SELECT filename FROM {read} WHERE {told(quoted(name))} = {literal(text)} LIMIT 1"
        return self.group.files[self.session.run(query)[0][0]]

    def broken(self, path: str, message: str) -> str:
        """Ragged lines, open quotes, other ends of lines, bytes of another encoding."""
        file = self.group.files[path]
        if "unicode" in message or "encod" in message.partition("\n\n")[0]:
            return not_encoded(file, self.dialect)
        if "Maximum line size" in message and (long := long_line(file, self.dialect)):
            return f"{path}, line {long}: a record of more than {LONGEST_LINE // 2**20} MiB; is a quote never closed?"
        expected = len(self.group.names)
        if "Number of Columns" not in message and (other := other_end(file, self.dialect)):
            return other
        if found := find_line(file, self.dialect, lambda record: len(record) != expected):
            line, record = found
            fields = "1 field" if len(record) == 1 else f"{len(record)} fields"
            return f"{path}, line {line}: {fields}, expected {expected}"
        if misquoted := misquoted_record(file, self.dialect):
            return misquoted
        return Quoting(f"{path}: ", plain(re.split(r"\n\s*(?:\n|Possible fixes)", message)[0]))
