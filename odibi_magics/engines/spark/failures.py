"""What Spark raises, in our words: without the JVM's stack, with the file and line where a source can tell."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote

from odibi_magics.engines.spark.accounts import Accounts
from odibi_magics.errors import ANYWHERE, Arose, EngineError, OdibiError, WriteConflict
from odibi_magics.quoting import Data, Quoting
from odibi_magics.secret import redact

VALUE, CHECK = "odibi-value", "odibi-check"
"""How the texts begin that our own `raise_error` carries out of a task."""

_TICKET = re.compile(rf"{VALUE}:(\d+):(\d+):([0-9A-F]*):([0-9A-F]*);")
_CAST = re.compile(
    rf"The value '(.*?)' of the type \"STRING\" cannot be cast to .*?CAST\((?:IF\([^`]*)?`{VALUE}:(\d+):(\d+)`",
    re.DOTALL,
)
_READING = re.compile(r"while reading file (\S+?)\.?(?:\s+SQLSTATE|\s*$)", re.MULTILINE)
_SAID = re.compile(
    r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)?)\] (.*?)(?= SQLSTATE: |\n== |\n\tat |\nJVM stacktrace|\Z)",
    re.DOTALL,
)

# These only say where something failed; what failed stands behind them.
_WRAPPERS = ("TASK_WRITE_FAILED", "FAILED_READ_FILE", "FAILED_EXECUTE_UDF", "FAILED_JDBC")


class Explainer(Protocol):
    """A source that knows its files: it finds where in them something does not fit."""

    def value(self, column: int, text: str, path: str) -> str:
        """What is wrong with a value of a column in a file, "" for any; `text` is its beginning."""

    def broken(self, path: str, message: str) -> str:
        """What is wrong with a file that could not be read; `message` is Spark's."""


class Failures:
    """The explainers of one run, and the accounts that it reads and writes."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._numbers = itertools.count(1)
        self._by_number: dict[int, tuple[Explainer, str]] = {}
        self._by_path: dict[str, Explainer] = {}

    def add(self, paths: Sequence[str], explainer: Explainer) -> int:
        """Takes up a source; the number to go into its SQL."""
        number = next(self._numbers)
        self._by_number[number] = explainer, paths[0] if paths else ""
        self._by_path.update(dict.fromkeys(paths, explainer))
        return number

    def error(self, error: BaseException) -> OdibiError:
        """An error of Spark's as one of ours. Explaining one of a source reads its file once more."""
        text = said_by(error)
        if (ticket := _TICKET.search(text)) and int(ticket[1]) in self._by_number:
            found, path = self._by_number[int(ticket[1])]
            value = found.value(int(ticket[2]), unhexed(ticket[4]), self._path(unhexed(ticket[3])))
            return _of_source(value, path)
        if (cast := _CAST.search(text)) and int(cast[2]) in self._by_number:
            found, path = self._by_number[int(cast[2])]
            value = found.value(int(cast[3]), re.sub(r"\\(.)", r"\1", cast[1], flags=re.DOTALL), "")
            return _of_source(value, path)
        # A classic session's error keeps its causes to itself.
        if of_account := self._accounts.explained(f"{text}\n{getattr(error, '_stackTrace', None) or ''}"):
            return of_account
        if (reading := _READING.search(text)) and (path := self._path(reading[1])) in self._by_path:
            return _of_source(self._by_path[path].broken(path, plain(text)), path)
        kind = WriteConflict if condition(error).startswith(_CONFLICTS) or _is_conflict(text) else EngineError
        failed = kind(plain(text, parameters(error)))
        failed.arose = _arisen(text)
        return failed

    def _path(self, told: str) -> str:
        """A file as we know it by Spark's name for it: an encoded URL."""
        if told in self._by_path:
            return told
        path = unquote(told)
        return re.sub(r"^file:/+", "/", path) if path.startswith("file:") else path


def _of_source(told: str, path: str) -> EngineError:
    failed = EngineError(told)
    failed.reads = path
    return failed


_BMP = 0xFFFF

# A line of a query, and carets below what fails in it.
_LINE = re.compile(r"^== SQL.*? ==\n(.*)\n( *)(\^+)$", re.MULTILINE)


