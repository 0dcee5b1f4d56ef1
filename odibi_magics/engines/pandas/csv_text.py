"""CSV as text: the header, the sample that types are told from, and the line where a file goes wrong."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from odibi_magics.engines.pandas.trees import File
from odibi_magics.errors import EngineError, suggest

# Types are told from so many lines, on every engine.
SAMPLE_LINES = 20_480

LONGEST_LINE = 16 * 2**20  # bytes

ENCODINGS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "latin-1": "latin-1"}
_ENCODING_ALIASES = {"utf8": "utf-8", "utf16": "utf-16", "latin1": "latin-1", "iso-8859-1": "latin-1"}

_NO_MARKS = ("\n", "\r", "\0")

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


@dataclass(frozen=True)
class Dialect:
    """How a file is written. The defaults are RFC 4180's, and an empty field is NULL."""

    header: bool = True
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    null_value: str = ""
    encoding: str = "utf-8"

    @classmethod
    def of(cls, options: Mapping[str, Any], path: str) -> Dialect:
        """From `options:`; a .tsv is delimited by tabs. Raises EngineError for what cannot be."""
        known = {key: value for key, value in options.items() if key in cls.__dataclass_fields__}
        if path.lower().endswith((".tsv", ".tsv.gz")):
            known.setdefault("delimiter", "\t")
        known["delimiter"] = str(known.get("delimiter", ",")).replace("\\t", "\t")
        known["encoding"] = _encoding(str(known.get("encoding", "utf-8")))
        if "quote" in known and "escape" not in known:
            known["escape"] = known["quote"]
        for key in ("quote", "escape", "null_value"):
            known[key] = str(known[key] if known.get(key) is not None else getattr(cls, key))
        for key in ("delimiter", "quote", "escape"):
            if len(known[key]) > 1 or known[key] in _NO_MARKS or (key == "delimiter" and not known[key]):
                raise EngineError(f"the csv option {key} is {known[key]!r}: expected one character")
        if known["delimiter"] in (known["quote"], known["escape"]):
            raise EngineError(
                f"the csv option delimiter is {known['delimiter']!r}, and so is quote or escape"
            )
        return cls(**known)

    def open(self, file: File) -> IO[str]:
        """A file as text, unzipped and without its byte order mark."""
        return io.TextIOWrapper(open_bytes(file), ENCODINGS[self.encoding], newline="")

    def records(self, lines: Iterator[str], *, strict: bool = False) -> Iterator[list[str]]:
        """Records as lists of texts. strict: as DuckDB reads quotes, or csv.Error."""
        doubled = self.escape in (self.quote, "")
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            doublequote=doubled,
            escapechar=None if doubled else self.escape,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            strict=strict,
            skipinitialspace=strict and self.delimiter != " ",
        )


def open_bytes(file: File) -> IO[bytes]:
    """A file's bytes, unzipped."""
    return gzip.open(file.open()) if file.path.lower().endswith(".gz") else file.open()  # type: ignore[return-value]


def _encoding(name: str) -> str:
    lowered = name.strip().lower().replace("_", "-")
    lowered = _ENCODING_ALIASES.get(lowered, lowered)
    if lowered not in ENCODINGS:
        raise EngineError(f"the csv encoding '{name}' cannot be read ({suggest(lowered, list(ENCODINGS))})")
    return lowered


def first_record(file: File, dialect: Dialect) -> tuple[int, list[str]] | None:
    """How many empty lines there are before the first record, and that; None where there is none.

    Raises EngineError where DuckDB would end the record, or one of these lines, elsewhere.
    """
    with _readable(file, dialect), dialect.open(file) as text:
        counted = _Counted(iter(text))
        empty = 0
        try:
            for record in dialect.records(iter(counted), strict=True):
                if record:
                    _check_ends(file.path, counted.seen)
                    return empty, record
                empty += 1
        except csv.Error:
            raise EngineError(misquoted(file.path, empty + 1, dialect)) from None
    return None


