"""Secrets of a vault: fetched at once and once, kept, and refused in words, within the deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.keyvault import VaultSecret, fetch
from odibi_magics.connections.parallel import at_once
from odibi_magics.connections.prepare import forget, prepare
from odibi_magics.errors import ConnectionsFailed
from odibi_magics.sandbox import Cloud
from odibi_magics.sandbox.cloud import Denial
from odibi_magics.secret import Secret
from tests.connections.conftest import opened

KEY = "bXkga2V5"


def of_secret(name: str, vault: str = "company-kv") -> AdlsConnection:
    return opened(f"account: account1, key_vault_name: {vault}, secret_name: {name}")


def failed(*connections: AdlsConnection, timeout: float = 20) -> ConnectionsFailed:
    with pytest.raises(ConnectionsFailed) as caught:
        prepare(connections, timeout)
    return caught.value


# Fetching -------------------------------------------------------------------------------------------------------------


def test_each_secret_and_token_is_asked_for_once(cloud: Cloud) -> None:
    names = [f"key-{i}" for i in range(12)]
    for name in names:
        cloud.vault("company-kv").set(name, KEY)
    cloud.delay(100)
    prepare([of_secret(name) for name in names * 2])
    answered = [asked for asked in cloud.requests(".vault.azure.net") if asked.status == 200]
    assert len(answered) == len(names) and len(cloud.requests("identity")) <= 2
    prepare([of_secret(name) for name in names])
    assert len([asked for asked in cloud.requests(".vault.azure.net") if asked.status == 200]) == len(names)


def test_a_misspelt_secret_is_suggested(cloud: Cloud) -> None:
    said = str(failed(of_secret("bronz-key")))
    assert "'bronz-key' not found in vault 'company-kv'. Did you mean 'bronze-key'? Its secrets: az " in said


def test_a_vault_whose_list_hangs_suggests_nothing(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ServiceRequestTimeoutError
    from azure.keyvault.secrets import SecretClient

    def late(self: SecretClient, **options: float) -> None:
        assert 0 < options["timeout"] <= 3
        raise ServiceRequestTimeoutError("late")

    monkeypatch.setattr(SecretClient, "list_properties_of_secrets", late)
    assert "not found in vault 'company-kv'. Its secrets: az " in str(failed(of_secret("bronz-key")))


def test_forgetting_fetches_anew(cloud: Cloud) -> None:
    cloud.vault("company-kv").set("key", "b2xk")
    [found] = fetch([VaultSecret("company-kv", "key")], 20).values()
    assert found == Secret("b2xk")
    cloud.vault("company-kv").set("key", "bmV3")
    assert [*fetch([VaultSecret("company-kv", "key")], 20).values()] == [Secret("b2xk")]
    forget()
    assert [*fetch([VaultSecret("company-kv", "key")], 20).values()] == [Secret("bmV3")]


def test_what_failed_is_asked_for_again(cloud: Cloud) -> None:
    assert "not found" in str(failed(of_secret("late")))
    cloud.vault("company-kv").set("late", KEY)
    prepare([of_secret("late")])


def test_secrets_of_several_vaults_come_by_one_token(cloud: Cloud) -> None:
    vaults = [f"other-kv-{number}" for number in range(6)]
    for vault in vaults:
        cloud.add_vault(vault).set("key", KEY)
    prepare([of_secret("key", vault) for vault in vaults])
    assert len(cloud.requests("identity")) <= 2, "a machine that is busy may ask again"


# Refusals -------------------------------------------------------------------------------------------------------------


def test_all_failures_come_in_one_error_in_the_roadmaps_words(cloud: Cloud) -> None:
    cloud.vault("company-kv").set("off", KEY, enabled=False)
    cloud.vault("company-kv").set("old", KEY, expires=datetime.now(UTC) - timedelta(days=1))
    whole = {
        "bronze": of_secret("wrong-name"),
        "silver": of_secret("off"),
        "gold": of_secret("old"),
        "tin": of_secret("bronze-key", "nope-kv"),
        "fine": of_secret("bronze-key"),
        "zinc": of_secret("wrong-name"),
    }
    for name, connection in whole.items():
        connection.name = name
    error = failed(*whole.values())
    assert list(error.failures) == ["bronze", "silver", "gold", "tin", "zinc"] and not error.transient
    said = str(error)
    assert said.startswith("5 connections cannot be opened, nothing was run\n")
    assert "Connections 'bronze' and 'zinc': Secret 'wrong-name' not found in vault 'company-kv'. " in said
    assert "Connection 'silver': Secret 'off' in vault 'company-kv' is disabled. " in said
    assert "Connection 'gold': Secret 'old' in vault 'company-kv' expired on " in said
    assert "Connection 'tin': Vault 'nope-kv' not found at nope-kv.vault.azure.net" in said


def test_one_failure_is_told_alone(cloud: Cloud) -> None:
    said = str(failed(of_secret("wrong-name")))
    assert said.startswith("Connection 'bronze': Secret 'wrong-name' not found in vault 'company-kv'. ")
    assert "az keyvault secret list --vault-name company-kv" in said


@pytest.mark.parametrize(
    ("model", "why", "command"),
    [
        ("rbac", "no role that may", 'az role assignment create --role "Key Vault Secrets User" --assignee {oid} --scope /sub'),
        ("policy", "no access policy that may", "az keyvault set-policy --name company-kv --object-id {oid} --secret-permissions get"),
        ("by_policy", "no access policy that may", "az keyvault set-policy --name company-kv --object-id {oid}"),
        ("firewall", "the firewall of vault 'company-kv' refuses", "network-rule add --name company-kv --ip-address 203.0.113.7"),
        ("private", "private endpoint only", "privateEndpointConnections"),
    ],
)  # fmt: skip
def test_who_forbids_is_told_apart(cloud: Cloud, model: Denial, why: str, command: str) -> None:
    cloud.vault("company-kv").forbid(model)
    said = str(failed(of_secret("bronze-key")))
    assert why in said and command.format(oid=cloud.identity("managed").object_id) in said


def test_a_vault_of_another_tenant_is_told(cloud: Cloud) -> None:
    cloud.add_vault("foreign-kv", foreign=True).set("key", KEY)
    said = str(failed(of_secret("key", "foreign-kv")))
    assert "foreign-kv" in said or "signing in failed" in said


def test_a_short_throttle_is_waited_for(cloud: Cloud) -> None:
    cloud.vault("company-kv").throttle(1, retry_after=1)
    prepare([of_secret("bronze-key")])


def test_a_throttle_beyond_the_deadline_is_told_at_once(cloud: Cloud) -> None:
    cloud.vault("company-kv").throttle(retry_after=600)
    start = monotonic()
    error = failed(of_secret("bronze-key"), timeout=20)
    assert "throttled (429) and asks to wait 600 s" in str(error) and error.transient
    assert monotonic() - start < 15


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (lambda cloud: cloud.vault("company-kv").reset(), "vault 'company-kv' cannot be reached at company-kv.vault"),
        (lambda cloud: cloud.vault("company-kv").vanish(), "Vault 'company-kv' not found at company-kv.vault"),
    ],
)  # fmt: skip
def test_a_vault_that_is_away_is_told(cloud: Cloud, fault: Callable[[Cloud], None], why: str) -> None:
    fault(cloud)
    assert why in str(failed(of_secret("bronze-key")))


# Sign-in --------------------------------------------------------------------------------------------------------------


def test_without_a_credential_those_tried_are_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    monkeypatch.delenv("IDENTITY_HEADER")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    cloud.tokens.sign_out()
    said = str(failed(of_secret("bronze-key")))
    assert "no credential to sign in to Azure with; tried EnvironmentCredential" in said
    assert "AzureCliCredential" in said and "az login" in said


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"client_secret": "not-its-secret"}, "the client secret of {client} is wrong (AADSTS7000215)"),
        ({"client_id": "00000000-0000-0000-0000-000000000000"}, "there is no application 00000000-"),
        ({"tenant_id": "11111111-0000-0000-0000-000000000000"}, "there is no tenant 11111111-"),
    ],
)
def test_a_wrong_principal_is_told(
    cloud: Cloud, change: dict[str, str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    who = cloud.identity("principal")
    keys = {
        "tenant_id": cloud.tenant,
        "client_id": who.client_id,
        "client_secret": who.client_secret,
        **change,
    }
    text = ", ".join(f"{key}: {value}" for key, value in keys.items())
    said = str(failed(opened(f"account: account1, auth_mode: service_principal, {text}")))
    assert f"Connection 'bronze': signing in failed: {why.format(client=who.client_id)}" in said
    assert keys["client_secret"] not in said and capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("fault", "why", "transient"),
    [
        ("throttle", "the sign-in service is throttled", True),
        ("vanish", "login.microsoftonline.com cannot be reached: the proxy finds no such host", False),
        ("reset", "login.microsoftonline.com cannot be reached: the connection was dropped", True),
    ],
)
def test_a_sign_in_that_is_away_is_told(cloud: Cloud, fault: str, why: str, transient: bool) -> None:
    who = cloud.identity("principal")
    text = f"tenant_id: {cloud.tenant}, client_id: {who.client_id}, client_secret: {who.client_secret}"
    getattr(cloud.tokens, fault)()
    error = failed(opened(f"account: account1, auth_mode: service_principal, {text}"))
    assert f"signing in failed: {why}" in str(error) and error.transient is transient


def test_no_managed_identity_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    monkeypatch.delenv("IDENTITY_HEADER")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:9")
    said = str(failed(opened("account: account1, auth_mode: managed_identity")))
    assert "no managed identity gives a token here" in said and "auth_mode: identity" in said


# The deadline ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["hang", "drip", "stall_tls"])
def test_the_deadline_holds(cloud: Cloud, fault: str) -> None:
    getattr(cloud.vault("company-kv"), fault)()
    start = monotonic()
    error = failed(of_secret("bronze-key"), timeout=1.5)
    assert 1.4 < monotonic() - start < 5  # not the 10 s of one try of the SDK
    assert (
        "Secret 'bronze-key' of vault 'company-kv': timed out after 1.5 s" in str(error) and error.transient
    )
    cloud.clear()
    prepare([of_secret("bronze-key")])


def test_a_sign_in_that_hangs_does_not_hold_the_next_one(cloud: Cloud) -> None:
    who = cloud.identity("principal")
    text = f"tenant_id: {cloud.tenant}, client_id: {who.client_id}, client_secret: {who.client_secret}"
    connection = opened(f"account: account1, auth_mode: service_principal, {text}")
    cloud.tokens.hang()
    said = str(failed(connection, timeout=1))
    assert f"service principal {who.client_id} of tenant {cloud.tenant}: timed out after 1 s" in said
    cloud.clear()
    prepare([connection], 5)  # the first one's own limit is 10 s


def test_others_failures_are_told_beside_a_vault_that_hangs(cloud: Cloud) -> None:
    cloud.add_vault("slow-kv").hang()
    slow, wrong = of_secret("key", "slow-kv"), of_secret("wrong-name")
    slow.name = "slow"
    error = failed(slow, wrong, timeout=2)
    assert "timed out after 2 s" in str(error.failures["slow"])
    assert "not found" in str(error.failures["bronze"]) and not error.transient


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_the_interpreter_ends_although_a_vault_hangs(cloud: Cloud, fault: str) -> None:
    getattr(cloud.vault("company-kv"), fault)()
    code = textwrap.dedent(
        """
        from time import monotonic
        from odibi_magics.connections.keyvault import VaultSecret, fetch
        start = monotonic()
        found = fetch([VaultSecret("company-kv", f"key-{i}") for i in range(3)], 1)
        print(len(found), monotonic() - start < 8)
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, timeout=40
    )
    assert (ended.stdout.strip(), ended.stderr, ended.returncode) == ("0 True", "", 0)


def test_a_stop_ends_the_wait(cloud: Cloud) -> None:
    cloud.vault("company-kv").hang()
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(1, signal.pthread_kill, (main, signal.SIGINT)).start()
    start = monotonic()
    with pytest.raises(KeyboardInterrupt):
        prepare([of_secret("bronze-key")], 30)
    assert monotonic() - start < 10


def test_calls_that_are_done_are_given_although_others_are_not() -> None:
    from threading import Event

    never = Event()
    found = at_once({"slow": never.wait, "fast": lambda: True, "wrong": lambda: 1 // 0}, monotonic() + 0.5)
    never.set()
    assert found["fast"] is True and isinstance(found["wrong"], ZeroDivisionError) and "slow" not in found
