"""What differs between the columns of two versions of a table, or of two tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from odibi_magics.config.types import Column


@dataclass(frozen=True)
class SchemaChange:
    """A difference between two schemas.

    kind: of what comes out of a node against a table "new", "missing" or "type"; of a table against another "added",
    "removed", "renamed" (only upper and lower case differ), "type", "nullability" or "partitioning".
    column: "" where it is about the whole table. detail: in words, as "int → bigint".
    """

    kind: str
    column: str
    detail: str


@dataclass(frozen=True)
class Schema:
    """A table's columns in their order. not_null: those that refuse NULL."""

    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    not_null: tuple[str, ...] = ()

    @property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their names in lower case: tables do not tell upper from lower."""
        return {column.name.lower(): column for column in self.columns}


def schema_changes(before: Schema, after: Schema) -> tuple[SchemaChange, ...]:
    """What differs, column by column, then the partitioning; the order of columns does not count."""
    return (*_columns(before, after), *_partitioning(before.partition_by, after.partition_by))


def _columns(before: Schema, after: Schema) -> Iterator[SchemaChange]:
    old, new = before.by_name, after.by_name
    for lower, column in old.items():
        if lower not in new:
            yield SchemaChange("removed", column.name, column.type)
        else:
            yield from _column(
                column, new[lower], column.name in before.not_null, new[lower].name in after.not_null
            )
    for lower, column in new.items():
        if lower not in old:
            yield SchemaChange("added", column.name, column.type)


def _column(old: Column, new: Column, was_required: bool, is_required: bool) -> Iterator[SchemaChange]:
    if old.name != new.name:
        yield SchemaChange("renamed", new.name, _arrow(old.name, new.name))
    if old.type != new.type:
        yield SchemaChange("type", new.name, _arrow(old.type, new.type))
    if was_required != is_required:
        words = ("NULL allowed", "NOT NULL")
        yield SchemaChange("nullability", new.name, _arrow(words[was_required], words[is_required]))


def _partitioning(old: Sequence[str], new: Sequence[str]) -> Iterator[SchemaChange]:
    if [name.lower() for name in old] != [name.lower() for name in new]:
        yield SchemaChange("partitioning", "", _arrow(*(", ".join(names) or "none" for names in (old, new))))


def _arrow(old: str, new: str) -> str:
    return f"{old} → {new}"
