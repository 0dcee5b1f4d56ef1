"""What tests of tables that Spark wrote share: a folder of them, each made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.engines.base import Source
from odibi_magics.engines.registry import choose_engine
from tests.engines import writing
from tests.spark.reading import read_by_spark
from tests.spark.tables import Made


class Lake(writing.Lake):
    """A folder of tables that Spark and the pandas engine both read and write; Spark's are made once."""

    def __init__(self, folder: Path, spark: Any) -> None:
        super().__init__(folder)
        self.spark = spark
        self.run = choose_engine("pandas").open([self.sink("").place])
        self._made: dict[str, Path | Exception] = {}
        self._read: dict[tuple[str, str, int | None], pa.Table] = {}

    def make(self, made: Made) -> Path:
        """The table as Spark makes it; it stays as it is, so that changes need a copy."""
        if made.name not in self._made:
            try:
                self._made[made.name] = made.make(self.spark, self.folder)
            except Exception as error:
                self._made[made.name] = error
        found = self._made[made.name]
        if isinstance(found, Exception):
            raise found
        return found

    def copy(self, path: str) -> str:
        """Another copy of a table, to be changed; its path."""
        number = sum(1 for _ in self.folder.glob(f"{path}-copy-*"))
        shutil.copytree(self.folder / path, self.folder / f"{path}-copy-{number}")
        return f"{path}-copy-{number}"

    def read(self, path: str, **more: Any) -> pa.Table:
        """The table's rows as the pandas engine reads them."""
        found: pa.Table = self.run.read(Source(self.sink(path).place, **more)).to_arrow()
        return found

    def by_spark(self, path: str, where: str = "", version: int | None = None) -> pa.Table:
        """The rows as Spark reads them; those of a table that stays as it is are read once."""
        key = (path, where, version)
        if path not in self._made or key not in self._read:
            self._read[key] = read_by_spark(self.spark, self.folder / path, where, version)
        return self._read[key]

    def query(self, sql: str) -> list[dict[str, Any]]:
        """What Spark answers."""
        return [row.asDict() for row in self.spark.sql(sql).collect()]

    def newest(self, table: Path) -> int:
        """The newest version, by the files of the log."""
        return max(
            int(file.stem) for file in (table / "_delta_log").glob("[0-9]*.json") if file.stem.isdigit()
        )

    def actions(self, path: str, version: int) -> list[dict[str, Any]]:
        """The actions of one commit."""
        text = (self.folder / path / "_delta_log" / f"{version:020}.json").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="package")
def lake(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    made = Lake(tmp_path_factory.mktemp("lake"), spark)
    yield made
    made.run.close()
    made.session.close()
