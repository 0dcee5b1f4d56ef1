"""What a runtime of Databricks puts into a notebook, simulated: its names, its magics, and a kernel that has them.

`dbutils` and the magics are stand-ins that answer as the documentation says; nothing of this has run on Databricks.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from odibi_magics import Project
from odibi_magics.engines.spark import session

if TYPE_CHECKING:
    from odibi_magics.sandbox import Cloud

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv" / "databricks" / "bin" / "python"

VERSION = "17.3"
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


def register_magics(shell: Any) -> None:
    """Those of Databricks, which do nothing."""
    for kind, names in (("line", LINE_MAGICS), ("cell", CELL_MAGICS)):
        for name in names:
            shell.register_magic_function(lambda *words: None, kind, name)


# A kernel -------------------------------------------------------------------------------------------------------------

# Read when the kernel starts, in the notebook's namespace.
_STARTUP = """\
from tests.databricks.runtime import _begin
_begin(get_ipython(), {folder!r})
del _begin
"""


def environment(folder: Path, cloud: Cloud) -> dict[str, str]:
    """The environment of a kernel that begins as in a workspace, which has access to `account2` and a secret scope.

    The kernel has the versions of Databricks' image, and this checkout's Spark beside them. folder: for what it makes.
    """
    startup = folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00-runtime.py").write_text(_STARTUP.format(folder=str(folder)))
    spark = folder / "spark-packages"
    spark.mkdir()
    for pattern in ("pyspark*", "py4j*"):
        for found in ROOT.glob(f".venv/lib/python3*/site-packages/{pattern}"):
            (spark / found.name).symlink_to(found)
    return {
        **os.environ,
        **cloud.environment,
        "DATABRICKS_RUNTIME_VERSION": VERSION,
        "IPYTHONDIR": str(folder / "ipython"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(spark)]),
        "PYSPARK_PYTHON": str(PYTHON),
        "ODIBI_CACHE": os.environ.get("ODIBI_CACHE", str(ROOT / ".cache")),
        "ODIBI_PROGRESS": "off",
    }


def _begin(shell: Any, folder: str) -> None:
    from pyspark.sql import SparkSession

    from odibi_magics.sandbox import Cloud
    from tests.spark.sessions import settings

    cloud = Cloud.attach()
    started = SparkSession.builder.config(map=settings(Path(folder))).getOrCreate()
    started.sparkContext.setLogLevel("OFF")
    for key, value in _external_location(cloud).items():
        started.conf.set(key, value)
    names = given(started)
    # The scope `company-kv` stands for the vault of that name, which holds the keys of the accounts.
    for secret, account in (("bronze-key", "account1"), ("silver-key", "account2")):
        names["dbutils"].secrets.kept["company-kv", secret] = cloud.storage(account).key
    register_magics(shell)
    shell.push(names)


def _external_location(cloud: Cloud) -> dict[str, str]:
    """What the workspace opens: `account2`, as an external location would, but by its key."""
    text = "connections: {of: {type: azure_adls, account: account2, auth_mode: direct_key, account_key: '${KEY_OF_2}'}}"
    os.environ["KEY_OF_2"] = cloud.storage("account2").key
    try:
        opened: dict[str, str] = Project.from_yaml(text).connection("of").storage_options("spark")
    finally:
        del os.environ["KEY_OF_2"]
    return opened
