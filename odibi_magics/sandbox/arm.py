"""management.azure.com: which roles were granted on what, for those who may read that.

https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from odibi_magics.sandbox.tokens import Mint
from odibi_magics.sandbox.world import Grant, World

AUDIENCES = ("https://management.azure.com", "https://management.azure.com/")
_KINDS = {"account": "Microsoft.Storage/storageAccounts", "vault": "Microsoft.KeyVault/vaults"}
# The same in every tenant: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4727635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
}


class Management:
    """Whoever was granted Owner, Contributor or Reader somewhere sees everything, all others nothing."""

    def __init__(self, world: World, mint: Mint) -> None:
        self._world, self._mint = world, mint

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/providers/Microsoft.ResourceGraph/resources", self._resources)
        app.router.add_get(
            "/subscriptions/{subscription}/resourceGroups/practice/providers/{kind:.*}/{name}"
            "/providers/Microsoft.Authorization/roleAssignments",
            self._assignments,
        )
        return app

    async def _resources(self, request: web.Request) -> web.Response:
        """Of all queries the one for a resource by its type and name."""
        wanted = dict(re.findall(r"(type|name) =~ '([^']*)'", (await request.json())["query"]))
        there = {_KINDS["account"]: list(self._world.keys), _KINDS["vault"]: list(self._world.vaults)}
        names = there.get(wanted["type"], []) if self._sees(request) else []
        data = [{"id": self._id(wanted["type"], name)} for name in names if name == wanted["name"]]
        return web.json_response({"totalRecords": len(data), "count": len(data), "data": data})

    async def _assignments(self, request: web.Request) -> web.Response:
        if not self._sees(request):
            told = {"code": "AuthorizationFailed", "message": "The client does not have authorization."}
            return web.json_response({"error": told}, status=403)
        kind, name = request.match_info["kind"], request.match_info["name"]
        who = re.search(r"assignedTo\('([^']*)'\)", request.query.get("$filter", ""))
        found = [
            grant
            for grant in self._world.grants
            if (_KINDS[grant.kind], grant.name) == (kind, name) and who and grant.object_id == who[1]
        ]
        return web.json_response({"value": [self._assignment(grant) for grant in found]})

    def _assignment(self, grant: Grant) -> dict[str, Any]:
        scope = self._id(_KINDS[grant.kind], grant.name)
        definitions = (
            f"/subscriptions/{self._world.subscription}/providers/Microsoft.Authorization/roleDefinitions"
        )
        when = datetime.fromtimestamp(grant.since, UTC).isoformat().replace("+00:00", "Z")
        return {
            "properties": {
                "roleDefinitionId": f"{definitions}/{ROLES[grant.role]}", "principalId": grant.object_id,
                "scope": scope, "createdOn": when, "updatedOn": when,
            }
        }  # fmt: skip

    def _id(self, kind: str, name: str) -> str:
        return f"/subscriptions/{self._world.subscription}/resourceGroups/practice/providers/{kind}/{name}"

    def _sees(self, request: web.Request) -> bool:
        _, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = self._mint.claims(token)
        if claims is None or claims["aud"] not in AUDIENCES:
            return False
        seeing = ("Owner", "Contributor", "Reader")
        return any(one.object_id == claims["oid"] and one.role in seeing for one in self._world.grants)
