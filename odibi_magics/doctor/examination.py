"""Which layers a connection has, by its kind and by how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from time import monotonic, sleep
from typing import Final

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import Connection
from odibi_magics.connections.credentials import Credential, Held, KeyFrom, SasToken, SignedIn, SparkSession
from odibi_magics.connections.keyvault import VaultSecret
from odibi_magics.connections.local import LocalConnection
from odibi_magics.connections.tokens import STORAGE
from odibi_magics.doctor.caller import SignIn
from odibi_magics.doctor.diagnosis import Diagnosis, Layer, ok, skipped
from odibi_magics.doctor.folder import Folder
from odibi_magics.doctor.sas import look_at_sas
from odibi_magics.doctor.steps import Step, awaiting, examine
from odibi_magics.doctor.storage import Account, Host, Use
from odibi_magics.doctor.vault import Vault

_SECONDS: Final = 15
# Seconds between two questions whether a role has come into effect.
_AGAIN: Final = 5


@dataclass(frozen=True)
class Patient:
    """A connection, and what the project does with it.

    uses: the containers in which its nodes read or write. read_first: whether a node reads there what no node writes.
    engine: that of the project, "auto" where it is not said.
    """

    connection: Connection
    uses: tuple[Use, ...] = ()
    read_first: bool = False
    engine: str = "auto"

    def diagnose(self, wait: float = 0.0) -> Iterator[Diagnosis]:
        """As it grows; the last one is whole. wait: seconds in which a role that is missing is asked for again."""
        until = monotonic() + wait
        for found in self._examine():
            yield found
        while found.failure and found.failure.may_pass and monotonic() < until:
            yield awaiting(found)
            sleep(_AGAIN)
            *_, found = self._examine()
        yield found

    def _examine(self) -> Iterator[Diagnosis]:
        about = Diagnosis(self.connection.name, self.connection.describe())
        return examine(about, list(self._steps()))

    def _steps(self) -> Iterator[Step]:
        if isinstance(self.connection, LocalConnection):
            return Folder(self.connection, read_first=self.read_first).steps()
        assert isinstance(self.connection, AdlsConnection)
        return self._of_account(self.connection)

    def _of_account(self, connection: AdlsConnection) -> Iterator[Step]:
        account = Account(connection, self.uses)
        credential = tuple(_credential(connection, account))
        yield from credential
        blob, dfs = _hosts(connection, self.engine)
        yield from blob.steps()
        yield from dfs.steps()
        if isinstance(connection.source, SparkSession):
            yield Step("container", lambda: skipped("only Spark's session can open it"))
        else:
            yield from account.steps((*(step.name for step in credential[-1:]), "blob answers"))


def _hosts(connection: AdlsConnection, engine: str) -> tuple[Host, Host]:
    """Spark's driver goes to `dfs`, but of a flat account to `blob`, where all other libraries go."""
    flat = connection.hierarchical is False
    blob = "the pandas engine and, for a flat account, Spark use it" if flat else "the pandas engine uses it"
    dfs = "nothing uses it: a flat account" if flat else "Spark uses it"
    return (
        Host(connection.account, "blob", blob, flat or engine != "spark"),
        Host(connection.account, "dfs", dfs, not flat and engine == "spark"),
    )


def _credential(connection: AdlsConnection, account: Account) -> Iterator[Step]:
    """What must be had before the account can be opened."""
    source = connection.source
    if isinstance(source, KeyFrom) and isinstance(source.keeper, VaultSecret):
        yield from Vault(source, source.keeper).steps()
    elif isinstance(source, KeyFrom):
        yield Step("secret", partial(_look_at_secret, source))
    elif isinstance(source, Held):
        yield _held(source.held, connection.account, account)


def _held(held: Credential, name: str, account: Account) -> Step:
    if isinstance(held, SignedIn):
        return Step("sign-in", _signed_in(held, account))
    if isinstance(held, SasToken):
        return Step("SAS token", partial(look_at_sas, held, name))
    return Step("key", partial(_look_at_key, held))


def _look_at_secret(source: KeyFrom) -> Layer:
    source.drop()
    source.get(monotonic() + _SECONDS)
    return ok(f"{source.keeper} is there")


def _look_at_key(held: Credential) -> Layer:
    held.ready(monotonic() + _SECONDS)
    return ok("the account key has the form of one")


def _signed_in(held: SignedIn, account: Account) -> Callable[[], Layer]:
    account.sign_in = SignIn(held.identity, STORAGE)
    return account.sign_in.look
