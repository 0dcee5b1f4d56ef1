"""A real JupyterLab, and a notebook that is open in one of its pages."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import Browser, Locator, Page, Playwright, WebSocket

ROOT = Path(__file__).resolve().parents[2]
NO_BROWSER = (
    "the browser tests need Chromium. On Debian and Ubuntu: sudo apt-get install chromium; "
    "elsewhere: .venv/bin/playwright install chromium"
)


@dataclass(frozen=True)
class Lab:
    """A running server. url: with a slash at its end. folder: what it serves."""

    url: str
    token: str
    folder: Path

    def write(self, name: str, *cells: str) -> Path:
        """A notebook of these cells, not run yet."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        made = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
        )
        path = self.folder / name
        nbformat.write(made, path)
        return path


@dataclass(frozen=True)
class Opened:
    """A notebook that is open in Lab.

    hosts: all that the page asked for anything. frames: bytes of each that its sockets brought.
    """

    lab: Lab
    path: Path
    page: Page
    hosts: set[str] = field(default_factory=set)
    frames: list[int] = field(default_factory=list)

    def open(self) -> None:
        """Its page, with the kernel ready for cells; again after a reload."""
        name = self.path.relative_to(self.lab.folder)
        self.page.goto(f"{self.lab.url}lab/tree/{name}?token={self.lab.token}&reset")
        self.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
        self.page.evaluate(
            """async () => {
                const session = window.jupyterapp.shell.currentWidget.sessionContext;
                await session.ready;
                await session.session.kernel.info;
            }"""
        )

    def command(self, name: str, arguments: dict[str, Any] | None = None) -> None:
        """One of Lab's commands, to its end."""
        self.page.evaluate(
            "([name, given]) => window.jupyterapp.commands.execute(name, given)", [name, arguments or {}]
        )

    def run_all(self) -> None:
        """All cells, until the last is done."""
        self.command("notebook:run-all-cells")

    def run_cell(self, cell: int) -> None:
        """One cell, until it is done."""
        self.page.evaluate(
            "cell => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell; }", cell
        )
        self.command("notebook:run-cell")

    def start_cell(self, cell: int) -> None:
        """One cell, that runs on."""
        self.page.evaluate(
            """cell => {
                window.jupyterapp.shell.currentWidget.content.activeCellIndex = cell;
                void window.jupyterapp.commands.execute("notebook:run-cell");
            }""",
            cell,
        )

    def save(self) -> Any:
        """The file as Lab saves it."""
        self.command("docmanager:save")
        return nbformat.read(self.path, 4)

    def restart_kernel(self) -> None:
        """To one that knows nothing, without a question."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")

    def output(self, cell: int) -> Locator:
        """What stands under a cell."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea-output")

    def watch(self, socket: WebSocket) -> None:
        """Notes a socket's host, and what comes over it."""
        self.hosts.add(urlsplit(socket.url).netloc)
        socket.on("framereceived", lambda frame: self.frames.append(len(frame)))

    @property
    def strangers(self) -> set[str]:
        """Hosts other than the server that the page asked for anything."""
        return self.hosts - {urlsplit(self.lab.url).netloc, ""}  # "": of blobs and data in the page itself


def _environment(folder: Path) -> dict[str, str]:
    """None of the user's own settings are read or written, and ours is the package that is imported."""
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    return {
        **os.environ,
        **{name: str(folder / place) for name, place in places.items()},
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """A server on a free port of loopback, with its settings and notebooks in `folder`; it asks nobody for news."""
    served = folder / "notebooks"
    served.mkdir()
    token = secrets.token_hex(16)
    _ask_for_no_news(folder / "config")
    options = [
        "--no-browser", "--allow-root", "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0",
        f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={served}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], stdout=log, stderr=log, env=_environment(folder)
        )
    try:
        yield Lab(_address(server, folder), token, served)
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:  # it may wait for the page's connections
            server.kill()
            server.wait()


def _ask_for_no_news(config: Path) -> None:
    settings = config / "lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _address(server: subprocess.Popen[bytes], folder: Path) -> str:
    """The server's, as soon as it listens."""
    while server.poll() is None:
        for info in (folder / "runtime").glob("jpserver-*.json"):
            if text := info.read_text():
                return str(json.loads(text)["url"])
        time.sleep(0.05)
    raise AssertionError((folder / "server.log").read_text())


def launched(playwright: Playwright) -> Browser:
    """Debian's Chromium, or Playwright's own."""
    found = shutil.which("chromium") or playwright.chromium.executable_path
    assert Path(found).exists(), NO_BROWSER
    return playwright.chromium.launch(executable_path=found)
