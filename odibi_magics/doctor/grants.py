"""What roles are on record for an identity: from there a role takes minutes to where it counts.

https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest
https://learn.microsoft.com/rest/api/azureresourcegraph/resourcegraph/resources/resources
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote

from odibi_magics.connections.refusals import of_sign_in
from odibi_magics.connections.tokens import signed_in
from odibi_magics.doctor.caller import Caller, SignIn
from odibi_magics.doctor.diagnosis import Layer, failed
from odibi_magics.doctor.hosts import connect

_HOST: Final = "management.azure.com"
ACCOUNT: Final = "Microsoft.Storage/storageAccounts"
VAULTS: Final = "Microsoft.KeyVault/vaults"

# The ids of built-in roles are the same in every tenant.
_NAMES: Final = {
    "8e3af657-a8ff-443c-a75c-2fe8c4727635": "Owner",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "00482a5a-887f-4fb3-b363-3b7fe8e74483": "Key Vault Administrator",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
}
READ: Final = ("Storage Blob Data Reader", "Storage Blob Data Contributor", "Storage Blob Data Owner")
WRITE: Final = READ[1:]
SECRETS: Final = ("Key Vault Secrets User", "Key Vault Secrets Officer", "Key Vault Administrator")

# Minutes after which a role has come into effect everywhere, or something else is wrong.
_LONGEST: Final = 30


@dataclass(frozen=True)
class Grant:
    """A role that somebody has. minutes: since when."""

    role: str
    minutes: float


def with_record(refused: Layer, sign_in: SignIn, kind: str, name: str, enough: tuple[str, ...]) -> Layer:
    """A refusal for want of a role, in the light of what is on record. enough: the roles that would do."""
    grants = grants_of(sign_in, kind, name)
    fit = min(
        (grant for grant in grants if grant.role in enough), key=lambda each: each.minutes, default=None
    )
    if fit is not None:
        return _granted(fit, sign_in.caller)
    names = ", ".join(dict.fromkeys(grant.role for grant in grants))
    return replace(refused, said=f"{refused.said}; on record: {names}") if names else refused


def _granted(grant: Grant, caller: Caller) -> Layer:
    said = f"{caller.name} was granted {grant.role} {grant.minutes:.0f} minutes ago"
    if grant.minutes < _LONGEST:
        remedy = (
            "Wait, mostly not more than 10 minutes: with --wait the doctor looks again until it is in effect"
        )
        return failed(f"{said}, and it has not come into effect yet", remedy, may_pass=True)
    query = "'[].[roleDefinitionName,scope,condition]'"
    command = f"az role assignment list --all --assignee {caller.object_id} --query {query}"
    remedy = "See its scope and condition, and whether there is a deny assignment"
    return failed(f"{said}, and is refused all the same", remedy, command)


def grants_of(sign_in: SignIn, kind: str, name: str) -> list[Grant]:
    """The roles of who signed in on an account or vault, with those of its groups and of what is above.

    Empty also where that one may not look, as somebody who has a role for data alone.
    """
    try:
        token = signed_in(sign_in.identity).get_token_info(f"https://{_HOST}/.default").token
        return [
            grant for found in _resources(token, kind, name) for grant in _on(token, found, sign_in.caller)
        ]
    except (OSError, HTTPException, _NotGiven):
        return []
    except Exception as error:
        if of_sign_in(error, sign_in.identity) is None:
            raise
        return []


class _NotGiven(Exception):
    """Another answer than 200."""


def _resources(token: str, kind: str, name: str) -> list[str]:
    """Its id, in whichever subscription that is seen."""
    query = f"Resources | where type =~ '{kind}' and name =~ '{name}' | project id"
    found = _ask(
        token, "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01", {"query": query}
    )
    return [each["id"] for each in found["data"]]


def _on(token: str, resource: str, caller: Caller) -> list[Grant]:
    wanted = quote(f"assignedTo('{caller.object_id}')")
    path = f"{resource}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter={wanted}"
    return [_grant(found["properties"]) for found in _ask(token, path)["value"]]


def _grant(properties: dict[str, Any]) -> Grant:
    since = datetime.fromisoformat(properties["updatedOn"])
    role = properties["roleDefinitionId"].rpartition("/")[2]
    return Grant(_NAMES.get(role, f"role {role}"), (datetime.now(UTC) - since).total_seconds() / 60)


def _ask(token: str, path: str, body: object = None) -> dict[str, Any]:
    """The answer's JSON, to a POST where there is a body. Raises OSError, HTTPException, _NotGiven."""
    connection = connect(_HOST)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        connection.request(
            "GET" if body is None else "POST", path, None if body is None else json.dumps(body), headers
        )
        answer = connection.getresponse()
        if answer.status != 200:
            raise _NotGiven
        found: dict[str, Any] = json.load(answer)
    finally:
        connection.close()
    return found
