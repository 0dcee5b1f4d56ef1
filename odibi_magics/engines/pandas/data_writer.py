"""A stream of rows into Parquet files, a folder for each partition, in bounded memory whatever the order of the rows.

Deltalake's own writer keeps a file in memory for each partition. Arrow's dataset writer takes rows faster than it
writes them and can only be held back by guessing: on a busy machine its queue grew to 4 GB. Here rows wait as Arrow
data, a row group is encoded once a partition has enough of them, or the waiting ones together are too many, and the
stream stands still while the encoders are behind.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from odibi_magics.engines.pandas.datafiles import NULL_FOLDER, DataFile
from odibi_magics.engines.pandas.stats import bounded, stats_json
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.waiting import asked, obey
from odibi_magics.errors import EngineError

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.split import Key

# Rows of a row group: large enough to compress and to skip by.
GROUP_ROWS = 131_072

# Wide rows make smaller groups.
GROUP_BYTES = 64 << 20

# All rows that wait for their row group; with 36 partitions in no order that makes groups of some 60,000 rows.
WAITING_BYTES = 256 << 20

# More open files than this are closed and begun anew, which would make small ones; a process may commonly open 1024.
OPEN_FILES = 900

# A partition column with this many values is a mistake, not a layout; each costs a file of some kilobytes.
MOST_FILES = 50_000

# Threads that encode and compress; Arrow lets go of the interpreter for it.
ENCODERS = min(4, os.cpu_count() or 1)

_TRIES = 5


@dataclass
class _Waiting:
    """Rows of one partition that no row group holds yet."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    def add(self, batch: pa.RecordBatch, bytes_: int) -> None:
        self.batches.append(batch)
        self.rows += batch.num_rows
        self.bytes += bytes_


class DataWriter:
    """Writes batches; `close` gives the files.

    schema: of the batches, partition columns among them as integers or as text in the log's form. name: of the
    files, with `{i}` for their number. file_rows: after so many a file ends and the next begins; 0 for never.
    indexed: how many columns get statistics.
    """

    def __init__(
        self,
        store: Store,
        schema: pa.Schema,
        partition_by: Sequence[str],
        name: str,
        file_rows: int,
        indexed: int,
    ) -> None:
        self._store, self._name, self._file_rows, self._indexed = store, name, file_rows, indexed
        self._by = list(partition_by)
        self._stored = pa.schema([one for one in schema if one.name not in partition_by])
        self._waiting: dict[Key, _Waiting] = {}
        self._waiting_bytes = 0
        self._open: OrderedDict[Key, _File] = OrderedDict()
        self._unfinished: set[_File] = set()
        self._begun = 0
        self._ended: list[Future[DataFile]] = []
        self._encoders = [ThreadPoolExecutor(1, "odibi-encode", obey, (asked(),)) for _ in range(ENCODERS)]
        self._room = threading.Semaphore(2 * ENCODERS)
        self._failure: BaseException | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        """Takes the rows; waits while the encoders are behind. Raises EngineError, OSError and pa.ArrowException."""
        for key, part in self._split(batch):
            waiting = self._waiting.setdefault(key, _Waiting())
            waiting.add(part, bytes_ := part.nbytes)
            self._waiting_bytes += bytes_
            if waiting.rows >= GROUP_ROWS or waiting.bytes >= GROUP_BYTES:
                self._flush(key)
        if self._waiting_bytes > WAITING_BYTES:
            self._flush_largest()

    def close(self) -> tuple[DataFile, ...]:
        """Writes what waits and ends all files. Raises as `write`."""
        for key in list(self._waiting):
            self._flush(key)
        for file in self._open.values():
            self._end(file)
        self._open.clear()
        for encoder in self._encoders:
            encoder.shutdown()
        self._raise_failure()
        return tuple(future.result() for future in self._ended)

    def abandon(self) -> None:
        """Stops the encoders and lets go of the files, which stay as they are. Safe to repeat, and after `close`."""
        for encoder in self._encoders:
            encoder.shutdown(cancel_futures=True)
        for file in self._unfinished:
            file.abandon()

    def _split(self, batch: pa.RecordBatch) -> Iterator[tuple[Key, pa.RecordBatch]]:
        """The batch by its partitions; rows of a partition keep their order."""
        stored = batch.select(self._stored.names)
        if not self._by:
            yield (), stored
            return
        from odibi_magics.engines.pandas.split import split  # with pyarrow.compute, 50 ms

        yield from split(stored, [batch.column(name) for name in self._by])

    def _flush_largest(self) -> None:
        """Row groups of the partitions with most rows, until half of what may wait does."""
        for key in sorted(self._waiting, key=lambda key: self._waiting[key].bytes, reverse=True):
            if self._waiting_bytes <= WAITING_BYTES // 2:
                return
            self._flush(key)

    def _flush(self, key: Key) -> None:
        """Hands a partition's waiting rows to its file's encoder, as one row group."""
        waiting = self._waiting.pop(key)
        self._waiting_bytes -= waiting.bytes
        file = self._file(key)
        file.rows += waiting.rows
        self._room.acquire()
        self._raise_failure()
        file.encoder.submit(self._encode, file, pa.Table.from_batches(waiting.batches))
        if self._file_rows and file.rows >= self._file_rows:
            self._end(self._open.pop(key))

    def _encode(self, file: _File, group: pa.Table) -> None:
        try:
            if self._failure is None:
                file.write(group)
        except BaseException as error:  # told in the thread that writes
            self._failure = self._failure or error
        finally:
            self._room.release()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _file(self, key: Key) -> _File:
        """The partition's open file, the last to be closed when there are too many."""
        file = self._open.pop(key, None) or self._begin(key)
        self._open[key] = file
        if len(self._open) > OPEN_FILES:
            self._end(self._open.popitem(last=False)[1])
        return file

    def _begin(self, key: Key) -> _File:
        if self._begun >= MOST_FILES:
            raise EngineError(_too_many(self._by))
        folders = [f"{name}={_folder(value)}" for name, value in zip(self._by, key, strict=True)]
        path = "/".join([*folders, self._name.format(i=self._begun)])
        partition = {
            name: None if value is None else str(value) for name, value in zip(self._by, key, strict=True)
        }
        encoder = self._encoders[self._begun % len(self._encoders)]
        self._begun += 1
        file = _File(self._store, path, partition, self._stored, encoder)
        self._unfinished.add(file)
        return file

    def _end(self, file: _File) -> None:
        self._ended.append(file.encoder.submit(self._finish, file))

    def _finish(self, file: _File) -> DataFile:
        finished = file.finish(self._indexed)
        self._unfinished.discard(file)
        return finished


