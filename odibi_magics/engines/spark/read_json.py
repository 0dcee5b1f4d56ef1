"""json lines: types by the one rule of all engines; every top-level value must fit, and every key be known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Source
from odibi_magics.engines.pandas.files import Files
from odibi_magics.engines.pandas.json_text import lines, parsed
from odibi_magics.engines.pandas.json_values import Spot, Step
from odibi_magics.engines.pandas.read_json import misfit, refusal, stranger
from odibi_magics.engines.spark.failures import ticket
from odibi_magics.engines.spark.names import literal, quoted
from odibi_magics.engines.spark.strict import Formats, checked
from odibi_magics.engines.spark.types import schema_of
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

_LINE, _PATH, _ROW, _BROKEN = "odibi line", "odibi path", "odibi row", "odibi broken"


def scan_json(work: Work, source: Source, files: Files, columns: Sequence[Column]) -> Any:
    """The rows of the files, with columns as they were described. Raises EngineError with file and line.

    So do keys that were not in the first lines, unless `schema:` or `columns:` say which ones are wanted.
    """
    number = work.failures.add(files.paths, _Explained(files, columns))
    read = work.spark.read.option("__globPaths__", "false").text(list(files.paths))
    texts = read.where("trim(value) <> ''").selectExpr(
        f"value AS {quoted(_LINE)}", f"_metadata.file_path AS {quoted(_PATH)}"
    )
    fields = [Column(column.name, _read_as(column.type)) for column in columns]
    schema = schema_of([*fields, Column(_BROKEN, "string")])
    options = f"map('mode', 'PERMISSIVE', 'columnNameOfCorruptRecord', {literal(_BROKEN)})"
    rows = texts.selectExpr(
        "*", f"from_json({quoted(_LINE)}, {literal(schema)}, {options}) AS {quoted(_ROW)}"
    )
    only = bool(source.schema or source.columns)
    items = [
        f"{_value(column, number, i, only=only, columns=columns)} AS {quoted(column.name)}"
        for i, column in enumerate(columns)
    ]
    return rows.selectExpr(*items)


def _read_as(type_: str) -> str:
    return type_ if type_.startswith(("array", "map", "struct")) else "string"


def _value(column: Column, number: int, i: int, *, only: bool, columns: Sequence[Column]) -> str:
    field = f"{quoted(_ROW)}.{quoted(column.name)}"
    nested = _read_as(column.type) != "string"
    value = field if nested else checked(column.type, field, Formats(), number, i, quoted(_PATH))
    if i:
        return value
    broken = f"{quoted(_ROW)}.{quoted(_BROKEN)}"
    first = [f"WHEN {broken} IS NOT NULL THEN {ticket(number, len(columns), quoted(_PATH), literal(''))}"]
    if not only:
        known = ", ".join(literal(c.name) for c in columns)
        others = f"array_except(json_object_keys({quoted(_LINE)}), array({known}))"
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
        where = self._where(path, lambda row: name in row and _as_text(row[name]).startswith(text))
        return misfit(where, Spot((Step(name),), self.columns[column].type, str), text)

    def broken(self, path: str, message: str) -> str:
        """A line that is no object."""
        found = (refusal(path, number, line) for number, line in lines(self.files[path]))
        return next(filter(None, found), None) or f"{path}: a line does not fit its columns: {message}"

    def _where(self, path: str, wrong: Any) -> str:
        for number, line in lines(self.files[path]):
            try:
                if wrong(parsed(path, number, line)):
                    return f"{path}, line {number}"
            except EngineError:
                continue
        return path


def _as_text(value: Any) -> str:
    from json import dumps

    return value if isinstance(value, str) else dumps(value)
