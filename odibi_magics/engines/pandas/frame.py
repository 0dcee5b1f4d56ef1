"""Frames of the pandas engine: a query over pinned sources, run anew by each reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Preview
from odibi_magics.engines.described import described
from odibi_magics.engines.pandas.session import BATCH_ROWS, Opener, Session
from odibi_magics.engines.pandas.types import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class DuckFrame:
    """A query, its columns and the tables it reads; nothing runs until rows are asked for.

    sql: one SELECT in DuckDB's SQL whose columns are `columns`, `timestamp` as TIMESTAMP.
    tables: what it names beside the instance's own tables, each with what opens it anew.
    inputs: what is read, pinned: `{url, version}`, or `{url, files: [[name, bytes, mtime_ns], ...]}`.
    weight: how many queries are folded into this one; bare: whether it only reads one source as it is.
    """

    session: Session
    sql: str
    columns: tuple[Column, ...]
    tables: Mapping[str, Opener] = field(default_factory=dict)
    inputs: tuple[dict[str, Any], ...] = ()
    weight: int = 1
    bare: bool = False

    def __repr__(self) -> str:
        """What it is and reads; no rows."""
        return described("pandas", self.columns, ", ".join(map(_read, self.inputs)))

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of `reader`: `timestamp` with zone UTC, text as utf8."""
        return arrow_schema(self.columns)

    def check(self) -> None:
        """Binds the query without running it. Raises EngineError."""
        self.session.run(f"EXPLAIN {self.sql}", self.tables)

    def reader(self, batch_rows: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """The rows as a stream, opened anew. Raises Cancelled and EngineError, while it is read too."""
        return self.session.reader(self.sql, self.tables, self.schema, batch_rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.reader().__arrow_c_stream__(requested_schema)

    def to_arrow(self) -> pa.Table:
        """All rows as a pyarrow.Table."""
        return self.reader().read_all()

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
        found = self.session.run(f"SELECT * FROM (\n{self.sql}\n) LIMIT {int(rows)}", self.tables)
        return Preview(self.columns, tuple(found), len(found) if len(found) < rows else None)

    def count(self) -> int:
        """How many rows there are."""
        return int(self.session.run(f"SELECT count(*) FROM (\n{self.sql}\n)", self.tables)[0][0])


def _read(pin: Mapping[str, Any]) -> str:
    at = f" at version {pin['version']}" if "version" in pin else ""
    return f"{pin['url']}{at}"
