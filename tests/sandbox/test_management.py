"""What Azure's management tells of roles, and to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import requests
from azure.identity import ManagedIdentityCredential

from odibi_magics.sandbox import Cloud

HOST = "https://management.azure.com"
QUERY = "Resources | where type =~ 'Microsoft.Storage/storageAccounts' and name =~ 'account1' | project id"
DATA_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


def answer(path: str, body: Any = None, resource: str = HOST) -> Any:
    token = ManagedIdentityCredential().get_token(f"{resource}/.default").token
    headers = {"Authorization": f"Bearer {token}"}
    method = "GET" if body is None else "POST"
    return requests.request(method, f"{HOST}{path}", json=body, headers=headers, timeout=30).json()


def found(resource: str = HOST) -> list[str]:
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    return [each["id"] for each in answer(path, {"query": QUERY}, resource)["data"]]


@pytest.mark.parametrize("role", ["Owner", "Contributor", "Reader"])
def test_who_may_read_finds_an_account_and_its_roles(cloud: Cloud, role: str) -> None:
    account = cloud.storage("account1")
    account.grant("managed", role, minutes_ago=60)
    account.grant("managed", "Storage Blob Data Reader", minutes_ago=5)
    account.grant("user", "Owner")
    [resource] = found()
    assert resource.endswith("/providers/Microsoft.Storage/storageAccounts/account1")

    me = cloud.identity("managed").object_id
    path = f"{resource}/providers/Microsoft.Authorization/roleAssignments?$filter=assignedTo('{me}')"
    first, second = [each["properties"] for each in answer(path)["value"]]
    assert second["roleDefinitionId"].endswith(DATA_READER) and second["principalId"] == me
    between = datetime.fromisoformat(second["updatedOn"]) - datetime.fromisoformat(first["updatedOn"])
    assert 54 < between.total_seconds() / 60 < 56


def test_who_has_a_role_for_data_alone_sees_nothing(cloud: Cloud) -> None:
    cloud.storage("account1").grant("managed", "Storage Blob Data Owner")
    assert found() == []


def test_a_token_for_storage_is_none_for_management(cloud: Cloud) -> None:
    cloud.storage("account1").grant("managed", "Reader")
    assert found("https://storage.azure.com") == []


def test_clear_forgets_what_was_granted(cloud: Cloud) -> None:
    cloud.storage("account1").grant("managed", "Reader")
    assert found()
    cloud.clear()
    assert found() == []
