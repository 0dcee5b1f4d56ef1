"""Checks of rows: as part of a write, and as one aggregate over them all; no row comes here but a few that fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Check, CheckResult, TableCheck
from odibi_magics.engines.checks import (
    EXAMPLES,
    ChecksFailed,
    Flag,
    count_result,
    examples,
    row_flags,
    row_result,
    settle,
    unique_result,
)
from odibi_magics.engines.spark.failures import check_ticket, failed_check
from odibi_magics.engines.spark.frame import SparkFrame, collected
from odibi_magics.engines.spark.names import quoted
from odibi_magics.engines.spark.session import part_for
from odibi_magics.engines.spark.shown import as_json, to_show, values
from odibi_magics.errors import EngineError, ValidationFailed


def flags(checks: Sequence[Check], columns: Sequence[Column]) -> tuple[Flag, ...]:
    """The checks that one row alone can fail."""
    return row_flags(checks, lambda one: condition(one.label, one.condition, columns, ValidationFailed))


def condition(
    label: str, text: str, columns: Sequence[Column], refused: type[EngineError] = EngineError
) -> str:
    """A condition that fits these columns. Raises `refused` where it does not; they may be known only now."""
    from odibi_magics.engines.spark.queries import predicate
    from odibi_magics.sql.problems import SqlErrors

    try:
        return predicate(text, columns)
    except SqlErrors as error:
        raise refused(f"{label} does not fit the columns that came out: {error}") from None


# From inside a write --------------------------------------------------------------------------------------------------


def guarded(frame: Any, columns: Sequence[Column], bad: Sequence[Flag]) -> Any:
    """The DataFrame, whose first column raises at a row that fails a flag with `on_fail: error`.

    A column, not a filter: Spark would move a filter down, to rows that never come out.
    """
    own = [(i, flag) for i, flag in enumerate(bad) if flag.on_fail == "error"]
    if not own:
        return frame
    # One error for all: each would add its texts to a method's code, and Java compiles none above 8000 bytes.
    failed = " OR ".join(flag.bad for _, flag in own)
    which = " ".join(f"WHEN {flag.bad} THEN '{i}'" for i, flag in own)
    shown = {column.name: column for _, flag in own for column in to_show(flag.columns, columns)}
    raised = check_ticket(f"CASE {which} END", as_json(shown.values()))
    first, *rest = (quoted(column.name) for column in columns)
    return frame.selectExpr(f"CASE WHEN {failed} THEN {raised} ELSE {first} END AS {first}", *rest)


def told(error: BaseException, bad: Sequence[Flag], columns: Sequence[Column]) -> ChecksFailed | None:
    """The failed checks that our own SQL raised; None for any other error."""
    found = failed_check(error)
    if found is None:
        return None
    number, row = found
    shown = values(row, to_show(bad[number].columns, columns))
    results = [
        row_result(
            flag.label, flag.on_fail, 1, examples([shown], flag.columns), at_least=True, remedy=flag.remedy
        )
        if i == number
        else CheckResult(flag.label, flag.on_fail, 0)
        for i, flag in enumerate(bad)
    ]
    return ChecksFailed(results)


# All rows -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """How all checks went.

    unique: the columns of the first `unique`, how many rows have NULL in them, and how many repeat an earlier one.
    """

    results: tuple[CheckResult, ...]
    unique: tuple[frozenset[str], int, int] | None = None

    def keys(self, columns: Sequence[str]) -> tuple[int, int] | None:
        """As `keys_counted`, where these columns are those that were counted."""
        if self.unique is None or self.unique[0] != frozenset(name.lower() for name in columns):
            return None
        return self.unique[1:]


def check(frame: SparkFrame, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Runs checks on rows that are not written. Raises ChecksFailed."""
    return settle(measured(frame, checks, flags(checks, frame.columns)).results)


