"""The token endpoint, the managed identity and the practice `az`."""

from __future__ import annotations

import base64
import json
import subprocess
import time

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzureCliCredential,
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)

from odibi_magics.sandbox import Cloud
from odibi_magics.sandbox.tokens import Mint

SCOPE = "https://vault.azure.net/.default"
NOWHERE = "22222222-2222-2222-2222-222222222222"
LOGIN = "login.microsoftonline.com"


def claims(token: str) -> dict[str, object]:
    payload = token.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def test_a_token_says_who_and_for_what(cloud: Cloud, principal: ClientSecretCredential) -> None:
    who, told = cloud.identity("principal"), claims(principal.get_token(SCOPE).token)
    assert (told["tid"], told["oid"], told["appid"]) == (cloud.tenant, who.object_id, who.client_id)
    assert told["aud"] == "https://vault.azure.net"
    assert isinstance(told["exp"], int) and told["exp"] > time.time()


def test_the_endpoint_is_asked_once_for_a_token_that_lasts(
    cloud: Cloud, principal: ClientSecretCredential
) -> None:
    for _ in range(3):
        principal.get_token(SCOPE)
    assert len(cloud.requests(LOGIN, method="POST", path="/token")) == 1


def test_a_token_that_was_changed_is_not_ours(cloud: Cloud) -> None:
    mint, who = Mint(), cloud.identity("user")
    token = mint.token(who, cloud.tenant, "https://vault.azure.net")
    head, _, signature = token.split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims(token), "oid": "x"}).encode()).decode().rstrip("=")
    assert mint.claims(token) == claims(token)
    assert mint.claims(f"{head}.{forged}.{signature}") is None
    assert Mint().claims(token) is None


@pytest.mark.parametrize(
    ("tenant", "client", "secret", "code"),
    [
        ("", "", "wrong", "AADSTS7000215"),
        ("", "11111111-1111-1111-1111-111111111111", "x", "AADSTS700016"),
        (NOWHERE, "", "", "Unable to get authority configuration"),
    ],
)
def test_what_entra_says_of_a_wrong_application(
    cloud: Cloud, tenant: str, client: str, secret: str, code: str
) -> None:
    who = cloud.identity("principal")
    credential = ClientSecretCredential(
        tenant or cloud.tenant, client or who.client_id, secret or who.client_secret
    )
    with pytest.raises(ClientAuthenticationError, match=code):
        credential.get_token(SCOPE)


def test_what_entra_says_of_a_wrong_tenant(cloud: Cloud) -> None:
    """MSAL keeps these words to itself; drivers that go straight for the token show them."""
    for path in ("oauth2/token", "oauth2/v2.0/token"):
        told = requests.post(f"https://{LOGIN}/{NOWHERE}/{path}", {"grant_type": "client_credentials"}).json()
        assert told["error_description"].startswith(f"AADSTS90002: Tenant '{NOWHERE}' not found.")
        assert told["error_codes"] == [90002]


def test_the_directory_has_a_name_too(cloud: Cloud) -> None:
    who = cloud.identity("principal")
    named = ClientSecretCredential("practice.onmicrosoft.com", who.client_id, who.client_secret)
    assert claims(named.get_token(SCOPE).token)["tid"] == cloud.tenant


def test_throttled(cloud: Cloud, principal: ClientSecretCredential) -> None:
    cloud.tokens.throttle(1, retry_after=0)
    assert principal.get_token(SCOPE).token
    statuses = [request.status for request in cloud.requests(LOGIN)]
    assert sorted(set(statuses)) == [200, 429]


def test_hanging(cloud: Cloud) -> None:
    who = cloud.identity("principal")
    cloud.tokens.hang()
    credential = ClientSecretCredential(
        cloud.tenant, who.client_id, who.client_secret, retry_total=0, read_timeout=0.5
    )
    with pytest.raises(ClientAuthenticationError, match="timed out"):
        credential.get_token(SCOPE)


def test_the_managed_identity_can_be_named(cloud: Cloud) -> None:
    who = cloud.identity("managed")
    for credential in (ManagedIdentityCredential(), ManagedIdentityCredential(client_id=who.client_id)):
        assert claims(credential.get_token(SCOPE).token)["oid"] == who.object_id
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential(client_id=cloud.identity("principal").client_id).get_token(SCOPE)


def test_the_managed_identity_asks_for_its_header(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "guessed")
    with pytest.raises(ClientAuthenticationError):
        ManagedIdentityCredential().get_token(SCOPE)


def test_az_has_somebody_signed_in(cloud: Cloud) -> None:
    told = claims(AzureCliCredential().get_token(SCOPE).token)
    assert told["oid"] == cloud.identity("user").object_id
    assert told["upn"] == cloud.identity("user").upn
    shown = json.loads(subprocess.run(["az", "account", "show"], capture_output=True, check=True).stdout)
    assert (shown["tenantId"], shown["user"]["name"]) == (cloud.tenant, cloud.identity("user").upn)


def test_az_with_nobody_signed_in(cloud: Cloud) -> None:
    cloud.tokens.sign_out()
    with pytest.raises(CredentialUnavailableError, match="az login"):
        AzureCliCredential().get_token(SCOPE)


@pytest.mark.parametrize("command", ["role assignment create --role X", "account list", "login", ""])
def test_az_says_what_to_do_instead_of_any_other_command(cloud: Cloud, command: str) -> None:
    done = subprocess.run(["az", *command.split()], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    for told in ("practice cloud's az", '.allow("managed", "write")', ".set(", "docs/practice_cloud.md"):
        assert told in done.stderr
