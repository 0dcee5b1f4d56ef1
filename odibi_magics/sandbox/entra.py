"""login.microsoftonline.com: what MSAL, azure-identity and the storage drivers ask of it.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from aiohttp import web

from odibi_magics.sandbox.tokens import LIFETIME, Mint, audience_of
from odibi_magics.sandbox.world import HOME_DOMAIN, LOGIN, Identity, World


class Entra:
    def __init__(self, world: World, mint: Mint) -> None:
        self._world, self._mint = world, mint

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/common/discovery/instance", self._discovery)
        for version in ("", "/v2.0"):
            app.router.add_get(f"/{{tenant}}{version}/.well-known/openid-configuration", self._configuration)
            app.router.add_post(f"/{{tenant}}/oauth2{version}/token", self._token)
        return app

    async def _discovery(self, request: web.Request) -> web.Response:
        aliases = [LOGIN, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
        known = {"preferred_network": LOGIN, "preferred_cache": "login.windows.net", "aliases": aliases}
        found = f"https://{LOGIN}/{self._world.tenant}/v2.0/.well-known/openid-configuration"
        return web.json_response(
            {"tenant_discovery_endpoint": found, "api-version": "1.1", "metadata": [known]}
        )

    async def _configuration(self, request: web.Request) -> web.Response:
        tenant = self._tenant(request)
        if tenant is None:
            return _no_tenant(request, "invalid_tenant")
        base = f"https://{LOGIN}/{tenant}"
        return web.json_response(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "issuer": f"{base}/v2.0",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "tenant_region_scope": "EU",
                "cloud_instance_name": "microsoftonline.com",
            }
        )

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        tenant = self._tenant(request)
        if tenant is None:
            return _no_tenant(request, "invalid_request")
        if form.get("grant_type") != "client_credentials":
            text = "AADSTS70003: The app requested an unsupported grant type."
            return refusal(400, "unsupported_grant_type", 70003, text)
        caller = self._application(form.get("client_id", ""), tenant)
        if caller is None:
            return _no_application(form.get("client_id", ""), tenant)
        if not caller.client_secret or form.get("client_secret") != caller.client_secret:
            return _wrong_secret(caller)
        audience = form.get("resource") or audience_of(form.get("scope", ""))
        token = self._mint.token(caller, tenant, audience)
        v1 = {"resource": audience, "expires_on": str(int(time.time()) + LIFETIME)}
        lasting = {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME}
        return web.json_response({**lasting, **(v1 if "resource" in form else {}), "access_token": token})

    def _tenant(self, request: web.Request) -> str | None:
        asked = request.match_info["tenant"]
        if asked == HOME_DOMAIN:
            return self._world.tenant
        return asked if asked in {self._world.tenant, *self._world.foreign} else None

    def _application(self, client_id: str, tenant: str) -> Identity | None:
        """Our identities are known in our own tenant only."""
        if tenant != self._world.tenant:
            return None
        found = (one for one in self._world.identities.values() if one.client_id == client_id and not one.upn)
        return next(found, None)


def refusal(status: int, error: str, code: int, text: str) -> web.Response:
    """An error in Entra's form."""
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    now = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
    told: dict[str, Any] = {
        "error": error,
        "error_description": f"{text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
        "error_codes": [code],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://{LOGIN}/error?code={code}",
    }
    return web.json_response(told, status=status)


def _no_tenant(request: web.Request, error: str) -> web.Response:
    text = (
        f"AADSTS90002: Tenant '{request.match_info['tenant']}' not found. Check to make sure you have the correct "
        "tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may "
        "happen if there are no active subscriptions for the tenant."
    )
    return refusal(400, error, 90002, text)


def _no_application(client_id: str, tenant: str) -> web.Response:
    text = (
        f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory '{tenant}'. This "
        "can happen if the application has not been installed by the administrator of the tenant or consented to "
        "by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    )
    return refusal(400, "unauthorized_client", 700016, text)


def _wrong_secret(caller: Identity) -> web.Response:
    text = (
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client "
        f"secret value, not the client secret ID, for a secret added to app '{caller.client_id}'."
    )
    return refusal(401, "invalid_client", 7000215, text)
