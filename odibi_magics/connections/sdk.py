"""What obstore has no call for, asked of an account through Azure's own client, which costs 0.3 s to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.credentials import Credential, SignedIn, Source
from odibi_magics.connections.once import once
from odibi_magics.connections.tokens import signed_in

if TYPE_CHECKING:
    from azure.core.credentials import AzureSasCredential, TokenCredential
    from azure.storage.blob import BlobServiceClient, ContainerClient

# Names in the one page that is asked for; seconds to connect, and to wait for an answer.
_MANY: Final = 200
_SECONDS: Final = 3


def containers(host: str, source: Source) -> Sequence[str]:
    """Names of an account's first containers, to suggest one in place of one that is not there; none where the
    credential may not list them, or they are slow to come.

    host: account1.blob.core.windows.net.
    """
    from azure.core.exceptions import AzureError

    try:
        with _client(host, source.get(monotonic() + _SECONDS)) as account:
            return [one.name for one in islice(account.list_containers(results_per_page=_MANY), _MANY)]
    except (AzureError, Refused):
        return []


def hierarchical(host: str, container: str, credential: Credential) -> bool | None:
    """Whether an account has a hierarchical namespace; None where it does not say. Asked once for each credential.

    container: the one that is used; a SAS token of it may ask there alone.
    https://learn.microsoft.com/rest/api/storageservices/get-account-information
    """
    found = _hierarchical(host, container, credential)
    if found is None:  # the network may have been down
        _hierarchical.forget()
    return found


@once
def _hierarchical(host: str, container: str, credential: Credential) -> bool | None:
    with _client(host, credential) as account:
        found = _told_by(account)
        return _told_by(account.get_container_client(container)) if found is None and container else found


def _told_by(place: BlobServiceClient | ContainerClient) -> bool | None:
    from azure.core.exceptions import AzureError

    try:
        told: Mapping[str, Any] = place.get_account_information()
    except AzureError:
        return None
    return told.get("is_hns_enabled")


def forget() -> None:
    """Drops what accounts said of themselves."""
    _hierarchical.forget()


def _client(host: str, credential: Credential) -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient

    return BlobServiceClient(
        f"https://{host}",
        _of_sdk(credential),
        retry_total=0,
        connection_timeout=_SECONDS,
        read_timeout=_SECONDS,
    )


def _of_sdk(credential: Credential) -> str | AzureSasCredential | TokenCredential:
    from azure.core.credentials import AzureSasCredential

    if isinstance(credential, SignedIn):
        return signed_in(credential.identity)
    plain = credential.fsspec()
    return AzureSasCredential(plain["sas_token"]) if credential.kind == "sas" else str(plain["account_key"])
