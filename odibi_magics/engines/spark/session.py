"""Which Spark session there is: the notebook's, the active one, else a local one that we start.

Nothing here imports pyspark to find out whether a session is active: that takes a second, and who has one has imported
it. A session that we did not start is never stopped.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from odibi_magics.errors import EngineError, MissingExtra

JARS = "ODIBI_SPARK_JARS"
"""The environment variable that names a folder of jars to start with; without it they are fetched once."""

TALKATIVE = "org.apache.hadoop.fs.azurebfs.services.AbfsIoUtils"
REDACTED = "(?i)secret|password|token|access[.]?key"

_CLASSIC, _CONNECT = "pyspark.sql.session", "pyspark.sql.connect.session"
# Where the classes keep the process's first session; the active one is that of a thread.
_FIRST = ("_instantiatedSession", "_default_session")

_lock = threading.Lock()


_offered: list[Mapping[str, Any]] = []


def offer(namespace: Mapping[str, Any]) -> None:
    """Names a notebook's variables, where Databricks puts its session as `spark`. They are looked at when asked for."""
    _offered[:] = [namespace]


def active() -> Any | None:
    """The session to use, or None where there is none.

    The notebook's own; then the active one of this thread, and, since there is none in other threads, the one that the
    process was started with.
    """
    for namespace in _offered:
        if is_session(given := namespace.get("spark")):
            return given
    for module in (_CONNECT, _CLASSIC):
        found = getattr(sys.modules.get(module), "SparkSession", None)
        if found is not None and (session := _of(found)) is not None:
            return session
    return None


def is_session(thing: Any) -> bool:
    """Whether it is a session of Spark that can be asked, of either kind; neither is the other's subclass."""
    kind = type(thing)
    return kind.__module__.startswith("pyspark.sql.") and kind.__name__ == "SparkSession" and lives(thing)


def is_connect(thing: Any) -> bool:
    """Whether a session, or a DataFrame, speaks to a server through Spark Connect."""
    return type(thing).__module__.startswith("pyspark.sql.connect")


def part_for(thing: Any, part: str) -> Any:
    """A part of pyspark.sql, as "functions", for a session or a DataFrame: each kind knows its own columns alone."""
    return import_module(f"pyspark.sql.{'connect.' if is_connect(thing) else ''}{part}")


def _of(kind: Any) -> Any | None:
    try:
        session = kind.getActiveSession() or next(
            filter(None, (getattr(kind, n, None) for n in _FIRST)), None
        )
    except Exception:  # a gateway that has gone away: as good as none
        return None
    return session if session is not None and lives(session) else None


def lives(session: Any) -> bool:
    """Whether a session was not stopped meanwhile."""
    if is_connect(session):
        return not getattr(session, "is_stopped", False)
    context = getattr(session, "_sc", None)
    return context is None or getattr(context, "_jsc", None) is not None


def found_or_started() -> Any:
    """The session to use; a local one is started where there is none, which takes 10 to 20 s.

    Raises MissingExtra where pyspark or Delta's part of it is not installed, EngineError where it does not start.
    """
    with _lock:
        return active() or _started()


def check_installed() -> None:
    """Raises MissingExtra where pyspark is not installed."""
    if find_spec("pyspark") is None:
        raise MissingExtra("pyspark", "spark", "the spark engine")


def _started() -> Any:
    check_installed()
    from pyspark.sql import SparkSession

    from odibi_magics.engines.spark.jars import java

    java()
    builder = _with_jars(SparkSession.builder.appName("odibi_magics").config(map=_LOCAL))
    try:
        started = builder.getOrCreate()
    except Exception as error:  # a JVM that ends at once, packages that cannot be had: no error in common
        raise EngineError(
            f"no Spark session is active, and a local one does not start: {str(error).splitlines()[0]}"
        ) from None
    _keep_quiet(started)
    return started


def _keep_quiet(session: Any) -> None:
    """Has the driver for storage accounts not tell the headers of its requests, at whatever level the log is: the one
    that copies a file holds its SAS token."""
    log4j = session._jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setLevel(TALKATIVE, log4j.Level.INFO)


def _with_jars(builder: Any) -> Any:
    """What makes Delta tables and abfss:// of it: the set that we know for this Spark, else what Maven Central has."""
    from odibi_magics.engines.spark.jars import fetched, fits

    if folder := os.environ.get(JARS):
        found = sorted(Path(folder).glob("*.jar"))
        if not found:
            raise EngineError(f"{JARS} names {folder}, and there are no jars in it")
    elif fits():
        found = fetched()
    else:
        return _with_packages(builder)
    return builder.config("spark.jars", ",".join(map(str, found)))


def _with_packages(builder: Any) -> Any:
    """For a Spark that our set is not made for: Spark's own download, in our cache."""
    if find_spec("delta") is None:
        raise MissingExtra("delta-spark", "spark", "a local Spark session with Delta")
    from delta import configure_spark_with_delta_pip

    from odibi_magics.caches import cache_folder
    from odibi_magics.engines.spark.jars import SETTINGS, hadoop

    builder = configure_spark_with_delta_pip(builder, [f"org.apache.hadoop:hadoop-azure:{hadoop()}"])
    if settings := os.environ.get(SETTINGS):
        builder = builder.config("spark.jars.ivySettings", settings)
    return builder.config("spark.jars.ivy", str(cache_folder() / "ivy-of-spark"))


_LOCAL: dict[str, Any] = {
    "spark.master": "local[*]",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    # Spark's own words for what is no one's to see, and the settings of storage accounts.
    "spark.redaction.regex": rf"{REDACTED}|fs\.azure",
    "spark.ui.showConsoleProgress": "false",
    # Made for clusters: a task for every file to be deleted, 50 for a log of three commits, 200 for a GROUP BY.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
    # A write to a Delta table or two takes more generated classes than are kept, 100: each run would make all of them
    # anew, and Java compile them from the beginning.
    "spark.sql.codegen.cache.maxEntries": "2000",
}
