"""On the versions of Databricks' base image: that they are what is tested there, and the quickstart in their kernel.

Collected only where it is named: the lane that runs in that environment does (tests/lanes.py). It is our own interpreter
with Databricks' packages, not Databricks.
"""

from __future__ import annotations

import os
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from jupyter_client.manager import KernelManager

from tests import books

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ("ipython", "ipykernel", "ipywidgets", "numpy", "pandas", "pyarrow")


def pins() -> dict[str, str]:
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["databricks"]
    return dict(text.split("==") for text in group)


@pytest.mark.parametrize("name", IMAGE)
def test_the_versions_are_those_of_the_image(name: str) -> None:
    assert version(name) == pins()[name]


def test_the_quickstart_runs(tmp_path: Path) -> None:
    """Every cell as it is saved, and those that are to fail do."""
    kernel = (pins()["ipython"], pins()["ipykernel"])
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path), env={**os.environ, "IPYTHONDIR": str(tmp_path / ".ipython")})
    client = manager.blocking_client()
    try:
        for outputs in books.run(client, books.BOOKS / "01_quickstart.ipynb"):
            shown = [one["data"] for one in outputs if one["output_type"] == "display_data"]
            assert all({"text/html", "text/plain"} <= data.keys() for data in shown)
        own = f"import ipykernel, IPython; assert (IPython.__version__, ipykernel.__version__) == {kernel!r}"
        assert client.execute_interactive(own)["content"]["status"] == "ok"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert len(list(tmp_path.glob("data/**/_delta_log"))) == 2
