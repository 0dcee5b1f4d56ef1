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
TELL = "import json; print(json.dumps(sorted(set(sys.modules) - there)))"


def brought_in(code: str) -> set[str]:
    """The top-level modules that the code imported, in a process of its own."""
    return {name.split(".")[0] for name in modules(code)}


def modules(code: str) -> set[str]:
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


RUN = """
import pathlib, sys, tempfile
there = set(sys.modules)
from odibi_magics import Project
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "a.csv").write_text("id\\n1\\n")
Project.from_yaml(f'''
connections: {{here: {{type: local, base_path: {folder}}}}}
nodes: [{{name: a, read: {{connection: here, path: a.csv}}, write: {{connection: here, path: a}}}}]
''').run()
"""


def test_a_plain_run_loads_nothing_that_takes_back_or_cleans_up() -> None:
    """Nor what Arrow computes with, 50 ms, and what reads checkpoints."""
    loaded = modules(RUN)
    assert "odibi_magics.engines.pandas.delta_write" in loaded
    assert not loaded & {
        "odibi_magics.delta.restore",
        "odibi_magics.delta.undo",
        "odibi_magics.delta.vacuum",
        "odibi_magics.delta.replay",
        "odibi_magics.pipeline.replacing",
        "odibi_magics.undoing",
        "pandas",
        "pyarrow.compute",
        "sqlglot.dialects.duckdb",
    }
