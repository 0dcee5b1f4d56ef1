"""What differs between two versions of a table, or two tables: columns, and rows counted and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from odibi_magics.delta.schema import SchemaChange
from odibi_magics.delta.told import Told

Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True)
class DiffSide:
    """One of the two: a table at a version.

    address: as people paste it, without the version. rows: of the version. files, bytes: of the version, in the log.
    """

    address: str
    url: str
    version: int
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class DiffColumn:
    """A column that both have, under its name after. before, after: its types, as `bigint`.

    compared: False where its two types have no values in common, as string and int: it is not looked at.
    """

    name: str
    before: str
    after: str
    compared: bool = True


@dataclass(frozen=True)
class RowDiff:
    """A row that differs. before, after: its values in the order of `Diff.compared`, None where it is not there.

    changed: names of the columns whose values differ, for a changed row. count: how many such rows there are, where
    rows are told apart by all their values.
    """

    kind: Kind
    before: tuple[Any, ...] | None = None
    after: tuple[Any, ...] | None = None
    changed: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True)
class Diff(Told):
    """What differs, from `before` to `after`.

    keys: columns that tell rows apart; with none, rows are compared as wholes, as often as they come.
    columns: those that both have, in the order of after; a column that one of them lacks is a schema change alone.
    added, removed, changed, unchanged: rows, exact. changed: None without keys.
    sample: some of the rows that differ, in an order that stays the same from run to run.
    files_read, bytes_read: data files opened, of both sides together. files_skipped, bytes_skipped: files that both
      versions name with the same deletion vector: they are not read, and their rows are unchanged. keys_read: those of
      them in which keys, and nothing else, were looked for. unchecked: those that may hold a key of a row read, by
      what the log says, and were not looked into; a key that comes twice so is not noticed.
    """

    before: DiffSide
    after: DiffSide
    keys: tuple[str, ...]
    columns: tuple[DiffColumn, ...]
    schema_changes: tuple[SchemaChange, ...]
    added: int
    removed: int
    changed: int | None
    unchanged: int
    sample: tuple[RowDiff, ...] = ()
    files_read: int = 0
    bytes_read: int = 0
    files_skipped: int = 0
    bytes_skipped: int = 0
    keys_read: int = 0
    unchecked: int = 0

    @property
    def compared(self) -> tuple[DiffColumn, ...]:
        """The columns whose values were compared."""
        return tuple(column for column in self.columns if column.compared)

    @property
    def identical(self) -> bool:
        """Whether neither columns nor rows differ."""
        return not (self.schema_changes or self.added or self.removed or self.changed)

    @property
    def same_table(self) -> bool:
        """Whether both are versions of one table."""
        return self.before.url == self.after.url
