"""What a Delta table's state asks for, as far as a look in passing tells."""

from __future__ import annotations

from datetime import UTC, datetime

from odibi_magics.delta.log import commits, last_checkpoint, newest_version
from odibi_magics.delta.removed import KEPT, removed_before
from odibi_magics.engines.base import Place, Warned
from odibi_magics.engines.condition import long_log, many_small_files, much_reclaimable
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.snapshot import Snapshot, open_snapshot
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.errors import ConnectionFailed, EngineError

# Commits that a look in passing reads, side by side in one round: what they do not tell is not warned of.
_GLANCE = 32

# A table opens quickly up to so many versions behind its last checkpoint.
_QUICK = 100


def partitions(table: Snapshot) -> int:
    """How many partitions have files; at least 1."""
    return max(1, len({tuple(file.partition.items()) for file in table.files}))


def glance(place: Place) -> tuple[Warned, ...]:
    """What a table's state asks for, as far as a look in passing tells: nothing is listed, few files are read.

    A table that cannot be looked at has no warnings: whoever reads it is told why.
    """
    try:
        store = open_store(place)
        log = StoreLog(store)
        newest = newest_version(log)
        if newest is None:
            return ()
        table = open_snapshot(store) if versions_behind(log, newest) <= _QUICK else None
        size = sum(file.size for file in table.files) if table else 0
        small = many_small_files(place.address, len(table.files), size, partitions(table)) if table else []
        return (*small, *log_warnings(place.address, log, newest, size))
    except (OSError, EngineError, ConnectionFailed):
        return ()


def log_warnings(address: str, log: StoreLog, newest: int, size: int) -> tuple[Warned, ...]:
    """What a log alone tells, from its hint and its newest commits. size: bytes of the table as it stands.

    Raises as the log does.
    """
    latest = commits(log, range(max(0, newest - _GLANCE + 1), newest + 1))
    freed = sum(removed_before(latest, datetime.now(UTC) - KEPT).values())
    return (*much_reclaimable(address, freed, size), *long_log(address, versions_behind(log, newest)))


def versions_behind(log: StoreLog, newest: int) -> int:
    """How many versions come after the last checkpoint that the log names; all where it names none."""
    last = last_checkpoint(log)
    return newest - (-1 if last is None else last)
