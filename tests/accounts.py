"""The ways to open an account of the practice cloud."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from odibi_magics.sandbox import Cloud


def opened(way: str, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The fields of a connection to account2 that is opened in some way, with what they refer to."""
    storage, identity = cloud.storage("account2"), cloud.identity("principal")
    monkeypatch.setenv("MADE_KEY", storage.key)
    monkeypatch.setenv("MADE_SAS", storage.sas())
    monkeypatch.setenv(
        "MADE_STRING",
        f"DefaultEndpointsProtocol=https;AccountName=account2;AccountKey={storage.key};EndpointSuffix=core.windows.net",
    )
    monkeypatch.setenv("MADE_SECRET", identity.client_secret)
    dbutils = SimpleNamespace(
        secrets=SimpleNamespace(get=lambda scope, key: {("s", "k"): storage.key}[scope, key])
    )
    monkeypatch.setattr(sys.modules["__main__"], "dbutils", dbutils, raising=False)
    return {
        "key_vault": "key_vault_name: company-kv, secret_name: silver-key",
        "direct_key": "auth_mode: direct_key, account_key: '${MADE_KEY}'",
        "sas_token": "auth_mode: sas_token, sas_token: '${MADE_SAS}'",
        "connection_string": "auth_mode: connection_string, connection_string: '${MADE_STRING}'",
        "service_principal": f"auth_mode: service_principal, tenant_id: {cloud.tenant}, client_id: {identity.client_id}, client_secret: '${{MADE_SECRET}}'",
        "managed_identity": "auth_mode: managed_identity",
        "identity": "auth_mode: identity",
        "databricks_secret": "auth_mode: databricks_secret, secret_scope: s, secret_key: k",
    }[way]
