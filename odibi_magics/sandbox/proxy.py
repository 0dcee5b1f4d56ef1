"""A CONNECT proxy on loopback: what HTTPS_PROXY names, so that real host names lead to our servers.

Bytes are passed on as they are: TLS ends at Azurite or at our own server, never here. Hosts that the practice cloud
does not have are answered as a proxy answers for a name that does not resolve; nothing leaves the machine unless asked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from odibi_magics.sandbox.world import World, is_azure

_CHUNK = 1 << 18
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_NO_SUCH_HOST = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ONLY_TUNNELS = b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """ports: where a host of the cloud is served. outside: whether other hosts than Azure's are let through."""

    def __init__(self, world: World, ports: Callable[[str], int], outside: bool) -> None:
        self._world, self._ports, self._outside = world, ports, outside

    async def start(self) -> int:
        """The port it listens on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Cancelled: at the end of the process.
        with suppress(
            OSError,
            asyncio.CancelledError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ValueError,
        ):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.decode("latin-1").split(" ", 2)
            host, _, port = target.rpartition(":")
            if method == "CONNECT":
                await self._connect(host.lower(), int(port), reader, writer)
            else:
                await _say(writer, _ONLY_TUNNELS)
        writer.close()

    async def _connect(
        self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if self._world.fault(host, "reset"):
            writer.transport.abort()
            return
        where = self._address(host, port)
        if where is None or self._world.fault(host, "vanish"):
            await _say(writer, _NO_SUCH_HOST)
            return
        if self._world.fault(host, "stall_tls"):
            await _say(writer, _ESTABLISHED)
            await _swallow(reader)
            return
        await self._tunnel(host, where, reader, writer)

    def _address(self, host: str, port: int) -> tuple[str, int] | None:
        if port == 443 and self._world.knows(host):
            return "127.0.0.1", self._ports(host)
        return (host, port) if self._outside and not is_azure(host) else None

    async def _tunnel(
        self, host: str, where: tuple[str, int], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*where, limit=_CHUNK)
        except OSError:
            await _say(writer, _NO_SUCH_HOST)
            return
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await _say(writer, _ESTABLISHED)
        ways = (
            asyncio.create_task(self._pump(host, "request", reader, far_writer)),
            asyncio.create_task(self._pump(host, "response", far_reader, writer)),
        )
        _, open_ways = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        dropped = any(way.done() and way.result() for way in ways)
        for way in open_ways:
            way.cancel()
        for end in (writer, far_writer):
            end.transport.abort() if dropped else end.close()

    async def _pump(
        self, host: str, of: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Passes bytes on until one side ends; whether a fault ended it."""
        meter = _Meter()
        with suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                drop = self._world.fault(host, "drop")
                if drop and drop["of"] == of and meter.trips(drop, len(chunk)):
                    self._world.met(host, "drop")
                    return True
                writer.write(chunk)
                await writer.drain()
        return False


class _Meter:
    """Counts a connection's bytes from when a fault was set."""

    def __init__(self) -> None:
        self._id, self._passed = "", 0

    def trips(self, drop: dict[str, Any], size: int) -> bool:
        if drop["id"] != self._id:
            self._id, self._passed = drop["id"], 0
        self._passed += size
        return bool(drop["times"] != 0 and self._passed > drop["after"])


async def _say(writer: asyncio.StreamWriter, answer: bytes) -> None:
    writer.write(answer)
    await writer.drain()


async def _swallow(reader: asyncio.StreamReader) -> None:
    while await reader.read(_CHUNK):
        pass
