"""Runs the example notebooks and saves their outputs, with nothing of this machine in them.

`make notebooks` calls this. Each notebook runs in a folder of its own, whose name is then replaced in what it printed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

HERE = Path(__file__).parent
SHOWN = "/home/you/flights"


def save(notebook: Path) -> None:
    """Executes a notebook and writes it back with its outputs. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(notebook, folder))
        command = [
            sys.executable,
            "-m",
            "nbconvert",
            "--log-level",
            "WARN",
            "--KernelManager.transport_encryption=auto",
            "--execute",
            "--inplace",
            str(copy),
        ]
        subprocess.run(command, check=True)
        text = without_chatter(copy).replace(str(Path(folder).resolve()), SHOWN)
    # When a cell ran says nothing to its reader, and changes each time.
    text = re.sub(r'\n    "execution": \{[^}]*\},?', "", text)
    notebook.write_text(text, encoding="utf-8")


def without_chatter(notebook: Path) -> str:
    """A notebook's text without what its kernel's stderr said: Java's lines about this machine, when Spark starts."""
    read = nbformat.read(notebook, as_version=4)
    for cell in read.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return str(nbformat.writes(read)) + "\n"


if __name__ == "__main__":
    for found in sorted(HERE.glob("*.ipynb")):
        save(found)
