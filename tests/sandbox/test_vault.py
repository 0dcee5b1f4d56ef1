"""The vault as azure-keyvault-secrets sees it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from odibi_magics.errors import UsageError
from odibi_magics.sandbox import Cloud
from odibi_magics.sandbox.keyvault import FORBIDDEN, PAGE
from tests.sandbox.conftest import VaultClient


def refusal(client: SecretClient, secret: str = "bronze-key") -> tuple[int | None, str, str, str]:
    """Status, code, inner code and message of what the vault answers."""
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret(secret)
    assert refused.value.response is not None
    told = json.loads(refused.value.response.text())["error"]
    inner = told.get("innererror", {}).get("code", "")
    return refused.value.response.status_code, told["code"], inner, told["message"]


# Secrets -------------------------------------------------------------------------------------------------


def test_a_secret_has_versions(vault_client: VaultClient) -> None:
    client = vault_client()
    first = client.set_secret("counted", "one")
    client.set_secret("counted", "two")
    assert client.get_secret("counted").value == "two"
    assert client.get_secret("counted", first.properties.version).value == "one"
    assert len(list(client.list_properties_of_secret_versions("counted"))) == 2


def test_lists_come_in_pages(cloud: Cloud, vault_client: VaultClient) -> None:
    names = {f"s{number:02d}" for number in range(2 * PAGE + 1)}
    vault = cloud.add_vault("many-kv")
    for name in names:
        vault.set(name, "x")
    assert {found.name for found in vault_client("many-kv").list_properties_of_secrets()} == names
    assert len(cloud.requests("many-kv.vault.azure.net", path="/secrets?")) == 4, (
        "a challenge and three pages"
    )


def test_a_secret_that_is_not_there(vault_client: VaultClient) -> None:
    with pytest.raises(
        ResourceNotFoundError, match=r"\(SecretNotFound\) A secret with \(name/id\) nope was not"
    ):
        vault_client().get_secret("nope")


def test_a_disabled_secret(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").set("off", "x", enabled=False)
    told = (403, "Forbidden", "SecretDisabled", "Operation get is not allowed on a disabled secret.")
    assert refusal(vault_client(), "off") == told


def test_an_expired_secret_is_given_and_says_so(cloud: Cloud, vault_client: VaultClient) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    cloud.vault("company-kv").set("old", "x", expires=yesterday)
    found = vault_client().get_secret("old")
    assert found.value == "x"
    assert found.properties.expires_on == yesterday.replace(microsecond=0)


# Who may -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "inner", "words"),
    [
        ("rbac", "ForbiddenByRbac", "Assignment: (not found)"),
        ("policy", "AccessDenied", "does not have secrets get permission on key vault 'company-kv;"),
        ("by_policy", "ForbiddenByPolicy", "does not have secrets get permission on key vault 'company-kv;"),
        ("firewall", "ForbiddenByFirewall", "Client address is not authorized"),
        ("private", "ForbiddenByConnection", "Public network access is disabled"),
    ],
)
def test_each_way_to_be_forbidden(
    cloud: Cloud, vault_client: VaultClient, model: str, inner: str, words: str
) -> None:
    assert set(FORBIDDEN) == {"rbac", "policy", "by_policy", "firewall", "private"}
    cloud.vault("company-kv").forbid(model)  # type: ignore[arg-type]
    status, code, told, message = refusal(vault_client())
    assert (status, code, told) == (403, "Forbidden", inner)
    assert words in message
    assert cloud.identity("principal").object_id in message


def test_a_vault_of_another_tenant_wants_that_ones_tokens(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.add_vault("their-kv", foreign=True).set("s", "x")
    with pytest.raises(ClientAuthenticationError, match="additionally_allowed_tenants"):
        vault_client("their-kv").get_secret("s")
    who = cloud.identity("principal")
    anywhere = ClientSecretCredential(
        cloud.tenant, who.client_id, who.client_secret, additionally_allowed_tenants=["*"]
    )
    with pytest.raises(ClientAuthenticationError, match="AADSTS700016"):
        vault_client("their-kv", anywhere).get_secret("s")


class Presents:
    """A credential that has this token, whatever is asked for."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken(self._token, int(time.time()) + 999)


