"""Faults of storage, as clients see them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import ClientSecretCredential
from obstore.exceptions import BaseError
from obstore.store import AzureStore

from odibi_magics.errors import UsageError
from odibi_magics.sandbox import Cloud

BODY = bytes(range(256)) * 8192  # 2 MiB


def store(cloud: Cloud, container: str, retries: int = 0) -> AzureStore:
    return AzureStore(
        container, account_name="account1", account_key=cloud.storage("account1").key,
        retry_config={"max_retries": retries, "retry_timeout": timedelta(seconds=20)},
    )  # fmt: skip


def test_a_connection_dropped_in_mid_read(cloud: Cloud, container: str) -> None:
    files = store(cloud, container)
    files.put("data", BODY)
    cloud.storage("account1").drop_after(100_000)
    with pytest.raises(BaseError):
        files.get("data").bytes()
    cloud.clear()
    assert bytes(files.get("data").bytes()) == BODY


def test_a_connection_dropped_once_is_read_on(cloud: Cloud, container: str) -> None:
    files = store(cloud, container, retries=3)
    files.put("data", BODY)
    cloud.clear()
    cloud.storage("account1").drop_after(100_000, times=1)
    assert bytes(files.get("data").bytes()) == BODY
    assert len(cloud.requests("account1.blob.core.windows.net", method="GET")) == 2


def test_a_connection_dropped_in_mid_write(cloud: Cloud, container: str) -> None:
    files = store(cloud, container)
    cloud.storage("account1").drop_after(100_000, of="request")
    with pytest.raises(BaseError):
        files.put("data", BODY, use_multipart=False)
    cloud.clear()
    with pytest.raises(FileNotFoundError):
        files.head("data")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("KeyBasedAuthenticationNotPermitted", 403),
        ("AuthorizationFailure", 403),
        ("AccountIsDisabled", 403),
        ("ServerBusy", 503),
        ("InternalError", 500),
        ("OperationTimedOut", 500),
    ],
)
def test_refusals_in_azures_words(cloud: Cloud, code: str, status: int) -> None:
    cloud.storage("account1").refuse(code)
    with pytest.raises(HttpResponseError) as refused:
        cloud.storage("account1").client().get_service_properties(retry_total=0)
    assert (refused.value.status_code, refused.value.error_code) == (status, code)  # type: ignore[attr-defined]


def test_keys_may_be_refused_where_tokens_are_not(cloud: Cloud, principal: ClientSecretCredential) -> None:
    storage = cloud.storage("account1")
    storage.refuse("KeyBasedAuthenticationNotPermitted")
    assert storage.client(principal).get_container_client("raw").exists()
    with pytest.raises(HttpResponseError):
        storage.client(storage.sas()).get_service_properties()
    cloud.clear()
    storage.refuse("AuthorizationPermissionMismatch", auth=["oauth"])
    assert storage.client().get_container_client("raw").exists()
    with pytest.raises(HttpResponseError):
        list(storage.client(principal).get_container_client("raw").list_blobs())


def test_busy_for_a_while(cloud: Cloud, container: str) -> None:
    files = store(cloud, container, retries=5)
    cloud.storage("account1").refuse("ServerBusy", times=2, retry_after=1)
    files.put("data", b"x", use_multipart=False)
    statuses = [one.status for one in cloud.requests("account1.blob.core.windows.net", path="/data")]
    assert statuses == [503, 503, 201]


def test_an_unknown_refusal_is_told(cloud: Cloud) -> None:
    with pytest.raises(UsageError, match="did you mean 'ServerBusy'"):
        cloud.storage("account1").refuse("ServerBusi")


def test_a_new_key_shuts_the_old_one_out(cloud: Cloud) -> None:
    storage = cloud.storage("account1")
    old = storage.client()
    assert old.get_container_client("raw").exists()
    new = storage.rotate_key()
    assert new == storage.key
    with pytest.raises(ClientAuthenticationError) as refused:
        old.get_service_properties()
    assert (refused.value.status_code, refused.value.error_code) == (403, "AuthenticationFailed")  # type: ignore[attr-defined]
    assert storage.client().get_container_client("raw").exists()
    cloud.clear()
    assert old.get_container_client("raw").exists()


def test_one_host_of_two_may_be_gone(cloud: Cloud) -> None:
    cloud.storage("account1").blob.vanish()
    with pytest.raises(ServiceRequestError):
        cloud.storage("account1").client().get_service_properties(retry_total=0)
    cloud.clear()
    cloud.storage("account1").dfs.vanish()
    assert cloud.storage("account1").client().get_container_client("raw").exists()


def test_an_account_that_does_not_exist(cloud: Cloud) -> None:
    files = AzureStore(
        "raw", account_name="nobody", account_key=cloud.storage("account1").key,
        retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=5)},
    )  # fmt: skip
    with pytest.raises(BaseError):
        files.get("sales.csv")


def test_a_new_account(cloud: Cloud) -> None:
    storage = cloud.add_account("account3")
    assert list(storage.client().list_containers(name_starts_with="none")) == []
    with pytest.raises(ResourceNotFoundError):
        storage.client().get_container_client("none").get_container_properties()


def test_hanging_and_delays(cloud: Cloud) -> None:
    storage = cloud.storage("account1")
    storage.delay(300)
    began = time.monotonic()
    storage.client().get_service_properties()
    assert time.monotonic() - began >= 0.3
    storage.hang()
    with pytest.raises(ServiceResponseError):
        storage.client().get_service_properties(retry_total=0, read_timeout=0.5)


def test_everything_down(cloud: Cloud) -> None:
    cloud.down()
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        cloud.storage("account2").client().get_service_properties(retry_total=0)


def test_requests_are_told_without_signatures(cloud: Cloud) -> None:
    storage = cloud.storage("account1")
    storage.client(storage.sas()).get_service_properties()
    (asked,) = cloud.requests("account1.blob.core.windows.net")
    assert (asked.method, asked.status) == ("GET", 200)
    assert "comp=properties" in asked.path
    assert "sig=[hidden]" in asked.path
