"""Signing in to Microsoft Entra: one credential for each identity, one token for each thing it opens."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any, Final, Literal

from odibi_magics.connections.once import once
from odibi_magics.secret import Secret

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, AccessTokenInfo, SupportsTokenInfo, TokenRequestOptions

STORAGE: Final = "https://storage.azure.com/.default"

# Seconds before its end from which a token counts as used up; the SDKs take the same.
_MARGIN = 300

# Retries of a sign-in, for what passes. Nothing of it may take minutes: the deadline would cut it without a reason.
_BOUNDED: Final[Mapping[str, Any]] = {"retry_total": 2, "retry_connect": 1, "retry_backoff_factor": 0.2}
_AZ_SECONDS = 15


@dataclass(frozen=True)
class Identity:
    """Who signs in.

    kind: "any" of what the environment, a managed identity or `az login` offers; the "managed" identity of this
    machine; or a service "principal" with its secret. client_id: of a user-assigned managed identity, or the
    principal's.
    """

    kind: Literal["any", "managed", "principal"] = "any"
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None

    def __str__(self) -> str:
        if self.kind == "principal":
            return f"service principal {self.client_id} of tenant {self.tenant_id}"
        return (
            f"managed identity {self.client_id or 'of this machine'}"
            if self.kind == "managed"
            else "signing in"
        )


class SharedTokens:
    """A credential for many threads: those that want one token at once wait for one request.

    azure-identity asks once for each thread (32 cold threads made 32 requests), and some of its credentials, `az`
    among them, keep no token at all.
    """

    def __init__(self, make: Callable[[], SupportsTokenInfo]) -> None:
        self._make = once(make)
        self._lock = Lock()
        self._flights: dict[Any, Future[AccessTokenInfo]] = {}

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """The protocol of azure.core's SupportsTokenInfo. A failure is for those who wait, and not kept."""
        key = (scopes, *sorted((options or {}).items()))
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None and not _landed_stale(flight):
                mine = False
            else:
                mine, flight = True, Future()
                self._flights[key] = flight
        if mine:
            self._fly(key, flight, scopes, options)
        return flight.result()

    def holds(self, scope: str) -> bool:
        """Whether a token is here that lasts."""
        flight = self._flights.get(((scope,),))
        return flight is not None and flight.done() and not flight.exception() and not _landed_stale(flight)

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """The protocol of azure.core's TokenCredential, which older SDKs ask by."""
        from azure.core.credentials import AccessToken

        given: Any = {key: value for key, value in options.items() if value}
        info = self.get_token_info(*scopes, options=given)
        return AccessToken(info.token, info.expires_on)

    @property
    def way(self) -> str:
        """The credential by its class: of a chain the one that gave the last token, "AzureCliCredential"."""
        with self._lock:
            credential = self._make()
        # azure-identity tells it in a line of its log, and keeps it under this name.
        return type(getattr(credential, "_successful_credential", None) or credential).__name__

    def _fly(
        self,
        key: Any,
        flight: Future[AccessTokenInfo],
        scopes: tuple[str, ...],
        options: TokenRequestOptions | None,
    ) -> None:
        try:
            token = self._make().get_token_info(*scopes, options=options or {})
            Secret(token.token)
            flight.set_result(token)
        except BaseException as error:
            with self._lock:
                self._flights.pop(key, None)
            flight.set_exception(error)


def _landed_stale(flight: Future[AccessTokenInfo]) -> bool:
    """Whether a token came and is used up. A refused one (its claims are asked for) has another key."""
    return flight.done() and flight.result().expires_on - time() < _MARGIN


@once
def signed_in(identity: Identity) -> SharedTokens:
    """The credential of an identity; the same one for the same identity, until `forget()`."""
    return SharedTokens(lambda: _CREDENTIALS[identity.kind](identity))


def forget() -> None:
    """Drops all credentials and their tokens."""
    signed_in.forget()


def _options() -> dict[str, Any]:
    import logging

    from odibi_magics.connections.transport import transport

    # A refused sign-in is told in our words; without a handler of the user's it would stand under the cell as well.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    return {**_BOUNDED, "transport": transport()}


def _any(identity: Identity) -> SupportsTokenInfo:
    from azure.identity import DefaultAzureCredential

    given = {
        "managed_identity_client_id": identity.client_id,
        "workload_identity_client_id": identity.client_id,
        "workload_identity_tenant_id": identity.tenant_id,
        "shared_cache_tenant_id": identity.tenant_id,
    }
    return DefaultAzureCredential(
        process_timeout=_AZ_SECONDS,
        additionally_allowed_tenants=["*"],  # a vault or account may belong to a tenant where we are a guest
        **{key: value for key, value in given.items() if value},
        **_options(),
    )


def _managed(identity: Identity) -> SupportsTokenInfo:
    from azure.identity import ManagedIdentityCredential

    # Not the shared session: the endpoint is this machine's own, behind no proxy.
    return ManagedIdentityCredential(client_id=identity.client_id, **_BOUNDED)


def _principal(identity: Identity) -> SupportsTokenInfo:
    from azure.identity import ClientSecretCredential

    assert identity.tenant_id and identity.client_id and identity.client_secret
    return ClientSecretCredential(
        identity.tenant_id, identity.client_id, identity.client_secret.reveal(), **_options()
    )


_CREDENTIALS: Mapping[str, Callable[[Identity], SupportsTokenInfo]] = {
    "any": _any,
    "managed": _managed,
    "principal": _principal,
}


def has_token(identity: Identity) -> bool:
    """Whether an identity's token for storage accounts is here already."""
    return signed_in(identity).holds(STORAGE)


def object_id(identity: Identity) -> str | None:
    """Who an identity is to Azure: what its token for storage says; None where it is not to be read."""
    payload = storage_token(identity).token.split(".")[1:2]
    try:
        claims = json.loads(urlsafe_b64decode(f"{payload[0]}==="))
    except (IndexError, ValueError):
        return None
    found = claims.get("oid")
    return str(found) if found else None


def storage_token(identity: Identity) -> AccessTokenInfo:
    """A token of an identity for storage accounts. Raises Refused."""
    from odibi_magics.connections.refusals import of_sign_in

    try:
        return signed_in(identity).get_token_info(STORAGE)
    except Exception as error:
        refused = of_sign_in(error, identity)
        if refused is None:
            raise
        raise refused from None
