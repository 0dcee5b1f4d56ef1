"""What a Delta table is, and what its state asks for."""

from __future__ import annotations

from datetime import UTC, datetime

from odibi_magics.config.types import Column
from odibi_magics.delta.detail import RETENTION, Detail, removed_before, tombstones
from odibi_magics.delta.lifetimes import lifetimes
from odibi_magics.delta.log import checkpoints, commits, last_checkpoint, moment, newest_version
from odibi_magics.delta.replay import Versions
from odibi_magics.engines.base import Place, Warned
from odibi_magics.engines.condition import long_log, many_small_files, much_reclaimable
from odibi_magics.engines.pandas.checkpoints import decoded
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.read_delta import open_table
from odibi_magics.engines.pandas.snapshot import Snapshot, open_snapshot, told_type
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.errors import ConnectionFailed, EngineError

# Commits that a look in passing reads, side by side in one round: what they do not tell is not warned of.
_GLANCE = 32

# A table opens quickly up to so many versions behind its last checkpoint.
_QUICK = 100


def detail(place: Place) -> Detail:
    """A table as it stands. One listing of all its files and one pass over its commits.

    Raises EngineError where there is none or its log is damaged, ConnectionFailed.
    """
    table = open_table(place)
    store, log = table.store, StoreLog(table.store)
    sizes = {info.path.removeprefix(f"{store.root}/"): info.size for info in store.files()}
    names = [path.removeprefix("_delta_log/") for path in sizes if path.startswith("_delta_log/")]
    lived = lifetimes(Versions(log, tuple(names), decoded))
    old = tombstones(lived.newest, datetime.now(UTC) - RETENTION, store.url)
    about, protocol = table.delta.metadata(), table.delta.protocol()
    rows = [file.rows for file in table.files]
    return Detail(
        address=place.address,
        url=store.url,
        version=table.version,
        created=moment(about.created_time),
        name=about.name or None,
        description=about.description or None,
        format="parquet",
        reader_version=protocol.min_reader_version,
        writer_version=protocol.min_writer_version,
        features=tuple(sorted({*(protocol.reader_features or ()), *(protocol.writer_features or ())})),
        columns=tuple(Column(field["name"], told_type(field["type"])) for field in table.fields),
        partition_by=table.partition_by,
        properties=table.configuration,
        files=len(rows),
        bytes=sum(file.size for file in table.files),
        rows=None if None in rows else sum(filter(None, rows)),
        partitions=partitions(table),
        oldest=next(iter(lived.readable(name for name in lived.spans if name not in sizes)), None),
        log_files=len(names),
        log_bytes=sum(size for path, size in sizes.items() if path.startswith("_delta_log/")),
        checkpoint=max(checkpoints(names), default=None),
        reclaimable=sum(sizes.get(name, 0) for name in old),
    )


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
    freed = sum(removed_before(latest, datetime.now(UTC) - RETENTION).values())
    return (*much_reclaimable(address, freed, size), *long_log(address, versions_behind(log, newest)))


def versions_behind(log: StoreLog, newest: int) -> int:
    """How many versions come after the last checkpoint that the log names; all where it names none."""
    last = last_checkpoint(log)
    return newest - (-1 if last is None else last)
