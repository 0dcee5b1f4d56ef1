"""Data files of a Delta table, and their rows as something DuckDB scans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.session import Opener
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.pandas.types import arrow_type, naive
from odibi_magics.errors import EngineError
from odibi_magics.quoting import Data, Quoting

NUMBER = "odibi file number"
"""A column beside a table's own: which of the files a row stands in, from 0, or its path where DuckDB reads it.
No table can have one of this name."""

NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
"""What a partition's folder is called where its value is NULL."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a table.

    path: relative to the table, as it is on storage (the log holds it URL-encoded). rows: None where the log does not
    say. partition: values as the log writes them, None for NULL. stats: JSON, of files about to be added.
    low, high: bounds of columns as the log tells them, of files that are in the table. removable: whether deltalake
    can take it out: it writes paths URL-encoded, which is not the file's name where the log has it otherwise.
    """

    path: str
    size: int
    rows: int | None
    partition: Mapping[str, str | None]
    stats: str = ""
    low: Mapping[str, Any] | None = None
    high: Mapping[str, Any] | None = None
    removable: bool = True


def partition_text(value: Any) -> str | None:
    """A partition value as the Delta protocol's "Partition Value Serialization" writes it; an empty text is NULL.

    Instants with their Z: without it Spark takes them for times of its session's zone.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        text = value.replace(tzinfo=None).isoformat("T" if value.tzinfo else " ", "microseconds")
        return text + "Z" * bool(value.tzinfo)
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)


@dataclass(frozen=True)
class FileRows:
    """The rows of some files of one table. columns: of the table, in its order."""

    store: Store
    files: Sequence[DataFile]
    columns: Sequence[Column]
    partition_by: Sequence[str]

    def opener(self, names: Iterable[str]) -> Opener:
        """Opens these columns and NUMBER, `timestamp` without a zone; columns a file lacks are NULL.

        A dataset, so that DuckDB's filters skip what they can; where a timestamp is among the columns a one-shot
        stream: Arrow refuses to compare times with a zone, as in the files, to ones without.
        """
        wanted = {name.lower() for name in names}
        columns = [column for column in self.columns if column.name.lower() in wanted]
        fields = [pa.field(column.name, naive(arrow_type(column.type))) for column in columns]
        schema = pa.schema([*fields, pa.field(NUMBER, pa.int32())])
        if any("timestamp" in column.type for column in columns):
            return lambda: self._dataset(schema).scanner(batch_readahead=4, fragment_readahead=2).to_reader()
        return lambda: self._dataset(schema)

    def _dataset(self, schema: pa.Schema) -> Any:
        import pyarrow.dataset as ds  # here, because it imports pandas too: 0.6 s

        # INT96, as Spark used to write: nanoseconds would overflow outside of the years 1677 to 2262.
        format_ = ds.ParquetFileFormat(read_options=ds.ParquetReadOptions(coerce_int96_timestamp_unit="us"))
        types = {c.name: arrow_type(c.type) for c in self.columns if c.name in self.partition_by}
        fragments = [self._fragment(format_, number, file, types) for number, file in enumerate(self.files)]
        with ThreadPoolExecutor(_FOOTERS) as pool:
            # The fragments keep what was read, so that no footer is read twice.
            check = partial(self._check_names, schema)
            for _ in pool.map(check, self.files, fragments):
                pass
        return ds.FileSystemDataset(fragments, schema, format_, self.store.filesystem)

    def _check_names(self, schema: pa.Schema, file: DataFile, fragment: Any) -> None:
        """Raises EngineError for a file that is damaged or gone, or names columns in other cases than the table.

        Arrow would take such a column for one that the file lacks, and its values for NULL.
        """
        try:
            there = fragment.physical_schema
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            what = "is not there any more" if isinstance(error, FileNotFoundError) else "is not whole"
            raise EngineError(
                Quoting(
                    "the file ",
                    Data(file.path),
                    f" of the Delta table {self.store.url} {what}. Nothing was changed",
                )
            ) from None
        wanted = pa.struct(
            [field for field in schema if field.name != NUMBER and field.name not in file.partition]
        )
        if found := _other_case(pa.struct(list(there)), wanted):
            raise EngineError(
                Quoting(
                    "the file ", Data(file.path), f" of the Delta table {self.store.url} names its column "
                    f"'{found[0]}', which is '{found[1]}' in the table: this engine cannot write its rows anew, use "
                    "Spark. Nothing was changed",
                )
            )  # fmt: skip

    def _fragment(self, format_: Any, number: int, file: DataFile, types: Mapping[str, pa.DataType]) -> Any:
        import pyarrow.dataset as ds

        known = ds.field(NUMBER) == pa.scalar(number, pa.int32())
        for name, text in file.partition.items():
            column = ds.field(name)
            known &= column.is_null() if text is None else column == _typed(text, types[name])
        path = self.store.at(file.path)
        return format_.make_fragment(path, filesystem=self.store.filesystem, partition_expression=known)


_FOOTERS = 16
"""Footers read at a time."""


def _other_case(there: pa.DataType, wanted: pa.DataType) -> tuple[str, str] | None:
    """A name in a file's type, and in that wanted, that differ in nothing but their case; also inside of others."""
    if not (pa.types.is_struct(there) and pa.types.is_struct(wanted)):
        inner = [[one.field(i).type for i in range(one.num_fields)] for one in (there, wanted)]
        return next((found for pair in zip(*inner, strict=False) if (found := _other_case(*pair))), None)
    names = {field.name: field for field in there}
    for field in wanted:
        if field.name in names:
            if found := _other_case(names[field.name].type, field.type):
                return found
        elif other := next((name for name in names if name.lower() == field.name.lower()), None):
            return other, field.name
    return None


def _typed(text: str, type_: pa.DataType) -> pa.Scalar:
    """A partition value, `timestamp` without its zone."""
    return pa.scalar(text).cast(type_).cast(naive(type_))
