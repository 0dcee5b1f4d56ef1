"""<vault>.vault.azure.net: secrets, and Key Vault's own words where it gives none.

https://learn.microsoft.com/rest/api/keyvault/secrets
https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from odibi_magics.sandbox.tokens import Mint, issuer
from odibi_magics.sandbox.world import LOGIN, Vault, Version, World

AUDIENCES = ("https://vault.azure.net", "https://vault.azure.net/", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093")
PAGE = 25  # secrets in one answer, as the real one


class Refused(Exception):
    """The vault's answer to a request that it does not admit."""

    def __init__(self, answer: web.Response) -> None:
        self.answer = answer


class KeyVault:
    def __init__(self, world: World, mint: Mint) -> None:
        self._world, self._mint = world, mint

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/secrets", self._list)
        app.router.add_get("/secrets/{name}/versions", self._list_versions)
        app.router.add_put("/secrets/{name}", self._set)
        for path in ("/secrets/{name}", "/secrets/{name}/", "/secrets/{name}/{version}"):
            app.router.add_get(path, self._get)
        return app

    async def _get(self, request: web.Request) -> web.Response:
        vault = self._admit(request, "get", "getSecret")
        name, asked = request.match_info["name"], request.match_info.get("version", "")
        versions = vault.secrets.get(name, [])
        found = [one for one in versions if one.id == asked] if asked else versions[-1:]
        if not found:
            raise error(404, "SecretNotFound", _NOT_FOUND.format(name=f"{name}/{asked}" if asked else name))
        version = found[0]
        if not version.enabled:
            text = "Operation get is not allowed on a disabled secret."
            raise error(403, "Forbidden", text, inner="SecretDisabled")
        return web.json_response({"value": version.value, **_properties(vault, name, version, named=True)})

    async def _set(self, request: web.Request) -> web.Response:
        vault = self._admit(request, "set", "setSecret")
        name, body = request.match_info["name"], await request.json()
        given = body.get("attributes", {})
        attributes = {
            "enabled": given.get("enabled", True),
            "expires": given.get("exp"),
            "not_before": given.get("nbf"),
        }
        self._world.set_secret(vault.name, name, body["value"], **attributes)
        version = vault.secrets[name][-1]
        return web.json_response({"value": version.value, **_properties(vault, name, version, named=True)})

    async def _list(self, request: web.Request) -> web.Response:
        vault = self._admit(request, "list", "readMetadata")
        rows = [_properties(vault, name, versions[-1]) for name, versions in sorted(vault.secrets.items())]
        return _page(request, rows)

    async def _list_versions(self, request: web.Request) -> web.Response:
        vault = self._admit(request, "list", "readMetadata")
        name = request.match_info["name"]
        return _page(
            request, [_properties(vault, name, one, named=True) for one in vault.secrets.get(name, [])]
        )

    def _admit(self, request: web.Request, permission: str, action: str) -> Vault:
        """The vault, where the caller may do this there. Raises Refused otherwise."""
        vault = self._world.vault_of(request.host)
        assert vault is not None  # the proxy lets nothing through for a vault that is not there
        throttled = self._world.met(request.host, "throttle")
        if throttled:
            raise error(429, "Throttled", _THROTTLED, headers={"Retry-After": str(throttled["retry_after"])})
        caller = self._caller(request, vault)
        forbidden = self._world.fault(request.host, "forbid")
        if forbidden:
            text, inner = FORBIDDEN[forbidden["model"]]
            told = {
                "caller": f"appid={caller['appid']};oid={caller['oid']};iss={caller['iss']}",
                "appid": caller["appid"], "oid": caller["oid"], "iss": caller["iss"],
                "permission": permission, "action": action, "path": request.path.strip("/"),
                "vault": vault.name, "subscription": self._world.subscription,
            }  # fmt: skip
            raise error(403, "Forbidden", text.format(**told), inner=inner)
        return vault

    def _caller(self, request: web.Request, vault: Vault) -> dict[str, Any]:
        """Who asks. A vault first says where it wants its tokens from, and takes none of another tenant."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise _challenge(vault, "AKV10000: Request is missing a Bearer or PoP token.")
        claims = self._mint.claims(token)
        if claims is None:
            raise _challenge(vault, "AKV10046: Unable to validate the token, its signature or its lifetime.")
        if claims["aud"] not in AUDIENCES:
            raise _challenge(
                vault, f"AKV10022: Invalid audience. Expected {AUDIENCES[0]}, found: {claims['aud']}."
            )
        if claims["tid"] != vault.tenant:
            expected, found = issuer(vault.tenant), claims["iss"]
            raise _challenge(vault, f"AKV10032: Invalid issuer. Expected one of {expected}, found {found}.")
        return claims


def error(
    status: int, code: str, message: str, *, inner: str = "", headers: Mapping[str, str] | None = None
) -> Refused:
    """An error in Key Vault's form, to be raised."""
    told: dict[str, Any] = {"code": code, "message": message}
    if inner:
        told["innererror"] = {"code": inner}
    return Refused(web.json_response({"error": told}, status=status, headers=headers))