class _File:
    """One file under way; its encoder's thread alone writes to it, so its row groups keep their order."""

    def __init__(
        self,
        store: Store,
        path: str,
        partition: Mapping[str, str | None],
        schema: pa.Schema,
        encoder: ThreadPoolExecutor,
    ) -> None:
        self.encoder, self.rows = encoder, 0
        self._store, self._path, self._partition, self._schema = store, path, partition, schema
        self._footers: list[Any] = []
        self._sink: Any = None
        self._writer: pq.ParquetWriter | None = None

    def write(self, group: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._opened()
        self._writer.write_table(group, row_group_size=group.num_rows)

    def finish(self, indexed: int) -> DataFile:
        assert self._writer is not None
        self._writer.close()
        self._sink.close()
        size = self._store.filesystem.get_file_info(self._store.at(self._path)).size
        (footer,) = self._footers
        stats = stats_json(footer, self._schema, indexed=indexed)
        return DataFile(self._path, size, footer.num_rows, self._partition, stats)

    def abandon(self) -> None:
        """Lets go of the file: a deleted one that is open still takes its room on a full disk."""
        for one in (self._writer, self._sink):
            # Arrow raises RuntimeError for a footer that could not be written.
            with suppress(OSError, pa.ArrowException, RuntimeError):
                if one is not None:
                    one.close()

    def _opened(self) -> pq.ParquetWriter:
        self._sink = self._made(self._store.at(self._path))
        return pq.ParquetWriter(
            self._sink, self._schema, metadata_collector=self._footers, **_settings(self._schema)
        )

    def _made(self, place: str) -> Any:
        """The file. A first write of another's that fails may take the empty folder away before it is in it."""
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                self._store.filesystem.create_dir(place.rpartition("/")[0])
                return self._store.filesystem.open_output_stream(place)
        raise FileNotFoundError(f"the folder of {place} is gone")


def _folder(value: Any) -> str:
    return NULL_FOLDER if value is None else quote(str(value), safe="")


def _settings(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet is written. A dictionary for text only: measured, numbers and times compress better without one, to
    files of 165 MB instead of 230, and its hashing is a quarter of a write's CPU time."""
    text = [one.name for one in schema if pa.types.is_string(one.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": text,
        "write_statistics": bounded(schema),
    }


def _too_many(partition_by: Sequence[str]) -> str:
    return (
        f"partition_by: {', '.join(partition_by)} makes more than {MOST_FILES} files. Partition by a column with few "
        "values, as a month or a region, or leave partition_by out"
    )
