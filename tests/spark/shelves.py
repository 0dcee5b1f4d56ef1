"""Places that only Spark may open: a schema of its catalog, and a folder that our own client finds closed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place, Source
from odibi_magics.engines.pandas import trees
from odibi_magics.engines.pandas.engine import PandasEngine

PANDAS = PandasEngine()


@dataclass
class Shelf:
    """A place that only Spark may open. folder: where its tables are, for the other engine to look at them too."""

    kind: str
    connection: str
    folder: Path
    here: Path
    spark: Any
    shut: bool = True

    def __call__(self, table: str) -> str:
        """How a text names a table of it."""
        return f"connection: shelf, {'table' if self.kind == 'catalog' else 'path'}: {table}"

    def project(self, nodes: str, engine: str = "spark") -> Project:
        local = "raw: {type: local, base_path: .}"
        text = f"connections:\n  {local}\n  shelf: {self.connection}\nengine: {engine}\n{nodes and f'nodes:{nodes}'}"
        return Project.from_yaml(text, folder=self.here)

    def place(self, table: str) -> Place:
        return Place(self.project("").connection("shelf"), table, "delta")

    def seen(self, table: str) -> Place:
        """The same table as anyone may see it, under the same address."""
        return Place(LocalConnection("shelf", self.folder), table, "delta")

    def rows(self, table: str, version: int | None = None) -> list[tuple[Any, ...]]:
        """As the pandas engine reads them."""
        self.shut = False
        try:
            run = PANDAS.open([self.seen(table)])
            found = run.read(Source(self.seen(table), version=version)).to_arrow()
            return sorted(zip(*(column.to_pylist() for column in found.columns), strict=True), key=repr)
        finally:
            self.shut = True

    def by_pandas(self, verb: Any) -> Any:
        """What a verb gives without Spark."""
        self.shut = False
        try:
            return verb()
        finally:
            self.shut = True


def catalog(spark: Any, here: Path) -> Iterator[Shelf]:
    """A schema of the catalog of a session; it is dropped afterwards."""
    schema = f"s{abs(hash(here))}"
    spark.sql(f"CREATE SCHEMA {schema}")
    folder = Path(spark.conf.get("spark.sql.warehouse.dir").removeprefix("file:")) / f"{schema}.db"
    connection = f"{{type: unity_catalog, catalog: spark_catalog, schema: {schema}}}"
    yield Shelf("catalog", connection, folder, here, spark)
    spark.sql(f"DROP SCHEMA {schema} CASCADE")


def withheld(spark: Any, here: Path, patch: pytest.MonkeyPatch) -> Shelf:
    """A folder as a session's account is to our own client."""
    made = Shelf("session", "{type: local, base_path: closed}", here / "closed", here, spark)
    _shut(made, patch)
    return made


def _shut(shelf: Shelf, patch: pytest.MonkeyPatch) -> None:
    """Our own client finds the place closed."""

    def withheld(connection: Any) -> bool:
        return connection.name == "shelf" and shelf.shut

    def store_of(self: Any, library: str) -> dict[str, Any]:
        assert not withheld(self) or library == "spark", "the place was opened by our own client"
        return {}

    patch.setattr(LocalConnection, "only_spark", property(withheld))
    patch.setattr(LocalConnection, "storage_options", store_of)
    for name in ("at", "entries", "glob", "file", "open"):
        own = getattr(trees.LocalTree, name)

        def asked(self: Any, *given: Any, _own: Any = own) -> Any:
            assert not withheld(self.connection), "the place was listed by our own client"
            return _own(self, *given)

        patch.setattr(trees.LocalTree, name, asked)
