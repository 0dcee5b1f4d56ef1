"""Azure's own client for an account of the practice cloud, in a process that need not live in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient


def blob_client(account: str, credential: Any, environment: Mapping[str, str]) -> BlobServiceClient:
    """credential: an account key, a SAS token, or a TokenCredential. environment: the cloud's own."""
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(
        f"https://{account}.blob.core.windows.net",
        credential=credential,
        proxies={"https": environment["HTTPS_PROXY"]},
        connection_verify=environment["SSL_CERT_FILE"],
    )
