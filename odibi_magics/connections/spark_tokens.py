"""How Hadoop's driver for Azure storage gets tokens by itself: for few of the ways in which we sign in.

https://hadoop.apache.org/docs/stable/hadoop-azure/abfs.html
"""

from __future__ import annotations

import os
from typing import Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.tokens import Identity, signed_in, storage_token
from odibi_magics.secret import Secret

_LOGIN: Final = "https://login.microsoftonline.com"
_PROVIDERS: Final = "org.apache.hadoop.fs.azurebfs.oauth2"

# What makes azure-identity ask something else than the endpoint of a virtual machine, each with what that is.
_OTHER_ENDPOINTS: Final = {
    "IDENTITY_ENDPOINT": "App Service, Functions, Container Apps or Arc",
    "MSI_ENDPOINT": "Azure ML or Cloud Shell",
}
_WORKLOAD: Final = ("AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE")


def provider(identity: Identity) -> dict[str, str]:
    """The driver's settings of an account for an identity, `oauth2.client.id` and their like. Signs in to find out how.

    Raises Refused where the driver has no token provider for the way in which the identity signs in.
    """
    if identity.kind == "principal":
        secret = identity.client_secret.reveal() if identity.client_secret else ""
        return _principal(identity.tenant_id or "", identity.client_id or "", secret)
    if identity.kind == "managed":
        return _managed(identity.client_id)
    storage_token(identity)
    return _of_chain(identity, signed_in(identity).way)


def _of_chain(identity: Identity, way: str) -> dict[str, str]:
    """way: the credential that gave a token."""
    if way == "EnvironmentCredential" and (secret := os.environ.get("AZURE_CLIENT_SECRET")):
        given = os.environ.get("AZURE_TENANT_ID", ""), os.environ.get("AZURE_CLIENT_ID", "")
        return _principal(*given, Secret(secret).reveal())
    if way == "WorkloadIdentityCredential":
        return _workload(identity.tenant_id, identity.client_id)
    if way == "ManagedIdentityCredential":
        return _managed(identity.client_id)
    raise _refused(f"auth_mode: identity is signed in by {_NAMES.get(way, way)} here")


_NAMES: Final = {
    "AzureCliCredential": "az login",
    "AzurePowerShellCredential": "Connect-AzAccount",
    "AzureDeveloperCliCredential": "azd auth login",
    "EnvironmentCredential": "a certificate",
}


def _refused(said: str) -> Refused:
    return Refused(
        f"{said}, and Spark's storage driver cannot sign in so",
        "Use auth_mode: session where the workspace has set storage up, else service_principal or key_vault; or run it "
        "with engine: pandas",
    )


def _principal(tenant_id: str, client_id: str, secret: str) -> dict[str, str]:
    return {
        "oauth.provider.type": f"{_PROVIDERS}.ClientCredsTokenProvider",
        "oauth2.client.id": client_id,
        "oauth2.client.secret": secret,
        "oauth2.client.endpoint": f"{_LOGIN}/{tenant_id}/oauth2/token",
    }


def _managed(client_id: str | None) -> dict[str, str]:
    """Of the machine that Spark runs on; where that is another one than ours, it must have the same identity."""
    other = next((where for name, where in _OTHER_ENDPOINTS.items() if os.environ.get(name)), None)
    if other:
        raise _refused(f"the managed identity is one of {other}")
    if all(os.environ.get(name) for name in _WORKLOAD):
        return _workload(None, client_id)
    found = {"oauth.provider.type": f"{_PROVIDERS}.MsiTokenProvider"}
    if client_id:
        found["oauth2.client.id"] = client_id
    # In place of 169.254.169.254, as azure-identity has it.
    if host := os.environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST"):
        found["oauth2.msi.endpoint"] = f"{host.rstrip('/')}/metadata/identity/oauth2/token"
    return found


def _workload(tenant_id: str | None, client_id: str | None) -> dict[str, str]:
    """The token's file is read where Spark runs."""
    return {
        "oauth.provider.type": f"{_PROVIDERS}.WorkloadIdentityTokenProvider",
        "oauth2.msi.tenant": tenant_id or os.environ.get("AZURE_TENANT_ID", ""),
        "oauth2.client.id": client_id or os.environ.get("AZURE_CLIENT_ID", ""),
        "oauth2.token.file": os.environ.get("AZURE_FEDERATED_TOKEN_FILE", ""),
    }
