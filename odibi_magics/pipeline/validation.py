"""`validation:` as checks an engine can run, and the ones that columns alone decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odibi_magics.config.models import AcceptedValues, Range, Validation
from odibi_magics.config.types import Column
from odibi_magics.config.variables import as_text
from odibi_magics.engines.base import Check, CheckResult, RowCheck, TableCheck
from odibi_magics.errors import ValidationFailed, suggest
from odibi_magics.sql.check import check_predicate
from odibi_magics.sql.predicates import between, is_in, not_null
from odibi_magics.sql.transpile import check_condition
from odibi_magics.sql.types import INTEGRAL, kind


def checks(
    validation: Validation, columns: Sequence[Column], expressions: Mapping[int, str]
) -> tuple[Check, ...]:
    """The checks to run on rows with these columns. expressions: each `expression` condition, variables filled in.

    Raises ValidationFailed where a check does not fit the columns, which may be known only now.
    """
    names = [column.name for column in columns]
    if columns and (unfit := [*_unknown(validation, names), *_unfit(validation, columns)]):
        raise ValidationFailed("validation does not fit the columns that came out\n  " + "\n  ".join(unfit))
    return (*_row_checks(validation, names, expressions), *_table_checks(validation, names))


def _unknown(validation: Validation, names: Sequence[str]) -> Iterator[str]:
    lowered = {name.lower() for name in names}
    for path, name in named_columns(validation):
        if name.lower() not in lowered:
            yield f"{path[0]}: unknown column '{name}' ({suggest(name, names)})"


def _unfit(validation: Validation, columns: Sequence[Column]) -> Iterator[str]:
    for misfit in misfits(validation, columns):
        yield f"{misfit.path[0]}: {misfit.message}" + (f" ({misfit.hint})" if misfit.hint else "")


def _row_checks(
    validation: Validation, names: Sequence[str], expressions: Mapping[int, str]
) -> Iterator[Check]:
    for nulls in validation.no_nulls:
        for name in nulls.columns or names:
            yield RowCheck(f"no_nulls {name}", not_null(name), nulls.on_fail, (name,))
    for accepted in validation.accepted_values:
        condition = is_in(accepted.column, accepted.values)
        yield RowCheck(f"accepted_values {accepted.column}", condition, accepted.on_fail, (accepted.column,))
    for range_ in validation.range:
        condition = between(range_.column, range_.min, range_.max)
        yield RowCheck(f"range {range_.column}", condition, range_.on_fail, (range_.column,))
    for i, condition in expressions.items():
        expression = validation.expression[i]
        yield RowCheck(f"expression {expression.sql.strip()}", condition, expression.on_fail)


def _table_checks(validation: Validation, names: Sequence[str]) -> Iterator[Check]:
    for check in validation.not_empty:
        yield TableCheck("not_empty", "not_empty", check.on_fail)
    for unique in validation.unique:
        columns = tuple(unique.columns or names)
        yield TableCheck(f"unique {', '.join(columns)}", "unique", unique.on_fail, columns)
    for count in validation.row_count:
        yield TableCheck("row_count", "row_count", count.on_fail, min=count.min, max=count.max)


def named_columns(validation: Validation) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The columns that checks name, each with its path below `validation`, list index included."""
    for key in ("no_nulls", "unique"):
        for i, check in enumerate(getattr(validation, key)):
            for j, name in enumerate(check.columns or ()):
                yield (key, i, "columns", j), name
    for key in ("accepted_values", "range"):
        for i, check in enumerate(getattr(validation, key)):
            yield (key, i, "column"), check.column


@dataclass(frozen=True)
class Misfit:
    """What a check asks of a column that its type cannot give. path: below `validation`; at_key: its key is meant."""

    path: tuple[str | int, ...]
    message: str
    hint: str = ""
    at_key: bool = False


