"""odibi, a framework on PyPI of a similar name and an unrelated project, in a venv of its own from its own lock."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

INSTALL = Path(__file__).parents[1] / ".ci" / "framework"
LIBRARIES = ("odibi", "pandas", "polars", "duckdb", "deltalake", "pyarrow", "numpy")


def interpreter(folder: Path) -> str:
    """The framework's Python below `folder`, installed by the first call and anew for another lock, which it says.

    Raises CalledProcessError where that fails: duckdb 1.0 and pyarrow 16 have no wheels for Python 3.13.
    """
    subprocess.run([str(INSTALL), str(folder / "odibi")], check=True)
    return str(folder / "odibi" / "bin" / "python")


def versions(python: str) -> dict[str, str]:
    """Of Python and the libraries that the framework runs with."""
    code = (
        "import json, platform; from importlib.metadata import version; "
        f"print(json.dumps({{'python': platform.python_version(), **{{n: version(n) for n in {LIBRARIES}}}}}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
