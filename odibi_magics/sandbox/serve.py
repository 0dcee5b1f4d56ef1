"""The practice cloud's process: `python -m odibi_magics.sandbox.serve`.

It is a process of its own so that it ends in any case: its stdin is a pipe from whoever started it, and where that
ends, it ends, and then the command that it was told of, whose parent is gone. A line of JSON on stdout says that it is
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
from functools import partial
from importlib import import_module
from pathlib import Path

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
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        partial(asyncio.StreamReaderProtocol, reader), sys.stdin
    )
    watch = asyncio.create_task(_listen_to(reader))
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


async def _listen_to(reader: asyncio.StreamReader) -> int:
    """Until the other side ends. The process it left behind, or 0."""
    watched = 0
    async for line in reader:
        watched = int(line)
    return watched


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
