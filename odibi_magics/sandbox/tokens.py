"""Tokens as Microsoft Entra makes them: JWTs that say who asks, of which tenant, and for what.

https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
import uuid
from typing import Any

from odibi_magics.sandbox.world import Identity

LIFETIME = 3600  # seconds


class Mint:
    """Makes tokens, and knows its own again: they are signed with a key that is random at each start."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, identity: Identity, tenant: str, audience: str) -> str:
        """audience: the service it is for, as `https://vault.azure.net`."""
        now = int(time.time())
        person = {
            "upn": identity.upn,
            "unique_name": identity.upn,
            "idtyp": "user",
            "scp": "user_impersonation",
        }
        claims = {
            "aud": audience, "iss": issuer(tenant), "iat": now, "nbf": now - 60, "exp": now + LIFETIME,
            "appid": identity.client_id, "oid": identity.object_id, "sub": identity.object_id, "tid": tenant,
            "uti": uuid.uuid4().hex, "ver": "1.0", **(person if identity.upn else {"idtyp": "app"}),
        }  # fmt: skip
        signed = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def claims(self, token: str) -> dict[str, Any] | None:
        """What a token of ours says; None for another's, and for one that expired."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(signature, self._signature(signed)):
            return None
        claims: dict[str, Any] = json.loads(_bytes(signed.partition(".")[2]))
        return claims if claims["exp"] > time.time() else None

    def _signature(self, text: str) -> str:
        return _text(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def issuer(tenant: str) -> str:
    return f"https://sts.windows.net/{tenant}/"


def audience_of(scope: str) -> str:
    """Of `https://vault.azure.net/.default openid` the first, without its last word: the resource it is for."""
    return scope.split(" ")[0].removesuffix("/.default")


def _part(data: dict[str, Any]) -> str:
    return _text(json.dumps(data).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
