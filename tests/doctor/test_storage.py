"""What keeps an account's data from us, told apart, each with its own command for the identity in use."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from odibi_magics.doctor import examination, storage
from odibi_magics.sandbox import Cloud
from tests.doctor.conftest import READS, VAULT, WRITES, Diagnose, broken

IDENTITY = "account: account1, container: raw, auth_mode: identity"
READS_HERE = READS.replace("raw/", "")
WRITES_HERE = WRITES.replace("clean/", "")


@pytest.fixture
def container(cloud: Cloud) -> Iterator[str]:
    """An empty container of its own in account1."""
    name = f"t{uuid.uuid4().hex}"
    made = cloud.storage("account1").client().create_container(name)
    yield name
    made.delete_container()


def blobs(cloud: Cloud, container: str) -> list[str]:
    return [
        blob.name for blob in cloud.storage("account1").client().get_container_client(container).list_blobs()
    ]


def test_nodes_say_which_containers(diagnose: Diagnose) -> None:
    found = diagnose(VAULT, READS, WRITES)
    assert found["list raw"].state == "ok" and found["read raw"].said.startswith("may read (")
    said, command = broken(found, "container clean")
    assert "there is no container 'clean' in account 'account1'" in said
    assert command == "az storage container create --account-name account1 --name clean --auth-mode login"
    assert found["write clean"].said == "after container clean"


def test_without_a_container_the_credential_is_tried_all_the_same(cloud: Cloud, diagnose: Diagnose) -> None:
    found = diagnose(VAULT)
    assert found.state == "ok" and "takes the key" in found["access"].said
    assert "no node says which" in found["container"].said

    cloud.storage("account1").rotate_key()
    assert "does not take the key" in broken(diagnose(VAULT), "access")[0]


def test_the_probe_is_deleted_again(cloud: Cloud, diagnose: Diagnose, container: str) -> None:
    found = diagnose(IDENTITY.replace("raw", f"{container}, path_prefix: in/here"))
    assert found.state == "ok" and found["read"].said == "there is no file to read"
    [asked] = cloud.requests("account1.blob.core.windows.net", method="PUT", path="_odibi_doctor_")
    assert asked.path.startswith(f"/{container}/in/here/_odibi_doctor_")
    assert blobs(cloud, container) == []


def test_a_probe_that_may_not_be_deleted_is_named(cloud: Cloud, diagnose: Diagnose, container: str) -> None:
    sas = cloud.storage("account1").sas("rwlc", container=container)
    found = diagnose(f"account: account1, container: {container}, auth_mode: sas_token, sas_token: '{sas}'")
    [left] = blobs(cloud, container)
    assert found.state == "warning" and "not delete" in found["write"].said
    assert left in found["write"].remedy
    assert (
        found["write"].command.startswith("az storage blob delete --account-name account1")
        and left in found["write"].command
    )


# Who may what ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["managed", "principal", "user"])
def test_no_role_for_the_data(
    cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch, who: Any
) -> None:
    identity = cloud.identity(who)
    mode = "identity"
    if who == "principal":
        mode = f"service_principal, tenant_id: {cloud.tenant}, client_id: {identity.client_id}, client_secret: {identity.client_secret}"
    if who == "user":
        monkeypatch.delenv("IDENTITY_ENDPOINT")
    cloud.storage("account1").allow(who, "none")
    found = diagnose(IDENTITY.replace("auth_mode: identity", f"auth_mode: {mode}"), READS_HERE)

    said, command = broken(found, "list")
    assert "Owner and Contributor are about the account, not about what is in it" in said
    assert (identity.upn or identity.client_id) in said
    kind = "User" if who == "user" else "ServicePrincipal"
    assert command == (
        f'az role assignment create --role "Storage Blob Data Reader" --assignee-object-id {identity.object_id} '
        f"--assignee-principal-type {kind} --scope $(az storage account show --name account1 --query id -o tsv)"
    )
    assert found["container"].state == "skipped"
    assert found["container"].said == "could not be looked at: see list"
    assert found.failure is not None and found.failure.may_pass and "10 minutes" in found.failure.remedy


def test_a_reader_where_nodes_write_and_where_they_do_not(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.storage("account1").allow("managed", "read")
    _, command = broken(diagnose(IDENTITY, READS_HERE, WRITES_HERE), "write")
    assert '"Storage Blob Data Contributor"' in command

    found = diagnose(IDENTITY, READS_HERE)
    assert found.state == "warning" and found["write"].said.endswith("no node writes there")
    assert found["read"].state == "ok"


def test_a_role_that_was_granted_just_now(
    cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "_AGAIN", 0.1)
    account = cloud.storage("account1")
    account.allow("managed", "none")
    assert diagnose(IDENTITY, READS_HERE, wait=0.3).state == "failed"

    effective = threading.Timer(0.5, account.allow, ("managed", "write"))
    effective.start()
    assert diagnose(IDENTITY, READS_HERE, wait=60).state == "ok"
    effective.join()


def test_what_is_on_record_of_a_role(cloud: Cloud, diagnose: Diagnose) -> None:
    account = cloud.storage("account1")
    account.allow("managed", "none")
    account.grant("managed", "Contributor", minutes_ago=5000)
    said, command = broken(diagnose(IDENTITY, READS_HERE), "list")
    assert said.endswith("; on record: Contributor") and '"Storage Blob Data Reader"' in command

    account.grant("managed", "Storage Blob Data Reader", minutes_ago=3)
    found = diagnose(IDENTITY, READS_HERE)
    said, command = broken(found, "list")
    assert "was granted Storage Blob Data Reader 3 minutes ago, and it has not come into effect yet" in said
    assert command == "" and found["list"].remedy.startswith("Wait") and found["list"].may_pass
    assert '"Storage Blob Data Contributor"' in found["write"].command


def test_a_role_that_should_be_in_effect_by_now(cloud: Cloud, diagnose: Diagnose) -> None:
    account = cloud.storage("account1")
    account.allow("managed", "none")
    account.grant("managed", "Reader", minutes_ago=90)
    account.grant("managed", "Storage Blob Data Owner", minutes_ago=90)
    said, command = broken(diagnose(IDENTITY, READS_HERE), "list")
    assert "granted Storage Blob Data Owner 90 minutes ago, and is refused all the same" in said
    assert command.startswith("az role assignment list --all --assignee ")


def test_who_may_not_look_at_the_record_learns_nothing_of_it(cloud: Cloud, diagnose: Diagnose) -> None:
    """As somebody who has a role for data alone: the management of Azure shows that one nothing."""
    account = cloud.storage("account1")
    account.allow("managed", "none")
    account.grant("managed", "Storage Blob Data Reader")
    said, command = broken(diagnose(IDENTITY, READS_HERE), "list")
    assert "granted" not in said and "az role assignment create" in command


def test_a_record_that_does_not_answer_changes_nothing(cloud: Cloud, diagnose: Diagnose) -> None:
    account = cloud.storage("account1")
    account.allow("managed", "none")
    account.grant("managed", "Contributor")
    cloud.call("set_fault", hosts=["management.azure.com"], kind="reset")
    assert "on record" not in broken(diagnose(IDENTITY, READS_HERE), "list")[0]


def test_waiting_is_for_roles_alone(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.storage("account1").refuse("AuthorizationFailure")
    broken(diagnose(IDENTITY, wait=3600), "access")


REFUSED = {
    "KeyBasedAuthenticationNotPermitted": ("allows no account keys", "auth_mode: identity", ""),
    "AuthorizationFailure": ("firewall refuses this machine", "", "az storage account network-rule add --account-name account1 --ip-address $(curl -s https://api.ipify.org)"),
    "AccountIsDisabled": ("is disabled", "", "az account list"),
}  # fmt: skip


@pytest.mark.parametrize("code", REFUSED)
def test_an_account_that_refuses(cloud: Cloud, diagnose: Diagnose, code: str) -> None:
    cloud.storage("account1").refuse(code, auth=("key",))
    found = diagnose(VAULT, READS)
    said, command = broken(found, "access")
    words, remedy, wanted = REFUSED[code]
    assert words in said and remedy in found["access"].remedy and command == wanted


def test_a_wrong_key(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.storage("account1").rotate_key()
    said, command = broken(diagnose(VAULT, READS), "access")
    assert "does not take the key" in said
    assert command == "az storage account keys list --account-name account1"


def test_a_key_that_is_none(diagnose: Diagnose) -> None:
    found = diagnose("account: account1, container: raw, auth_mode: direct_key, account_key: no key!")
    assert "account key" in broken(found, "key")[0]


# SAS tokens -----------------------------------------------------------------------------------------------------------


def sas(cloud: Cloud, permissions: str, **more: Any) -> str:
    token = cloud.storage("account1").sas(permissions, **more)
    return f"account: account1, container: raw, auth_mode: sas_token, sas_token: '{token}'"


def test_a_sas_says_what_it_allows(cloud: Cloud, diagnose: Diagnose) -> None:
    found = diagnose(sas(cloud, "rl"), READS_HERE)
    assert found["SAS token"].said.startswith("allows read, list, until ")
    assert found["read"].state == "ok" and found.state == "warning"
    assert "does not allow writing" in found["write"].said


def test_a_sas_that_expired(cloud: Cloud, diagnose: Diagnose) -> None:
    said, command = broken(diagnose(sas(cloud, "rl", lifetime=timedelta(hours=-1))), "SAS token")
    assert "expired on" in said and command.startswith(
        "az storage account generate-sas --account-name account1"
    )


def test_a_sas_of_one_container_that_nobody_names(cloud: Cloud, diagnose: Diagnose) -> None:
    fields = sas(cloud, "rl", container="raw").replace("container: raw, ", "")
    found = diagnose(fields)
    assert found.state == "ok" and found["access"].state == "skipped"
    assert found["access"].said == "this SAS opens one container only; say which: `container: raw`"
    assert diagnose(fields, READS)["list"].state == "ok"


@pytest.mark.parametrize("mode", ["key", "token", "sas"])
def test_no_container_has_no_name(cloud: Cloud, diagnose: Diagnose, mode: str) -> None:
    account = cloud.storage("account1")
    token = account.sas("rl")
    account.rotate_key()
    account.allow("managed", "none")
    opened = {"key": VAULT, "token": "account: account1, auth_mode: identity",
              "sas": f"account: account1, auth_mode: sas_token, sas_token: '{token}'"}  # fmt: skip
    found = diagnose(opened[mode])
    assert "odibi-magics-check" not in repr(found)


def test_a_sas_that_may_not_list(cloud: Cloud, diagnose: Diagnose) -> None:
    said, command = broken(diagnose(sas(cloud, "rwd"), READS_HERE), "list")
    assert "does not allow listing" in said
    assert command == (
        "az storage container generate-sas --account-name account1 --name raw --permissions rcwdl --expiry DATE"
    )


# Its two hosts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "engine", "state"),
    [("dfs", "pandas", "warning"), ("dfs", "spark", "failed"), ("blob", "pandas", "failed")],
)
def test_which_engine_needs_which_host(
    cloud: Cloud, diagnose: Diagnose, host: str, engine: str, state: str
) -> None:
    getattr(cloud.storage("account1"), host).vanish()
    found = diagnose(VAULT, READS, settings=f"engine: {engine}")
    assert found.state == found[f"{host} TLS"].state == state
    assert found["access"].state == ("skipped" if host == "blob" else "ok")
    assert ("uses it" in found[f"{host} TLS"].said) == (state == "warning")


def test_no_such_account(diagnose: Diagnose) -> None:
    _, command = broken(diagnose(VAULT.replace("account1", "nosuchaccount")), "blob TLS")
    assert command == "az storage account list --query [].name -o tsv"


def test_a_flat_account_needs_no_dfs(cloud: Cloud, diagnose: Diagnose) -> None:
    cloud.storage("account1").dfs.vanish()
    found = diagnose(VAULT + ", hierarchical_namespace: false", READS, settings="engine: spark")
    assert found.failure is None and "nothing uses it" in found["dfs TLS"].said


def test_a_clock_that_is_wrong(diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fast(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(UTC) + timedelta(minutes=20)

    monkeypatch.setattr(storage, "datetime", Fast)
    said, command = broken(diagnose(VAULT), "blob answers")
    assert "clock of this machine is 20 minutes fast" in said and command == "sudo timedatectl set-ntp true"


def test_what_only_sparks_session_opens(diagnose: Diagnose) -> None:
    found = diagnose("account: account1, container: raw, auth_mode: session", READS_HERE)
    assert found.state == "ok" and found["container"].said == "only Spark's session can open it"
