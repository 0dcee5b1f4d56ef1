"""Warnings that measure what a write left. A good layout gets none."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.engines.base import Warned
from odibi_magics.engines.condition import many_small_files
from odibi_magics.engines.pandas.commit import Change
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.job import Job
from odibi_magics.engines.pandas.snapshot import Snapshot
from odibi_magics.quoting import Data, Quoting

# On object storage opening a file costs about as much as reading a megabyte. A hundred files below that are less than
# 100 MB, which reads best from one file.
MANY_FILES, SMALL_BYTES = 100, 1 << 20

# A column with a value for every tenth row, and more than a handful of them, tells rows apart rather than parts.
FEW_VALUES, VALUES_PER_ROW = 20, 0.1


def written_warnings(job: Job, table: Snapshot | None, found: Change) -> tuple[Warned, ...]:
    """What a write to a Delta table did to its files."""
    gone = {file.path for file in found.removes}
    files = [*(file for file in (table.files if table else ()) if file.path not in gone), *found.adds]
    layout = _unique_partition(job, found) or _small_partitions(job, found)
    return (*layout, *(() if layout else _many_files(job, files)), *_one_for_all(job, table))


def _unique_partition(job: Job, found: Change) -> list[Warned]:
    rows = sum(file.rows or 0 for file in found.adds)
    warned = []
    for name in job.layout.partition_by:
        values = len({file.partition[name] for file in found.adds})
        if values > FEW_VALUES and values > rows * VALUES_PER_ROW:
            warned.append(
                Warned(
                    f"partition_by: column '{name}' has {values:,} values in {rows:,} rows, a folder for each",
                    "partition by a column with few values, as a month or a region, or leave partition_by out",
                    "high-cardinality-partition",
                )
            )
    return warned


def _small_partitions(job: Job, found: Change) -> list[Warned]:
    count, mean = len(found.adds), _mean_bytes(found.adds)
    if not job.layout.partition_by or count <= MANY_FILES or mean >= SMALL_BYTES:
        return []
    rows = sum(file.rows or 0 for file in found.adds)
    return [
        Warned(
            f"partition_by: {', '.join(job.layout.partition_by)} made {count:,} files of {_bytes(mean)} and "
            f"{rows // count:,} rows on average",
            "partition by fewer or coarser columns (a month instead of a day), or leave partition_by out",
            "small-partitions",
        )
    ]


def _many_files(job: Job, files: Sequence[DataFile]) -> list[Warned]:
    parts = max(1, len({tuple(file.partition.items()) for file in files}))
    return many_small_files(job.sink.place.address, len(files), sum(file.size for file in files), parts)


def _one_for_all(job: Job, table: Snapshot | None) -> list[Warned]:
    """An overwrite that was meant for one partition."""
    if table is None or job.sink.mode != "overwrite" or job.sink.replace_where or not table.partition_by:
        return []
    before = {tuple(file.partition.items()) for file in table.files}
    now = {tuple(file.partition.items()) for file in job.staged}
    if len(now) != 1 or len(before) < 2 or job.layout.partition_by != table.partition_by:
        return []
    (only,) = now
    shown = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in only)
    replaced = f"mode: overwrite replaced all {len(before):,} partitions of {job.sink.place.address}"
    condition = " AND ".join(
        f"{name} IS NULL" if value is None else f"{name} = '{value}'" for name, value in only
    )
    return [
        Warned(
            Quoting(f"{replaced} by rows of one (", Data(shown), ")"),
            Quoting(
                "to replace only that one: mode: overwrite_partitions, or replace_where: ",
                Data(f'"{condition}"'),
                f"; version {table.version} holds the rows from before",
            ),
            "one-partition-overwrote-all",
        )
    ]


def _mean_bytes(files: Sequence[DataFile]) -> int:
    return sum(file.size for file in files) // len(files) if files else 0


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):.1f} kB"
