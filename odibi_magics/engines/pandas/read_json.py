"""json lines: one object a line; types are told from the first lines, then every value must fit, and every key."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.csv_text import SAMPLE_LINES
from odibi_magics.engines.pandas.failures import plain
from odibi_magics.engines.pandas.files import Files, escaped
from odibi_magics.engines.pandas.json_text import LONGEST, lines, parsed, sample, told
from odibi_magics.engines.pandas.json_values import Spot, Taker
from odibi_magics.engines.pandas.names import literal
from odibi_magics.engines.pandas.scan import Scan
from odibi_magics.engines.pandas.session import Session
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting
from odibi_magics.secret import redact

_SHOWN = 60


def describe_json(source: Source, files: Files) -> tuple[Column, ...]:
    """The columns with their types: `schema:`, else told from the first lines. Raises EngineError."""
    if source.schema is None:
        return told(files.url, files.files)
    _check_spelling(source.schema, files)
    return source.schema


def _check_spelling(schema: Sequence[Column], files: Files) -> None:
    """A key may be missing in all lines; one that is there with other capitals is not what was meant."""
    keys = {key for path, number, line in sample(files.files) for key in parsed(path, number, line)}
    lowered = {key.lower(): key for key in keys}
    for column in schema:
        if column.name not in keys and (other := lowered.get(column.name.lower())):
            raise EngineError(f"schema: names '{column.name}', which is '{other}' in {files.url}")


def scan_json(session: Session, source: Source, files: Files, columns: tuple[Column, ...]) -> Scan:
    """The files with columns as `describe_json` told. Values that do not fit raise EngineError with file and line.

    So do keys that were not in the first lines, unless `schema:` or `columns:` say which ones are wanted.
    """
    number = session.failures.number()
    taker = Taker(number, only=source.schema is not None)
    sql = taker.query(columns, _read(files.paths), only=bool(source.schema or source.columns))
    session.failures.add(number, files.paths, Explainer(weakref.proxy(session), files, taker.spots))
    return Scan(sql, columns, files.pins())


def _read(paths: Sequence[str]) -> str:
    """The lines' objects, as column `json`."""
    listed = literal([escaped(path) for path in paths])
    return f"read_json_objects({listed}, format = 'newline_delimited', maximum_object_size = {LONGEST})"


# Errors ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Explainer:
    """Finds the line where a file does not fit, by reading it once more."""

    session: Session
    files: Files
    spots: Sequence[Spot]

    def value(self, column: int, text: str) -> str:
        """File, line, key, value, and the type that was expected."""
        spot = self.spots[column]
        found = self._line(spot, text)
        where = f"{found[0]}, line {found[1]}" if found else self.files.url
        if spot.type:
            return misfit(where, spot, text)
        return (found and refusal(*found)) or stranger(where, spot, text)

    def _line(self, spot: Spot, text: str) -> tuple[str, int, bytes] | None:
        """The first line that does not fit there, with its file and number: the n-th that is not empty."""
        for file in self.files.files:
            numbered = f"SELECT row_number() OVER () AS n, json FROM {_read([file.path])}"
            query = f"SELECT n FROM ({numbered}) WHERE {spot.anywhere('json', text)} ORDER BY n LIMIT 1"
            if found := self.session.run(query):
                return file.path, *next(itertools.islice(lines(file), found[0][0] - 1, None))
        return None

    def broken(self, path: str, message: str) -> str:
        """A line that is no object."""
        refusals = (refusal(path, number, line) for number, line in lines(self.files[path]))
        return next(filter(None, refusals), None) or Quoting(f"{path}: ", plain(message))


def refusal(path: str, number: int, line: bytes) -> str | None:
    """Why a line is no object that can be read; None where it is one."""
    try:
        parsed(path, number, line)
    except EngineError as error:
        return error.text
    return None


def misfit(where: str, spot: Spot, text: str) -> str:
    """What to say of a value that is none of its type."""
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    rounded = spot.type.startswith("decimal") and "." in text
    digits = " (numbers with a point keep 15 digits, texts all)" if rounded else ""
    return Quoting(
        f"{where}: '{spot.name}' holds ",
        Data(redact(repr(shown))),
        f", which is no {spot.type}{digits}; give the columns' types in read: schema:",
    )


def stranger(where: str, spot: Spot, key: str) -> str:
    """What to say of a key that has no type."""
    inside, by = (f" of '{spot.name}'", "schema:") if spot.name else ("", "columns: or schema:")
    return Quoting(
        f"{where}: the key ",
        Data(redact(repr(key))),
        f"{inside} is in none of the first {SAMPLE_LINES:,} lines, so that it has no type; "
        f"name what is to be read in read: {by}",
    )
