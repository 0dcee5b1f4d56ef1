"""Every auth_mode, from a text of YAML to bytes and rows read and written in the practice cloud."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics.connections import adls, sdk
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.prepare import prepare
from odibi_magics.errors import ConnectionFailed
from odibi_magics.sandbox import Cloud
from odibi_magics.secret import Secret
from tests.connections.conftest import VAULT, opened

STRING = (
    "DefaultEndpointsProtocol=https;AccountName=account1;AccountKey={key};EndpointSuffix=core.windows.net"
)


@pytest.fixture
def texts(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A connection of each auth_mode that the pandas engine has, its secrets in the environment."""
    storage, principal = cloud.storage("account1"), cloud.identity("principal")
    held = {
        "KEY": storage.key,
        "SAS": f"?{storage.sas('racwdl', container='raw')}",
        "STRING": STRING.format(key=storage.key),
        "SAS_STRING": f"BlobEndpoint=https://account1.blob.core.windows.net/;SharedAccessSignature={storage.sas()}",
        "CLIENT_SECRET": principal.client_secret,
    }
    for name, value in held.items():
        monkeypatch.setenv(name, value)
    _has_dbutils(monkeypatch, lambda scope, key: {("kv", "bronze"): storage.key}[scope, key])
    return {
        "key_vault": f"{VAULT}, secret_name: bronze-key",
        "direct_key": "auth_mode: direct_key, account_key: '${KEY}'",
        "sas_token": "auth_mode: sas_token, sas_token: '${SAS}'",
        "connection_string": "auth_mode: connection_string, connection_string: '${STRING}'",
        "connection_string_sas": "auth_mode: connection_string, connection_string: '${SAS_STRING}'",
        "service_principal": f"auth_mode: service_principal, tenant_id: {cloud.tenant}, "
        f"client_id: {principal.client_id}, client_secret: '${{CLIENT_SECRET}}'",
        "managed_identity": "auth_mode: managed_identity",
        "identity": "auth_mode: identity",
        "databricks_secret": "auth_mode: databricks_secret, secret_scope: kv, secret_key: bronze",
    }


def _has_dbutils(monkeypatch: pytest.MonkeyPatch, get: Callable[[str, str], str]) -> None:
    """As a Databricks notebook has it: `dbutils` among the variables of the main module."""
    dbutils = SimpleNamespace(secrets=SimpleNamespace(get=get))
    monkeypatch.setattr(sys.modules["__main__"], "dbutils", dbutils, raising=False)


