"""Who we are for Azure: what a token says of whom it was given to."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from odibi_magics.connections.refusals import of_sign_in
from odibi_magics.connections.tokens import Identity, signed_in
from odibi_magics.doctor.diagnosis import Layer, failed, ok
from odibi_magics.doctor.steps import of_refusal

if TYPE_CHECKING:
    from azure.core.credentials import TokenRequestOptions

VAULT: Final = "https://vault.azure.net/.default"


@dataclass(frozen=True)
class Caller:
    """An identity as services see it. name: of a person the sign-in name, else the application's id.

    kind: as `az role assignment create --assignee-principal-type` calls it.
    """

    name: str = ""
    object_id: str = ""
    tenant: str = ""
    kind: str = "User"

    @property
    def assignee(self) -> str:
        """The options with which `az role assignment create` takes it, also where it may not look it up."""
        who = self.object_id or "$(az ad signed-in-user show --query id -o tsv)"
        return f"--assignee-object-id {who} --assignee-principal-type {self.kind}"

    def __str__(self) -> str:
        return f"{self.name} (object id {self.object_id}, tenant {self.tenant})"


def caller_of(token: str) -> Caller:
    """https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference; nothing is verified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    person = claims.get("upn") or claims.get("unique_name") or claims.get("email") or ""
    name = person or claims.get("app_displayname") or f"application {claims.get('appid', '')}"
    kind = "User" if person or claims.get("idtyp") == "user" else "ServicePrincipal"
    return Caller(name, claims.get("oid", ""), claims.get("tid", ""), kind)


class SignIn:
    """The sign-in of one connection, for one service. caller: known once it was looked at."""

    def __init__(self, identity: Identity, scope: str) -> None:
        self.identity, self._scope = identity, scope
        self.caller = Caller()

    def look(self, tenant: str = "") -> Layer:
        """Gets a token, and tells of whom. tenant: whose tokens the service takes, "" for our own."""
        try:
            self.caller = self._token({"tenant_id": tenant} if tenant else {})
        except Exception as error:
            refused = of_sign_in(error, self.identity)
            if refused is None:
                raise
            return self._of_other_tenant(tenant) or of_refusal(refused)
        if tenant not in ("", self.caller.tenant):
            return self._foreign(tenant)
        return ok(f"{self.caller}, by {signed_in(self.identity).way}")

    def _of_other_tenant(self, tenant: str) -> Layer | None:
        """Whether it is only in that tenant that we get no token."""
        try:
            self.caller = self._token({})
        except Exception as error:
            if of_sign_in(error, self.identity) is None:
                raise
            return None
        return self._foreign(tenant) if tenant not in ("", self.caller.tenant) else None

    def _foreign(self, tenant: str) -> Layer:
        said = f"the vault takes tokens of tenant {tenant}, and we are {self.caller}"
        if self.caller.kind == "User":
            return failed(said, "Sign in to the vault's tenant", f"az login --tenant {tenant}")
        remedy = "Use a vault of that tenant, or sign in to the vault's as a person or an application of it"
        return failed(said, remedy, f"az login --tenant {tenant}")

    def _token(self, options: TokenRequestOptions) -> Caller:
        return caller_of(signed_in(self.identity).get_token_info(self._scope, options=options).token)
