"""What keeps a secret from us, told apart, each with its own command for the identity in use."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from odibi_magics.sandbox import Cloud
from tests.doctor.conftest import READS, VAULT, Diagnose, broken

LAYERS = (
    "vault name", "vault TLS", "vault answers", "sign-in", "secret", "blob name", "blob TLS", "blob answers",
    "dfs name", "dfs TLS", "dfs answers", "access", "container", "list", "read", "write",
)  # fmt: skip


def test_all_layers_hold(cloud: Cloud, diagnose: Diagnose) -> None:
    found = diagnose(VAULT, READS)

    assert found.state == "ok" and found.failure is None
    assert tuple(layer.name for layer in found.layers) == LAYERS
    names = [layer for layer in found.layers if layer.name.endswith(" name")]
    assert {layer.state for layer in found.layers if layer not in names} == {"ok"}
    assert {layer.state for layer in names} == {"skipped"}
    assert all(layer.said.startswith("left to the proxy 127.0.0.1:") for layer in names)
    assert all(0 < layer.seconds <= found.seconds for layer in found.layers)
    assert cloud.tenant in found["vault answers"].said
    me = cloud.identity("managed")
    assert me.object_id in found["sign-in"].said and me.client_id in found["sign-in"].said
    assert "ManagedIdentityCredential" in found["sign-in"].said
    assert "the pandas engine uses it" in found["blob answers"].said
    assert "Spark uses it" in found["dfs answers"].said


CASES = {
    "rbac": ("so an access policy has no effect", "az role assignment create --role \"Key Vault Secrets User\" --assignee {me} --scope /subscriptions/"),
    "policy": ("so a role has no effect", "az keyvault set-policy --name company-kv --object-id {me} --secret-permissions get"),
    "by_policy": ("so a role has no effect", "az keyvault set-policy --name company-kv --object-id {me} --secret-permissions get"),
    "firewall": ("firewall of vault 'company-kv' refuses this machine (203.0.113.7)", "az keyvault network-rule add --name company-kv --ip-address 203.0.113.7"),
    "private": ("wrong private DNS", "az network private-dns link vnet create --resource-group GROUP --zone-name privatelink.vaultcore.azure.net"),
}  # fmt: skip


@pytest.mark.parametrize("model", CASES)
def test_a_vault_that_forbids(cloud: Cloud, diagnose: Diagnose, model: str) -> None:
    cloud.vault("company-kv").forbid(model)  # type: ignore[arg-type]
    found = diagnose(VAULT, READS)

    said, command = broken(found, "secret")
    assert CASES[model][0] in said
    assert command.startswith(CASES[model][1].format(me=cloud.identity("managed").object_id))
    assert [found[name].said for name in LAYERS[-5:]] == ["after secret"] * 5
    assert found["dfs answers"].state == "ok"


def test_a_role_on_the_vault_that_was_granted_just_now(cloud: Cloud, diagnose: Diagnose) -> None:
    vault = cloud.vault("company-kv")
    vault.forbid("rbac")
    vault.grant("managed", "Reader", minutes_ago=90)
    assert broken(diagnose(VAULT), "secret")[0].endswith("; on record: Reader")

    vault.grant("managed", "Key Vault Secrets User", minutes_ago=2)
    found = diagnose(VAULT)
    said, command = broken(found, "secret")
    assert "was granted Key Vault Secrets User 2 minutes ago, and it has not come into effect yet" in said
    assert command == "" and found["secret"].may_pass


def test_the_command_is_for_the_identity_in_use(
    cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.vault("company-kv").forbid("policy")
    principal = cloud.identity("principal")
    monkeypatch.setenv("AZURE_TENANT_ID", cloud.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", principal.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", principal.client_secret)
    assert f"--object-id {principal.object_id} " in broken(diagnose(VAULT), "secret")[1]

    monkeypatch.undo()
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    user = cloud.identity("user")
    found = diagnose(VAULT)
    assert user.upn in found["sign-in"].said and "AzureCliCredential" in found["sign-in"].said
    assert f"--object-id {user.object_id} " in broken(found, "secret")[1]


def test_a_secret_that_is_not_there(diagnose: Diagnose) -> None:
    said, command = broken(diagnose(VAULT.replace("bronze-key", "wrong-name")), "secret")
    assert "Secret 'wrong-name' not found in vault 'company-kv'" in said
    assert command == "az keyvault secret list --vault-name company-kv --query [].name"


def test_a_disabled_and_an_expired_secret(cloud: Cloud, diagnose: Diagnose) -> None:
    vault = cloud.vault("company-kv")
    vault.set("bronze-key", "x", enabled=False)
    said, command = broken(diagnose(VAULT), "secret")
    assert "disabled" in said and "set-attributes" in command and command.endswith("--enabled true")

    vault.set("bronze-key", "x", expires=datetime.now(UTC) - timedelta(days=1))
    said, command = broken(diagnose(VAULT), "secret")
    assert "expired on" in said and command.startswith("az keyvault secret set --vault-name company-kv")


def test_a_secret_that_is_no_key(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.vault("company-kv").set("bronze-key", "not a key at all")
    assert "account key" in broken(diagnose(VAULT), "secret")[0]


@pytest.mark.parametrize("who", ["managed", "user"])
def test_a_vault_of_another_tenant(
    cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    if who == "user":
        monkeypatch.delenv("IDENTITY_ENDPOINT")
    cloud.add_vault("theirs", foreign=True)
    said, command = broken(diagnose(VAULT.replace("company-kv", "theirs")), "sign-in")
    assert cloud.tenant in said
    tenant = command.removeprefix("az login --tenant ")
    assert len(tenant) == 36 and tenant != cloud.tenant and tenant in said


def test_nobody_is_signed_in(cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    cloud.tokens.sign_out()
    said, command = broken(diagnose(VAULT), "sign-in")
    assert "no credential" in said and "AzureCliCredential" in said
    assert command == "az login"


def test_a_library_that_is_not_installed(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    said, command = broken(diagnose(VAULT), "sign-in")
    assert said == "azure.identity is not installed" and command == "pip install 'odibi-magics[azure]'"


def test_no_such_vault(cloud: Cloud, diagnose: Diagnose) -> None:
    found = diagnose(VAULT.replace("company-kv", "no-such-kv"))
    said, command = broken(found, "vault TLS")
    assert "no such host" in said and "through the proxy 127.0.0.1:" in said
    assert command == "az keyvault list --query [].name -o tsv"
    assert found["secret"].said == "after vault TLS"


def test_a_throttled_vault(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.vault("company-kv").throttle(retry_after=7)
    found = diagnose(VAULT)
    assert "throttled" in broken(found, "vault answers")[0]
    assert found["vault answers"].remedy.startswith("Try again in 7 s")


@pytest.mark.parametrize(
    ("fault", "layer"), [("hang", "vault answers"), ("stall_tls", "vault TLS"), ("reset", "vault TLS")]
)
def test_a_vault_that_does_not_answer(cloud: Cloud, diagnose: Diagnose, fault: str, layer: str) -> None:
    getattr(cloud.vault("company-kv"), fault)()
    said, _ = broken(diagnose(VAULT), layer)
    assert ("dropped" if fault == "reset" else "does not answer in time") in said


def test_the_network_is_down(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.down()
    found = diagnose(VAULT, READS)
    broken(found, "vault TLS")
    assert found["blob TLS"].state == "failed" and found["dfs TLS"].state == "warning"
    assert {found[name].said for name in LAYERS[-5:]} == {"after vault TLS"}
