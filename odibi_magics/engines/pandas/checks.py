"""Checks of rows on their way, and of all rows before they are committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Check, CheckResult, Progress, TableCheck
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
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.names import quoted
from odibi_magics.errors import Cancelled, EngineError, ValidationFailed

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.session import Opener, Session

_EVERY = 0.2  # seconds between two reports of progress


def flags(checks: Sequence[Check], columns: Sequence[Column]) -> tuple[Flag, ...]:
    """The checks that one row alone can fail."""
    return row_flags(checks, lambda one: condition(one.label, one.condition, columns, ValidationFailed))


def condition(
    label: str, text: str, columns: Sequence[Column], refused: type[EngineError] = EngineError
) -> str:
    """A condition in Spark SQL over these columns as DuckDB's SQL.

    label: what the condition is of. Raises `refused` where it does not fit the columns, which may be known only now.
    """
    from odibi_magics.sql.check import check_predicate
    from odibi_magics.sql.problems import SqlErrors
    from odibi_magics.sql.transpile import predicate_to_duckdb

    types = [(column.name, column.type) for column in columns]
    try:
        return predicate_to_duckdb(check_predicate(text), types)
    except SqlErrors as error:
        raise refused(f"{label} does not fit the columns that came out: {error}") from None


@dataclass
class Watcher:
    """Looks at batches whose last columns are the flags; gives them back without those.

    Raises Cancelled, and ChecksFailed at the first batch with a row that fails a check with `on_fail: error`.
    """

    flags: Sequence[Flag]
    progress: Progress
    cancelled: Callable[[], bool]
    rows: int = 0
    failed: dict[int, int] = field(default_factory=dict)
    examples: dict[int, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    _told: float = field(default_factory=time.monotonic)

    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.cancelled():
            raise Cancelled("stopped")
        width = batch.num_columns - len(self.flags)
        plain = batch.select(range(width))
        self.rows += batch.num_rows
        for i in range(len(self.flags)):
            if count := batch.column(width + i).true_count:
                self._bad(i, count, plain.filter(batch.column(width + i)))
        self._stop_at_errors()
        self._tell()
        return plain

    def results(self) -> tuple[CheckResult, ...]:
        """How the flags went so far."""
        return tuple(self._result(i, flag, at_least=False) for i, flag in enumerate(self.flags))

    def _bad(self, i: int, count: int, rows: pa.RecordBatch) -> None:
        self.failed[i] = self.failed.get(i, 0) + count
        if i not in self.examples:
            self.examples[i] = examples(rows.slice(0, EXAMPLES).to_pylist(), self.flags[i].columns)

    def _stop_at_errors(self) -> None:
        if any(self.flags[i].on_fail == "error" for i in self.failed):
            raise ChecksFailed(
                [self._result(i, flag, at_least=i in self.failed) for i, flag in enumerate(self.flags)]
            )

    def _result(self, i: int, flag: Flag, at_least: bool) -> CheckResult:
        count, shown = self.failed.get(i, 0), self.examples.get(i, ())
        return row_result(flag.label, flag.on_fail, count, shown, at_least=at_least, remedy=flag.remedy)

    def _tell(self) -> None:
        if time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            self.progress(self.rows)


# All rows -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """Rows to ask questions of: a table or subquery in SQL, and what it reads."""

    session: Session
    source: str
    tables: Callable[[Sequence[str]], Mapping[str, Opener]]

    def repeated(self, columns: Sequence[str]) -> tuple[int, tuple[Mapping[str, Any], ...]]:
        """How many rows have a twin in these columns before them, and some of the values."""
        names = ", ".join(map(quoted, columns))
        groups = f"SELECT {names}, count(*) AS n FROM {self.source} GROUP BY {names} HAVING count(*) > 1"
        sql = f"SELECT sum(n - 1) OVER (), * FROM ({groups}) LIMIT {EXAMPLES}"
        return self._found(sql, (*columns, "rows"), columns)

    def nulls(self, columns: Sequence[str]) -> tuple[int, tuple[Mapping[str, Any], ...]]:
        """How many rows have NULL in one of these columns, and some of them."""
        names = ", ".join(map(quoted, columns))
        where = " OR ".join(f"{quoted(name)} IS NULL" for name in columns)
        sql = f"SELECT count(*) OVER (), {names} FROM {self.source} WHERE {where} LIMIT {EXAMPLES}"
        return self._found(sql, columns, columns)

    def _found(
        self, sql: str, keys: Sequence[str], reads: Sequence[str]
    ) -> tuple[int, tuple[Mapping[str, Any], ...]]:
        rows = self.session.run(sql, self.tables(reads))
        shown = examples([dict(zip(keys, row[1:], strict=True)) for row in rows], keys)
        return (int(rows[0][0]), shown) if rows else (0, ())


def table_checks(checks: Sequence[Check], count: int, rows: Rows) -> Iterator[CheckResult]:
    """How the checks over all rows go. count: of the rows."""
    for one in checks:
        if isinstance(one, TableCheck):
            yield _table_check(one, count, rows)


def _table_check(check: TableCheck, count: int, rows: Rows) -> CheckResult:
    if check.kind != "unique":
        return count_result(check, count)
    return unique_result(check, *(rows.repeated(check.columns) if count else (0, ())))


def check(session: Session, frame: DuckFrame, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Runs checks on rows that are not written. Reads them once, and once more for each `unique`.

    Raises ChecksFailed.
    """
    watcher = Watcher(flags(checks, frame.columns), lambda rows: None, lambda: session.stopped)
    for batch in flagged(frame, watcher.flags):
        watcher(batch)
    rows = Rows(session, f"(\n{frame.sql}\n)", lambda names: frame.tables)
    return settle([*watcher.results(), *table_checks(checks, watcher.rows, rows)])


def flagged(frame: DuckFrame, bad: Sequence[Flag]) -> pa.RecordBatchReader:
    """A frame's rows with the flags behind."""
    items = [quoted(column.name) for column in frame.columns]
    sql = f"SELECT {', '.join([*items, *flag_items(bad)])} FROM (\n{frame.sql}\n)"
    schema = frame.schema
    for field_ in flag_fields(bad):
        schema = schema.append(field_)
    return frame.session.reader(sql, frame.tables, schema)


def flag_items(bad: Sequence[Flag]) -> list[str]:
    """The flags as items of a SELECT."""
    return [
        f"{flag.bad} AS {quoted(field_.name)}" for flag, field_ in zip(bad, flag_fields(bad), strict=True)
    ]


def flag_fields(bad: Sequence[Flag]) -> list[pa.Field]:
    return [pa.field(f"odibi flag {i}", pa.bool_()) for i in range(len(bad))]
