"""Rows on their way into files: pulled while others are written, and no longer once a write has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import fs

from odibi_magics.engines.pandas.stage import Staging
from odibi_magics.engines.pandas.storage import Store

SCHEMA = pa.schema([("id", pa.int64())])


def staging(folder: Path) -> Staging:
    return Staging(Store(str(folder), str(folder), fs.LocalFileSystem()), indexed=-1)


def reader(batches: Iterator[pa.RecordBatch]) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, batches)


def batch(number: int) -> pa.RecordBatch:
    return pa.record_batch([pa.array([number])], schema=SCHEMA)


def test_batches_are_pulled_while_one_is_looked_at(tmp_path: Path) -> None:
    third = threading.Event()

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(3):
            if number == 2:
                third.set()
            yield batch(number)

    def watch(rows: pa.RecordBatch) -> pa.RecordBatch:
        assert third.wait(30)
        return rows

    with staging(tmp_path) as made:
        files = made.write(reader(batches()), [], watch)
    assert sum(file.rows or 0 for file in files) == 3


def test_nothing_is_pulled_once_a_write_has_failed(tmp_path: Path) -> None:
    pulled: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        while True:
            pulled.append(len(pulled))
            yield batch(pulled[-1])

    def watch(rows: pa.RecordBatch) -> pa.RecordBatch:
        if rows.column(0)[0].as_py() == 10:
            raise ValueError("bad row")
        return rows

    with pytest.raises(ValueError, match="bad row"), staging(tmp_path) as made:
        made.write(reader(batches()), [], watch)
    assert len(pulled) <= 15
    assert not [one for one in threading.enumerate() if one.name.startswith("odibi-pull")]


def test_what_the_stream_raises_comes_out_after_the_rows_before_it(tmp_path: Path) -> None:
    seen: list[int | None] = []

    def batches() -> Iterator[pa.RecordBatch]:
        yield batch(0)
        yield batch(1)
        raise OSError("the source is gone")

    def watch(rows: pa.RecordBatch) -> pa.RecordBatch:
        seen.extend(rows.column(0).to_pylist())
        return rows

    with pytest.raises(OSError, match="the source is gone"), staging(tmp_path) as made:
        made.write(reader(batches()), [], watch)
    assert seen == [0, 1]
    assert not list(tmp_path.rglob("*.parquet"))
