"""The layers of a storage account: its two hosts, who may come in, and what may be done in its containers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from odibi_magics.connections.adls import NO_CONTAINER, AdlsConnection
from odibi_magics.connections.failures import code_of, failure, missing
from odibi_magics.doctor.caller import SignIn
from odibi_magics.doctor.commands import command_in
from odibi_magics.doctor.diagnosis import Layer, failed, ok, skipped, warning
from odibi_magics.doctor.grants import ACCOUNT, READ, WRITE, with_record
from odibi_magics.doctor.hosts import Name, ask, unreachable
from odibi_magics.doctor.steps import Step

if TYPE_CHECKING:
    from obstore.store import AzureStore

ACCOUNTS: Final = "az storage account list --query [].name -o tsv"

# Minutes; the service refuses requests signed with a time further away than 15.
_SKEW: Final = 10

# What refuses one operation, not the credential as a whole.
_ONE_OPERATION: Final = (
    "AuthorizationPermissionMismatch", "AuthorizationServiceMismatch", "AuthorizationResourceTypeMismatch",
)  # fmt: skip


@dataclass(frozen=True)
class Use:
    """What nodes do in a container. read, written: whether any reads or writes there."""

    container: str
    read: bool
    written: bool


@dataclass(frozen=True)
class Host:
    """One of the account's two hosts. kind: "blob" or "dfs". wanted_by: who needs it. needed: by this project."""

    account: str
    kind: str
    wanted_by: str
    needed: bool

    @property
    def host(self) -> str:
        return f"{self.account}.{self.kind}.core.windows.net"

    def steps(self) -> Iterator[Step]:
        name = Name(self.host, f"privatelink.{self.kind}.core.windows.net", ACCOUNTS)
        looks: dict[str, Callable[[], Layer]] = {
            "name": name.look, "TLS": name.look_at_tls, "answers": self._answers,
        }  # fmt: skip
        before: tuple[str, ...] = ()
        for what, look in looks.items():
            yield Step(f"{self.kind} {what}", partial(self._weighed, look), before)
            before = (f"{self.kind} {what}",)

    def _answers(self) -> Layer:
        try:
            answer = ask(self.host, "/?comp=list")
        except OSError as error:
            return unreachable(self.host, error)
        minutes = _minutes_off(answer.headers.get("date", ""))
        if abs(minutes) > _SKEW:
            way = "fast" if minutes > 0 else "slow"
            said = f"the clock of this machine is {abs(minutes):.0f} minutes {way}, and signatures are refused for that"
            return failed(said, "Set the clock", "sudo timedatectl set-ntp true")
        return ok(f"answers; {self.wanted_by}")

    def _weighed(self, look: Callable[[], Layer]) -> Layer:
        """A host that no engine of this project needs breaks nothing."""
        found = look()
        if found.state != "failed" or self.needed:
            return found
        return warning(f"{found.said} ({self.wanted_by})", found.remedy, found.command)


