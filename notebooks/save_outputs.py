"""Runs the example notebooks and saves their outputs, with nothing of this machine in them.

`make notebooks` calls this as a module. Each notebook runs in a folder of its own, whose name is then
replaced in what it printed; the one for Databricks runs in a simulated runtime.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from odibi_magics.sandbox import Cloud
from tests.databricks import runtime

HERE = Path(__file__).parent
SHOWN = "/home/you/flights"
ON_DATABRICKS = "databricks_setup"


def save(notebook: Path, python: str = sys.executable, environment: Mapping[str, str] = os.environ) -> None:
    """Executes a notebook and writes it back with its outputs. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(notebook, folder))
        command = [
            python,
            "-m",
            "nbconvert",
            "--log-level",
            "WARN",
            "--KernelManager.transport_encryption=auto",
            "--ExecutePreprocessor.startup_timeout=600",  # a kernel with a Spark session
            "--execute",
            "--inplace",
            str(copy),
        ]
        subprocess.run(command, check=True, env=environment)
        text = without_chatter(copy).replace(str(Path(folder).resolve()), SHOWN)
    # When a cell ran says nothing to its reader, and changes each time.
    text = re.sub(r'\n    "execution": \{[^}]*\},?', "", text)
    notebook.write_text(text, encoding="utf-8")


def save_of_databricks(notebook: Path) -> None:
    """In a simulated runtime. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder, Cloud.start() as cloud:
        save(notebook, str(runtime.PYTHON), runtime.environment(Path(folder), cloud))


def without_chatter(notebook: Path) -> str:
    """A notebook's text without what its kernel's stderr said, Java's lines about this machine when Spark starts, and
    without the state of widgets, which show nothing once their kernel has gone."""
    read = nbformat.read(notebook, as_version=4)
    read.metadata.pop("widgets", None)
    for cell in read.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return str(nbformat.writes(read)) + "\n"


if __name__ == "__main__":
    for found in sorted(HERE.glob("*.ipynb")):
        if found.stem == ON_DATABRICKS:
            save_of_databricks(found)
        else:
            save(found)
