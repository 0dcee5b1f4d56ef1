"""json lines: types by the one rule of all engines; every top-level value must fit, and every key be known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

from odibi_magics.config.types import Column, split
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.files import Files
from odibi_magics.engines.pandas.json_text import lines, parsed
from odibi_magics.engines.pandas.json_values import Spot, Step
from odibi_magics.engines.pandas.read_json import misfit, refusal, stranger
from odibi_magics.engines.spark.failures import ticket
from odibi_magics.engines.spark.names import as_named, literal, quoted
from odibi_magics.engines.spark.strict import TOLD, Formats, checked
from odibi_magics.engines.spark.types import in_sql, schema_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

_LINE, _PATH, _ROW, _BROKEN, _TYPED = "odibi line", "odibi path", "odibi row", "odibi broken", "odibi typed"

# Spark itself takes these only where JSON has them so: no "2" for a number, no 1 for true.
_KINDS = ("boolean", "tinyint", "smallint", "int", "bigint", "float", "double")


def scan_json(work: Work, source: Source, files: Files, columns: Sequence[Column]) -> Any:
    """The rows of the files, with columns as they were described. Raises EngineError with file and line.

    So do keys that were not in the first lines, unless `schema:` or `columns:` say which ones are wanted.
    """
    number = work.failures.add(files.paths, _Explained(files, columns))
    read = work.spark.read.text(list(map(as_named, files.paths)))
    texts = read.where("trim(value) <> ''").selectExpr(
        f"value AS {quoted(_LINE)}", f"_metadata.file_path AS {quoted(_PATH)}"
    )
    fields = [Column(column.name, _read_as(column.type)) for column in columns]
    rows = texts.selectExpr("*", f"{_parsed([*fields, Column(_BROKEN, 'string')])} AS {quoted(_ROW)}")
    if typed := [_typed(column) for column in columns if column.type.startswith((*_KINDS, "decimal"))]:
        rows = rows.selectExpr("*", f"{_parsed(typed)} AS {quoted(_TYPED)}")
    only = bool(source.schema or source.columns)
    items = [
        f"{_value(column, number, i, only=only, columns=columns)} AS {quoted(column.name)}"
        for i, column in enumerate(columns)
    ]
    return rows.selectExpr(*items)


def _parsed(columns: Sequence[Column]) -> str:
    """SQL for a line as a struct; what does not fit is NULL, and the line stands in the column for broken ones."""
    options = f"map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', {literal(_BROKEN)})"
    return f"from_json({quoted(_LINE)}, {literal(schema_of(columns))}, {options})"


def _read_as(type_: str) -> str:
    """What Spark is to take a value for: texts, which are cast later, and keys of maps as JSON has them."""
    kind, _, inner = type_.partition("<")
    if kind not in ("array", "map", "struct"):
        return "string"
    return f"{kind}<{','.join(_inside(kind, i, part) for i, part in enumerate(split(inner[:-1])))}>"


def _inside(kind: str, i: int, part: str) -> str:
    if kind == "map" and i == 0:
        return "string"
    name, colon, type_ = part.partition(":") if kind == "struct" else ("", "", part)
    return f"{name}{colon}{_read_as(type_) if '<' in type_ else type_}"


def _typed(column: Column) -> Column:
    """What tells a number of JSON from a text: of a decimal whether it is one at all."""
    return Column(column.name, "double") if column.type.startswith("decimal") else column


def _rounded(field: str) -> str:
    """SQL for whether Spark may have rounded a number: one with a point goes through a double."""
    digits = f"regexp_replace({field}, '[eE].*$|[^0-9]', '')"
    return f"({field} RLIKE '[.eE]' AND length(ltrim('0', {digits})) > 15)"


def _plain_digits(field: str) -> str:
    """SQL for a number's text without an exponent, which Spark writes for large and small ones; exact, or as it is."""
    large, small = (f"CAST(try_cast({field} AS decimal(38,{scale})) AS string)" for scale in (18, 37))
    return (
        f"CASE WHEN {field} RLIKE '[0-9]E[0-9]+$' THEN coalesce({large}, {field}) "
        f"WHEN {field} RLIKE '[0-9]E-[0-9]+$' THEN coalesce({small}, {field}) ELSE {field} END"
    )


