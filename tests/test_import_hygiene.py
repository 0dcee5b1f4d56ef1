"""What an import costs is part of the interface: `%load_ext odibi_magics` brings in nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "adlfs", "aiohttp", "anywidget", "azure", "cryptography", "deltalake", "duckdb", "fsspec", "htpy", "ipywidgets", "numpy", "pandas", "polars",
    "pyarrow", "pydantic", "pyspark", "sqlglot", "yaml",
}  # fmt: skip

SHELL = """
import sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
there = set(sys.modules)
"""
IMPORT = "import sys; there = set(sys.modules)\nimport odibi_magics\n"
LOAD = (
    SHELL
    + "shell.run_line_magic('load_ext', 'odibi_magics')\nassert 'odibi' in shell.magics_manager.lsmagic()['line']\n"
)
UNLOAD = LOAD + "shell.run_line_magic('unload_ext', 'odibi_magics')\n"
TELL = "import json; print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - there})))"


def brought_in(code: str) -> set[str]:
    """The top-level modules that the code imported, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code + TELL], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("code", [IMPORT, LOAD, UNLOAD], ids=["import", "load", "unload"])
def test_nothing_heavy_is_imported(code: str) -> None:
    brought = brought_in(code)
    assert "odibi_magics" in brought
    assert not brought & HEAVY


def test_the_error_types_are_light_too() -> None:
    assert not brought_in(IMPORT + "odibi_magics.OdibiError\nodibi_magics.transform\n") & HEAVY


def test_pandas_is_imported_only_by_who_asks_for_it() -> None:
    """Naming a public class imports the language and nothing of the engines' libraries that a plan does not need."""
    assert not brought_in(IMPORT + "odibi_magics.Project\n") & {
        "adlfs",
        "azure",
        "pandas",
        "polars",
        "pyspark",
    }
