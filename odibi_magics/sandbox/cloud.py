"""The practice cloud as tests and notebooks hold it.

with Cloud.start() as cloud:
    subprocess.run([...], env={**os.environ, **cloud.environment})
    cloud.vault("company-kv").hang()
    cloud.clear()
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener
from urllib.request import Request as HttpRequest

from odibi_magics.errors import UsageError, suggest
from odibi_magics.sandbox.launch import Launched, launch
from odibi_magics.sandbox.world import LOGIN, Identity, Request, Role, host_of_vault, hosts_of_account

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient

VARIABLE = "ODIBI_SANDBOX"  # the control server's address; it holds a secret of this start
Denial = Literal["rbac", "policy", "by_policy", "firewall", "private"]
Who = Literal["user", "principal", "managed"]

# Storage's refusals: status, message, and which way of signing in meets them.
_REFUSALS: dict[str, tuple[int, str, tuple[str, ...]]] = {
    "KeyBasedAuthenticationNotPermitted": (
        403, "Key based authentication is not permitted on this storage account.", ("key", "sas"),
    ),
    "AuthorizationPermissionMismatch": (
        403, "This request is not authorized to perform this operation using this permission.", ("oauth", "sas"),
    ),
    "AuthorizationFailure": (
        403, "This request is not authorized to perform this operation.", ("key", "sas", "oauth", "none"),
    ),
    "AccountIsDisabled": (403, "The specified account is disabled.", ("key", "sas", "oauth", "none")),
    "ServerBusy": (503, "The server is busy.", ("key", "sas", "oauth", "none")),
    "InternalError": (
        500, "Server encountered an internal error. Please try again after some time.", ("key", "sas", "oauth", "none"),
    ),
    "OperationTimedOut": (
        500, "Operation could not be completed within the specified time.", ("key", "sas", "oauth", "none"),
    ),
}  # fmt: skip


class Cloud:
    """A running practice cloud.

    environment: what a process must have in its environment to live in it.
    """

    def __init__(self, environment: Mapping[str, str], launched: Launched | None = None) -> None:
        self.environment = dict(environment)
        self._launched = launched

    @classmethod
    def start(cls, *, outside: bool = False) -> Self:
        """Starts one, which ends with `stop`, with the `with` block, and with this process in any case.

        outside: hosts that are not Azure's are let through; without it nothing leaves the machine. Raises
        MissingExtra, and ConnectionFailed where it does not start.
        """
        launched = launch(outside=outside)
        return cls(launched.environment, launched)

    @classmethod
    def attach(cls) -> Self:
        """The one that this process lives in. Raises UsageError where there is none."""
        if VARIABLE not in os.environ:
            raise UsageError("this process is not in a practice cloud: odibi-magics sandbox -- COMMAND")
        return cls(os.environ)

    def stop(self) -> None:
        if self._launched:
            self._launched.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Cloud({', '.join([*self._describe()['keys'], *self._describe()['vaults']])})"

    # What is in it ---------------------------------------------------------------------------------------

    def vault(self, name: str) -> Vault:
        """Raises UsageError where there is none of that name."""
        _known("vault", name, self._describe()["vaults"])
        return Vault(self, (host_of_vault(name),), name)

    def storage(self, account: str) -> Storage:
        """Raises UsageError where there is none of that name."""
        _known("storage account", account, list(self._describe()["keys"]))
        return Storage(self, hosts_of_account(account), account)

    @property
    def tokens(self) -> Tokens:
        """login.microsoftonline.com, the managed identity's endpoint and the practice `az`."""
        return Tokens(self, (LOGIN,))

    @property
    def tenant(self) -> str:
        return str(self._describe()["tenant"])

    def identity(self, who: Who) -> Identity:
        """user: signed in with `az login`; principal: an application with a secret; managed: the machine's own."""
        return Identity(**self._describe()["identities"][who])

    def add_vault(self, name: str, *, foreign: bool = False) -> Vault:
        """An empty vault, until `clear`. foreign: in another tenant, where our identities are unknown."""
        self.call("add_vault", name=name, foreign=foreign)
        return self.vault(name)

    def add_account(self, name: str) -> Storage:
        """An account, until `clear`; data in it stays for its next use."""
        self.call("add_account", name=name)
        return self.storage(name)

    # Faults and counts -----------------------------------------------------------------------------------

    def clear(self) -> None:
        """All as it was at the start, counts too, but for the data in the accounts."""
        self.call("clear")

    def delay(self, ms: float) -> None:
        """So long for each answer of a vault or of the token endpoint."""
        for name in self._describe()["vaults"]:
            self.vault(name).delay(ms)
        self.tokens.delay(ms)

    def down(self) -> None:
        """No host answers: every connection is reset."""
        described = self._describe()
        for place in (
            *map(self.vault, described["vaults"]),
            *map(self.storage, described["keys"]),
            self.tokens,
        ):
            place.reset()

    def requests(self, host: str = "", *, method: str = "", path: str = "") -> list[Request]:
        """What was asked since the last `clear`, oldest first.

        host: its end, as `.vault.azure.net`. path: a part of it. Tokens of the managed identity have the host
        "identity", those of the practice `az` "az".
        """
        asked = [Request(**found) for found in self.call("requests")]
        return [
            one
            for one in asked
            if one.host.endswith(host) and method in ("", one.method) and path in one.path
        ]

    def call(self, operation: str, **arguments: Any) -> Any:
        """An operation of the control server, as world.World has it. Raises UsageError where it refuses."""
        request = HttpRequest(
            f"{self.environment[VARIABLE]}/{operation}",
            json.dumps(arguments).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with build_opener(ProxyHandler({})).open(request) as answer:
                return json.load(answer)["result"]
        except HTTPError as error:
            raise UsageError(f"the practice cloud refused {operation}: {json.load(error)['error']}") from None

    def _describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self.call("describe")
        return found


@dataclass(frozen=True)
class Place:
    """Hosts that answer together. Faults stay until `clear`."""

    cloud: Cloud = field(repr=False)
    hosts: tuple[str, ...]

    def delay(self, ms: float) -> None:
        """So long before each answer."""
        self._fault("delay", ms=ms)

    def hang(self) -> None:
        """Takes requests and never answers."""
        self._fault("hang")

    def stall_tls(self) -> None:
        """Takes connections and never completes TLS."""
        self._fault("stall_tls")

    def reset(self) -> None:
        """Ends connections before TLS, as where the network is down."""
        self._fault("reset")

    def vanish(self) -> None:
        """Is not there: the proxy answers as for a name that resolves to nothing."""
        self._fault("vanish")

    def clear(self) -> None:
        """Its faults, not its counts."""
        self.cloud.call("clear_host", hosts=self.hosts)

    def _fault(self, kind: str, **details: Any) -> None:
        self.cloud.call("set_fault", hosts=self.hosts, kind=kind, **details)


@dataclass(frozen=True)
class Vault(Place):
    name: str

    def drip(self) -> None:
        """Answers at once, a byte a second."""
        self._fault("drip")

    def throttle(self, times: int | None = None, *, retry_after: int = 1) -> None:
        """429 so many times, None for always. retry_after: seconds, as its Retry-After says."""
        self._fault("throttle", times=times, retry_after=retry_after)

    def forbid(self, model: Denial = "rbac") -> None:
        """403 in the words of a missing role, a missing access policy, the firewall, or private endpoints."""
        self._fault("forbid", model=model)

    def grant(self, who: Who, role: str, *, minutes_ago: float = 0.0) -> None:
        """Puts a role on record, as "Key Vault Secrets User"; what the vault answers is another matter."""
        self.cloud.call(
            "grant", kind="vault", name=self.name, identity=who, role=role, minutes_ago=minutes_ago
        )

    def set(self, name: str, value: str, *, enabled: bool = True, expires: datetime | None = None) -> str:
        """A new version of a secret; its id. A disabled one is refused, an expired one is given all the same."""
        when = int(expires.timestamp()) if expires else None
        made: str = self.cloud.call(
            "set_secret", vault=self.name, name=name, value=value, enabled=enabled, expires=when
        )
        return made


@dataclass(frozen=True)
class Tokens(Place):
    def drip(self) -> None:
        """Answers at once, a byte a second."""
        self._fault("drip")

    def throttle(self, times: int | None = None, *, retry_after: int = 1) -> None:
        """429 so many times, None for always. retry_after: seconds, as its Retry-After says."""
        self._fault("throttle", times=times, retry_after=retry_after)

    def sign_out(self) -> None:
        """The practice `az` has nobody signed in."""
        self.cloud.call("sign_in", signed_in=False)


@dataclass(frozen=True)
class Storage(Place):
    account: str

    @property
    def key(self) -> str:
        return str(self.cloud._describe()["keys"][self.account])

    @property
    def blob(self) -> Place:
        """The blob host alone."""
        return Place(self.cloud, self.hosts[:1])

    @property
    def dfs(self) -> Place:
        """The dfs host alone."""
        return Place(self.cloud, self.hosts[1:])

    def rotate_key(self) -> str:
        """A new key; the old one is refused from now on."""
        return str(self.cloud.call("set_key", account=self.account))

    def drop_after(
        self, size: int, *, of: Literal["response", "request"] = "response", times: int | None = None
    ) -> None:
        """Resets a connection once so many bytes went that way, TLS included; so many times, None for always."""
        self._fault("drop", after=size, of=of, times=times)

    def refuse(
        self, code: str, *, times: int | None = None, retry_after: int | None = None,
        auth: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        """Answers with an error of Azure's, as `ServerBusy`; so many times, None for always.

        auth: whom it answers so, of key, sas, oauth and none; by default those whom the real one does.
        """
        _known("refusal", code, list(_REFUSALS))
        status, message, usual = _REFUSALS[code]
        self._fault(
            "answer", status=status, code=code, message=message, times=times, retry_after=retry_after,
            auth=list(auth or usual),
        )  # fmt: skip

    def allow(self, who: Who, role: Role) -> None:
        """What an identity's storage role permits: write (at the start), read, or none."""
        self.cloud.call("set_role", account=self.account, identity=who, role=role)

    def grant(self, who: Who, role: str, *, minutes_ago: float = 0.0) -> None:
        """Puts a role on record, as "Contributor"; what it permits in the account, `allow` says."""
        self.cloud.call(
            "grant", kind="account", name=self.account, identity=who, role=role, minutes_ago=minutes_ago
        )

    def sas(
        self, permissions: str = "rwdlacup", *, container: str | None = None,
        lifetime: timedelta = timedelta(hours=1),
    ) -> str:  # fmt: skip
        """A SAS token: of the account, or of one container.

        permissions: their letters. lifetime: a negative one gives an expired token.
        """
        from azure.storage.blob import generate_account_sas, generate_container_sas

        end = datetime.now(UTC) + lifetime
        if container:
            return str(
                generate_container_sas(
                    self.account, container, account_key=self.key, permission=permissions, expiry=end
                )
            )
        return str(
            generate_account_sas(
                self.account, self.key, resource_types="sco", permission=permissions, expiry=end
            )
        )

    def client(self, credential: Any = None) -> BlobServiceClient:
        """Azure's own client, with the account key unless another credential is given."""
        from odibi_magics.sandbox.storage import blob_client

        return blob_client(self.account, credential or self.key, self.cloud.environment)


def _known(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UsageError(f"the practice cloud has no {what} '{name}' ({suggest(name, names)})")
