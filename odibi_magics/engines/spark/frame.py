"""Frames of the spark engine: a lazy DataFrame over pinned sources, run anew by each reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Preview
from odibi_magics.engines.described import described
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

if TYPE_CHECKING:
    import pyarrow as pa

Pin = Callable[[], dict[str, Any]]
"""Tells a source as it was read: `{url, version, id}`, or `{url, files: [[name, bytes, mtime_ns], ...]}`."""

Look = Callable[[], None]
"""Raises EngineError where a file is no longer the one that was listed."""


@dataclass(frozen=True)
class SparkFrame:
    """A DataFrame of Spark with its columns; nothing runs until rows are asked for.

    pins: what is read. A table is asked for its id when somebody wants to know: behind a write that takes a second.
    looks: whether the files are still those; asked before every reading.
    depth: how many queries are folded into this one. bare: whether it only reads one source as it is.
    """

    work: Work
    spark: Any
    columns: tuple[Column, ...]
    pins: tuple[Pin, ...] = ()
    looks: tuple[Look, ...] = ()
    depth: int = 1
    bare: bool = False

    def __repr__(self) -> str:
        """What it is; neither rows nor what it reads, which Spark would have to be asked for."""
        return described("spark", self.columns, "")

    @property
    def inputs(self) -> tuple[dict[str, Any], ...]:
        """What is read, pinned, each place once. Raises as Work.running."""
        return tuple({repr(told): told for told in (pin() for pin in self.pins)}.values())

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """The DataFrame, to run something over it. Raises as Work.running, and where files have changed."""
        with self.work.running():
            for look in self.looks:
                look()
            yield self.spark

    def to_spark(self) -> Any:
        """The DataFrame itself, lazy. It is read under the session's own settings, whatever they are then; but that the
        run's storage accounts stay open in the session until the result is closed."""
        self.work.check_open()
        self.work.lend()
        return self.spark

    def to_arrow(self) -> pa.Table:
        """All rows as a pyarrow.Table, `timestamp` with zone UTC. They all come to this machine."""
        from odibi_magics.engines.pandas.types import arrow_schema

        with self.reading() as frame:
            return collected(frame).cast(arrow_schema(self.columns))

    def reader(self) -> pa.RecordBatchReader:
        """The rows as a stream; they are here already."""
        return self.to_arrow().to_reader()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """All rows as a pandas.DataFrame; integers with NULLs as Int64."""
        from odibi_magics.engines.pandas.handover import to_pandas

        return to_pandas(self.to_arrow())

    def to_polars(self) -> Any:
        """All rows as a polars.DataFrame. Raises EngineError where polars is not installed."""
        from odibi_magics.engines.pandas.handover import polars

        return polars().from_arrow(self.to_arrow())

    def preview(self, rows: int = 20) -> Preview:
        """The first rows, and how many there are where that is all; `timestamp` as datetimes in UTC without a zone."""
        with self.reading() as frame:
            table = collected(frame.limit(int(rows)))
        values = [[_naive(value) for value in column.to_pylist()] for column in table.columns]
        total = table.num_rows if table.num_rows < rows else None
        return Preview(self.columns, tuple(zip(*values, strict=True)), total)

    def count(self) -> int:
        """How many rows there are."""
        with self.reading() as frame:
            return int(frame.count())


def collected(frame: Any) -> pa.Table:
    """All rows of a DataFrame, brought here as Arrow. Raises EngineError where Spark is too old to give it."""
    if not hasattr(frame, "toArrow"):
        raise EngineError(
            "rows are fetched from Spark as Arrow, which takes Spark 4: this session is an older one"
        )
    # Another DataFrame over the same rows: one whose plan could not be made once says so ever after.
    return frame.select("*").toArrow()


def _naive(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