def _check_ends(path: str, lines: Sequence[str]) -> None:
    """DuckDB takes the first end of a line it sees, also one in quotes, for all ends."""
    ends = [end for line in lines if (end := _end(line))]
    if line := next((i for i, end in enumerate(ends, 1) if end != ends[0]), None):
        raise EngineError(ends_otherwise(path, line, ends[line - 1], ends[0]))


def sample(file: File, dialect: Dialect, lines: int) -> str:
    """The first lines of a file without its header, cut behind a whole record; at most `lines` of them."""
    taken: list[str] = []
    with _readable(file, dialect), dialect.open(file) as text:
        counted = _Counted(iter(text))
        records = dialect.records(iter(counted))
        if dialect.header:
            next((record for record in records if record), None)
            counted.seen.clear()
        for _ in records:
            taken.extend(counted.seen)
            counted.seen.clear()
            if len(taken) >= lines:
                break
    return "".join(line.rstrip("\r\n") + "\n" for line in taken)


def long_record(file: File, dialect: Dialect) -> bool:
    """Whether one of the first records goes over several lines."""
    found = itertools.islice(_numbered(file, dialect), SAMPLE_LINES)
    return any(len(numbered.written) > 1 for numbered in found)


_AT_ONCE = 4 << 20  # bytes
_CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\r\n")


def bare_lines(file: File, dialect: Dialect) -> bool:
    """Whether every line is a record, however one splits them: no quotes, one way to end lines, none that looks empty.

    It looks at the bytes, of which it takes some 500 MB a second. The encoding has to be UTF-8.
    """
    odd = _CONTROLS + dialect.quote.encode()
    feeds = ends = pairs = 0
    last = b"\n"
    with _readable(file, dialect), open_bytes(file) as data:
        while chunk := data.read(_AT_ONCE):
            text, last = last + chunk, chunk[-1:]
            if len(chunk.translate(None, odd)) < len(chunk) or _looks_empty(text):
                return False
            feeds += chunk.count(b"\n")
            if b"\r" in text:
                ends, pairs = ends + chunk.count(b"\r"), pairs + text.count(b"\r\n")
    return not ends or ends == pairs == feeds


def _looks_empty(text: bytes) -> bool:
    """Whether a line begins with what readers take for nothing, or leave out; asked for where it is there at all."""
    ends = [end for end in (b"\n", b"\r") if end in text]
    return any(
        end + blank in text for blank in (b" ", b"\t", codecs.BOM_UTF8) if blank in text for end in ends
    )


