"""Which containers an account has, to suggest one in place of one that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.credentials import Credential, SignedIn, Source
from odibi_magics.connections.tokens import signed_in

if TYPE_CHECKING:
    from azure.core.credentials import AzureSasCredential, TokenCredential

# Names in the one page that is asked for; seconds to connect, and to wait for it.
_MANY: Final = 200
_SECONDS: Final = 3


def containers(host: str, source: Source) -> Sequence[str]:
    """Names of an account's first containers; none where the credential may not list them, or they are slow to come.

    obstore lists what is in containers only; the SDK costs 0.3 s to import. host: account1.blob.core.windows.net.
    """
    from azure.core.exceptions import AzureError
    from azure.storage.blob import BlobServiceClient

    try:
        opened = _of_sdk(source.get(monotonic() + _SECONDS))
        with BlobServiceClient(
            f"https://{host}", opened, retry_total=0, connection_timeout=_SECONDS, read_timeout=_SECONDS
        ) as account:
            return [one.name for one in islice(account.list_containers(results_per_page=_MANY), _MANY)]
    except (AzureError, Refused):
        return []


def _of_sdk(credential: Credential) -> str | AzureSasCredential | TokenCredential:
    from azure.core.credentials import AzureSasCredential

    if isinstance(credential, SignedIn):
        return signed_in(credential.identity)
    plain = credential.fsspec()
    return AzureSasCredential(plain["sas_token"]) if credential.kind == "sas" else str(plain["account_key"])
