"""What the practice cloud consists of: tenants, identities, accounts, vaults, and the faults that tests asked for.

Plain values, which the servers read at each request. The methods under "What tests may do" are the control server's:
they take and give what JSON can say.
"""

from __future__ import annotations

import base64
import copy
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

HOME_DOMAIN = "practice.onmicrosoft.com"
LOGIN, MANAGEMENT = "login.microsoftonline.com", "management.azure.com"
_VAULTS, _BLOBS, _FILES = ".vault.azure.net", ".blob.core.windows.net", ".dfs.core.windows.net"
AZURE = ("windows.net", "azure.net", "azure.com", "microsoftonline.com", "microsoft.com", "windows-int.net")

Role = Literal["write", "read", "none"]


@dataclass(frozen=True)
class Identity:
    """Someone who may ask for tokens. client_secret: "" for one that has none; upn: "" for one that is no person."""

    name: str
    object_id: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    upn: str = ""


@dataclass
class Version:
    """One version of a secret. expires, not_before: seconds since 1970."""

    id: str
    value: str = field(repr=False)
    enabled: bool = True
    expires: int | None = None
    not_before: int | None = None
    created: int = 0


@dataclass
class Vault:
    """tenant: whose tokens it takes. secrets: each one's versions, the newest last."""

    name: str
    tenant: str
    secrets: dict[str, list[Version]] = field(default_factory=dict)


@dataclass(frozen=True)
class Grant:
    """A role on an account or a vault, as it is on record; what may be done, the account and the vault say.

    kind: "account" or "vault", by its name. since: seconds since 1970.
    """

    kind: str
    name: str
    object_id: str
    role: str
    since: float


@dataclass(frozen=True)
class Request:
    """status: 0 for one that was never answered. path: with the query, but for its signature."""

    host: str
    method: str
    path: str
    status: int


@dataclass
class World:
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))
    subscription: str = field(default_factory=lambda: str(uuid.uuid4()))
    identities: dict[str, Identity] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # of each account
    roles: dict[str, dict[str, Role]] = field(default_factory=dict)  # of each account, by object id
    vaults: dict[str, Vault] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)
    faults: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)  # of each host, by kind
    foreign: set[str] = field(default_factory=set)  # tenants beside our own
    signed_in: bool = True  # with `az login`
    asked: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("user", "principal", "managed"):
            self.identities[name] = _new_identity(name)
        self._start = self._changing()

    # What hosts there are --------------------------------------------------------------------------------

    def knows(self, host: str) -> bool:
        return (
            host in (LOGIN, MANAGEMENT)
            or self.vault_of(host) is not None
            or self.account_of(host) is not None
        )

    def vault_of(self, host: str) -> Vault | None:
        return self.vaults.get(host.removesuffix(_VAULTS)) if host.endswith(_VAULTS) else None

    def account_of(self, host: str) -> str | None:
        name = host.partition(".")[0]
        return name if name in self.keys and host in hosts_of_account(name) else None

    def fault(self, host: str, kind: str) -> dict[str, Any] | None:
        return self.faults.get(host, {}).get(kind)

    def met(self, host: str, kind: str) -> dict[str, Any] | None:
        """The fault, where it still has times left; one of them is used up."""
        found = self.fault(host, kind)
        if found is None or found.get("times") == 0:
            return None
        if found.get("times") is not None:
            found["times"] -= 1
        return found

    def record(self, host: str, method: str, path: str, status: int) -> None:
        self.asked.append(Request(host, method, path, status))

    # What tests may do -----------------------------------------------------------------------------------

    def operations(self) -> dict[str, Callable[..., Any]]:
        """By the name under which the control server offers them."""
        found = (
            self.describe, self.set_fault, self.clear_host, self.clear, self.requests, self.add_vault,
            self.add_account, self.set_secret, self.set_key, self.set_role, self.grant, self.sign_in,
        )  # fmt: skip
        return {operation.__name__: operation for operation in found}

    def describe(self) -> dict[str, Any]:
        return {
            "tenant": self.tenant,
            "subscription": self.subscription,
            "identities": {name: asdict(identity) for name, identity in self.identities.items()},
            "keys": self.keys,
            "vaults": list(self.vaults),
        }

    def set_fault(self, hosts: Sequence[str], kind: str, **details: Any) -> None:
        for host in hosts:
            self.faults.setdefault(host, {})[kind] = {**details, "id": secrets.token_hex(8)}

    def clear_host(self, hosts: Sequence[str]) -> None:
        for host in hosts:
            self.faults.pop(host, None)

    def clear(self) -> None:
        """Everything as it was at the start, but for the data in the accounts."""
        for name, value in copy.deepcopy(self._start).items():
            setattr(self, name, value)
        self.faults, self.grants, self.signed_in, self.asked = {}, [], True, []

    def settle(self) -> None:
        """What there is now is what `clear` goes back to."""
        self._start = self._changing()

    def requests(self) -> list[dict[str, Any]]:
        return [asdict(request) for request in self.asked]

    def add_vault(self, name: str, foreign: bool = False) -> None:
        """foreign: in a tenant that is not ours, which takes none of our identities."""
        tenant = str(uuid.uuid4()) if foreign else self.tenant
        self.foreign |= {tenant} if foreign else set()
        self.vaults[name] = Vault(name, tenant)

    def add_account(self, name: str) -> str:
        """The new account's key. Our identities may write there."""
        self.roles[name] = {identity.object_id: "write" for identity in self.identities.values()}
        return self.set_key(name)

    def set_secret(self, vault: str, name: str, value: str, **attributes: Any) -> str:
        """The new version's id. attributes: those of Version."""
        made = Version(uuid.uuid4().hex, value, created=int(time.time()), **attributes)
        self.vaults[vault].secrets.setdefault(name, []).append(made)
        return made.id

    def set_key(self, account: str, key: str | None = None) -> str:
        self.keys[account] = key or base64.b64encode(secrets.token_bytes(64)).decode()
        return self.keys[account]

    def set_role(self, account: str, identity: str, role: Role) -> None:
        self.roles[account][self.identities[identity].object_id] = role

    def grant(self, kind: str, name: str, identity: str, role: str, minutes_ago: float) -> None:
        since = time.time() - 60 * minutes_ago
        self.grants.append(Grant(kind, name, self.identities[identity].object_id, role, since))

    def sign_in(self, signed_in: bool) -> None:
        self.signed_in = signed_in

    def _changing(self) -> dict[str, Any]:
        changing = ("keys", "roles", "vaults", "foreign")
        return copy.deepcopy({name: getattr(self, name) for name in changing})


def hosts_of_account(name: str) -> tuple[str, str]:
    return name + _BLOBS, name + _FILES


def host_of_vault(name: str) -> str:
    return name + _VAULTS


def is_azure(host: str) -> bool:
    """Whether a host is one of Microsoft's, which nothing outside of this machine shall be asked for."""
    return any(host == domain or host.endswith("." + domain) for domain in AZURE)


def _new_identity(name: str) -> Identity:
    ids = str(uuid.uuid4()), str(uuid.uuid4())
    if name == "user":
        return Identity(name, *ids, upn=f"learner@{HOME_DOMAIN}")
    return Identity(name, *ids, client_secret=secrets.token_urlsafe(30) if name == "principal" else "")