class _Counted:
    """An iterator over lines that keeps those it gave."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.seen: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.seen.append(line)
            yield line


class _Numbered(NamedTuple):
    """A record, the lines it is written in with their ends, and the number of the first of them."""

    line: int
    record: list[str]
    written: Sequence[str]


def _numbered(file: File, dialect: Dialect) -> Iterator[_Numbered]:
    """The records that are no empty lines, up to where the file cannot be read further."""
    with suppress(UnicodeDecodeError, csv.Error, OSError, EOFError), dialect.open(file) as text:
        counted = _Counted(iter(text))
        line = 1
        for record in dialect.records(iter(counted)):
            if record:
                yield _Numbered(line, record, counted.seen)
            line += len(counted.seen)
            counted.seen.clear()


def find_line(
    file: File, dialect: Dialect, wrong: Callable[[list[str]], bool]
) -> tuple[int, list[str]] | None:
    """The first record behind the header that is `wrong`, with the line where it begins; None where there is none."""
    records = itertools.islice(_numbered(file, dialect), int(dialect.header), None)
    return next(((found.line, found.record) for found in records if wrong(found.record)), None)


_ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}


def _end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def other_end(file: File, dialect: Dialect) -> str | None:
    """That a line ends otherwise than those before it, outside of quotes."""
    usual = ""
    for found in _numbered(file, dialect):
        end = _end(found.written[-1])
        usual = usual or end
        if end and end != usual:
            return ends_otherwise(file.path, found.line + len(found.written) - 1, end, usual)
    return None


def ends_otherwise(path: str, line: int, end: str, usual: str) -> str:
    return f"{path}, line {line}: it ends with {_ENDS[end]}, those before it with {_ENDS[usual]}; give all the same end"


def misquoted(path: str, line: int, dialect: Dialect) -> str:
    return f"{path}, line {line}: a quote ({dialect.quote}) is never closed, or has text behind it"


def check_escapes(file: File, dialect: Dialect) -> None:
    """Raises EngineError where DuckDB would drop an escape that stands before neither a quote nor another one.

    It looks at the bytes, and where they have such a one at the records.
    """
    escape, quote = re.escape(dialect.escape), re.escape(dialect.quote)
    other = f"{escape}[^{escape}{quote}]"
    with _readable(file, dialect), dialect.open(file) as text:
        if not any(re.search(other, line) for line in text):
            return
    inside = f"(?:[^{escape}{quote}]|{escape}[{escape}{quote}])*"
    dropped = re.compile(f"(?:^|{re.escape(dialect.delimiter)}){quote}{inside}({other})", re.DOTALL)
    for line, _, written in _numbered(file, dialect):
        if found := dropped.search("".join(written)):
            said = f"{found[1]} in quotes: the pandas engine would drop the {dialect.escape}, which escapes no quote"
            raise EngineError(f"{file.path}, line {line}: {said}; engine: spark keeps it")


def long_line(file: File, dialect: Dialect) -> int | None:
    """The line where the first record begins that is longer than DuckDB reads."""
    for found in _numbered(file, dialect):
        if sum(len(line.encode(dialect.encoding)) for line in found.written) > LONGEST_LINE:
            return found.line
    return None


def misquoted_record(file: File, dialect: Dialect) -> str | None:
    """That the quotes of a record do not match."""
    with suppress(UnicodeDecodeError, OSError, EOFError), dialect.open(file) as text:
        records: Any = dialect.records(iter(text), strict=True)
        begins = 1
        try:
            for _ in records:
                begins = records.line_num + 1
        except csv.Error:
            return misquoted(file.path, begins, dialect)
    return None


def undecodable_line(file: File, dialect: Dialect) -> int | None:
    """The line with the first byte that is not of the encoding."""
    with open_bytes(file) as lines:
        if dialect.encoding == "utf-16":
            return None
        for number, line in enumerate(lines, 1):
            try:
                line.decode(dialect.encoding)
            except UnicodeDecodeError:
                return number
    return None


class _readable:
    """Errors of opening and decoding, in words."""

    def __init__(self, file: File, dialect: Dialect) -> None:
        self.file, self.dialect = file, dialect

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, UnicodeError):
            raise EngineError(not_encoded(self.file, self.dialect)) from None
        if isinstance(error, csv.Error):
            raise EngineError(f"{self.file.path} is no csv: {error}") from None
        if isinstance(error, (OSError, EOFError)):
            raise EngineError(f"{self.file.path} cannot be read: {error}") from None


def not_encoded(file: File, dialect: Dialect) -> str:
    """That a file is not in the encoding it is read with."""
    line = undecodable_line(file, dialect)
    others = ", ".join(name for name in ENCODINGS if name != dialect.encoding)
    where = f"{file.path}, line {line}" if line else file.path
    other = "what is in another one has to be made utf-8 first, as by iconv -f cp1252 -t utf-8"
    return f"{where}: not {dialect.encoding}; options: {{encoding: …}} takes {others}; {other}"


def header_names(record: Sequence[str], dialect: Dialect, where: str) -> tuple[str, ...]:
    """The columns' names: the header's without spaces around them, `_c0` where there is none, as Spark has it.

    Raises EngineError for a name that stands there twice, and for a header that looks like another delimiter's.
    """
    names = [name.strip() if dialect.header else "" for name in record]
    named = tuple(name or f"_c{i}" for i, name in enumerate(names))
    lowered = [name.lower() for name in named]
    if twice := sorted({name for name, low in zip(named, lowered, strict=True) if lowered.count(low) > 1}):
        raise EngineError(f"{where}: the header names '{twice[0]}' twice, capitals aside")
    return named


def other_delimiter(record: Sequence[str]) -> str | None:
    """The delimiter that a header of one field seems to be written with."""
    if len(record) != 1:
        return None
    return next((char for char in ";\t|" if char in record[0]), None)
