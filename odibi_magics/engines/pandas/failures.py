"""What DuckDB and Arrow raise, in our words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from odibi_magics.engines.pandas.arisen import arisen
from odibi_magics.engines.pandas.files import unescaped
from odibi_magics.engines.pandas.strict import TICKET
from odibi_magics.errors import Cancelled, EngineError, OdibiError
from odibi_magics.quoting import Data, Quoting

# DuckDB's own first words, also where its error comes out of an Arrow stream as an OSError.
_KIND = re.compile(r"(?:INTERRUPT|[A-Z][A-Za-z -]+) Error: ")
_EXCERPT = re.compile(r"\n\s*LINE \d+:.*", re.DOTALL)
_TICKET = re.compile(rf"{TICKET}:(\d+):(\d+):(.*)", re.DOTALL)
_ENCODED = re.compile(r"File is not [\w-]+ encoded")
_READING = re.compile(r"odibi-reading:(\d+)\.")
_FILE = re.compile(
    r'\bin file "([^"]+)"|^\s*file = (.+)$|while reading file "([^"]+)"|'
    r"""match the pattern "([^"]+)"|\b[Ff]ile '([^']+)'""",
    re.MULTILINE,
)


class Explainer(Protocol):
    """A source that knows its files: it finds where in them something does not fit."""

    def value(self, column: int, text: str) -> str:
        """What is wrong with a value of a column; `text` is its beginning."""

    def broken(self, path: str, message: str) -> str:
        """What is wrong with a file that could not be read; `message` is DuckDB's."""


class Failures:
    """The explainers of one DuckDB instance."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._by_number: dict[int, tuple[Explainer, str]] = {}
        self._by_path: dict[str, Explainer] = {}
        self._reading: list[BaseException] = []

    def number(self) -> int:
        """A number for a source, to go into its SQL."""
        return next(self._numbers)

    def add(self, number: int, paths: Sequence[str], explainer: Explainer) -> None:
        """Errors with the source's number, or in its files, are told by `explainer`."""
        self._by_number[number] = explainer, paths[0] if paths else ""
        self._by_path.update(dict.fromkeys(paths, explainer))

    def reading(self, error: BaseException) -> str:
        """Keeps an error of a file that DuckDB reads through us, and gives the text that leads back to it."""
        self._reading.append(error)
        return f"odibi-reading:{len(self._reading) - 1}."

    def error(self, text: str) -> OdibiError | Cancelled:
        """What DuckDB raised with this text, as an error of ours."""
        if ticket := _READING.search(text):
            found = self._reading[int(ticket[1])]
            if isinstance(found, KeyboardInterrupt):
                return Cancelled("stopped")
            return found if isinstance(found, OdibiError) else EngineError(f"{type(found).__name__}: {found}")
        told, path = self._told(text)
        failed = EngineError(told or plain(text))
        failed.reads, failed.arose = path, None if told else arisen(text)
        return failed

    def _told(self, text: str) -> tuple[str, str]:
        """DuckDB's text in ours, where a source can tell, and a file of that source."""
        if (ticket := _TICKET.search(text)) and int(ticket[1]) in self._by_number:
            found, path = self._by_number[int(ticket[1])]
            return found.value(int(ticket[2]), ticket[3]), path
        if file := _FILE.search(text):
            path = unescaped(next(filter(None, file.groups())).strip())
            if path in self._by_path:
                return self._by_path[path].broken(path, text), path
        if _ENCODED.search(text) and len(self._by_path) == 1:  # it does not say in which file
            ((path, found),) = self._by_path.items()
            return found.broken(path, text), path
        return "", ""


def plain(text: str) -> str:
    """DuckDB's text without its excerpt of SQL: its kind, what may quote values, and what can be done in SQL."""
    said = _EXCERPT.sub("", text).strip()
    kind = match[0] if (match := _KIND.match(said)) else ""
    told = _TYPES.sub(lambda found: _OURS[found[0]], _ADVICE.sub("", said.removeprefix(kind)).rstrip(".!"))
    remedy = next((f"; {remedy}" for words, remedy in _REMEDIES.items() if re.search(words, told)), "")
    return Quoting("" if remedy else kind, Data(told), remedy)


_ADVICE = re.compile(r"\s*Use \"SET .*| when casting from source column .*", re.DOTALL)
_OURS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "int", "INT64": "bigint", "INT128": "decimal(38,0)"}
_TYPES = re.compile(r"\bINT(8|16|32|64|128)\b")

# What DuckDB says, or the SQL that we made for it, and what gives NULL or fits there.
_REMEDIES = {
    "^division by zero": "a / nullif(b, 0) gives NULL there",
    "^the index .* is not in an array": "get(array, index) gives NULL there",
    "^Overflow in": "CAST to a wider type first: of int bigint, of bigint decimal(38,0) or double",
    "can't be cast because the value is out of range": "CAST to a wider type, or TRY_CAST, which gives NULL there",
    "cannot be cast to|^Could not convert|^date field value out of range": "TRY_CAST gives NULL there",
    "does not fit the pattern$": "try_to_timestamp(text, pattern) gives NULL there",
    "^Casting value .* out of range": "CAST to a wider type, or TRY_CAST, which gives NULL there",
    "^More than one row returned by a subquery": "aggregate it, as with max(...)",
}


@contextmanager
def explained(stopped: Callable[[], bool], ours: Callable[[str], OdibiError | Cancelled]) -> Iterator[None]:
    """Turns what DuckDB raises into `ours`, or into Cancelled where a stop was asked for."""
    try:
        yield
    except OdibiError:
        raise
    except Exception as error:  # the types differ: _duckdb.Error, and OSError or ArrowException from streams
        if not _is_ours(error):
            raise
        if stopped():
            raise Cancelled("stopped") from None
        raise ours(str(error)) from None


def _is_ours(error: Exception) -> bool:
    module = type(error).__module__
    text = str(error)
    return module.startswith(("_duckdb", "duckdb", "pyarrow")) or bool(
        _KIND.match(text) or _READING.search(text)
    )
