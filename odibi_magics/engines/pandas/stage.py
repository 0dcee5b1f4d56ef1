"""Rows into Parquet files inside a table's folder. Nothing sees them until a commit names them.

Deltalake's own writer holds a file in memory for each partition; pyarrow's dataset writer is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from odibi_magics.engines.pandas.datafiles import NULL_FOLDER, DataFile
from odibi_magics.engines.pandas.stats import bounded, stats_json
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.errors import EngineError

# Row groups: large enough to compress and to skip by, small enough that one per open file fits in memory.
GROUP_ROWS, LEAST_GROUP_ROWS = 131_072, 16_384

# A file ends at about this many bytes of Arrow data, some 100 to 250 MB on storage.
FILE_BYTES = 1 << 30

# More open files than this are closed and begun anew, which would make small ones; a process may commonly open 1024.
OPEN_FILES = 900

# A partition column with this many values is a mistake, not a layout; each costs a file of some kilobytes.
MOST_FILES = 50_000

# What Arrow may hold of a stream before it is held back, and how long, in seconds, that goes on with nothing freed.
QUEUE_BYTES = 512 << 20
_PATIENCE, _GLANCE = 0.5, 0.002

_TEXT_BYTES = 24  # a guess at text and nested values, for the size of files only

Watch = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Looks at each batch on its way, and returns what of it is to be written."""


class Staging:
    """The files of one write. On leaving, those that no commit took are deleted.

    indexed: how many columns get statistics. file_bytes: of Arrow data, after which a
    file ends and the next begins; 0 for never.
    """

    def __init__(self, store: Store, indexed: int, file_bytes: int = FILE_BYTES) -> None:
        self.store, self.indexed, self.file_bytes = store, indexed, file_bytes
        self.token = uuid4().hex
        self.rows = 0
        self._calls = 0
        self._loose: dict[str, DataFile] = {}
        self._broken = False
        self._was_there = store.is_folder()

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # files left behind are invisible, and vacuum deletes them
            self._clean()

    def write(
        self, batches: pa.RecordBatchReader, partition_by: Sequence[str], watch: Watch
    ) -> tuple[DataFile, ...]:
        """Writes all batches and returns the files, statistics made.

        batches: partition columns as integers or as text in the log's form. watch: may raise, and drop columns at the
        end. Raises what `watch` and the stream raise, and EngineError where storage refuses.
        """
        run = _Run(self, batches, partition_by, watch)
        self._broken = True
        written = run.write(f"part-{self._calls}-{{i}}-{self.token}.parquet")
        self._broken = False
        self._calls += 1
        self._loose.update({file.path: file for file in written})
        return written

    def keep(self, files: Sequence[DataFile]) -> None:
        """A commit took these."""
        for file in files:
            self._loose.pop(file.path, None)

    def keep_all(self) -> None:
        """A commit may have taken any of them: better left behind than missing."""
        self._loose.clear()

    def _clean(self) -> None:
        paths = [self.store.at(path) for path in self._loose]
        if self._broken:  # files cut off in the middle were never reported
            paths = [info.path for info in self.store.files() if self.token in info.base_name]
        for path in paths:
            self.store.delete(path)
        if not self._was_there and not self.store.files():  # with files it is another writer's folder too
            self.store.prune()


