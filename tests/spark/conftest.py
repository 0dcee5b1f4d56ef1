"""What tests with Spark share: one plain PySpark with Delta, for all tests of this folder that ask for it."""

from __future__ import annotations

import json
import os
import shutil
import sys
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

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("ODIBI_CACHE", ROOT / ".cache"))

SETTINGS = {
    "spark.master": "local[2]",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "2g",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Made for clusters: a task for every file to be deleted, and fifty for a log of three commits.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.sql.shuffle.partitions": "1",
    "spark.databricks.delta.snapshotPartitions": "1",
    # Compiling Java for a dozen rows takes longer than going through them.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


def spark_session(folder: Path) -> Iterator[Any]:
    """A session, which takes 10 to 20 s to start, and its end."""
    jars = sorted((CACHE / "jars").glob("*.jar"))
    if not jars:
        pytest.fail("Delta's jars are missing: run `make setup`", pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_MASTER", "PYSPARK_SUBMIT_ARGS"):
            patch.delenv(name, raising=False)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = _start(folder, jars)
        yield session
        _stop(session)


def _start(folder: Path, jars: list[Path]) -> Any:
    from pyspark.sql import SparkSession

    java = f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmn512m"
    places = {
        "spark.jars": ",".join(map(str, jars)),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
        "spark.driver.extraJavaOptions": java,
    }
    session = SparkSession.builder.config(map={**SETTINGS, **places}).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _stop(session: Any) -> None:
    """Ends the JVM too, which else would stay until Python ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None


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
