"""Rows into files by partition: none lost, none held for long, whatever their order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from odibi_magics.engines.pandas import data_writer
from odibi_magics.engines.pandas.data_writer import DataWriter
from odibi_magics.engines.pandas.datafiles import DataFile
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.errors import EngineError

SCHEMA = pa.schema([("id", pa.int64()), ("year", pa.int32()), ("city=a", pa.string())])
Row = tuple[int, int | None, str | None]


def rows_of(count: int, years: int) -> list[Row]:
    """In no order, with NULL among the years and cities that cannot be folders' names as they are."""
    cities = ["Ulm", "a/b", "50%", "Köln", None]
    some = random.Random(7)
    return [(i, some.choice([None, *range(2000, 2000 + years)]), some.choice(cities)) for i in range(count)]


def batches(rows: list[Row], size: int = 100) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), size):
        columns = zip(*rows[start : start + size], strict=True)
        arrays = [pa.array(values, one.type) for values, one in zip(columns, SCHEMA, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def writer_to(folder: Path, by: list[str], file_rows: int = 0) -> DataWriter:
    store = Store(str(folder), str(folder), fs.LocalFileSystem())
    return DataWriter(store, SCHEMA, by, "part-{i}.parquet", file_rows, indexed=-1)


def write(folder: Path, rows: list[Row], by: list[str], file_rows: int = 0) -> tuple[DataFile, ...]:
    writer = writer_to(folder, by, file_rows)
    for batch in batches(rows):
        writer.write(batch)
    return writer.close()


def read(folder: Path, files: tuple[DataFile, ...]) -> list[Row]:
    """The rows, partition values taken from what the log would say."""
    found: list[Row] = []
    for file in files:
        table = pq.ParquetFile(folder / file.path).read()
        assert table.num_rows == file.rows
        said: dict[str, Any] = dict(file.partition)
        for row in table.to_pylist():
            whole = {**row, **said}
            year = whole["year"]
            found.append((whole["id"], None if year is None else int(year), whole["city=a"]))
    return found


@pytest.mark.parametrize("by", [[], ["year"], ["year", "city=a"]], ids=["none", "one", "two"])
def test_every_row_is_in_its_partition(tmp_path: Path, by: list[str]) -> None:
    rows = rows_of(1000, years=3)
    files = write(tmp_path, rows, by)
    assert sorted(read(tmp_path, files)) == sorted(rows, key=lambda row: row[0])
    assert len(files) == len({tuple(row[SCHEMA.names.index(name)] for name in by) for row in rows})
    assert {file.path for file in files} == {
        str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()
    }


def test_rows_of_a_partition_keep_their_order(tmp_path: Path) -> None:
    for file in write(tmp_path, rows_of(1000, years=2), ["year"]):
        ids = pq.ParquetFile(tmp_path / file.path).read().column("id").to_pylist()
        assert ids == sorted(ids)


def test_full_groups_are_written_while_rows_still_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_writer, "GROUP_ROWS", 150)
    (file,) = write(tmp_path, rows_of(1000, years=3), [])
    metadata = pq.ParquetFile(tmp_path / file.path).metadata
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [200] * 5


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_writer, "WAITING_BYTES", 5_000)
    writer = writer_to(tmp_path, ["year"])
    rows, most = rows_of(3000, years=50), 0
    for batch in batches(rows):
        writer.write(batch)
        most = max(most, writer._waiting_bytes)
    assert 0 < most <= 5_000
    assert len(read(tmp_path, writer.close())) == 3000


def test_open_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_writer, "OPEN_FILES", 2)
    monkeypatch.setattr(data_writer, "GROUP_ROWS", 10)
    rows = rows_of(1000, years=6)
    files = write(tmp_path, rows, ["year"])
    assert len(files) > 7, "files were closed and begun anew"
    assert sorted(row[0] for row in read(tmp_path, files)) == list(range(1000))


def test_files_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_writer, "GROUP_ROWS", 100)
    assert [file.rows for file in write(tmp_path, rows_of(1000, years=1), [], file_rows=400)] == [
        400,
        400,
        200,
    ]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_writer, "MOST_FILES", 20)
    with pytest.raises(EngineError, match="partition_by: id makes more than 20 files"):
        write(tmp_path, rows_of(1000, years=1), ["id"])


def test_what_an_encoder_meets_is_raised_where_rows_are_given(tmp_path: Path) -> None:
    (tmp_path / "year=2000").write_text("a file where a folder should be")
    with pytest.raises(OSError, match="year=2000"):
        write(tmp_path, [(i, 2000, None) for i in range(1000)], ["year"])
