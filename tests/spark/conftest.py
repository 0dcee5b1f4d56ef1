"""What tests with Spark share: one plain PySpark with Delta, for all tests of this folder that ask for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("ODIBI_CACHE", ROOT / ".cache"))

SETTINGS = {
    "spark.master": "local[2]",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
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


@pytest.fixture(scope="package")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session that starts with the first test that asks, which takes 10 to 20 s, and ends with this folder's last.

    Not later: while a session is active, `engine: auto` means spark.
    """
    jars = sorted((CACHE / "jars").glob("*.jar"))
    if not jars:
        pytest.fail("Delta's jars are missing: run `make setup`", pytrace=False)
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_MASTER", "PYSPARK_SUBMIT_ARGS"):
            patch.delenv(name, raising=False)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = _start(folder, jars)
        yield session
        _stop(session)


def _start(folder: Path, jars: list[Path]) -> Any:
    from pyspark.sql import SparkSession

    java = f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder} -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
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
