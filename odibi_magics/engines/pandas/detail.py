"""What a Delta table is."""

from __future__ import annotations

from datetime import UTC, datetime

from odibi_magics.config.types import Column
from odibi_magics.delta.detail import Detail, tombstones
from odibi_magics.delta.lifetimes import lifetimes
from odibi_magics.delta.log import checkpoints, moment
from odibi_magics.delta.removed import KEPT
from odibi_magics.delta.replay import Versions
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.checkpoints import decoded
from odibi_magics.engines.pandas.glance import partitions
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.read_delta import open_table
from odibi_magics.engines.pandas.snapshot import told_type


def detail(place: Place) -> Detail:
    """A table as it stands. One listing of all its files and one pass over its commits.

    Raises EngineError where there is none or its log is damaged, ConnectionFailed.
    """
    table = open_table(place)
    store, log = table.store, StoreLog(table.store)
    sizes = {info.path.removeprefix(f"{store.root}/"): info.size for info in store.files()}
    names = [path.removeprefix("_delta_log/") for path in sizes if path.startswith("_delta_log/")]
    lived = lifetimes(Versions(log, tuple(names), decoded))
    old = tombstones(lived.newest, datetime.now(UTC) - KEPT, store.url)
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