def test_a_made_up_token_is_refused(vault_client: VaultClient) -> None:
    status, _, _, message = refusal(
        vault_client(credential=Presents("eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.x"))
    )
    assert (status, message[:8]) == (401, "AKV10046")


def test_a_token_for_another_service_or_tenant_is_refused(
    cloud: Cloud, vault_client: VaultClient, principal: ClientSecretCredential
) -> None:
    storage = principal.get_token("https://storage.azure.com/.default").token
    status, _, _, message = refusal(vault_client(credential=Presents(storage)))
    assert (status, message[:8]) == (401, "AKV10022")
    cloud.add_vault("their-kv", foreign=True).set("bronze-key", "x")
    ours = principal.get_token("https://vault.azure.net/.default").token
    status, _, _, message = refusal(vault_client("their-kv", Presents(ours)))
    assert (status, message[:8]) == (401, "AKV10032")


# Faults --------------------------------------------------------------------------------------------------


def test_throttling_ends_after_so_many(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").throttle(1, retry_after=7)
    client = vault_client()
    with pytest.raises(HttpResponseError) as refused:
        client.get_secret("bronze-key")
    assert refused.value.response is not None
    assert refused.value.response.headers["Retry-After"] == "7"  # type: ignore[attr-defined]
    assert refused.value.status_code == 429
    assert client.get_secret("bronze-key").value


def test_the_sdk_retries_what_is_throttled(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").throttle(2, retry_after=0)
    client = vault_client(retry_total=3)
    client.get_secret("bronze-key")
    statuses = [request.status for request in cloud.requests(".vault.azure.net")]
    assert statuses.count(429) == 2
    assert statuses[-1] == 200


def test_hanging(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").hang()
    with pytest.raises(ServiceResponseError, match="timed out"):
        vault_client(read_timeout=0.5).get_secret("bronze-key")
    assert [request.status for request in cloud.requests(".vault.azure.net")] == [0]
    cloud.vault("company-kv").clear()
    assert vault_client().get_secret("bronze-key").value


def test_dripping_defeats_a_time_out_between_bytes(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").drip()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(vault_client(read_timeout=1.5).get_secret, "bronze-key")
        with pytest.raises(TimeoutError):
            asked.result(timeout=4)
        cloud.vault("company-kv").clear()
        assert asked.result().value == cloud.storage("account1").key


def test_tls_that_never_completes(cloud: Cloud, vault_client: VaultClient) -> None:
    cloud.vault("company-kv").stall_tls()
    with pytest.raises((ServiceRequestError, ServiceResponseError), match="timed out"):
        vault_client(connection_timeout=0.5, read_timeout=0.5).get_secret("bronze-key")


@pytest.mark.parametrize("fault", ["reset", "vanish"])
def test_no_connection(cloud: Cloud, vault_client: VaultClient, fault: str) -> None:
    getattr(cloud.vault("company-kv"), fault)()
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        vault_client().get_secret("bronze-key")


def test_a_vault_that_does_not_exist(vault_client: VaultClient) -> None:
    with pytest.raises(ServiceRequestError, match="502"):
        vault_client("no-such-kv").get_secret("s")


def test_a_delay_is_that_of_each_answer(cloud: Cloud, vault_client: VaultClient) -> None:
    client = vault_client()
    client.get_secret("bronze-key")
    cloud.delay(300)
    began = time.monotonic()
    client.get_secret("bronze-key")
    assert time.monotonic() - began >= 0.3


def test_clear_gives_everything_back(cloud: Cloud, vault_client: VaultClient) -> None:
    vault = cloud.vault("company-kv")
    vault.set("bronze-key", "another")
    vault.set("new", "x")
    vault.forbid()
    cloud.add_vault("extra-kv")
    cloud.clear()
    assert vault_client().get_secret("bronze-key").value == cloud.storage("account1").key
    with pytest.raises(ResourceNotFoundError):
        vault_client().get_secret("new")
    with pytest.raises(UsageError, match="no vault 'extra-kv'"):
        cloud.vault("extra-kv")
