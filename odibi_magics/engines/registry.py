"""Engines by name, each loaded when it is first asked for."""

from __future__ import annotations

import sys
from functools import cache

from odibi_magics.engines.base import Engine
from odibi_magics.errors import UsageError, suggest

ENGINES = ("pandas", "spark")


def choose_engine(name: str) -> Engine:
    """The engine a name asks for; "auto" is spark where a Spark session is already active, else pandas.

    Raises UsageError for an unknown name, and for one that this version does not have.
    """
    if name not in ("auto", *ENGINES):
        raise UsageError(f"unknown engine '{name}' ({suggest(name, ('auto', *ENGINES))})")
    if name == "spark" or (name == "auto" and _spark_is_active()):
        raise UsageError(_no_spark(name))
    return _pandas()


@cache
def _pandas() -> Engine:
    from odibi_magics.engines.pandas.engine import PandasEngine

    return PandasEngine()


def _spark_is_active() -> bool:
    """Looks only at what is imported already: pyspark takes a second to import."""
    sql = sys.modules.get("pyspark.sql")
    return sql is not None and sql.SparkSession.getActiveSession() is not None


def _no_spark(name: str) -> str:
    why = "a Spark session is active, so 'auto' means spark, but " if name == "auto" else ""
    return f"{why}the spark engine is not part of this version; run it with engine: pandas (--engine pandas)"
