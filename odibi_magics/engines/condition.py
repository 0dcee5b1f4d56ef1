"""What a Delta table's state asks for, the same on every engine. A good table gets no warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from odibi_magics.engines.base import Warned

if TYPE_CHECKING:
    from odibi_magics.delta.detail import Detail

# Compacting joins files inside a partition: worth a word once it would save that many, none of them of good size.
SPARE_FILES, GOOD_BYTES = 50, 8 << 20

# What a vacuum frees is worth a word from a gigabyte on, if that is a tenth of what the table takes.
FREED_BYTES, FREED_SHARE = 10**9, 10

# Every reader takes all commits behind the last checkpoint. Spark makes one of 10, deltalake one of 100.
LONG_LOG = 200


def warnings_of(detail: Detail) -> tuple[Warned, ...]:
    """All that a table's detail tells."""
    return (
        *many_small_files(detail.address, detail.files, detail.bytes, detail.partitions),
        *much_reclaimable(detail.address, detail.reclaimable or 0, detail.bytes),
        *long_log(detail.address, detail.since_checkpoint or 0),
    )


def many_small_files(address: str, files: int, size: int, partitions: int) -> list[Warned]:
    """files, size: of the table as it stands, in bytes. partitions: how many it has, 1 where it is not partitioned."""
    if files - partitions < SPARE_FILES or size // files >= GOOD_BYTES:
        return []
    where = f" in {partitions:,} partitions" if partitions > 1 else ""
    return [
        Warned(
            f"the table {address} now has {files:,} files of {_bytes(size // files)} on average{where}",
            f"compact it (%odibi_optimize {address}), and write more rows at a time",
            "many-small-files",
        )
    ]


def much_reclaimable(address: str, freed: int, size: int) -> list[Warned]:
    """freed: bytes of files that the table no longer has for longer than a vacuum keeps them. size: of those it has."""
    if freed < FREED_BYTES or freed * FREED_SHARE < size:
        return []
    return [
        Warned(
            f"at least {freed / 1e9:,.1f} GB below {address} are files that it no longer has, for more than 168 hours",
            f"see what a vacuum would delete: %odibi_vacuum {address}",
            "reclaimable-files",
        )
    ]


def long_log(address: str, versions: int) -> list[Warned]:
    """versions: those behind the last checkpoint."""
    if versions < LONG_LOG:
        return []
    return [
        Warned(
            f"whoever opens {address} reads {versions:,} versions one by one: its log has no checkpoint behind them",
            f"make one (%odibi_optimize {address} does), and set delta.checkpointInterval to 100 or less",
            "long-log",
        )
    ]


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(count / 1e3, 0.1):.1f} kB"