class _Run:
    """One pass of batches into files."""

    def __init__(
        self, staging: Staging, batches: pa.RecordBatchReader, partition_by: Sequence[str], watch: Watch
    ) -> None:
        self.store, self.staging, self.batches, self.watch = staging.store, staging, batches, watch
        self.partition_by = list(partition_by)
        self.files: list[DataFile] = []
        self.failure: BaseException | None = None

    def write(self, names: str) -> tuple[DataFile, ...]:
        first = next(self._watched(), None)
        if first is None:
            return ()
        schema = first.schema
        self.stored = pa.schema([field for field in schema if field.name not in self.partition_by])
        bytes_ = self.staging.file_bytes
        rows = max(LEAST_GROUP_ROWS * 8, bytes_ // _width(schema)) if bytes_ else 0
        try:
            if self.partition_by:
                self._folders(pa.RecordBatchReader.from_batches(schema, self._all(first)), names, rows)
            else:
                self._one_by_one(self._all(first), names, rows)
        except Exception as error:
            if self.failure is not None:
                raise self.failure from None
            if isinstance(error, OSError | pa.ArrowException):
                raise EngineError(f"cannot write to {self.store.url}: {error}") from None
            raise
        return tuple(self.files)

    def _folders(self, reader: pa.RecordBatchReader, names: str, rows: int) -> None:
        keys = pa.schema([reader.schema.field(name) for name in self.partition_by])
        ds.write_dataset(
            reader,
            self.store.root,
            filesystem=self.store.filesystem,
            format="parquet",
            file_options=ds.ParquetFileFormat().make_write_options(**_parquet(self.stored)),
            partitioning=ds.partitioning(keys, flavor="hive"),
            basename_template=names,
            file_visitor=lambda written: self._finished(written.path, written.size, written.metadata),
            existing_data_behavior="overwrite_or_ignore",
            preserve_order=False,
            max_partitions=MOST_FILES,
            max_open_files=OPEN_FILES,
            max_rows_per_file=rows,
            max_rows_per_group=GROUP_ROWS,
            min_rows_per_group=LEAST_GROUP_ROWS,
        )

    def _one_by_one(self, batches: Iterator[pa.RecordBatch], names: str, rows: int) -> None:
        """Files one after the other, written here: Arrow's dataset writer would only queue batches for the one."""
        self.store.filesystem.create_dir(self.store.root)
        for number, some in enumerate(_chunks(batches, rows)):
            path = self.store.at(names.format(i=number))
            footers: list[Any] = []
            with (
                self.store.filesystem.open_output_stream(path) as sink,
                pq.ParquetWriter(
                    sink, self.stored, metadata_collector=footers, **_parquet(self.stored)
                ) as writer,
            ):
                for batch in some:
                    writer.write_batch(batch, row_group_size=GROUP_ROWS)
            self._finished(path, self.store.filesystem.get_file_info(path).size, footers[0])

    def _watched(self) -> Iterator[pa.RecordBatch]:
        for batch in self.batches:
            kept = self.watch(batch)
            if kept.num_rows:
                yield kept

    def _all(self, first: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        brake = _Brake()
        try:
            yield self._counted(first)
            for batch in self._watched():
                brake.hold()
                yield self._counted(batch)
        except BaseException as error:  # Arrow would wrap it
            if not isinstance(error, GeneratorExit):
                self.failure = error
            raise

    def _counted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        self.staging.rows += batch.num_rows
        if len(self.files) > MOST_FILES:
            raise EngineError(_too_many(self.partition_by))
        return batch

    def _finished(self, path: str, size: int, footer: Any) -> None:
        path = path.removeprefix(self.store.root).lstrip("/")
        stats = stats_json(footer, self.stored, indexed=self.staging.indexed)
        self.files.append(DataFile(path, size, footer.num_rows, _partition(path), stats))


class _Brake:
    """Holds the stream back while Arrow's dataset writer lags behind: it would queue eight million rows.

    Row groups that are not full yet stay in memory however long one waits; a wait that frees nothing moves the level.
    """

    def __init__(self) -> None:
        self.level = pa.total_allocated_bytes() + QUEUE_BYTES

    def hold(self) -> None:
        """Returns once Arrow holds less than the level, or nothing has become free for a while."""
        least, since = pa.total_allocated_bytes(), time.monotonic()
        while (now := pa.total_allocated_bytes()) > self.level:
            if now < least:
                least, since = now, time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                self.level = now + max(now, QUEUE_BYTES) // 4
            time.sleep(_GLANCE)


def _chunks(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[Iterator[pa.RecordBatch]]:
    """The batches in runs of about so many rows; each run must be read to its end before the next. 0: one run."""
    for first in batches:
        yield _chunk(first, batches, rows)


def _chunk(first: pa.RecordBatch, batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    yield first
    count = first.num_rows
    while not rows or count < rows:
        batch = next(batches, None)
        if batch is None:
            return
        count += batch.num_rows
        yield batch


def _parquet(schema: pa.Schema) -> dict[str, Any]:
    """How Parquet is written. A dictionary for text only: measured, numbers and times compress better without one, to
    files of 165 MB instead of 230, and its hashing is a quarter of a write's CPU time."""
    text = [field.name for field in schema if pa.types.is_string(field.type)]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": text,
        "write_statistics": bounded(schema),
    }


def _partition(path: str) -> dict[str, str | None]:
    pairs = (folder.split("=", 1) for folder in path.split("/")[:-1])
    return {unquote(name): None if value == NULL_FOLDER else unquote(value) for name, value in pairs}


def _width(schema: pa.Schema) -> int:
    """Bytes of a row in Arrow, roughly."""
    return sum(_bytes(field.type) for field in schema) or 1


def _bytes(type_: pa.DataType) -> int:
    try:
        return max(1, int(type_.bit_width) // 8)
    except ValueError:
        return _TEXT_BYTES


def _too_many(partition_by: Sequence[str]) -> str:
    return (
        f"partition_by: {', '.join(partition_by)} makes more than {MOST_FILES} files. Partition by a column with few "
        "values, as a month or a region, or leave partition_by out"
    )
