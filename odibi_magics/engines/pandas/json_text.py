"""json lines as text: the sample that types are told from, and why a line is refused."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.csv_text import SAMPLE_LINES, open_bytes
from odibi_magics.engines.pandas.trees import File
from odibi_magics.engines.pandas.types import is_field_name
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting
from odibi_magics.secret import redact

LONGEST = 16 * 2**20  # bytes of a line
_NESTED = 1_000  # arrays and objects in each other, as many as Spark reads
_SHOWN = 60


def lines(file: File) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not empty, each with its number. Raises EngineError."""
    try:
        with open_bytes(file) as found:
            yield from ((number, line) for number, line in enumerate(found, 1) if line.strip())
    except (OSError, EOFError) as error:
        raise EngineError(f"{file.path} cannot be read: {error}") from None


def sample(files: Sequence[File]) -> Iterator[tuple[str, int, bytes]]:
    """The lines that types are told from, each with its file and number. Raises EngineError."""
    left = SAMPLE_LINES
    for file in files:
        for number, line in lines(file):
            if not left:
                return
            left -= 1
            yield file.path, number, line


def parsed(path: str, number: int, line: bytes) -> dict[str, Any]:
    """A line's object. Raises EngineError with file, line and what is wrong; DuckDB would not say, or take it."""
    where = f"{path}, line {number}"
    if line.startswith(codecs.BOM_UTF8):
        raise EngineError(
            f"{where}: it begins with a byte order mark (BOM): save the file as utf-8 without one"
        )
    if len(line) > LONGEST:
        raise EngineError(f"{where}: it is longer than {LONGEST // 2**20} MiB")
    try:
        found = json.loads(line.decode(), object_pairs_hook=_object)
        if b"\\u" in line:
            json.dumps(found, ensure_ascii=False).encode()  # JSON allows half a character, utf-8 does not
        if line.count(b"[") + line.count(b"{") > _NESTED and _is_deep(found):
            raise RecursionError  # Python's own bound is another in each version, from 1,000 to 10,000
    except UnicodeDecodeError:
        raise EngineError(f"{where}: not utf-8") from None
    except UnicodeEncodeError:
        raise EngineError(f"{where}: a \\u escape stands for half a character") from None
    except RecursionError:
        raise EngineError(f"{where}: nested too deeply") from None
    except _Twice as twice:
        raise EngineError(
            Quoting(f"{where}: the key ", _quoted(str(twice)), " stands twice in one object")
        ) from None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EngineError(_no_object(where, line, number))
    return found


def _is_deep(found: Any) -> bool:
    level = [found]
    for _ in range(_NESTED):
        inner = (outer.values() if isinstance(outer, dict) else outer for outer in level)
        level = [value for values in inner for value in values if isinstance(value, (dict, list))]
        if not level:
            return False
    return True


class _Twice(Exception):
    """A key that stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return found


def _no_object(where: str, line: bytes, number: int) -> str:
    shown = line.strip()[:_SHOWN].decode("utf-8", "replace")
    array = ": a whole document, not lines" if shown.startswith("[") and number == 1 else ""
    return Quoting(f"{where}: ", _quoted(shown), f" is no JSON object{array}; expected one object a line")


def _quoted(text: str) -> Data:
    return Data(redact(repr(text)))


# Types ----------------------------------------------------------------------------------------------------------------

# Values further down, and objects of more keys, stay text; lines of more keys are refused.
_DEEPEST = 20
_WIDEST = 1_000
_COLUMNS = 10_000

# A type where all kinds of values seen are among these. Of whole numbers, "long" is what a double would round.
_TYPES = {
    "boolean": {"boolean"},
    "bigint": {"bigint", "long"},
    "decimal(38,0)": {"bigint", "long", "decimal(38,0)"},
    "double": {"bigint", "double"},
    "date": {"date"},
    "timestamp": {"date", "timestamp"},
}

_WHOLE = {"bigint": 2**53, "long": 2**63, "decimal(38,0)": 10**38}

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    rf"{_DAY.pattern}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?"
)


def told(url: str, files: Sequence[File]) -> tuple[Column, ...]:
    """The columns, by the first lines of these files. Raises EngineError with file and line."""
    seen = _Seen()
    for path, number, line in sample(files):
        try:
            seen.add(parsed(path, number, line))
        except ValueError as error:
            raise EngineError(f"{path}, line {number}: {error}") from None
    if not seen.fields:
        raise EngineError(f"{url} is empty: no line tells its columns; give them in read: schema:")
    return tuple(Column(name, field.type) for name, field in seen.fields.items())


class _Seen:
    """What was seen at one place of the sample's objects: kinds of values, keys of objects, items of arrays."""

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.kinds: set[str] = set()
        self.fields: dict[str, _Seen] = {}
        self.lowered: dict[str, str] = {}
        self.items: _Seen | None = None

    def add(self, value: Any, depth: int = 0) -> None:
        """Takes note of one value. Raises ValueError for keys that no column or field can have."""
        if isinstance(value, dict) and depth < _DEEPEST:
            self.kinds.add("struct")
            for name, member in value.items():
                (self.fields.get(name) or self._field(name)).add(member, depth + 1)
        elif isinstance(value, list) and depth < _DEEPEST:
            self.kinds.add("array")
            self.items = self.items or _Seen(self.path)
            for item in value:
                self.items.add(item, depth + 1)
        elif value is not None and "string" not in self.kinds:
            self.kinds.add(_kind(value))

    def _field(self, name: str) -> _Seen:
        """A new field."""
        path = f"{self.path}.{name}" if self.path else name
        if not name or "\0" in name:
            raise ValueError(f"the key {path!r} is no name")
        if (twin := self.lowered.setdefault(name.lower(), name)) != name:
            raise ValueError(f"the key '{path}' stands beside '{twin}', and SQL knows no capitals")
        if not self.path and len(self.fields) == _COLUMNS:
            raise ValueError(f"'{path}' is one key more than {_COLUMNS:,}: name the columns in read: schema:")
        return self.fields.setdefault(name, _Seen(path))

    @property
    def type(self) -> str:
        """The type of all these values."""
        if self.kinds == {"array"} and self.items:
            return f"array<{self.items.type}>"
        if (
            self.kinds == {"struct"}
            and 0 < len(self.fields) <= _WIDEST
            and all(map(is_field_name, self.fields))
        ):
            return f"struct<{','.join(f'{name}:{field.type}' for name, field in self.fields.items())}>"
        fitting = (type_ for type_, kinds in _TYPES.items() if self.kinds and self.kinds <= kinds)
        return next(fitting, "string")


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        fitting = (kind for kind, bound in _WHOLE.items() if -bound <= value < bound)
        return next(fitting, "string")
    if isinstance(value, float):
        return "double"
    return _text(value) if isinstance(value, str) else "string"


def _text(value: str) -> str:
    try:
        if _DAY.fullmatch(value):
            date.fromisoformat(value)
            return "date"
        if _MOMENT.fullmatch(value):
            datetime.fromisoformat(value)
            return "timestamp"
    except ValueError:  # 2024-13-01
        pass
    return "string"
