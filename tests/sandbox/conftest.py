"""What the tests of the practice cloud share."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from azure.core.credentials import TokenCredential
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from odibi_magics.sandbox import Cloud

VaultClient = Callable[..., SecretClient]


@pytest.fixture
def principal(cloud: Cloud) -> ClientSecretCredential:
    who = cloud.identity("principal")
    return ClientSecretCredential(cloud.tenant, who.client_id, who.client_secret)


@pytest.fixture
def vault_client(principal: ClientSecretCredential) -> VaultClient:
    """Makes the SDK's client for a vault. Without retries: a test says how often it asks."""

    def make(
        name: str = "company-kv", credential: TokenCredential = principal, **options: object
    ) -> SecretClient:
        url = f"https://{name}.vault.azure.net"
        return SecretClient(url, credential, **{"retry_total": 0, "read_timeout": 2, **options})

    return make


@pytest.fixture
def container(cloud: Cloud) -> str:
    """A new container of account1."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    cloud.storage("account1").client().create_container(name)
    return name
