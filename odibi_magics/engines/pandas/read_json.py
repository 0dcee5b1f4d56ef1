"""json lines: one object a line; types are told from the first lines, then every value must fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.csv_text import SAMPLE_LINES, open_bytes
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.names import literal, quoted
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.strict import from_text, or_raise
from odibi_magics.engines.pandas.types import duckdb_type, from_duckdb
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting
from odibi_magics.secret import redact

_NUMBERS = "('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
_TIMES = ("date", "timestamp", "timestamp_ntz")
_SHOWN = 60


def describe_json(session: Session, source: Source, files: Files) -> tuple[Column, ...]:
    """The columns with their types: `schema:`, else told from the first lines. Raises EngineError."""
    if source.schema is not None:
        return source.schema
    lines = _sample(files)
    if not lines:
        raise EngineError(f"{files.url} is empty: no line tells its columns; give them in read: schema:")
    file = session.folder / f"{session.name('sample')}.jsonl"
    try:
        file.write_bytes(b"".join(lines))
        return _told(session, str(file), files)
    finally:
        file.unlink(missing_ok=True)


def scan_json(session: Session, source: Source, files: Files, columns: tuple[Column, ...]) -> Scan:
    """The files with columns as `describe_json` told. Values that do not fit raise EngineError with file and line."""
    number = session.failures.number()
    session.failures.add(number, files.paths, Explainer(session, files, columns))
    items = (_item(column, number, i) for i, column in enumerate(columns))
    return Scan(f"SELECT {', '.join(items)} FROM {_read(files.paths, columns)}", columns, files.pins())


def _item(column: Column, number: int, i: int) -> str:
    name, text = quoted(column.name), _text(column.name)
    return f"{or_raise(_value(column.type, name, text), text, number, i)} AS {name}"


def _text(name: str) -> str:
    """SQL for a JSON value's text; a JSON null comes out as NULL."""
    return f"({quoted(name)} ->> '$')"


def _value(type_: str, value: str, text: str) -> str:
    """SQL for a JSON value as a typed one; NULL where it does not fit."""
    if type_ == "string":
        return text
    if type_.startswith(("array", "map", "struct")):
        return f"TRY(json_transform_strict({value}, {literal(_structure(type_))}))"
    if type_ in _TIMES or type_ == "binary":
        return f"CASE WHEN json_type({value}) = 'VARCHAR' THEN {from_text(type_, text)} END"
    kinds = "('BOOLEAN')" if type_ == "boolean" else _NUMBERS
    return f"CASE WHEN json_type({value}) IN {kinds} THEN {from_text(type_, text)} END"


def _structure(type_: str) -> str:
    """The type as json_transform takes it."""
    from odibi_magics.engines.pandas.types import split

    kind, _, inner = type_.partition("<")
    if kind == "array":
        return f"[{_structure(inner[:-1])}]"
    if kind == "struct":
        fields = (field.partition(":") for field in split(inner[:-1]))
        return f"{{{', '.join(f'{json.dumps(name)}: {_structure(of)}' for name, _, of in fields)}}}"
    return json.dumps(duckdb_type(type_))


def _read(paths: Sequence[str], columns: Sequence[Column], more: str = "") -> str:
    fields = ", ".join(f"{literal(column.name)}: 'JSON'" for column in columns)
    return (
        f"read_json({literal([escaped(path) for path in paths])}, columns = {{{fields}}}, "
        f"format = 'newline_delimited', records = true, auto_detect = false, maximum_object_size = 16777216{more})"
    )


def _sample(files: Files) -> list[bytes]:
    lines: list[bytes] = []
    for path in files.paths:
        try:
            with open_bytes(path) as file:
                for line in file:
                    if len(lines) == SAMPLE_LINES:
                        return lines
                    if line.strip():
                        lines.append(line.rstrip(b"\r\n") + b"\n")
        except (OSError, EOFError) as error:
            raise EngineError(f"{path} cannot be read: {error}") from None
    return lines


