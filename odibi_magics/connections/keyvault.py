"""Secrets of Azure Key Vault: fetched once, kept for this process."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice, takewhile
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.once import once
from odibi_magics.connections.parallel import at_once, load
from odibi_magics.connections.refusals import expired, not_found, of_vault, too_early
from odibi_magics.connections.tokens import Identity, signed_in
from odibi_magics.secret import Secret

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient, SecretProperties

_kept: dict[VaultSecret, Secret] = {}

# Seconds that a request goes on behind the deadline, when nobody waits for it any more: on a busy machine its own error
# came before the one that says which deadline passed.
_BEHIND: Final = 2.0

# Of a vault's secrets, how many are looked at for a suggestion, and for how many seconds at most.
_LISTED: Final = 100
_LIST_SECONDS: Final = 3.0


@dataclass(frozen=True, order=True)
class VaultSecret:
    """A secret by the names of its vault and its own."""

    vault: str
    name: str

    libraries: ClassVar[tuple[str, ...]] = ("azure.identity", "azure.keyvault.secrets")

    @property
    def host(self) -> str:
        return f"{self.vault}.vault.azure.net"

    def get(self, deadline: float) -> Secret:
        """The newest version's value. Raises Refused."""
        if self not in _kept:
            _kept[self] = self._fetch(deadline)
        return _kept[self]

    @property
    def kept(self) -> bool:
        """Whether `get` has it at hand."""
        return self in _kept

    def drop(self) -> None:
        """Has the next `get` fetch it again: it was refused where it should have opened something."""
        _kept.pop(self, None)

    def _fetch(self, deadline: float) -> Secret:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            found = _client(self.host).get_secret(self.name, timeout=deadline + _BEHIND - monotonic())
        except ResourceNotFoundError:
            raise not_found(self, self._others(deadline)) from None
        except Exception as error:
            refused = of_vault(error, self)
            if refused is None:
                raise
            raise refused from None
        self._check(found.properties)
        return Secret(found.value or "")

    def _others(self, deadline: float) -> list[str]:
        """Names of the vault's secrets: those in use here, and the first of its list where we may read that in time."""
        from azure.core.exceptions import AzureError

        names = [other.name for other in list(_kept) if other.vault == self.vault]
        seconds = min(_LIST_SECONDS, (deadline - monotonic()) / 2)
        until = monotonic() + seconds
        with suppress(AzureError):
            listed = _client(self.host).list_properties_of_secrets(timeout=max(0.1, seconds))
            in_time = takewhile(lambda _: monotonic() < until, islice(listed, _LISTED))
            names.extend(one.name or "" for one in in_time)
        return names

    def _check(self, properties: SecretProperties) -> None:
        """The service gives out secrets before and after their time: it leaves that to its clients."""
        now = datetime.now(UTC)
        if properties.expires_on and properties.expires_on <= now:
            raise expired(self, properties.expires_on)
        if properties.not_before and properties.not_before > now:
            raise too_early(self, properties.not_before)

    def __str__(self) -> str:
        return f"Secret '{self.name}' of vault '{self.vault}'"


def fetch(secrets: Collection[VaultSecret], timeout: float) -> dict[VaultSecret, Secret | Refused]:
    """Each secret, or why it cannot be had, in parallel. timeout: seconds for all together; those late are missing."""
    load(secrets)
    deadline = monotonic() + timeout
    found: Any = at_once({secret: partial(secret.get, deadline) for secret in secrets}, deadline)
    return dict(found)


def names_in(vault: str, deadline: float) -> list[str]:
    """The names of a vault's first secrets, sorted; their values are not asked for. Raises Refused.

    deadline: as of time.monotonic(). Listing takes a right of its own: who may read a secret may not always list.
    """
    asked = VaultSecret(vault, "")
    try:
        listed = _client(asked.host).list_properties_of_secrets(timeout=max(0.1, deadline - monotonic()))
        in_time = takewhile(lambda _: monotonic() < deadline, islice(listed, _LISTED))
        return sorted(one.name for one in in_time if one.name)
    except Exception as error:
        refused = of_vault(error, asked)
        if refused is None:
            raise
        raise refused from None


def forget() -> None:
    """Drops all secrets."""
    _kept.clear()


def forget_clients() -> None:
    """Drops the clients of all vaults."""
    _client.forget()


@once
def _client(host: str) -> SecretClient:
    """One client for each vault: it asks once how the vault wants to be signed in to."""
    from azure.keyvault.secrets import SecretClient

    from odibi_magics.connections.retries import within_deadline
    from odibi_magics.connections.transport import transport

    return SecretClient(
        f"https://{host}",
        signed_in(Identity()),
        transport=transport(),
        retry_policy=within_deadline(),
    )