def _arisen(text: str) -> Arose | None:
    """Which SQL Spark's text says that an error comes from, and where in it; None where that is not told."""
    if not (found := _LINE.search(text)):
        return None
    line = found[1].removeprefix("...").removesuffix("...")
    words = found[1][len(found[2]) :][: len(found[3])]

    def where(sql: str) -> tuple[int, int] | None:
        if not sql.isascii() and max(map(ord, sql)) > _BMP:  # Spark's carets stand elsewhere then
            return ANYWHERE if line in sql else None
        at = sql.find(words)
        if at < 0:
            return None
        return (at, at + len(words)) if sql.count(words) == 1 else ANYWHERE

    return where


def said_by(error: BaseException) -> str:
    """All that Spark says of an error: through Connect, its causes stand beside the text."""
    stack = getattr(error, "getStackTrace", None)
    return "\n".join(filter(None, (str(error), stack() if stack else None)))


def unhexed(text: str) -> str:
    """What SQL made hexadecimal to bring it whole through an error's text."""
    return bytes.fromhex(text).decode("utf-8", "replace")


def condition(error: BaseException) -> str:
    """Spark's name for what is wrong, as "PATH_NOT_FOUND"; "" where it gives none."""
    told = getattr(error, "getCondition", None) or getattr(error, "getErrorClass", None)
    found = told() if told else None
    if found and found.split(".")[0] not in _WRAPPERS:
        return str(found)
    return next((name for name, _ in _conditions(said_by(error))), "")


def parameters(error: BaseException) -> Mapping[str, str]:
    """What Spark says the condition is about."""
    told = getattr(error, "getMessageParameters", None)
    return (told() if told else None) or {}


def _conditions(text: str) -> list[tuple[str, str]]:
    return [(m[1], m[2]) for m in _SAID.finditer(text) if m[1].split(".")[0] not in _WRAPPERS]


_CONFLICTS = ("DELTA_CONCURRENT", "DELTA_METADATA_CHANGED", "DELTA_PROTOCOL_CHANGED")


def _is_conflict(text: str) -> bool:
    return bool(re.search(r"delta\.exceptions\.(?:Concurrent|MetadataChanged|ProtocolChanged)", text))


def is_sparks(error: BaseException) -> bool:
    """Whether it came out of Spark, or of the way to it."""
    return type(error).__module__.split(".")[0] in ("pyspark", "py4j", "delta", "grpc")


def plain(text: str, given: Mapping[str, str] | None = None) -> str:
    """Spark's text: one sentence, what may quote values, and what can be done in SQL."""
    told = _conditions(text)
    if not told:
        return Quoting(Data(redact(_first_line(text))))
    name, said = told[-1]
    kind = name.split(".")[0]
    if kind in _WORDS:
        return _WORDS[kind](said, given or {})
    return Quoting(Data(redact(" ".join(said.split()))))


def _first_line(text: str) -> str:
    """The innermost cause that a Java stack names, without its class where that says something."""
    causes = re.findall(r"^(?:Caused by)?: ([\w.$]+)(?:: (.+))?$", text, re.MULTILINE)
    if causes:
        kind, said = causes[-1]
        return said or f"Spark failed with {kind.rpartition('.')[2]}"
    return (text.strip().splitlines() or ["Spark failed without a word"])[0]


# Values -------------------------------------------------------------------------------------------------------------

_TRY = "TRY_CAST gives NULL there"


def _found(pattern: str, said: str) -> tuple[str, ...]:
    match = re.search(pattern, said, re.DOTALL)
    return match.groups() if match else ()


def _malformed(said: str, given: Mapping[str, str]) -> str:
    found = _found(r"The value (.*) of the type \"(.*?)\" cannot be cast to \"(.*?)\"", said)
    value, source, target = found or ("a value", "value", "another type")
    kind = "text" if source == "STRING" else source.lower()
    return Quoting(f"the {kind} ", Data(value), f" cannot be cast to {target.lower()}; {_TRY}")


