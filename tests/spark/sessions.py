"""Spark sessions for tests, with Delta from the locked jars: a classic one in this process, or a server and a client."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.engines.spark.jars import fetched

ROOT = Path(__file__).parents[2]

SETTINGS = {
    "spark.master": "local[2]",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "4g",
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


def settings(folder: Path) -> dict[str, str]:
    """What a session is started with. folder: where it keeps what it makes."""
    java = f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder} -XX:+UseSerialGC -Xmn512m"
    return {
        **SETTINGS,
        "spark.jars": ",".join(map(str, fetched())),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder / "local"),
        "spark.driver.extraJavaOptions": java,
    }


def environment(patch: pytest.MonkeyPatch) -> None:
    """That of this checkout, whatever Spark the caller has."""
    for name in ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_MASTER", "SPARK_REMOTE", "PYSPARK_SUBMIT_ARGS"):
        patch.delenv(name, raising=False)
    patch.setenv("PYSPARK_PYTHON", sys.executable)
    patch.setenv("ODIBI_CACHE", os.environ.get("ODIBI_CACHE", str(ROOT / ".cache")))


def classic(folder: Path) -> Iterator[Any]:
    """A session whose JVM belongs to this process, which takes 10 to 20 s to start, and its end."""
    with pytest.MonkeyPatch.context() as patch:
        environment(patch)
        from pyspark.sql import SparkSession

        session = SparkSession.builder.config(map=settings(folder)).getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        _stop(session)


def activate(session: Any) -> None:
    """Makes it this thread's active session again, after a test has worked in another one."""
    session.createDataFrame([], "nothing int")


def _stop(session: Any) -> None:
    """Ends the JVM too, which else would stay until Python ends."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait()
    SparkContext._gateway = SparkContext._jvm = None


# Spark Connect --------------------------------------------------------------------------------------------------------

# The server ends with its standard input, and so with this process, however that ends.
_UNTIL_END = '"$@" </dev/null & read -r _; kill $!; wait $!'


def connect(folder: Path) -> Iterator[Any]:
    """A session of Spark Connect with a server of its own, and the end of both. No JVM is in reach of this process."""
    with pytest.MonkeyPatch.context() as patch:
        environment(patch)
        patch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", secrets.token_hex())
        port, log = free_port(), folder / "server.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                ["sh", "-c", _UNTIL_END, "server", *_command(folder, port)],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _await(server, port, log)
            from pyspark.sql import SparkSession

            session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
            yield session
            session.stop()
        finally:
            server.communicate()


def _command(folder: Path, port: int) -> list[str]:
    import pyspark

    given = {
        **settings(folder),
        "spark.connect.grpc.binding.address": "localhost",
        "spark.connect.grpc.binding.port": str(port),
        "spark.log.level": "ERROR",
    }
    options = [part for key, value in given.items() for part in ("--conf", f"{key}={value}")]
    submit = str(Path(pyspark.__file__).parent / "bin" / "spark-submit")
    return [
        submit,
        *options,
        "--class",
        "org.apache.spark.sql.connect.service.SparkConnectServer",
        "spark-internal",
    ]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port: int = found.getsockname()[1]
        return port


def _await(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    while server.poll() is None:
        with socket.socket() as tried:
            if tried.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"the Connect server did not start:\n{log.read_text()}", pytrace=False)