def _minutes_off(date: str) -> float:
    """How far this machine's clock is ahead of an answer's."""
    if not date:
        return 0.0
    return (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds() / 60


class Account:
    """What is looked at of an account once its host answers. sign_in: where somebody signs in to it."""

    def __init__(self, connection: AdlsConnection, uses: tuple[Use, ...]) -> None:
        self._connection, self._uses = connection, uses
        self.sign_in: SignIn | None = None

    def steps(self, after: tuple[str, ...]) -> Iterator[Step]:
        if not self._uses:
            yield Step("access", self._look_at_access, after)
            yield Step(
                "container", lambda: skipped("no node says which: each path names its own"), ("access",)
            )
        for use in self._uses:
            yield from Container(self, self._connection, use).steps(after, len(self._uses) > 1)

    def _look_at_access(self) -> Layer:
        """Without a container."""
        signed = self._connection.signed
        if signed and signed.opens_one_container:
            return skipped("this SAS opens one container only; say which: `container: raw`")
        return Container(self, self._connection, Use("", False, False)).look_at_access()


class Container:
    """What may be done in one container."""

    def __init__(self, account: Account, connection: AdlsConnection, use: Use) -> None:
        self._account, self._connection, self._use = account, connection, use
        self._listed: Any = None
        self._refused: Exception | None = None

    def steps(self, after: tuple[str, ...], several: bool) -> Iterator[Step]:
        of = f" {self._use.container}" if several else ""
        yield Step(f"access{of}", self.look_at_access, after)
        yield Step(f"container{of}", partial(self._container, f"list{of}"), (f"access{of}",))
        yield Step(f"list{of}", self._list, (f"container{of}",))
        yield Step(f"read{of}", self._read, (f"container{of}",))
        yield Step(f"write{of}", self._write, (f"container{of}",))

    @property
    def _place(self) -> str:
        return "/".join(filter(None, (self._connection.account, self._use.container)))

    @property
    def _store(self) -> AzureStore:
        return self._connection.store(self._use.container or NO_CONTAINER)

    def look_at_access(self) -> Layer:
        """One listing tells of three layers: are we let in, is the container there, may we list."""
        prefix = self._connection.path_prefix or None
        try:
            pages = self._store.list(prefix=prefix, chunk_size=50)
            self._listed = next(iter(pages), [])
        except Exception as error:
            if missing(error) == "container" or code_of(error) in _ONE_OPERATION:
                self._refused = error
            else:
                return self._explained(error, "listing")
        return ok(f"account '{self._connection.account}' takes {_HOW[self._connection.source.kind]}")

    def _container(self, listing: str) -> Layer:
        """listing: the layer that tells why we were not shown it."""
        if self._refused is not None and missing(self._refused) == "container":
            return self._explained(self._refused, "listing")
        if self._refused is not None:
            return skipped(f"could not be looked at: see {listing}")
        return ok(f"{self._place} is there")

    def _list(self) -> Layer:
        if self._refused is not None:
            return self._explained(self._refused, "listing")
        return ok("may list" if self._listed else "may list; nothing is there yet")

    def _read(self) -> Layer:
        """The first byte of the first file that is there."""
        found = next((one for one in self._listed or () if one["size"]), None)
        if found is None:
            return skipped("after list" if self._refused else "there is no file to read")
        try:
            self._store.get_range(found["path"], start=0, length=1)
        except Exception as error:
            return self._explained(error, "reading")
        return ok(f"may read ({found['path']}, its first byte)")

    def _write(self) -> Layer:
        """Makes a file of a name that nobody else has, and takes it away again."""
        name = "/".join(filter(None, (self._connection.path_prefix, f"_odibi_doctor_{secrets.token_hex(8)}")))
        try:
            self._store.put(name, b"odibi_magics doctor: may be deleted\n", mode="create")
        except Exception as error:
            found = self._explained(error, "writing")
            return (
                found
                if self._use.written
                else warning(f"{found.said}; no node writes there", found.remedy, found.command)
            )
        try:
            self._store.delete(name)
        except Exception as error:
            return self._left_behind(name, error)
        return ok("may write and delete (tried with a file of its own)")

    def _left_behind(self, name: str, error: Exception) -> Layer:
        why = self._explained(error, "deleting")
        command = (
            f"az storage blob delete --account-name {self._connection.account} "
            f"--container-name {self._use.container} --name {name} --auth-mode login"
        )
        return warning(f"may write, not delete: {why.said}", f"{why.remedy}. Left behind: {name}", command)

    def _explained(self, error: Exception, doing: str) -> Layer:
        """Why an operation was refused, with the command for whoever we are."""
        connection = self._connection
        sign_in = self._account.sign_in
        if sign_in is not None and code_of(error) == "AuthorizationPermissionMismatch":
            return self._no_role(sign_in, doing)
        found = failure(error, connection.tried(self._use.container, "", doing))
        if found is None:
            return failed(
                f"{doing} {self._place}: {_first_line(error)}", "Try again; if it stays, please report it"
            )
        if found.credential_refused:
            connection.source.drop()
        return failed(found.said, found.remedy, command_in(found.remedy))

    def _no_role(self, sign_in: SignIn, doing: str) -> Layer:
        enough = READ if doing in ("listing", "reading") else WRITE
        who, account = sign_in.caller, self._connection.account
        said = (
            f"{who.name} has no role that allows {doing} in {self._place}; Owner and Contributor "
            "are about the account, not about what is in it"
        )
        command = (
            f'az role assignment create --role "{enough[0]}" {who.assignee} '
            f"--scope $(az storage account show --name {account} --query id -o tsv)"
        )
        remedy = f"Grant {enough[0]}. One granted just now takes up to 10 minutes: see with --wait"
        refused = failed(said, remedy, command, may_pass=True)
        return with_record(refused, sign_in, ACCOUNT, account, enough)


def _first_line(error: Exception) -> str:
    """Without the name that stands for no container."""
    line = str(error).strip().partition("\n")[0].replace(f"/{NO_CONTAINER}", "")
    return f"{type(error).__name__}: {line}"


_HOW: Final = {"key": "the key", "sas": "the SAS token", "token": "the token", "session": "Spark's session"}
