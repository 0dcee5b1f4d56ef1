"""The practice cloud's process: `python -m odibi_magics.sandbox.serve`.

It is a process of its own so that it ends in any case: its stdin is a pipe from whoever started it, and where that
ends, it ends, and then the command that it was told of, whose parent is gone. A thread watches the pipe, so that
nothing that holds the servers up can hold up the end. A line of JSON on stdout says that it is
ready, or why not.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread

from odibi_magics.errors import OdibiError, said
from odibi_magics.sandbox.azurite import Azurite
from odibi_magics.sandbox.certificates import make_certificates, public_authorities
from odibi_magics.sandbox.control import Control
from odibi_magics.sandbox.demo import ACCOUNTS, fill, furnish
from odibi_magics.sandbox.front import front, listen
from odibi_magics.sandbox.proxy import Proxy
from odibi_magics.sandbox.storage import blob_client
from odibi_magics.sandbox.tokens import Mint
from odibi_magics.sandbox.variables import variables
from odibi_magics.sandbox.world import World

_PATIENCE = 5.0  # seconds that a command has to end by itself
_LONGEST = 30.0  # seconds that the servers have; then all that was started here is killed


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="odibi-sandbox-"))  # 0700
    try:
        left_behind = asyncio.run(_live(folder, outside="--outside" in sys.argv))
    except OdibiError as error:
        _tell({"error": said(error)})
        return
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Azurite removes it as well, where we cannot
    if left_behind:
        _end(left_behind)


async def _live(folder: Path, *, outside: bool) -> int:
    """Until stdin or Azurite ends. The process that is left behind, or 0."""
    azurite = Azurite(World())
    watch = _watched(folder)
    serve = asyncio.create_task(_serve(azurite, folder, outside))
    try:
        await asyncio.wait((watch, serve), return_when=asyncio.FIRST_COMPLETED)
        if serve.done():
            serve.result()
        return watch.result() if watch.done() else 0
    finally:
        serve.cancel()
        await azurite.stop()


async def _serve(azurite: Azurite, folder: Path, outside: bool) -> None:
    """Until Azurite ends."""
    world, mint = azurite.world, Mint()
    furnish(world)
    certificates = make_certificates(folder, public_authorities())
    imported = asyncio.create_task(
        asyncio.to_thread(import_module, "azure.storage.blob")
    )  # while Node starts
    storage_port = await azurite.start(folder, certificates)
    front_port = await listen(front(world, mint), certificates)
    control = Control(world, mint, azurite.changed)
    control_port = await listen(control.app())
    proxy = Proxy(world, lambda host: storage_port if world.account_of(host) else front_port, outside)
    environment = variables(
        folder, certificates, proxy=await proxy.start(), control=control_port,
        secret=control.secret, identity_secret=control.identity_secret,
    )  # fmt: skip
    await imported
    clients = [blob_client(name, world.keys[name], environment) for name in ACCOUNTS]
    await asyncio.to_thread(fill, *clients)
    await azurite.changed()
    world.asked.clear()
    _tell({"environment": environment})
    await azurite.ended


def _watched(folder: Path) -> asyncio.Future[int]:
    """Done when the other side has ended: the process it left behind, or 0."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def watch() -> None:
        watched = 0
        with open(0, "rb", buffering=0) as pipe:  # not sys.stdin, whose lock a thread would hold at the end
            for line in pipe:
                watched = int(line)
        with suppress(RuntimeError):  # the loop has ended before
            loop.call_soon_threadsafe(ended.set_result, watched)
        time.sleep(_LONGEST)
        shutil.rmtree(folder, ignore_errors=True)
        if watched:
            _end(watched)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    Thread(target=watch, name="odibi-watch", daemon=True).start()
    return ended


def _end(process: int) -> None:
    """Ends a command whose parent was killed."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
        for _ in range(int(_PATIENCE * 10)):
            time.sleep(0.1)
            os.kill(process, 0)
        os.kill(process, signal.SIGKILL)


def _tell(message: object) -> None:
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
