"""What the tests of writing share: frames from Arrow tables, sinks in a folder, and tables read back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from odibi_magics.config import models
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import Connection
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place, Sink, Written
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.pandas.types import casts, naive
from odibi_magics.engines.pandas.write import write
from odibi_magics.sandbox import Cloud


class Lake:
    """A folder of tables, with a session that writes to them."""

    def __init__(self, folder: Path, connection: Connection | None = None) -> None:
        self.folder = folder
        self.connection = connection or LocalConnection("lake", folder)
        self.session = Session([self.connection.url("")])

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

    def table(self, path: str = "t", version: int | None = None) -> DeltaTable:
        store = open_store(Place(self.connection, path, "delta"))
        return DeltaTable(store.delta_url, version, storage_options=store.options)

    def put(self, path: str, data: bytes) -> None:
        """A file beside what is written."""
        self.connection.put(path, data)

    def paths(self, path: str = "t") -> list[str]:
        """The files below a path, relative to it."""
        store = open_store(Place(self.connection, path, "delta"))
        return sorted(info.path.removeprefix(f"{store.root}/") for info in store.files())

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
            named |= {Path(uri).name for uri in self.table(path, version).file_uris()}
        data = (
            Path(p) for p in self.paths(path) if p.endswith(".parquet") and not p.startswith("_delta_log")
        )
        return sorted(p.name for p in data if p.name not in named)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    made = Lake(tmp_path)
    yield made
    made.session.close()


def adls(cloud: Cloud, name: str = "lake", account: str = "account2", **more: Any) -> AdlsConnection:
    """A connection to an account of the practice cloud by its key, to a folder of its own unless `more` says where."""
    given = {"container": "clean", "path_prefix": uuid.uuid4().hex} | more
    key = cloud.storage(account).key
    model = models.AdlsConnection.model_validate(
        {"type": "azure_adls", "account": account, "auth_mode": "direct_key", "account_key": key, **given}
    )
    return AdlsConnection.of_model(name, model)


@pytest.fixture(params=["local", "blobs"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lake]:
    """A folder of this machine, then one of a storage account."""
    blobs = request.param == "blobs"
    made = Lake(tmp_path, adls(request.getfixturevalue("cloud")) if blobs else None)
    yield made
    made.session.close()
