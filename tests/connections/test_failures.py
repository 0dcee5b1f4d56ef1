"""What storage libraries raise, in words: which connection, account and path, what was tried, what to do."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics.connections import tokens
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.prepare import forget
from odibi_magics.errors import ConnectionFailed
from odibi_magics.sandbox import Cloud
from tests.connections.conftest import VAULT, opened

Doing = Callable[[AdlsConnection, str], Any]


def _list(bronze: AdlsConnection, container: str) -> None:
    next(iter(bronze.store(container).list()), None)


def _read(bronze: AdlsConnection, container: str) -> None:
    bronze.store(container).get("sales.csv").bytes()


def _write(bronze: AdlsConnection, container: str) -> None:
    bronze.store(container).put("sales.csv", b"1")


def _read_delta(bronze: AdlsConnection, container: str) -> None:
    DeltaTable(bronze.url(f"{container}/sales.csv"), storage_options=bronze.storage_options("deltalake"))


def _write_delta(bronze: AdlsConnection, container: str) -> None:
    options = bronze.storage_options("deltalake")
    write_deltalake(bronze.url(f"{container}/new.delta"), pa.table({"n": [1]}), storage_options=options)


def _fsspec(bronze: AdlsConnection, container: str) -> None:
    from adlfs import AzureBlobFileSystem

    files = AzureBlobFileSystem(skip_instance_cache=True, **bronze.storage_options("fsspec"))
    files.cat_file(f"{container}/sales.csv")


READS: tuple[Doing, ...] = (_list, _read, _read_delta)
WRITES: tuple[Doing, ...] = (_write, _write_delta)


def failure(bronze: AdlsConnection, doing: Doing, container: str = "raw") -> ConnectionFailed:
    """What `explain` makes of what a library raises; bounded in time as the whole run is."""
    word = "writing" if doing in WRITES else "listing" if doing is _list else "reading"
    start = monotonic()
    with pytest.raises(Exception) as caught:  # noqa: PT011 each library has its own
        doing(bronze, container)
    assert monotonic() - start < 30
    found = bronze.explain(caught.value, bronze.url(f"{container}/sales.csv"), word)
    assert found is not None, caught.value
    assert str(found).startswith(f"Connection 'bronze': {word} ") and "\x1b" not in str(found)
    return found


def with_key(key: str, account: str = "account1") -> AdlsConnection:
    return opened(f"account: {account}, auth_mode: direct_key, account_key: '{key}'")


# Credentials ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", READS + WRITES)
def test_a_wrong_key(cloud: Cloud, doing: Doing) -> None:
    wrong = base64.b64encode(os.urandom(64)).decode()
    found = failure(with_key(wrong), doing)
    assert "account1/raw/sales.csv: account 'account1' does not take the key. " in str(found)
    assert "az storage account keys list" in str(found) and wrong not in str(found) and not found.transient


@pytest.mark.parametrize("doing", READS + WRITES)
def test_an_expired_sas(cloud: Cloud, doing: Doing) -> None:
    token = cloud.storage("account1").sas(lifetime=timedelta(hours=-1))
    found = failure(opened(f"account: account1, auth_mode: sas_token, sas_token: '{token}'"), doing)
    assert "the SAS token" in str(found) and "has expired" in str(found) and "generate-sas" in str(found)
    assert token.partition("sig=")[2] not in str(found)


@pytest.mark.parametrize("doing", READS)
def test_a_sas_of_another_container(cloud: Cloud, doing: Doing) -> None:
    token = cloud.storage("account1").sas("rl", container="raw")
    found = failure(opened(f"account: account1, auth_mode: sas_token, sas_token: '{token}'"), doing, "other")
    assert "signed with another key, or made for another container" in str(found)
    assert "expired" not in str(found)


@pytest.mark.parametrize("doing", WRITES)
def test_a_sas_that_only_reads(cloud: Cloud, doing: Doing) -> None:
    bronze = opened(
        f"account: account1, auth_mode: sas_token, sas_token: '{cloud.storage('account1').sas('rl')}'"
    )
    _read(bronze, "raw")
    assert "the SAS token does not allow writing. " in str(failure(bronze, doing))


@pytest.mark.parametrize("doing", READS + WRITES)
def test_no_role_on_the_data(cloud: Cloud, doing: Doing) -> None:
    cloud.storage("account1").allow("managed", "none")
    found = failure(opened("account: account1, auth_mode: identity"), doing)
    role = "Contributor" if doing in WRITES else "Reader"
    assert f"--assignee {cloud.identity('managed').object_id} --scope" in str(found)
    assert f'--role "Storage Blob Data {role}"' in str(found) and "Owner and Contributor give none" in str(
        found
    )


@pytest.mark.parametrize("doing", [_list, _read_delta, _write_delta])
@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("KeyBasedAuthenticationNotPermitted", "the account allows no account keys"),
        ("AuthorizationFailure", "the account's firewall refuses this machine"),
        ("AccountIsDisabled", "the account is disabled"),
    ],
)
def test_what_the_account_refuses(cloud: Cloud, doing: Doing, code: str, why: str) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").refuse(code)
    found = failure(bronze, doing)
    assert why in str(found) and not found.transient


def test_a_token_that_the_account_refuses_is_asked_for_anew(cloud: Cloud) -> None:
    bronze = opened("account: account1, auth_mode: identity")
    bronze.check()
    assert bronze.source.at_hand()
    error = OSError("Generic MicrosoftAzure error: 401 Unauthorized: <Code>InvalidAuthenticationInfo</Code>")
    found = bronze.explain(error, bronze.url("raw/a"), "reading")
    assert "reading account1/raw/a: the account does not take the token" in str(found)
    assert not bronze.source.at_hand()


# What is not there ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", READS + WRITES)
def test_a_missing_container_is_never_made(bronze: AdlsConnection, doing: Doing) -> None:
    found = failure(bronze, doing, "nonesuch")
    assert "there is no container 'nonesuch' in account 'account1', and none is made silently" in str(found)
    assert "az storage container create --account-name account1 --name nonesuch" in str(found)


@pytest.mark.parametrize("way", ["key", "sas", "identity"])
def test_a_misspelt_container_is_suggested(cloud: Cloud, bronze: AdlsConnection, way: str) -> None:
    token = cloud.storage("account1").sas()
    ways = {
        "key": bronze,
        "sas": opened(f"account: account1, auth_mode: sas_token, sas_token: '{token}'"),
        "identity": opened("account: account1, auth_mode: identity"),
    }
    said = str(failure(ways[way], _list, "rwa"))
    assert "silently. Did you mean 'raw'? There are: " in said and ". Make it: az storage container" in said


def test_containers_that_may_not_be_listed_are_not_told(cloud: Cloud, bronze: AdlsConnection) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011
        _list(bronze, "rwa")
    cloud.storage("account1").refuse("AuthorizationFailure")
    said = str(bronze.explain(caught.value, bronze.url("rwa/a"), "listing"))
    assert "none is made silently. Make it: az storage container create" in said


@pytest.mark.parametrize("doing", READS + WRITES)
def test_an_account_that_is_not_there(cloud: Cloud, doing: Doing) -> None:
    found = failure(with_key("a2V5", "nosuchaccount"), doing)
    assert "account 'nosuchaccount' not found at nosuchaccount.blob.core.windows.net" in str(found)
    assert "az storage account list" in str(found) and not found.transient


def test_what_is_missing_is_told_apart(cloud: Cloud, bronze: AdlsConnection) -> None:
    def missing(connection: AdlsConnection, doing: Doing, container: str) -> str | None:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            doing(connection, container)
        return connection.is_missing(caught.value)

    def head(connection: AdlsConnection, container: str) -> None:
        connection.store(container).head("none.csv")

    assert missing(bronze, _list, "nonesuch") == "container"
    assert missing(bronze, _write, "nonesuch") == "container"
    assert missing(bronze, head, "raw") == "path"
    assert missing(with_key("a2V5", "nosuchaccount"), _list, "raw") == "account"
    assert missing(with_key("a2V5"), _list, "raw") is None


def test_a_missing_file_is_not_ours_to_tell(bronze: AdlsConnection) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        bronze.store("raw").get("none.csv")
    assert bronze.explain(caught.value, bronze.url("raw/none.csv"), "reading") is None


def test_an_error_of_another_kind_is_not_explained(bronze: AdlsConnection) -> None:
    for text in (
        "the column certificate is no number",
        "timeout: 5",
        "AuthenticationFailed is no value of status",
    ):
        assert bronze.explain(ValueError(text), bronze.url("raw/a"), "reading") is None
        assert bronze.is_missing(ValueError(text)) is None
    table = DeltaTable.create(bronze.url("raw/other"), pa.schema([("reset_by_peer", pa.int64())]), mode="overwrite",
                              storage_options=bronze.storage_options("deltalake"))  # fmt: skip
    with pytest.raises(Exception, match="timeout") as caught:
        table.delete("timeout = 1")
    assert bronze.explain(caught.value, bronze.url("raw/other"), "writing") is None


def test_a_token_that_a_store_cannot_renew_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    bronze = opened("account: account1, auth_mode: identity")
    store = bronze.store("raw")
    tokens.forget()
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Exception, match="Refused") as caught:
        store.head("sales.csv")
    found = bronze.explain(caught.value, bronze.url("raw/sales.csv"), "reading")
    assert str(found).startswith(
        "Connection 'bronze': no credential to sign in to Azure with; tried EnvironmentCred"
    )
    assert "ManagedIdentityCredential is there and says: " in str(found) and "Debug" not in str(found)


# What may pass --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("doing", [_list, _read_delta, _write, _write_delta])
@pytest.mark.parametrize("code", ["ServerBusy", "InternalError", "OperationTimedOut"])
def test_a_busy_service_is_transient(cloud: Cloud, doing: Doing, code: str) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").refuse(code)
    found = failure(bronze, doing)
    assert "throttled or briefly unavailable, also after retries" in str(found) and found.transient


def test_what_passes_is_retried(cloud: Cloud) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").refuse("ServerBusy", times=2)
    _read(bronze, "raw")


@pytest.mark.parametrize("doing", READS + WRITES)
def test_a_network_that_is_down_is_transient(cloud: Cloud, doing: Doing) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").reset()
    found = failure(bronze, doing)
    assert (
        "account 'account1' cannot be reached at account1.blob.core.windows.net" in str(found)
        and found.transient
    )


def test_a_read_that_is_dropped_goes_on_where_it_was(cloud: Cloud) -> None:
    bronze = with_key(cloud.storage("account1").key)
    bronze.store("raw").put("big.bin", os.urandom(500_000))
    forget()
    cloud.storage("account1").drop_after(300_000, times=1)
    assert len(bronze.store("raw").get("big.bin").bytes()) == 500_000


def test_a_write_that_is_always_dropped_is_told(cloud: Cloud) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").drop_after(20_000, of="request")

    def write(connection: AdlsConnection, container: str) -> None:
        connection.store(container).put("dropped.bin", os.urandom(2_000_000))

    with pytest.raises(Exception) as caught:  # noqa: PT011
        write(bronze, "raw")
    found = bronze.explain(caught.value, bronze.url("raw/dropped.bin"), "writing")
    assert found is not None and found.transient and "writing account1/raw/dropped.bin" in str(found)
    cloud.clear()
    with pytest.raises(FileNotFoundError):
        bronze.store("raw").head("dropped.bin")


def test_a_host_that_never_completes_tls_is_given_up(cloud: Cloud) -> None:
    bronze = with_key(cloud.storage("account1").key)
    cloud.storage("account1").stall_tls()
    found = failure(bronze, _list)
    assert "it does not answer in time" in str(found) and found.transient


def test_a_certificate_that_is_not_trusted_is_told(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    bronze = with_key(cloud.storage("account1").key)
    monkeypatch.delenv("SSL_CERT_FILE")
    for doing in (_list, _read_delta):
        found = failure(bronze, doing)
        assert "its TLS certificate is not trusted" in str(found) and "SSL_CERT_FILE" in str(found)


def test_adlfs_is_explained_too(cloud: Cloud) -> None:
    bronze = with_key(base64.b64encode(os.urandom(64)).decode())
    assert "does not take the key" in str(failure(bronze, _fsspec))


# check() --------------------------------------------------------------------------------------------------------------


def test_an_account_without_a_container_is_checked_too(cloud: Cloud, bronze: AdlsConnection) -> None:
    bronze.check()
    with pytest.raises(ConnectionFailed, match="listing account1: account 'account1' does not take the key"):
        with_key("a2V5").check()


def test_a_sas_of_one_container_is_not_tried_on_another(cloud: Cloud) -> None:
    token = cloud.storage("account1").sas("rl", container="raw")
    opened(f"account: account1, auth_mode: sas_token, sas_token: '{token}'").check()
    whole = cloud.storage("account1").sas(lifetime=timedelta(hours=-1))
    with pytest.raises(ConnectionFailed, match="has expired") as caught:
        opened(f"account: account1, auth_mode: sas_token, sas_token: '{whole}'").check()
    assert "odibi-magics-check" not in str(caught.value)
    assert "--account-name account1 --name CONTAINER " in str(caught.value)


@pytest.mark.parametrize(
    ("container", "why"), [("raw", ""), ("nonesuch", "there is no container 'nonesuch'")]
)
def test_a_container_is_checked(cloud: Cloud, container: str, why: str) -> None:
    connection = opened(f"account: account1, container: {container}, {VAULT}, secret_name: bronze-key")
    if why:
        with pytest.raises(ConnectionFailed, match=why):
            connection.check()
    else:
        connection.check()


def test_checking_tells_a_wrong_secret(cloud: Cloud) -> None:
    with pytest.raises(
        ConnectionFailed, match="'bronze': Secret 'wrong-name' not found in vault 'company-kv'"
    ):
        opened(f"account: account1, {VAULT}, secret_name: wrong-name").check()