def misfits(validation: Validation, columns: Sequence[Column]) -> Iterator[Misfit]:
    """Bounds and values that are not of their column's type, and columns whose values cannot be told apart."""
    there = {column.name.lower(): column for column in columns}
    for i, bounds in enumerate(validation.range):
        if column := there.get(bounds.column.lower()):
            yield from _bounds_misfits(i, bounds, column)
    for i, accepted in enumerate(validation.accepted_values):
        if column := there.get(accepted.column.lower()):
            yield from _values_misfits(i, accepted, column)
    for i, unique in enumerate(validation.unique):
        for j, name in enumerate(unique.columns or there):
            column = there.get(name.lower())
            if column is not None and "map<" in column.type:
                path = ("unique", i, "columns", j) if unique.columns else ("unique", i)
                yield Misfit(path, f"column '{column.name}' is {column.type}: maps cannot be compared")


def _bounds_misfits(i: int, bounds: Range, column: Column) -> Iterator[Misfit]:
    for key, value in (("min", bounds.min), ("max", bounds.max)):
        if value is not None and not _compares(between(column.name, value, None), column):
            yield _misfit(("range", i, key), value, column)


def _values_misfits(i: int, accepted: AcceptedValues, column: Column) -> Iterator[Misfit]:
    """The first of them, which speaks for all."""
    for j, value in enumerate(accepted.values):
        whole = not isinstance(value, float) or value.is_integer() or column.type not in INTEGRAL
        if not whole or not _compares(is_in(column.name, [value]), column):
            yield _misfit(("accepted_values", i, "values", j), value, column)
            return


def schema_misfits(validation: Validation, columns: Sequence[Column]) -> Iterator[Misfit]:
    """What `schema` checks that do not only warn will find wrong; they read no rows."""
    there = {column.name.lower(): column for column in columns}
    for i, check in enumerate(validation.schema_):
        if check.on_fail != "error":
            continue
        for name, type_ in check.columns.items():
            column = there.get(name.lower())
            path = ("schema", i, "columns", name)
            if column is None:
                close = suggest(name, [column.name for column in columns])
                yield Misfit(path, f"column '{name}' does not come out", close, at_key=True)
            elif column.type != type_:
                yield Misfit(path, f"column '{name}' is {column.type}, and {type_} is expected", at_key=True)
        more = there.keys() - {name.lower() for name in check.columns} if check.exact else ()
        if more:
            names = ", ".join(there[name].name for name in there if name in more)
            yield Misfit(("schema", i, "exact"), f"other columns come out: {names}")


def _compares(condition: str, column: Column) -> bool:
    return not check_condition(check_predicate(condition), [(column.name, column.type)])


def _misfit(path: tuple[str | int, ...], value: Any, column: Column) -> Misfit:
    shown = f"'{value}'" if isinstance(value, str) else as_text(value)
    said = f"{shown} does not fit column '{column.name}', which is {column.type}"
    return Misfit(
        path, said, _WANTED.get(kind(column.type), "only numbers, text, dates and times are compared")
    )


_WANTED = {
    **dict.fromkeys(["integral", "decimal", "float", "double"], "write a number, without quotes"),
    "string": "put it in quotes",
    "boolean": "write true or false, without quotes",
    "date": "write 2026-01-31",
    "timestamp": "write 2026-01-31 or '2026-01-31 18:00:00', which is UTC",
}


def check_schema(validation: Validation, columns: Sequence[Column]) -> tuple[CheckResult, ...]:
    """How the `schema` checks go with these columns; they read no rows."""
    return tuple(_schema_result(check, columns) for check in validation.schema_)


def _schema_result(check: Any, columns: Sequence[Column]) -> CheckResult:
    types = {column.name.lower(): column.type for column in columns}
    wrong = [
        f"{name} is {types.get(name.lower(), 'missing')}, expected {type_}"
        for name, type_ in check.columns.items()
        if types.get(name.lower()) != type_
    ]
    if check.exact:
        expected = {name.lower() for name in check.columns}
        wrong += [
            f"{column.name} is not expected" for column in columns if column.name.lower() not in expected
        ]
    return CheckResult("schema", check.on_fail, len(wrong), "; ".join(wrong), counts="column")
