"""The files in binder/, run as repo2docker and Binder run them: as a user, in a checkout that is HOME, beside a Jupyter.

The venv that stands for Binder's comes from uv's cache, and so does what postBuild installs. Offline, so that nothing is
wanted that the build did not bring.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from odibi_magics.sandbox import azurite
from tests import books

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
REQUIREMENTS = ROOT / "requirements"

LEFT_OUT = shutil.ignore_patterns(
    ".*", "build", "dist", "data", "*.egg-info", "__pycache__", "tests", "benchmarks"
)
NOTEBOOKS = ("01_quickstart", "02_azure")

pytestmark = pytest.mark.skipif(
    not (CACHE / "uv" / "wheels-v8").is_dir() and not list((CACHE / "uv").glob("wheels-*")),
    reason="make setup installed by pip, so that uv has nothing to install from offline",
)


@dataclass(frozen=True)
class Image:
    """A container's file system, as far as it goes. home: the user's, and the checkout."""

    home: Path
    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=self.home, env=self.environment, text=True, capture_output=True, check=False
        )


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """What repo2docker has when it comes to postBuild: Jupyter, and the checkout."""
    folder = tmp_path_factory.mktemp("binder")
    home, prefix = folder / "home", folder / "env"
    shutil.copytree(ROOT, home, ignore=LEFT_OUT)
    # Where the blob server goes by default. It comes from npm, which tests/sandbox/test_install.py plays.
    (home / ".cache" / "odibi_magics").mkdir(parents=True)
    server = azurite.install(CACHE)
    (home / ".cache" / "odibi_magics" / server.name).symlink_to(server)
    offline = {"UV_OFFLINE": "1", "UV_CACHE_DIR": str(CACHE / "uv"), "PIP_NO_INDEX": "1"}
    path = os.pathsep.join([str(prefix / "bin"), os.defpath])
    environment = {"HOME": str(home), "USER": "jovyan", "PATH": path, "LANG": "en_US.UTF-8", **offline}
    (folder / "jupyter.txt").write_text(jupyter())
    for module in (
        ("venv", str(prefix)),
        ("uv", "pip", "install", "--quiet", "--python", str(prefix), "--no-deps", "--require-hashes",
         "--requirement", str(folder / "jupyter.txt"), "--requirement", str(REQUIREMENTS / "tools.txt")),
    ):  # fmt: skip
        subprocess.run([sys.executable, "-m", *module], check=True, env={**os.environ, **offline})
    return Image(home, environment)


def jupyter() -> str:
    """Jupyter with all that it needs, out of the lock."""
    lock = (REQUIREMENTS / "dev.txt").read_text()
    locked = {
        canonicalize_name(name): text
        for text, name in re.findall(r"^(([A-Za-z0-9._-]+)==.*(?:\n .*)*)", lock, re.MULTILINE)
    }
    wanted, found = ["jupyterlab", "ipykernel", "nbclient"], dict[str, str]()
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in found and name in locked:
            found[name] = locked[name]
            needed = map(Requirement, requires(name) or [])
            wanted += [each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
    return "\n".join(found.values())


def test_postbuild_and_then_the_notebooks_in_what_start_starts(image: Image) -> None:
    before = names(image)
    built = image.run("./binder/postBuild")
    assert built.returncode == 0, built.stderr
    assert "practice cloud: account1, account2 and company-kv are up for: true" in built.stderr
    assert names(image) == before
    assert not (image.home / ".cache" / "odibi_magics" / "npm").exists()

    with lab(image) as server:
        for name in NOTEBOOKS:
            page = f"{server.url}lab/tree/notebooks/{name}.ipynb?token={server.token}"
            with urlopen(page) as answer:
                assert b"JupyterLab" in answer.read()
            client = server.kernel(f"notebooks/{name}.ipynb")
            try:
                books.run(client, image.home / "notebooks" / f"{name}.ipynb")
            finally:
                client.stop_channels()  # what is left open holds up whoever collects it, for ever
    assert "are up for: jupyter lab" in server.log.read_text() and "installing" not in server.log.read_text()
    assert (image.home / "notebooks" / "data" / "gold" / "daily" / "_delta_log").is_dir()


@dataclass(frozen=True)
class Server:
    """A JupyterLab."""

    url: str
    token: str
    runtime: Path
    log: Path

    def kernel(self, path: str) -> BlockingKernelClient:
        """A client of the kernel that JupyterLab starts for a notebook which is opened."""
        wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        asked = Request(
            f"{self.url}api/sessions?token={self.token}",
            json.dumps(wanted).encode(),
            {"Content-Type": "application/json"},
        )
        with urlopen(asked) as answer:
            started = json.load(answer)["kernel"]["id"]
        client = BlockingKernelClient(connection_file=str(self.runtime / f"kernel-{started}.json"))
        client.load_connection_file()
        return client


@contextmanager
def lab(image: Image) -> Iterator[Server]:
    """As Binder has it started, but for the address; that it ends, and with it the practice cloud, is checked."""
    log, runtime = image.home / "lab.log", image.home / ".local" / "share" / "jupyter" / "runtime"
    words = [
        "jupyter",
        "lab",
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=0",
        *["--allow-root"] * (os.geteuid() == 0),
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["./binder/start", *words], cwd=image.home, env=image.environment, stdout=out, stderr=out
        )
    try:
        while (server := _answering(runtime, log)) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait()
    assert list(runtime.glob("jpserver-*.json")) == []


def _answering(runtime: Path, log: Path) -> Server | None:
    """What has been started, once it answers: its file is there before."""
    for found in runtime.glob("jpserver-*.json"):
        with suppress(OSError, ValueError):
            told = json.loads(found.read_text())
            with urlopen(f"{told['url']}api/status?token={told['token']}"):
                return Server(told["url"], told["token"], runtime, log)
    return None


def names(image: Image) -> set[str]:
    return {each.name for each in image.home.iterdir()}