def _told(session: Session, sample: str, files: Files) -> tuple[Column, ...]:
    read = f"read_json({literal(sample)}, format = 'newline_delimited', sample_size = {SAMPLE_LINES})"
    try:
        rows = session.run(f"DESCRIBE SELECT * FROM {read}")
    except EngineError as error:
        raise EngineError(_broken(files, str(error))) from None
    names = [row[0] for row in rows]
    if names == ["json"] and (wrong := _broken_line(files)):
        raise EngineError(wrong)
    _check_case(names, sample, files)
    columns = tuple(Column(row[0], _type(row[1])) for row in rows)
    fits = _fits(session, sample, columns)
    return tuple(
        column if fit else Column(column.name, "string") for column, fit in zip(columns, fits, strict=True)
    )


def _check_case(names: Sequence[str], sample: str, files: Files) -> None:
    """DuckDB renames a key that differs from another by case alone to `<key>_1`, which no line holds."""
    lowered = {name.lower() for name in names}
    for name in names:
        key, _, number = name.rpartition("_")
        if number.isdigit() and key.lower() in lowered and not _is_key(name, sample):
            raise EngineError(f"{files.url} has two keys '{key}', capitals aside; no table can have both")


def _is_key(name: str, sample: str) -> bool:
    with Path(sample).open("rb") as file:
        return any(name in json.loads(line) for line in file)


def _type(duckdb: str) -> str:
    """What has no counterpart, a time of day or only nulls, is text."""
    try:
        return from_duckdb(duckdb)
    except ValueError:
        return "string"


def _fits(session: Session, sample: str, columns: Sequence[Column]) -> tuple[bool, ...]:
    tests = (
        f"bool_and({_text(c.name)} IS NULL OR ({_value(c.type, quoted(c.name), _text(c.name))}) IS NOT NULL)"
        for c in columns
    )
    return session.run(f"SELECT {', '.join(tests)} FROM {_read([sample], columns)}")[0]


# Errors ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explainer:
    """Finds the line where a file does not fit, by reading it once more."""

    session: Session
    files: Files
    columns: Sequence[Column]

    def value(self, column: int, text: str) -> str:
        """File, line, column, value, and the type that was expected."""
        name, type_ = self.columns[column].name, self.columns[column].type
        where = self._where(name, type_, text)
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        return Quoting(
            f"{where}: '{name}' holds ",
            Data(redact(repr(shown))),
            f", which is no {type_}; give the columns' types in read: schema:",
        )

    def _where(self, name: str, type_: str, text: str) -> str:
        """The n-th record that is no empty line: the first whose value does not fit."""
        value, json_text = quoted(name), _text(name)
        for path in self.files.paths:
            read = _read([path], [Column(name, type_)])
            wrong = (
                f"({_value(type_, value, json_text)}) IS NULL AND starts_with({json_text}, {literal(text)})"
            )
            numbered = f"SELECT row_number() OVER () AS n, {value} FROM {read}"
            if found := self.session.run(f"SELECT n FROM ({numbered}) WHERE {wrong} ORDER BY n LIMIT 1"):
                return f"{path}, line {_nth_line(path, found[0][0])}"
        return self.files.url

    def broken(self, path: str, message: str) -> str:
        """A line that is no object."""
        return _broken(self.files, message)


def _broken(files: Files, message: str) -> str:
    return _broken_line(files) or Quoting(f"{files.url}: ", plain(message))


def _broken_line(files: Files) -> str | None:
    """The first line that is no JSON object, in words."""
    for path in files.paths:
        if (found := _first_line(path, _no_object)) is not None:
            number, line = found
            shown = line.strip()[:_SHOWN].decode("utf-8", "replace")
            array = ": a whole document, not lines" if shown.startswith("[") and number == 1 else ""
            return Quoting(
                f"{path}, line {number}: ",
                Data(redact(repr(shown))),
                f" is no JSON object{array}; expected one object a line",
            )
    return None


def _no_object(line: bytes) -> bool:
    try:
        return not isinstance(json.loads(line), dict)
    except ValueError:
        return True


def _first_line(path: str, wrong: Callable[[bytes], Any]) -> tuple[int, bytes] | None:
    with open_bytes(path) as file:
        return next(((n, line) for n, line in enumerate(file, 1) if line.strip() and wrong(line)), None)


def _nth_line(path: str, n: int) -> int:
    """The line of the n-th record."""
    with open_bytes(path) as file:
        filled = (number for number, line in enumerate(file, 1) if line.strip())
        return next(number for record, number in enumerate(filled, 1) if record == n)
