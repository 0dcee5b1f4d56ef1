"""The one server behind vaults and token endpoint: it tells hosts apart, makes their faults, and counts."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from odibi_magics.sandbox.arm import Management
from odibi_magics.sandbox.certificates import Certificates
from odibi_magics.sandbox.entra import Entra, refusal
from odibi_magics.sandbox.keyvault import KeyVault, Refused
from odibi_magics.sandbox.tokens import Mint
from odibi_magics.sandbox.world import LOGIN, MANAGEMENT, World


def front(world: World, mint: Mint) -> web.Application:
    """The application for all hosts that are served with TLS, but for storage."""
    app = web.Application(middlewares=[_with_faults(world)])
    app.add_domain(LOGIN, Entra(world, mint).app())
    app.add_domain(MANAGEMENT, Management(world, mint).app())
    app.add_domain("*.vault.azure.net", KeyVault(world, mint).app())
    return app


async def listen(app: web.Application, certificates: Certificates | None = None) -> int:
    """Serves it on loopback, on the port that is given back."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if certificates:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates.certificate, certificates.key)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port: int = runner.addresses[0][1]
    return port


async def slow_down(world: World, host: str) -> None:
    """The wait that was asked for; for ever where the host hangs."""
    if world.fault(host, "hang"):
        await asyncio.Event().wait()
    slow = world.fault(host, "delay")
    if slow:
        await asyncio.sleep(slow["ms"] / 1000)


def _with_faults(world: World) -> Middleware:
    @web.middleware
    async def serve(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.host
        if world.fault(host, "hang"):
            world.record(host, request.method, request.path_qs, 0)
        await slow_down(world, host)
        answer = await _answer(world, request, handler)
        world.record(host, request.method, request.path_qs, answer.status)
        if world.fault(host, "drip"):
            return await _drip(world, request, answer)
        return answer

    return serve


async def _answer(world: World, request: web.Request, handler: Handler) -> web.Response:
    throttled = world.met(LOGIN, "throttle") if request.host == LOGIN else None
    if throttled:
        text = "AADSTS90055: The tenant or user is sending too many requests."
        answer = refusal(429, "temporarily_unavailable", 90055, text)
        answer.headers["Retry-After"] = str(throttled["retry_after"])
        return answer
    try:
        made = await handler(request)
    except Refused as refused:
        return refused.answer
    except web.HTTPException as error:  # no such path
        return web.Response(status=error.status, text=error.text)
    assert isinstance(made, web.Response)
    return made


async def _drip(world: World, request: web.Request, answer: web.Response) -> web.StreamResponse:
    """The same answer, a byte a second: no time-out between two bytes notices. The rest once the fault is cleared."""
    body = answer.body if isinstance(answer.body, bytes) else b""
    slow = web.StreamResponse(status=answer.status, headers=answer.headers)
    await slow.prepare(request)
    with suppress(ConnectionResetError):  # the client has had enough
        while body and world.fault(request.host, "drip"):
            await slow.write(body[:1])
            body = body[1:]
            await asyncio.sleep(1)
        await slow.write(body)
    return slow