def _value(column: Column, number: int, i: int, *, only: bool, columns: Sequence[Column]) -> str:
    field = f"{quoted(_ROW)}.{quoted(column.name)}"
    if column.type in _KINDS:
        misfit_ = ticket(number, i, quoted(_PATH), f"left({field}, {TOLD})")
        typed = f"{quoted(_TYPED)}.{quoted(column.name)}"
        value = f"coalesce({typed}, CASE WHEN {field} IS NOT NULL THEN CAST({misfit_} AS {column.type}) END)"
    elif "<" in column.type:
        as_read = _read_as(column.type) == column.type
        value = field if as_read else f"CAST({field} AS {in_sql(column.type)})"
    elif column.type.startswith("decimal"):
        exact = checked(column.type, f"({_plain_digits(field)})", Formats(), number, i, quoted(_PATH))
        lost = f"CAST({ticket(number, i, quoted(_PATH), f'left({field}, {TOLD})')} AS {column.type})"
        number_ = f"{quoted(_TYPED)}.{quoted(column.name)} IS NOT NULL"
        value = f"CASE WHEN {number_} AND {_rounded(field)} THEN {lost} ELSE {exact} END"
    else:
        value = checked(column.type, field, Formats(), number, i, quoted(_PATH))
    if i:
        return value
    keys = f"json_object_keys({quoted(_LINE)})"
    twice = f"size({keys}) > size(array_distinct({keys}))"
    wrong = f"{quoted(_ROW)}.{quoted(_BROKEN)} IS NOT NULL OR NOT is_valid_utf8({quoted(_LINE)}) OR {twice}"
    first = [f"WHEN {wrong} THEN {ticket(number, len(columns), quoted(_PATH), literal(''))}"]
    if not only:
        others = f"array_except({keys}, array({', '.join(literal(c.name) for c in columns)}))"
        told = ticket(number, len(columns) + 1, quoted(_PATH), f"element_at({others}, 1)")
        first.append(f"WHEN size({others}) > 0 THEN {told}")
    return f"CASE {' '.join(first)} ELSE {value} END"


@dataclass(frozen=True)
class _Explained:
    """Finds the line where a file does not fit, by reading it once more."""

    files: Files
    columns: Sequence[Column]

    def value(self, column: int, text: str, path: str) -> str:
        """File, line, key, value and the type that was expected; the numbers behind the columns stand for others."""
        if column == len(self.columns):
            return self.broken(path, "")
        if column > len(self.columns):
            where = self._where(path, lambda row: text in row)
            return stranger(where, Spot((), "", str), text)
        name = self.columns[column].name
        where = self._where(path, lambda row: name in row and _says(row[name], text))
        return misfit(where, Spot((Step(name),), self.columns[column].type, str), text)

    def broken(self, path: str, message: str) -> str:
        """A line that is no object, or holds arrays and objects of other kinds."""
        for number, line in lines(self.files[path]):
            if told := refusal(path, number, line):
                return told
            row = parsed(path, number, line)
            wrong = (_misfits(row.get(column.name), column.type, (column.name,)) for column in self.columns)
            if found := next(chain.from_iterable(wrong), None):
                names, type_, value = found
                spot = Spot(tuple(map(Step, names)), type_, str)
                return misfit(f"{path}, line {number}", spot, _as_text(value))
        return f"{path}: a line does not fit its columns: {message}"

    def _where(self, path: str, wrong: Any) -> str:
        for number, line in lines(self.files[path]):
            try:
                if wrong(parsed(path, number, line)):
                    return f"{path}, line {number}"
            except EngineError:
                continue
        return path


def _says(value: Any, text: str) -> bool:
    """Whether a value is the one whose text begins so; Spark writes numbers in its own way."""
    try:
        return _as_text(value).startswith(text) or Decimal(_as_text(value)) == Decimal(text)
    except InvalidOperation:
        return False


def _as_text(value: Any) -> str:
    from json import dumps

    return value if isinstance(value, str) else dumps(value)


_PYTHON: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,), **dict.fromkeys(["tinyint", "smallint", "int", "bigint"], (int,)),
    **dict.fromkeys(["float", "double"], (int, float)), **dict.fromkeys(["date", "timestamp"], (str,)),
}  # fmt: skip


def _misfits(value: Any, type_: str, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """The values of other kinds than a type wants, each with the keys that lead to it."""
    kind, _, inner = type_.partition("<")
    if value is None:
        return
    if kind not in ("array", "map", "struct"):
        wanted = _PYTHON.get(type_, (object,))
        if not isinstance(value, wanted) or (isinstance(value, bool) and not {bool, object} & {*wanted}):
            yield at, type_, value
        return
    if not isinstance(value, list if kind == "array" else dict):
        yield at, type_, value
        return
    parts = split(inner[:-1])
    fields = {name: of for name, _, of in (part.partition(":") for part in parts)} if kind == "struct" else {}
    items: Iterable[tuple[Any, Any]] = enumerate(value) if isinstance(value, list) else value.items()
    for key, item in items:
        of = fields.get(key) if kind == "struct" else parts[-1]
        if of is not None:
            yield from _misfits(item, of, (*at, key) if kind == "struct" else at)
