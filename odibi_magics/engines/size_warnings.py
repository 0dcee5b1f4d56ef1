"""Warnings that measure what a write left, the same on every engine. A good layout gets none."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from odibi_magics.engines.align import Layout
from odibi_magics.engines.base import Sink, Warned
from odibi_magics.engines.condition import many_small_files
from odibi_magics.quoting import Data, Quoting

# On object storage opening a file costs about as much as reading a megabyte. A hundred files below that are less than
# 100 MB, which reads best from one file.
MANY_FILES, SMALL_BYTES = 100, 1 << 20

# A column with a value for every tenth row, and more than a handful of them, tells rows apart rather than parts.
FEW_VALUES, VALUES_PER_ROW = 20, 0.1

Partition = tuple[tuple[str, str | None], ...]
"""The columns that part a table, each with its value as the log writes it."""


@dataclass(frozen=True)
class File:
    """A file that a write added. bytes: on storage. rows: None where nobody tells."""

    partition: Partition
    bytes: int
    rows: int | None


@dataclass(frozen=True)
class Stands:
    """A table's files after a write. bytes: of all. partitions: how many have files, 1 where it is not partitioned."""

    files: int
    bytes: int
    partitions: int


@dataclass(frozen=True)
class Left:
    """What a write to a Delta table did to its files.

    layout: of the table now. added: its new files. stands: None where nobody tells.
    before: the partitions that had files; None where the write made the table, or parted it anew. version: from then.
    """

    sink: Sink
    layout: Layout
    added: Sequence[File]
    stands: Stands | None
    before: Collection[Partition] | None
    version: int | None

    def warnings(self) -> tuple[Warned, ...]:
        """What is to be said of it."""
        layout = self._unique_partition() or self._small_partitions()
        return (*layout, *(() if layout else self._many_files()), *self._one_for_all())

    @property
    def _rows(self) -> int:
        return sum(file.rows or 0 for file in self.added)

    def _unique_partition(self) -> list[Warned]:
        rows, warned = self._rows, []
        for name in self.layout.partition_by:
            values = len({dict(file.partition)[name] for file in self.added})
            if values > FEW_VALUES and values > rows * VALUES_PER_ROW:
                warned.append(
                    Warned(
                        f"partition_by: column '{name}' has {values:,} values in {rows:,} rows, a folder for each",
                        "partition by a column with few values, as a month or a region, or leave partition_by out",
                        "high-cardinality-partition",
                    )
                )
        return warned

    def _small_partitions(self) -> list[Warned]:
        count = len(self.added)
        mean = sum(file.bytes for file in self.added) // count if count else 0
        if not self.layout.partition_by or count <= MANY_FILES or mean >= SMALL_BYTES:
            return []
        return [
            Warned(
                f"partition_by: {', '.join(self.layout.partition_by)} made {count:,} files of {_bytes(mean)} and "
                f"{self._rows // count:,} rows on average",
                "partition by fewer or coarser columns (a month instead of a day), or leave partition_by out",
                "small-partitions",
            )
        ]

    def _many_files(self) -> list[Warned]:
        if self.stands is None:
            return []
        return many_small_files(
            self.sink.place.address, self.stands.files, self.stands.bytes, self.stands.partitions
        )

    def _one_for_all(self) -> list[Warned]:
        """An overwrite that was meant for one partition."""
        if (
            self.sink.mode != "overwrite"
            or self.sink.replace_where
            or not self.layout.partition_by
            or not self.before
        ):
            return []
        now = {file.partition for file in self.added}
        if len(now) != 1 or len(self.before) < 2:
            return []
        (only,) = now
        shown = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in only)
        replaced = (
            f"mode: overwrite replaced all {len(self.before):,} partitions of {self.sink.place.address}"
        )
        types = {column.name: column.type for column in self.layout.columns}
        condition = json.dumps(_condition(only, types), ensure_ascii=False)  # a text in quotes, of YAML too
        return [
            Warned(
                Quoting(f"{replaced} by rows of one (", Data(shown), ")"),
                Quoting(
                    "to replace only that one: mode: overwrite_partitions, or replace_where: ",
                    Data(condition),
                    f"; version {self.version} holds the rows from before",
                ),
                "one-partition-overwrote-all",
            )
        ]


def _condition(partition: Partition, types: Mapping[str, str]) -> str:
    """Spark SQL that holds for the rows of a partition."""
    from sqlglot import exp

    def holds(name: str, value: str | None) -> exp.Expr:
        column = exp.column(name, quoted=not name.isidentifier())
        if value is None:
            return column.is_(exp.null())
        if types[name] == "string":
            return column.eq(value)
        if types[name] in ("date", "timestamp", "timestamp_ntz"):
            return column.eq(exp.cast(exp.Literal.string(value), types[name]))
        return column.eq(exp.var(value))  # a number, true or false, as the log writes them

    return exp.and_(*(holds(name, value) for name, value in partition)).sql("spark")


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):.1f} kB"
