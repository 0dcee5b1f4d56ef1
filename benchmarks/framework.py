"""odibi, a framework on PyPI of a similar name and an unrelated project, in a venv of its own from its own lock.

Nothing of it is installed with this project: its pins (deltalake below 0.30, duckdb below 1.1) are others than ours.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements" / "framework.txt"
LIBRARIES = ("odibi", "pandas", "polars", "duckdb", "deltalake", "pyarrow", "numpy")


def interpreter(folder: Path) -> str:
    """The framework's Python below `folder`, installed there by the first call, and anew for another lock.

    Raises RuntimeError where no wheels fit: duckdb 1.0 and pyarrow 16 have none for Python 3.13.
    """
    venv, mark = folder / "odibi", folder / "odibi" / "made-from"
    python = str(venv / "bin" / "python")
    if mark.exists() and mark.read_text() == LOCK.read_text():
        return python
    print(f"installing odibi from {LOCK.name} into {venv}", flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    _call(sys.executable, "-m", "venv", str(venv))
    pip = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python)
    # Compiled at once: else each process of a measurement would, where Python is told to keep no bytecode.
    _call(*pip, "--compile-bytecode", "--no-deps", "--require-hashes", "--requirement", str(LOCK))
    mark.write_text(LOCK.read_text())
    return python


def _call(*command: str) -> None:
    cache = os.environ.get("UV_CACHE_DIR", str(Path(".cache/uv").resolve()))
    done = subprocess.run(command, env={**os.environ, "UV_CACHE_DIR": cache}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def versions(python: str) -> dict[str, str]:
    """Of Python and the libraries that the framework runs with."""
    code = (
        "import json, platform; from importlib.metadata import version; "
        f"print(json.dumps({{'python': platform.python_version(), **{{n: version(n) for n in {LIBRARIES}}}}}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found
