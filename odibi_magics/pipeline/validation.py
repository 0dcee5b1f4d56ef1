"""`validation:` as checks an engine can run, and the ones that columns alone decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from odibi_magics.config.models import Validation
from odibi_magics.config.types import Column
from odibi_magics.engines.base import Check, CheckResult, RowCheck, TableCheck
from odibi_magics.sql.predicates import between, is_in, not_null


def checks(
    validation: Validation, columns: Sequence[Column], expressions: Mapping[int, str]
) -> tuple[Check, ...]:
    """The checks to run on rows with these columns. expressions: each `expression` condition, variables filled in."""
    names = [column.name for column in columns]
    return (*_row_checks(validation, names, expressions), *_table_checks(validation, names))


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
    for i, expression in enumerate(validation.expression):
        yield RowCheck(f"expression {expression.sql.strip()}", expressions[i], expression.on_fail)


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
    for kind in ("no_nulls", "unique"):
        for i, check in enumerate(getattr(validation, kind)):
            for j, name in enumerate(check.columns or ()):
                yield (kind, i, "columns", j), name
    for kind in ("accepted_values", "range"):
        for i, check in enumerate(getattr(validation, kind)):
            yield (kind, i, "column"), check.column


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
    return CheckResult("schema", check.on_fail, len(wrong), "; ".join(wrong))