def measured(frame: SparkFrame, checks: Sequence[Check], bad: Sequence[Flag]) -> Measured:
    """How all checks go: one aggregate, and one more for each further `unique`; examples only of what fails."""
    if not checks:
        return Measured(())
    uniques = [one for one in checks if isinstance(one, TableCheck) and one.kind == "unique"]
    first = uniques[0] if uniques else None
    with frame.reading() as spark:
        rows, failed, *keys = _counted(spark, first, bad)
        results = [_row_result(spark, frame, flag, count) for flag, count in zip(bad, failed, strict=True)]
        for one in checks:
            if not isinstance(one, TableCheck):
                continue
            if one.kind != "unique":
                results.append(count_result(one, rows))
                continue
            count = keys[1] if one is first else _counted(spark, one, ())[3]
            results.append(unique_result(one, count, repeats(spark, one.columns) if count else ()))
    names = frozenset(name.lower() for name in first.columns) if first is not None else None
    return Measured(tuple(results), None if names is None else (names, keys[0], keys[1]))


def _counted(spark: Any, unique: TableCheck | None, bad: Sequence[Flag]) -> tuple[int, list[int], int, int]:
    """How many rows there are, fail each flag, have NULL in the columns of `unique`, and repeat an earlier one."""
    counts = [f"count_if({flag.bad}) AS f{i}" for i, flag in enumerate(bad)]
    if unique is None:
        row = spark.selectExpr("count(*) AS n", *counts).collect()[0]
        return int(row[0]), [int(count) for count in row[1:]], 0, 0
    grouped = _grouped(spark, unique.columns, counts)
    sums = [f"coalesce(sum(f{i}), 0)" for i in range(len(bad))]
    row = grouped.selectExpr("coalesce(sum(n), 0)", *_of_keys(len(unique.columns)), *sums).collect()[0]
    return int(row[0]), [int(count) for count in row[3:]], int(row[1]), int(row[2])


def _grouped(spark: Any, columns: Sequence[str], items: Sequence[str] = ()) -> Any:
    expr = part_for(spark, "functions").expr
    keys = [expr(f"{quoted(name)}").alias(f"k{i}") for i, name in enumerate(columns)]
    return spark.groupBy(*keys).agg(expr("count(*) AS n"), *(expr(item) for item in items))


def repeats(spark: Any, columns: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Some values that stand in several rows, with how many."""
    found = _grouped(spark, columns).where("n > 1").limit(EXAMPLES)
    return examples(_rows(found, (*columns, "rows")), (*columns, "rows"))


def keys_counted(spark: Any, keys: Sequence[str]) -> tuple[int, int]:
    """How many rows have NULL in a key, and how many have the keys of an earlier one."""
    row = _grouped(spark, keys).selectExpr(*_of_keys(len(keys))).collect()[0]
    return int(row[0]), int(row[1])


def _of_keys(count: int) -> tuple[str, str]:
    """SQL over groups of keys: rows that have NULL in one, and rows that repeat an earlier one."""
    null = " OR ".join(f"k{i} IS NULL" for i in range(count))
    return f"coalesce(sum(CASE WHEN {null} THEN n END), 0)", "coalesce(sum(n - 1), 0)"


def nulls(spark: Any, keys: Sequence[str]) -> tuple[Mapping[str, Any], ...]:
    """Some rows that have NULL in a key."""
    where = " OR ".join(f"{quoted(name)} IS NULL" for name in keys)
    return examples(_rows(spark.where(where).select(*_columns(keys)).limit(EXAMPLES), keys), keys)


def _row_result(spark: Any, frame: SparkFrame, flag: Flag, count: int) -> CheckResult:
    shown = examples(rows_of(spark, flag, frame.columns), flag.columns) if count else ()
    return row_result(flag.label, flag.on_fail, count, shown, remedy=flag.remedy)


def rows_of(spark: Any, flag: Flag, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Some rows that fail a flag."""
    names = [column.name for column in to_show(flag.columns, columns)]
    return _rows(spark.where(flag.bad).select(*_columns(names)).limit(EXAMPLES), names)


def _columns(names: Sequence[str]) -> list[str]:
    return [quoted(name) for name in names]


def _rows(frame: Any, names: Sequence[str]) -> list[dict[str, Any]]:
    table = collected(frame)
    return [dict(zip(names, row.values(), strict=True)) for row in table.to_pylist()]
