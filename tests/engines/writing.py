"""What the tests of writing share: frames from Arrow tables, sinks in a folder, and tables read back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place, Sink, Written
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.types import casts, naive
from odibi_magics.engines.pandas.write import write


class Lake:
    """A folder of tables, with a session that writes to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = Session([folder])
        self.connection = LocalConnection("lake", folder)

    def frame(self, data: pa.Table | Mapping[str, Any]) -> DuckFrame:
        table = data if isinstance(data, pa.Table) else pa.table(dict(data))
        table = table.cast(pa.schema([field.with_type(naive(field.type)) for field in table.schema]))
        with self.session.cursor({"rows": lambda: table}) as cursor:
            described = [(row[0], row[1]) for row in cursor.execute("DESCRIBE SELECT * FROM rows").fetchall()]
        sql, columns = casts(described, "rows")
        sql = sql if sql.startswith("SELECT") else f"SELECT * FROM {sql}"
        return DuckFrame(self.session, sql, columns, {"rows": lambda: table})

    def sql(self, query: str) -> DuckFrame:
        described = [(row[0], row[1]) for row in self.session.run(f"DESCRIBE {query}")]
        sql, columns = casts(described, f"(\n{query}\n)")
        return DuckFrame(self.session, sql if sql.startswith("SELECT") else query, columns)

    def sink(self, path: str = "t", mode: str = "overwrite", format: str = "delta", **more: Any) -> Sink:
        for name in ("keys", "partition_by"):
            more[name] = tuple(more.get(name, ()))
        return Sink(Place(self.connection, path, format), mode, **more)

    def write(
        self, data: Any, path: str = "t", mode: str = "overwrite", *, checks: Sequence[Any] = (), **more: Any
    ) -> Written:
        frame = data if isinstance(data, DuckFrame) else self.frame(data)
        mark = more.pop("mark", f'{{"run":"{uuid.uuid4()}"}}')
        extra = {name: more.pop(name) for name in ("progress", "cancelled") if name in more}
        return write(self.session, frame, self.sink(path, mode, **more), checks=checks, mark=mark, **extra)

    def table(self, path: str = "t") -> DeltaTable:
        return DeltaTable(str(self.folder / path))

    def rows(self, path: str = "t", sort: bool = True) -> list[tuple[Any, ...]]:
        """The table's rows as tuples in the order of its columns, read by deltalake alone."""
        table = pa.table(self.table(path).to_pyarrow_table())
        found = (
            list(zip(*(column.to_pylist() for column in table.columns), strict=True))
            if table.num_rows
            else []
        )
        return sorted(found, key=repr) if sort else found

    def stray(self, path: str = "t") -> list[str]:
        """Parquet files in the folder that the table's newest version does not name, nor any before."""
        named: set[str] = set()
        for version in range(self.table(path).version() + 1):
            named |= {Path(uri).name for uri in DeltaTable(str(self.folder / path), version).file_uris()}
        return sorted(
            p.name
            for p in (self.folder / path).rglob("*.parquet")
            if p.name not in named and "_delta_log" not in p.parts
        )


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    made = Lake(tmp_path)
    yield made
    made.session.close()