def _overflow(said: str, given: Mapping[str, str]) -> str:
    found = _found(r"The value (.*) of the type \"(.*?)\" cannot be cast to \"(.*?)\"", said)
    value, source, target = found or ("a value", "value", "another type")
    head = f"Type {source.lower()} with value "
    return Quoting(
        head, Data(value.rstrip("LSTD")),
        f" is out of range for the destination type {target.lower()}; CAST to a wider type, or TRY_CAST, which gives "
        "NULL there",
    )  # fmt: skip


def _arithmetic(said: str, given: Mapping[str, str]) -> str:
    what = {"try_add": "addition", "try_subtract": "subtraction", "try_multiply": "multiplication"}
    found = _found(r"[`'](try_\w+)[`']", said)
    named = what.get(found[0], "") if found else ""
    wider = "CAST to a wider type first: of int bigint, of bigint decimal(38,0) or double"
    return f"Overflow{f' in {named}' if named else ''}: {wider}"


def _unparsed(said: str, given: Mapping[str, str]) -> str:
    (text,) = _found(r"Text ('.*') could not be parsed", said) or ("",)
    return Quoting(
        "the text ", Data(text), " does not fit the pattern; try_to_timestamp(text, pattern) gives NULL there"
    )  # fmt: skip


def _index(said: str, given: Mapping[str, str]) -> str:
    index, size = _found(r"The index (-?\d+) is out of bounds. The array has (\d+) elements", said) or (
        "",
        "",
    )
    return Quoting(
        "the index ",
        Data(index),
        " is not in an array of ",
        Data(size),
        "; get(array, index) gives NULL there",
    )


_WORDS: Mapping[str, Callable[[str, Mapping[str, str]], str]] = {
    "DIVIDE_BY_ZERO": lambda said, given: "division by zero; a / nullif(b, 0) gives NULL there",
    "REMAINDER_BY_ZERO": lambda said, given: "division by zero; a / nullif(b, 0) gives NULL there",
    "CAST_INVALID_INPUT": _malformed,
    "CAST_OVERFLOW": _overflow,
    "NUMERIC_VALUE_OUT_OF_RANGE": lambda said, given: Quoting(
        Data(" ".join(said.split(". If necessary")[0].split())),
        "; CAST to a wider type, or TRY_CAST, which gives NULL there",
    ),
    "ARITHMETIC_OVERFLOW": _arithmetic,
    "INVALID_ARRAY_INDEX": _index,
    "CANNOT_PARSE_TIMESTAMP": _unparsed,
    "SCALAR_SUBQUERY_TOO_MANY_ROWS": lambda said, given: (
        "More than one row returned by a subquery used as an expression - scalar subqueries can only return a single "
        "row; aggregate it, as with max(...)"
    ),
}


def scanned(number: int, column: int) -> str:
    """The name of a source's field, by which an error of Spark's own cast of it tells what it is."""
    return f"{VALUE}:{number}:{column}"


def ticket(number: int, column: int, path: str, text: str) -> str:
    """SQL that raises a value's error. path, text: SQL of the file's name and the value, neither of them NULL."""
    return f"raise_error(concat('{VALUE}:{number}:{column}:', hex({path}), ':', hex({text}), ';'))"


def check_ticket(number: str, row: str) -> str:
    """SQL that raises a failed check's error. number, row: SQL of the check's number and of a JSON text, as texts."""
    return f"raise_error(concat('{CHECK}:', {number}, ':', hex({row}), ';'))"


def failed_check(error: BaseException) -> tuple[int, str] | None:
    """The number and the row of the check that our own SQL raised; None for any other error."""
    found = re.search(rf"{CHECK}:(\d+):([0-9A-F]*);", said_by(error))
    return (int(found[1]), unhexed(found[2])) if found else None


def no_such_place(error: Any) -> bool:
    """Whether Spark says that nothing stands at a path, or no Delta table."""
    return condition(error).startswith(
        ("PATH_NOT_FOUND", "DELTA_TABLE_NOT_FOUND", "DELTA_MISSING_DELTA_TABLE", "DELTA_TABLE_ONLY_OPERATION",
         "DELTA_PATH_DOES_NOT_EXIST", "DELTA_PATH_BASED_ACCESS_TO", "DELTA_INVALID_FORMAT", "TABLE_OR_VIEW_NOT_FOUND",
         "DELTA_ONLY_OPERATION", "EXPECT_TABLE_NOT_VIEW")
    )  # fmt: skip
