"""The real SDKs, with production options only: names of accounts and vaults, keys, tokens."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import adlfs
import deltalake
import pyarrow as pa
import pyarrow.fs
import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity import (
    AzureCliCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)
from obstore.exceptions import BaseError
from obstore.store import AzureStore

from odibi_magics.sandbox import Cloud
from odibi_magics.sandbox.demo import ROWS
from tests.sandbox.conftest import VaultClient


def sales_with(**options: Any) -> bytes:
    return bytes(AzureStore("raw", account_name="account1", **options).get("sales.csv").bytes())


# Files and tables -----------------------------------------------------------------------------------------


def test_the_demo_data_is_what_the_roadmap_names(cloud: Cloud, vault_client: VaultClient) -> None:
    key = vault_client().get_secret("bronze-key").value
    rows = list(csv.DictReader(io.StringIO(sales_with(account_key=key).decode())))
    assert len(rows) == ROWS
    assert {"id", "date", "region", "amount", "year", "month"} <= set(rows[0])
    assert len({row["id"] for row in rows}) == ROWS
    assert all(row["date"].startswith(f"{row['year']}-{int(row['month']):02d}") for row in rows)
    silver = AzureStore(
        "clean", account_name="account2", account_key=vault_client().get_secret("silver-key").value
    )
    assert [one["path"] for page in silver.list("nothing-is-here") for one in page] == []


def test_obstore_writes_reads_ranges_and_lists(cloud: Cloud, container: str) -> None:
    store = AzureStore(container, account_name="account1", account_key=cloud.storage("account1").key)
    body = bytes(range(256)) * 100_000
    store.put("folder/data.bin", body, chunk_size=5 << 20)
    assert bytes(store.get("folder/data.bin").bytes()) == body
    assert bytes(store.get_range("folder/data.bin", start=255, end=258)) == b"\xff\x00\x01"
    assert [one["path"] for page in store.list() for one in page] == ["folder/data.bin"]


def test_deltalake_writes_reads_and_travels(cloud: Cloud, container: str) -> None:
    options = {"account_name": "account1", "account_key": cloud.storage("account1").key}
    url = f"abfss://{container}@account1.dfs.core.windows.net/sales"
    for number in range(5):
        deltalake.write_deltalake(url, pa.table({"n": [number]}), mode="append", storage_options=options)
    table = deltalake.DeltaTable(url, storage_options=options)
    assert table.version() == 4
    assert sorted(table.to_pyarrow_table()["n"].to_pylist()) == [0, 1, 2, 3, 4]
    assert deltalake.DeltaTable(url, version=1, storage_options=options).to_pyarrow_table().num_rows == 2


def test_adlfs_writes_and_lists(cloud: Cloud, container: str) -> None:
    files = adlfs.AzureBlobFileSystem("account1", account_key=cloud.storage("account1").key)
    files.pipe(f"{container}/a/b.txt", b"hello")
    assert files.cat(f"{container}/a/b.txt") == b"hello"
    assert files.ls(f"{container}/a") == [f"{container}/a/b.txt"]


def test_pyarrow_reads(cloud: Cloud) -> None:
    files = pyarrow.fs.AzureFileSystem("account1", account_key=cloud.storage("account1").key)
    with files.open_input_stream("raw/sales.csv") as stream:
        assert stream.read(7) == b"id,date"


def test_both_accounts_hold_data_of_their_own(cloud: Cloud) -> None:
    assert [one.name for one in cloud.storage("account1").client().list_containers() if one.name == "raw"]
    assert [
        one.name for one in cloud.storage("account2").client().list_containers() if one.name == "raw"
    ] == []
    with pytest.raises(BaseError, match="AuthenticationFailed"):
        sales_with(account_key=cloud.storage("account2").key)


# Who may -------------------------------------------------------------------------------------------------


def test_sas_of_the_account_and_of_a_container(cloud: Cloud) -> None:
    storage = cloud.storage("account1")
    assert sales_with(sas_key=storage.sas()) == sales_with(sas_key=storage.sas("r", container="raw"))


def test_a_sas_ends_and_permits_only_what_it_says(cloud: Cloud) -> None:
    storage = cloud.storage("account1")
    with pytest.raises(BaseError, match="AuthenticationFailed"):
        sales_with(sas_key=storage.sas(lifetime=-timedelta(hours=1)))
    reader = AzureStore("raw", account_name="account1", sas_key=storage.sas("rl"))
    with pytest.raises(BaseError, match="AuthorizationPermissionMismatch"):
        reader.put("new.txt", b"x")


def test_every_identity_gets_secrets_and_files(cloud: Cloud, principal: ClientSecretCredential) -> None:
    from azure.keyvault.secrets import SecretClient

    for credential in (
        principal,
        ManagedIdentityCredential(),
        AzureCliCredential(),
        DefaultAzureCredential(),
    ):
        client = SecretClient("https://company-kv.vault.azure.net", credential)
        assert client.get_secret("bronze-key").value == cloud.storage("account1").key
        blob = cloud.storage("account1").client(credential).get_blob_client("raw", "sales.csv")
        assert len(blob.download_blob().readall()) == len(
            sales_with(account_key=cloud.storage("account1").key)
        )


def test_storage_libraries_sign_in_by_themselves(cloud: Cloud) -> None:
    who = cloud.identity("principal")
    ours = {"client_id": who.client_id, "client_secret": who.client_secret, "tenant_id": cloud.tenant}
    by_key = sales_with(account_key=cloud.storage("account1").key)
    assert sales_with(**ours) == by_key
    assert sales_with(use_azure_cli=True) == by_key
    files = adlfs.AzureBlobFileSystem("account1", **ours)
    assert files.cat("raw/sales.csv") == by_key


def test_a_storage_role_decides_what_a_token_may(cloud: Cloud, principal: ClientSecretCredential) -> None:
    storage = cloud.storage("account1")
    raw = storage.client(principal).get_container_client("raw")
    storage.allow("principal", "read")
    assert [blob.name for blob in raw.list_blobs(name_starts_with="sales")] == ["sales.csv"]
    with pytest.raises(HttpResponseError) as refused:
        raw.upload_blob("new.txt", b"x")
    assert "ErrorCode:AuthorizationPermissionMismatch" in str(refused.value)
    storage.allow("principal", "none")
    with pytest.raises(HttpResponseError):
        list(raw.list_blobs())
