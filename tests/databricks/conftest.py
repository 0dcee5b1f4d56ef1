"""A notebook of Databricks, simulated: a real shell with the names, magics and environment that a runtime puts there,
around a real Spark session: a classic one, or with `--connect` one of Connect, as shared clusters and serverless give.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from odibi_magics.connections.prepare import forget
from odibi_magics.engines.spark import session
from tests.databricks.runtime import VERSION, given, register_magics
from tests.magics.conftest import Notebook
from tests.magics.conftest import notebook as notebook
from tests.magics.conftest import shell as shell
from tests.spark import sessions


@pytest.fixture
def runtime(shell: Any, spark: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """The notebook before `%load_ext`. Its session is its own, beside the one that the process was started with."""
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", VERSION)
    spark.range(1).collect()  # a server of Connect knows a session from its first question on
    own = spark.cloneSession() if session.is_connect(spark) else spark.newSession()
    register_magics(shell)
    shell.user_ns.update(given(own))
    forget()
    yield Notebook(shell, tmp_path)
    forget()
    session.offer({})
    sessions.activate(spark)
    if session.is_connect(own):
        own.client.close()
