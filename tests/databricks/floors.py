"""On the versions of Databricks' base image: that they are what is tested there, and the quickstart in their kernel.

Collected only where it is named: the lane that runs in that environment does (tests/lanes.py). It is our own interpreter
with Databricks' packages, not Databricks.
"""

from __future__ import annotations

import json
import os
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ("ipython", "ipykernel", "ipywidgets", "numpy", "pandas", "pyarrow")


def pins() -> dict[str, str]:
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["databricks"]
    return dict(text.split("==") for text in group)


def cells() -> list[dict[str, Any]]:
    text = (ROOT / "notebooks" / "01_quickstart.ipynb").read_text(encoding="utf-8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("name", IMAGE)
def test_the_versions_are_those_of_the_image(name: str) -> None:
    assert version(name) == pins()[name]


def test_the_quickstart_runs(tmp_path: Path) -> None:
    """Every cell as it is saved, and those that are to fail do."""
    kernel = (pins()["ipython"], pins()["ipykernel"])
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env={**os.environ, "IPYTHONDIR": str(tmp_path / ".ipython")})
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready()
        own = f"import ipykernel, IPython; assert (IPython.__version__, ipykernel.__version__) == {kernel!r}"
        assert client.execute_interactive(own)["content"]["status"] == "ok"
        for cell in cells():
            said: list[dict[str, Any]] = []
            reply = client.execute_interactive("".join(cell["source"]), output_hook=said.append)["content"]
            wanted = "error" if "raises-exception" in cell["metadata"].get("tags", []) else "ok"
            assert reply["status"] == wanted, said
            shown = [one["content"]["data"] for one in said if one["msg_type"] == "display_data"]
            assert all({"text/html", "text/plain"} <= data.keys() for data in shown)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert len(list(tmp_path.glob("data/**/_delta_log"))) == 2
