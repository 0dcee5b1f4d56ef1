"""What only this machine may ask: faults and their like for tests, and a managed identity's token endpoints.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from odibi_magics.sandbox.front import slow_down
from odibi_magics.sandbox.tokens import LIFETIME, Mint
from odibi_magics.sandbox.world import LOGIN, World


class Control:
    """changed: awaited after each operation, and before its answer."""

    def __init__(self, world: World, mint: Mint, changed: Callable[[], Awaitable[None]]) -> None:
        self._world, self._mint, self._changed = world, mint, changed
        self.secret, self.identity_secret = secrets.token_urlsafe(24), secrets.token_urlsafe(24)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/msi/token", self._of_app_service)
        app.router.add_get("/metadata/identity/oauth2/token", self._of_virtual_machine)
        app.router.add_post(f"/{self.secret}/az-token", self._az_token)
        app.router.add_post(f"/{self.secret}/{{operation}}", self._operate)
        return app

    async def _operate(self, request: web.Request) -> web.Response:
        operation = self._world.operations().get(request.match_info["operation"])
        if operation is None:
            raise web.HTTPNotFound
        arguments = await request.json()
        await self._changed()  # requests that were answered before this one are counted
        try:
            result = operation(**arguments)
        except (KeyError, TypeError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        await self._changed()
        return web.json_response({"result": result})

    async def _az_token(self, request: web.Request) -> web.Response:
        """What the practice `az` needs: a token for the person who is signed in."""
        asked = await request.json()
        if not self._world.signed_in:
            return web.json_response({"error": "Please run 'az login' to setup account."}, status=401)
        tenant, user = asked.get("tenant") or self._world.tenant, self._world.identities["user"]
        known = {"tenant": self._world.tenant, "subscription": self._world.subscription, "user": user.upn}
        if tenant != self._world.tenant:
            return web.json_response({"error": f"AADSTS90002: Tenant '{tenant}' not found."}, status=400)
        if not asked.get("resource"):
            return web.json_response(known)
        await slow_down(self._world, LOGIN)
        self._world.record("az", "POST", "/token", 200)
        token = self._mint.token(user, tenant, asked["resource"])
        return web.json_response({**known, "token": token, "expires": int(time.time()) + LIFETIME})

    async def _of_app_service(self, request: web.Request) -> web.Response:
        if request.headers.get("X-IDENTITY-HEADER") != self.identity_secret:
            return web.json_response({"statusCode": 401, "message": "Wrong X-IDENTITY-HEADER."}, status=401)
        return await self._managed_identity(request)

    async def _of_virtual_machine(self, request: web.Request) -> web.Response:
        """The one that AZURE_POD_IDENTITY_AUTHORITY_HOST names in place of 169.254.169.254."""
        if request.headers.get("Metadata") != "true":
            told = {"error": "invalid_request", "error_description": "Required metadata header not specified"}
            return web.json_response(told, status=400)
        return await self._managed_identity(request)

    async def _managed_identity(self, request: web.Request) -> web.Response:
        managed = self._world.identities["managed"]
        if request.query.get("client_id", managed.client_id) != managed.client_id:
            told = {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found."}
            return web.json_response(told, status=400)
        await slow_down(self._world, LOGIN)
        self._world.record("identity", "GET", request.path, 200)
        resource = request.query["resource"]
        return web.json_response(
            {
                "access_token": self._mint.token(managed, self._world.tenant, resource),
                "client_id": managed.client_id,
                "expires_in": str(LIFETIME),
                "expires_on": str(int(time.time()) + LIFETIME),
                "resource": resource,
                "token_type": "Bearer",
            }
        )