MODES = (
    "key_vault", "direct_key", "sas_token", "connection_string", "connection_string_sas", "service_principal",
    "managed_identity", "identity", "databricks_secret",
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_bytes_and_rows_are_written_and_read(texts: dict[str, str], mode: str) -> None:
    bronze = opened(f"account: account1, {texts[mode]}")
    prepare([bronze])
    bronze.put(f"raw/{mode}/a.txt", mode.encode())
    assert bytes(bronze.store("raw").get(f"{mode}/a.txt").bytes()) == mode.encode()
    table, options = bronze.url(f"raw/{mode}/t.delta"), bronze.storage_options("deltalake")
    write_deltalake(table, pa.table({"n": [1, 2]}), mode="overwrite", storage_options=options)
    assert DeltaTable(table, storage_options=options).to_pyarrow_table()["n"].to_pylist() == [1, 2]
    opened(f"account: account1, container: raw, path_prefix: {mode}, {texts[mode]}").check()


@pytest.mark.parametrize("mode", ["key_vault", "sas_token", "service_principal"])
def test_adlfs_and_obstores_own_config_open_it_too(texts: dict[str, str], mode: str) -> None:
    from adlfs import AzureBlobFileSystem
    from obstore.store import AzureStore

    bronze = opened(f"account: account1, {texts[mode]}")
    files = AzureBlobFileSystem(skip_instance_cache=True, **bronze.storage_options("fsspec"))
    config: Any = bronze.storage_options("obstore")
    store = AzureStore("raw", config=config)
    assert store.head("sales.csv")["size"] == files.size("raw/sales.csv")


@pytest.mark.parametrize("mode", MODES)
def test_no_secret_is_in_what_is_shown(texts: dict[str, str], mode: str) -> None:
    bronze = opened(f"account: account1, {texts[mode]}")
    prepare([bronze])
    shown = f"{bronze!r} {bronze} {bronze.source!r} {bronze.credential()!r} {vars(bronze)}"
    assert len(shown) > 100
    secrets = [os.environ[name] for name in ("KEY", "SAS", "STRING", "SAS_STRING", "CLIENT_SECRET")]
    assert not [secret for secret in secrets if secret in shown]


def test_no_secret_of_its_own_options_is_in_what_is_shown(cloud: Cloud) -> None:
    key = cloud.storage("account1").key
    bronze = opened(f"account: account1, auth_mode: identity, storage_options: {{account_key: {key}}}")
    assert key not in f"{bronze!r} {vars(bronze)} {bronze.store('raw')!r}"
    assert bronze.storage_options("deltalake")["account_key"] == key


@pytest.mark.parametrize("library", ["obstore", "fsspec", "azure.keyvault.secrets"])
def test_a_library_that_is_not_installed_is_told(
    library: str, bronze: AdlsConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    says = (
        r"Connection 'bronze': needs [\w-]+, which is not installed. .* pip install 'odibi-magics\[azure\]'"
    )
    with pytest.raises(ConnectionFailed, match=says):
        prepare([bronze])


def test_what_the_environment_says_of_other_accounts_does_not_count(
    texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = {
        "AZURE_STORAGE_ACCOUNT_NAME": "account2", "AZURE_STORAGE_ENDPOINT": "https://127.0.0.1:9",
        "AZURE_STORAGE_USE_EMULATOR": "true", "AZURE_CONTAINER_NAME": "other", "AZURE_STORAGE_TOKEN": "eyJ0",
        "AZURE_CLIENT_ID": "a", "AZURE_TENANT_ID": "b", "AZURE_CLIENT_SECRET": "c",
    }  # fmt: skip
    for name, value in others.items():
        monkeypatch.setenv(name, value)
    test_bytes_and_rows_are_written_and_read(texts, "sas_token")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "b3RoZXI=")
    test_bytes_and_rows_are_written_and_read(texts, "direct_key")
    with pytest.raises(ConnectionFailed, match="the environment has AZURE_STORAGE_ACCOUNT_KEY"):
        opened(f"account: account1, {texts['sas_token']}").storage_options("deltalake")


def test_the_connections_own_options_win(bronze: AdlsConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", bronze.storage_options("deltalake")["azure_storage_account_key"])
    own = "storage_options: {timeout: 7s, max_retries: 1, allow_http: true, fs.azure.io.retry.max.retries: 9}"
    ours = opened(f"account: account1, auth_mode: direct_key, account_key: '${{KEY}}', {own}")
    made = ours.storage_options("deltalake")
    assert (made["timeout"], made["max_retries"], made["allow_http"]) == ("7s", "1", "true")
    assert "fs.azure.io.retry.max.retries" not in made
    assert ours.storage_options("spark")["fs.azure.io.retry.max.retries"] == "9"
    store = ours.store("raw")
    assert store.retry_config is not None and store.retry_config["max_retries"] == 1
    assert next(iter(store.list()))[0]["path"]


def test_a_key_of_the_connections_own_options_opens_the_account(cloud: Cloud) -> None:
    key = cloud.storage("account1").key
    wrong = base64.b64encode(b"x" * 64).decode()
    bronze = opened(
        f"account: account1, auth_mode: direct_key, account_key: {wrong}, storage_options: {{account_key: {key}}}"
    )
    assert bronze.store("raw").head("sales.csv")["size"] > 0


# Spark ---------------------------------------------------------------------------------------------------------------

HOST = "account1.dfs.core.windows.net"


def test_spark_is_told_each_account_apart(texts: dict[str, str], cloud: Cloud) -> None:
    made = {
        mode: opened(f"account: account1, {texts[mode]}").storage_options("spark")
        for mode in MODES
        if mode not in ("identity", "managed_identity")
    }
    assert made["key_vault"][f"fs.azure.account.key.{HOST}"] == cloud.storage("account1").key
    assert made["sas_token"][f"fs.azure.sas.fixed.token.{HOST}"] == os.environ["SAS"].removeprefix("?")
    assert f"fs.azure.sas.token.provider.type.{HOST}" not in made["sas_token"]
    principal = made["service_principal"]
    assert principal[f"fs.azure.account.auth.type.{HOST}"] == "OAuth"
    endpoint = f"https://login.microsoftonline.com/{cloud.tenant}/oauth2/token"
    assert principal[f"fs.azure.account.oauth2.client.endpoint.{HOST}"] == endpoint
    for options in made.values():
        assert all(key.endswith(f".{HOST}") for key in options)
        assert options[f"fs.azure.networking.library.{HOST}"] == "JDK_HTTP_URL_CONNECTION"
        tries = 1 + int(options[f"fs.azure.io.retry.max.retries.{HOST}"])
        assert tries * int(options[f"fs.azure.http.read.timeout.{HOST}"]) <= 30_000


def test_databricks_takes_a_sas_token_from_a_class_of_its_own(
    texts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    told = opened(f"account: account1, {texts['sas_token']}").storage_options("spark")
    assert told[f"fs.azure.sas.token.provider.type.{HOST}"].endswith(".sas.FixedSASTokenProvider")


def test_an_account_is_asked_once_whether_it_is_flat(bronze: AdlsConnection, cloud: Cloud) -> None:
    told = {
        f"fs.azure.account.hns.enabled.{HOST}": "false",
        f"fs.azure.fns.account.service.type.{HOST}": "BLOB",
    }
    for _ in range(2):
        assert told.items() <= bronze.storage_options("spark").items()
    assert len(cloud.requests(".blob.core.windows.net", path="comp=properties")) == 1


def test_what_the_text_says_of_the_namespace_is_not_asked(cloud: Cloud) -> None:
    text = f"account: account1, {VAULT}, secret_name: bronze-key, hierarchical_namespace: "
    flat, deep = (opened(text + said).storage_options("spark") for said in ("false", "true"))
    assert flat[f"fs.azure.fns.account.service.type.{HOST}"] == "BLOB"
    assert deep[f"fs.azure.account.hns.enabled.{HOST}"] == "true"
    assert f"fs.azure.fns.account.service.type.{HOST}" not in deep
    assert cloud.requests(".blob.core.windows.net") == []


def test_an_account_that_does_not_say_is_left_to_the_driver(bronze: AdlsConnection, cloud: Cloud) -> None:
    cloud.storage("account1").refuse("InternalError", times=1)
    assert f"fs.azure.account.hns.enabled.{HOST}" not in bronze.storage_options("spark")
    assert bronze.storage_options("spark")[f"fs.azure.account.hns.enabled.{HOST}"] == "false"


def test_the_driver_signs_in_as_the_environment_says(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a virtual machine, of Kubernetes, of a principal; whether Spark's own way works is tested with Spark."""
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    machine = opened("account: account1, auth_mode: managed_identity, client_id: me")
    kind = f"fs.azure.account.oauth.provider.type.{HOST}"
    with monkeypatch.context() as patch:
        patch.setattr(sdk, "hierarchical", lambda *_: None)
        patch.setattr("odibi_magics.connections.credentials.storage_token", lambda _: None)
        told = machine.storage_options("spark")
        assert (
            told[kind].endswith(".MsiTokenProvider")
            and told[f"fs.azure.account.oauth2.client.id.{HOST}"] == "me"
        )
        for name in ("AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
            patch.setenv(name, f"the {name}")
        told = machine.storage_options("spark")
        assert told[kind].endswith(".WorkloadIdentityTokenProvider")
        assert told[f"fs.azure.account.oauth2.token.file.{HOST}"] == "the AZURE_FEDERATED_TOKEN_FILE"


@pytest.mark.parametrize(
    ("mode", "unset", "why"),
    [
        ("managed_identity", False, "the managed identity is one of App Service"),
        ("identity", False, "the managed identity is one of App Service"),
        ("identity", True, "auth_mode: identity is signed in by az login here"),
    ],
)
def test_spark_cannot_sign_in_as_we_do(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, mode: str, unset: bool, why: str
) -> None:
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER") if unset else ():
        monkeypatch.delenv(name)
    with pytest.raises(ConnectionFailed, match=rf"{why}.*auth_mode: session where the workspace"):
        opened(f"account: account1, auth_mode: {mode}").storage_options("spark")


def test_sparks_own_session_is_sparks_alone() -> None:
    session = opened("account: account1, auth_mode: session")
    assert session.storage_options("spark") == {} and session.needs() == ()
    prepare([session])
    with pytest.raises(ConnectionFailed, match=r"'bronze': auth_mode: session .* engine: spark"):
        session.store("raw")


# What is wrong before anything is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "auth_mode: direct_key, account_key: 'not base 64!'",
            "its key is not an account key: 12 characters, where a key "
            "has 88 and ends in ==; it has white space in it. ",
        ),
        (
            f"""auth_mode: direct_key, account_key: '"{"A" * 86}=="'""",
            "not an account key: 90 characters, where a key has 88 "
            "and ends in ==; it begins with a quotation mark. ",
        ),
        (
            "auth_mode: direct_key, account_key: 'AAAA!'",
            "5 characters, where a key has 88 and ends in ==. The account's keys",
        ),
        ("auth_mode: sas_token, sas_token: 'sv=2024&sp=r'", "its SAS token is not one"),
    ],
)
def test_a_secret_that_cannot_be_one_is_told_before_the_run(text: str, why: str) -> None:
    with pytest.raises(ConnectionFailed, match=f"Connection 'bronze': .*{why}") as caught:
        prepare([opened(f"account: account1, {text}")])
    assert "not base 64" not in str(caught.value) and "AAAA" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (STRING.format(key="a2V5").replace("account1", "account2"), "is of account 'account2', not of 'account1'"),
        (STRING.format(key="a2V5").replace("windows.net", "chinacloudapi.cn"), "another cloud"),
        ("AccountName=account1", "no AccountKey and no SharedAccessSignature"),
        ("BlobEndpoint=https://account9.blob.core.windows.net/;SharedAccessSignature=sig=x", "of account 'account9'"),
    ],
)  # fmt: skip
def test_a_wrong_connection_string_is_told(text: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRING", text)
    with pytest.raises(ConnectionFailed, match=why):
        opened("account: account1, auth_mode: connection_string, connection_string: '${STRING}'")


# Databricks -----------------------------------------------------------------------------------------------------------

DATABRICKS = "account: account1, auth_mode: databricks_secret, secret_scope: kv, secret_key: bronze"


def test_without_dbutils_databricks_secrets_are_refused() -> None:
    with pytest.raises(ConnectionFailed, match="needs dbutils, and there is none here"):
        prepare([opened(DATABRICKS)])


def test_dbutils_of_the_main_module_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    _has_dbutils(monkeypatch, lambda scope, key: "a2V5")
    made = opened(DATABRICKS).storage_options("fsspec")
    assert made["account_key"] == "a2V5"


def test_a_missing_databricks_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def get(scope: str, key: str) -> Any:
        raise RuntimeError(
            f"An error occurred while calling o1.get.\nSecret does not exist with scope: {scope} and key: {key}"
        )

    _has_dbutils(monkeypatch, get)
    with pytest.raises(
        ConnectionFailed, match="Connection 'bronze': Secret 'bronze' not found in scope 'kv'"
    ):
        prepare([opened(DATABRICKS)])


# A mended key ---------------------------------------------------------------------------------------------------------


def test_a_mended_key_works_in_the_same_session(cloud: Cloud, bronze: AdlsConnection) -> None:
    right = cloud.storage("account1").key
    cloud.vault("company-kv").set("bronze-key", base64.b64encode(b"x" * 64).decode())
    with pytest.raises(ConnectionFailed, match="does not take the key"):
        bronze.put("raw/a.txt", b"1")
    cloud.vault("company-kv").set("bronze-key", right)
    bronze.put("raw/a.txt", b"2")
    assert bytes(bronze.store("raw").get("a.txt").bytes()) == b"2"


def test_what_is_at_hand_is_not_waited_for(
    texts: dict[str, str], cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = [opened(f"account: account1, {texts[mode]}") for mode in MODES]
    prepare(connections)
    monkeypatch.setattr(adls, "prepare", None)
    for connection in connections:
        connection.credential()


def test_a_store_is_made_once_for_each_key(cloud: Cloud, bronze: AdlsConnection) -> None:
    assert bronze.store("raw") is bronze.store("raw")
    again = opened(f"account: account1, {VAULT}, secret_name: bronze-key")
    assert again.store("raw") is bronze.store("raw")
    other = opened(f"account: account1, auth_mode: sas_token, sas_token: {cloud.storage('account1').sas()}")
    assert other.store("raw") is not bronze.store("raw")


def test_a_token_is_renewed_by_the_store(cloud: Cloud) -> None:
    identity = opened("account: account1, auth_mode: identity")
    store = identity.store("raw")
    assert store.head("sales.csv")["size"] > 0
    provided: Any = identity.credential().provide()
    assert "token" in provided and provided["expires_at"] is not None
    assert Secret(provided["token"]) == Secret(identity.storage_options("deltalake")["azure_storage_token"])


def test_an_expired_sas_does_not_hang(cloud: Cloud) -> None:
    token = cloud.storage("account1").sas(lifetime=timedelta(hours=-1))
    with pytest.raises(ConnectionFailed, match="has expired"):
        opened(f"account: account1, container: raw, auth_mode: sas_token, sas_token: '{token}'").check()
