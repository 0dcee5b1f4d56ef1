"""On the versions of Databricks' base image: that they are what is tested there, and notebooks in their kernel.

Collected only where it is named: the lane that runs in that environment does (tests/lanes.py). It is our own interpreter
with Databricks' packages, not Databricks.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from odibi_magics import Project
from odibi_magics.sandbox import Cloud
from tests import books
from tests.databricks import runtime

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
    with kernel_in(tmp_path, {**os.environ, "IPYTHONDIR": str(tmp_path / ".ipython")}) as client:
        for outputs in books.run(client, books.BOOKS / "01_quickstart.ipynb"):
            shown = [one["data"] for one in outputs if one["output_type"] == "display_data"]
            assert all({"text/html", "text/plain"} <= data.keys() for data in shown)
        own = f"import ipykernel, IPython; assert (IPython.__version__, ipykernel.__version__) == {kernel!r}"
        assert client.execute_interactive(own)["content"]["status"] == "ok"
    assert len(list(tmp_path.glob("data/**/_delta_log"))) == 2


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """One in which no table is yet."""
    with Cloud.start() as started:
        yield started


@contextmanager
def kernel_in(folder: Path, environment: Mapping[str, str]) -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder), env=dict(environment))
    client = manager.blocking_client()
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


SETUP = books.BOOKS / "databricks_setup.ipynb"


def test_the_setup_notebook_in_the_simulated_runtime_says_what_is_saved(cloud: Cloud, tmp_path: Path) -> None:
    """On a real Spark session, which opens account2 by itself and account1 by the key in a secret scope."""
    (tmp_path / "run").mkdir()
    with kernel_in(tmp_path / "run", runtime.environment(tmp_path, cloud)) as client:
        ran = books.run(client, SETUP)
    saved = [cell["outputs"] for cell in books.cells(SETUP)]
    assert [books.text(outputs) for outputs in ran] == [books.text(outputs) for outputs in saved]
    said = json.dumps(ran)
    assert "spark engine" in said and cloud.storage("account1").key not in said
    checked = Project.from_file(tmp_path / "run" / "sales.odibi.yaml")
    assert checked.connection("silver").only_spark


def test_the_setup_notebook_elsewhere(cloud: Cloud, tmp_path: Path) -> None:
    """As on a laptop: on the pandas engine, account2 by who is signed in."""
    with kernel_in(tmp_path, {**os.environ, **cloud.environment, "IPYTHONDIR": str(tmp_path)}) as client:
        said = "".join(map(books.text, books.run(client, SETUP)))
    assert "Plan: 2 nodes on pandas engine" in said and "– skipped" not in said
    assert "Secret 'bronze-kee' not found in scope 'company-kv'" in said