def _challenge(vault: Vault, message: str) -> Refused:
    where = f'Bearer authorization="https://{LOGIN}/{vault.tenant}", resource="{AUDIENCES[0]}"'
    return error(401, "Unauthorized", message, headers={"WWW-Authenticate": where})


def _properties(vault: Vault, name: str, version: Version, *, named: bool = False) -> dict[str, Any]:
    """What is told of a secret beside its value. named: with the version in its id."""
    attributes = {
        "enabled": version.enabled, "created": version.created, "updated": version.created,
        "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
        **({"exp": version.expires} if version.expires is not None else {}),
        **({"nbf": version.not_before} if version.not_before is not None else {}),
    }  # fmt: skip
    place = f"https://{vault.name}.vault.azure.net/secrets/{name}"
    return {"id": f"{place}/{version.id}" if named else place, "attributes": attributes, "tags": {}}


def _page(request: web.Request, rows: list[dict[str, Any]]) -> web.Response:
    size, start = int(request.query.get("maxresults", PAGE)), int(request.query.get("$skiptoken", 0))
    left = start + size < len(rows)
    query = {**request.query, "maxresults": str(size), "$skiptoken": str(start + size)}
    following = str(request.url.with_scheme("https").with_query(query)) if left else None
    return web.json_response({"value": rows[start : start + size], "nextLink": following})


_NOT_FOUND = (
    "A secret with (name/id) {name} was not found in this key vault. If you recently deleted this secret you may be "
    "able to recover it using the correct recovery command. For help resolving this issue, please see "
    "https://go.microsoft.com/fwlink/?linkid=2125182"
)
_THROTTLED = (
    "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
)

# By the fault's model: the message and the inner code.
FORBIDDEN = {
    "rbac": (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\r\nCaller: {caller}\r\n"
        "Action: 'Microsoft.KeyVault/vaults/secrets/{action}/action'\r\n"
        "Resource: '/subscriptions/{subscription}/resourcegroups/practice/providers/microsoft.keyvault/vaults/"
        "{vault}/{path}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"
        "Vault: {vault};location=westeurope\r\n",
        "ForbiddenByRbac",
    ),
    "policy": (
        "The user, group or application 'appid={appid};oid={oid};numgroups=0;iss={iss}' does not have secrets "
        "{permission} permission on key vault '{vault};location=westeurope'. For help resolving this issue, please "
        "see https://go.microsoft.com/fwlink/?linkid=2125287",
        "AccessDenied",
    ),
    "firewall": (
        "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\n"
        "Caller: {caller}\r\nVault: {vault};location=westeurope",
        "ForbiddenByFirewall",
    ),
    "private": (
        "Public network access is disabled and request is not from a trusted service nor via an approved private "
        "link.\r\nCaller: {caller}\r\nVault: {vault};location=westeurope",
        "ForbiddenByConnection",
    ),
}
# What an access policy that denies is called in newer vaults.
FORBIDDEN["by_policy"] = (FORBIDDEN["policy"][0], "ForbiddenByPolicy")
