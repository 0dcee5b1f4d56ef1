"""What a Delta table is: its columns, files and properties, its log, and what a vacuum might free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from odibi_magics.config.types import Column
from odibi_magics.delta.log import moment
from odibi_magics.delta.paths import stored
from odibi_magics.delta.replay import State
from odibi_magics.delta.told import Told


@dataclass(frozen=True)
class Detail(Told):
    """A table at its newest version.

    address: ready to paste. created: in UTC; None where the log does not say. format: of its data files.
    features: of the protocol, by name, sorted; () below reader version 3 and writer version 7.
    files, bytes, rows: of the version, in bytes on storage; rows None where a file has no statistics.
    partitions: how many of them have files; 1 for a table that is not partitioned.
    oldest: the oldest version that can still be read; None where not one can.
    log_files, log_bytes: of `_delta_log`. checkpoint: the version of the last one; None where there is none.
    reclaimable: bytes of files removed more than 168 hours ago that are still there, as far as the log tells.
    Where only a Spark session can open the table, nobody tells of these, from `oldest` on: they are None.
    """

    address: str
    url: str
    version: int
    created: datetime | None
    name: str | None
    description: str | None
    format: str
    reader_version: int
    writer_version: int
    features: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...]
    properties: Mapping[str, str]
    files: int
    bytes: int
    rows: int | None
    partitions: int
    oldest: int | None
    log_files: int | None
    log_bytes: int | None
    checkpoint: int | None
    reclaimable: int | None

    @property
    def since_checkpoint(self) -> int | None:
        """How many versions come after the last checkpoint; all of them where there is none. None: nobody tells."""
        if self.log_files is None:
            return None
        return self.version - (-1 if self.checkpoint is None else self.checkpoint)


def tombstones(state: State, until: datetime, url: str) -> set[str]:
    """The files that were removed before a time, as they are on storage, but for those that the table needs again."""
    removed = {
        name
        for one in state.tombstones.values()
        if (when := moment(one.get("deletionTimestamp"))) is not None and when < until
        for name in stored(one, url)
    }
    return removed - {name for one in state.files.values() for name in stored(one, url)}
