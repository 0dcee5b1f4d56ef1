"""A notebook of Databricks, simulated: a real shell with the names, magics and environment that a runtime puts there,
around a real Spark session: a classic one, or with `--connect` one of Connect, as shared clusters and serverless give.

`dbutils` and the magics are stand-ins that answer as the documentation says; nothing of this has run on Databricks.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from odibi_magics.connections.prepare import forget
from odibi_magics.engines.spark import session
from tests.magics.conftest import Notebook
from tests.magics.conftest import notebook as notebook
from tests.magics.conftest import shell as shell
from tests.spark import sessions

LINE_MAGICS = ("pip", "sql", "fs", "sh", "run", "restart_python", "skip")
CELL_MAGICS = ("sql", "python", "scala", "r", "md", "sh", "fs", "writefile")


class Secrets:
    """`dbutils.secrets`. kept: values by scope and key."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get(self, scope: str, key: str) -> str:
        if (scope, key) not in self.kept:
            raise RuntimeError(f"Secret does not exist with scope: {scope} and key: {key}")
        return self.kept[scope, key]


class Widgets:
    """`dbutils.widgets`, as far as a notebook's parameters go."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str = "") -> None:
        self.values.setdefault(name, defaultValue)

    def get(self, name: str) -> str:
        if name not in self.values:
            raise RuntimeError(f"InputWidgetNotDefined: No input widget named {name} is defined")
        return self.values[name]

    def getAll(self) -> dict[str, str]:
        return dict(self.values)


def given(spark: Any) -> dict[str, Any]:
    """The names of a runtime; `sc` where the session has a context."""
    names = {
        "spark": spark,
        "dbutils": SimpleNamespace(secrets=Secrets(), widgets=Widgets()),
        "sql": spark.sql,
        "table": spark.table,
        "display": lambda shown: None,
        "displayHTML": lambda html: None,
        "getArgument": lambda name: "",
    }
    return names if session.is_connect(spark) else {**names, "sc": spark.sparkContext}


@pytest.fixture
def runtime(shell: Any, spark: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    """The notebook before `%load_ext`. Its session is its own, beside the one that the process was started with."""
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    spark.range(1).collect()  # a server of Connect knows a session from its first question on
    own = spark.cloneSession() if session.is_connect(spark) else spark.newSession()
    for kind, names in (("line", LINE_MAGICS), ("cell", CELL_MAGICS)):
        for name in names:
            shell.register_magic_function(lambda *words: None, kind, name)
    shell.user_ns.update(given(own))
    forget()
    yield Notebook(shell, tmp_path)
    forget()
    session.offer({})
    sessions.activate(spark)
    if session.is_connect(own):
        own.client.close()
