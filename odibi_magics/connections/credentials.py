"""How a storage account is opened: the ways of `auth_mode`, and what each library calls them."""

from __future__ import annotations

import os
from base64 import b64decode
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Protocol

from odibi_magics.connections.base import Need, Refused
from odibi_magics.connections.databricks import DatabricksSecret
from odibi_magics.connections.keyvault import VaultSecret
from odibi_magics.connections.sas import Signed, signed
from odibi_magics.connections.tokens import Identity, has_token, object_id, storage_token
from odibi_magics.connections.tokens import forget as forget_tokens
from odibi_magics.secret import Secret

if TYPE_CHECKING:
    from obstore.store import AzureCredential

Kind = Literal["key", "sas", "token", "session"]


class Credential(Hashable, Protocol):
    """What opens an account. Each method gives plain text, for one call; nobody keeps it."""

    @property
    def kind(self) -> Kind: ...

    def ready(self, deadline: float) -> None:
        """Whether it is what it should be, a token fetched. Raises Refused."""

    def provide(self) -> AzureCredential:
        """For obstore, which asks again when it has expired."""

    def deltalake(self) -> dict[str, str]: ...

    def fsspec(self) -> dict[str, Any]: ...

    def spark(self, host: str) -> dict[str, str]:
        """Of Hadoop's ABFS driver, for one account. host: account1.dfs.core.windows.net."""


@dataclass(frozen=True)
class AccountKey:
    """One of the account's two keys: it may do everything."""

    key: Secret
    kind: ClassVar[Kind] = "key"

    @property
    def wrong(self) -> str:
        """Why it cannot be a key, as the end of a sentence that shows nothing of it; "" where it may be one."""
        text = self.key.reveal()
        if _is_base64(text):
            return ""
        said = f"is not an account key: {len(text)} characters, where a key has 88 and ends in =="
        quoted = "; it begins with a quotation mark" if text.startswith(("'", '"')) else ""
        spaced = "; it has white space in it" if any(map(str.isspace, text)) else ""
        return said + quoted + spaced

    def ready(self, deadline: float) -> None:
        if self.wrong:
            raise Refused(f"its key {self.wrong}", _KEYS)

    def provide(self) -> AzureCredential:
        return {"access_key": self.key.reveal(), "expires_at": None}

    def deltalake(self) -> dict[str, str]:
        return {"azure_storage_account_key": self.key.reveal()}

    def fsspec(self) -> dict[str, Any]:
        return {"account_key": self.key.reveal()}

    def spark(self, host: str) -> dict[str, str]:
        return {
            f"fs.azure.account.auth.type.{host}": "SharedKey",
            f"fs.azure.account.key.{host}": self.key.reveal(),
        }


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False


_KEYS: Final = "The account's keys: az storage account keys list --account-name ACCOUNT"


@dataclass(frozen=True)
class SasToken:
    """A shared access signature: a query string that allows some things until some time."""

    token: Secret
    kind: ClassVar[Kind] = "sas"

    def _text(self) -> str:
        return self.token.reveal().strip().removeprefix("?")

    @property
    def says(self) -> Signed:
        return signed(self._text())

    def ready(self, deadline: float) -> None:
        if "sig=" not in self._text():
            remedy = (
                "A token is a query string: az storage container generate-sas --account-name ACCOUNT "
                "--name CONTAINER --permissions rl --expiry DATE"
            )
            raise Refused("its SAS token is not one: it has no signature (sig=)", remedy)

    def provide(self) -> AzureCredential:
        return {"sas_token": self._text(), "expires_at": None}

    def deltalake(self) -> dict[str, str]:
        before = [name for name in _BEFORE_SAS if os.environ.get(name)]
        if before:
            said = f"the environment has {before[0]}, which deltalake takes in place of the SAS token"
            raise Refused(said, f"Unset it: import os; del os.environ['{before[0]}']")
        return {"azure_storage_sas_key": self._text()}

    def fsspec(self) -> dict[str, Any]:
        return {"sas_token": self._text()}

    def spark(self, host: str) -> dict[str, str]:
        made = {f"fs.azure.account.auth.type.{host}": "SAS", f"fs.azure.sas.fixed.token.{host}": self._text()}
        # Databricks' own driver takes it from a class that it must be told.
        if os.environ.get("DATABRICKS_RUNTIME_VERSION"):
            made[f"fs.azure.sas.token.provider.type.{host}"] = _DATABRICKS_SAS
        return made


_DATABRICKS_SAS: Final = "org.apache.hadoop.fs.azurebfs.sas.FixedSASTokenProvider"

# Of all variables that object_store reads, those that no option of ours can outdo.
_BEFORE_SAS: Final = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY", "AZURE_STORAGE_MASTER_KEY")


@dataclass(frozen=True)
class SignedIn:
    """Tokens of an identity."""

    identity: Identity
    kind: ClassVar[Kind] = "token"

    def ready(self, deadline: float) -> None:
        storage_token(self.identity)

    def provide(self) -> AzureCredential:
        token = storage_token(self.identity)
        return {"token": token.token, "expires_at": datetime.fromtimestamp(token.expires_on, UTC)}

    def deltalake(self) -> dict[str, str]:
        """A principal's own id and secret, with which the library renews its token; of others a token as it is,
        which lasts an hour or more."""
        identity = self.identity
        if identity.kind != "principal":
            return {"azure_storage_token": storage_token(self.identity).token}
        return {
            "azure_storage_tenant_id": identity.tenant_id or "",
            "azure_storage_client_id": identity.client_id or "",
            "azure_storage_client_secret": _revealed(identity.client_secret),
        }

    def fsspec(self) -> dict[str, Any]:
        """A principal's own id and secret; of others the same credential again, which adlfs wants asynchronous."""
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

        identity = self.identity
        if identity.kind == "principal":
            return {
                "tenant_id": identity.tenant_id,
                "client_id": identity.client_id,
                "client_secret": _revealed(identity.client_secret),
            }
        if identity.kind == "managed":
            return {"credential": ManagedIdentityCredential(client_id=identity.client_id)}
        return {"credential": DefaultAzureCredential()}

    def spark(self, host: str) -> dict[str, str]:
        from odibi_magics.connections.spark_tokens import provider

        return {
            f"fs.azure.account.auth.type.{host}": "OAuth",
            **{f"fs.azure.account.{key}.{host}": value for key, value in provider(self.identity).items()},
        }


def _revealed(secret: Secret | None) -> str:
    return secret.reveal() if secret else ""


# Where a credential comes from ----------------------------------------------------------------------------------------


class Source(Need, Protocol):
    """Where a connection's credential comes from."""

    @property
    def kind(self) -> Kind: ...

    def get(self, deadline: float) -> Credential:
        """The credential, what it takes fetched. Raises Refused."""

    def at_hand(self) -> bool:
        """Whether `get` has nothing to wait for."""

    def drop(self) -> None:
        """Has the next call fetch anew what was kept: the account refused it."""

    def who(self) -> str:
        """The object id of who is signed in, or the command that tells it."""


@dataclass(frozen=True)
class Held:
    """A credential that stands in the text, or in a variable that it names."""

    held: Credential

    @property
    def kind(self) -> Kind:
        return self.held.kind

    @property
    def libraries(self) -> tuple[str, ...]:
        return ("azure.identity",) if isinstance(self.held, SignedIn) else ()

    def get(self, deadline: float) -> Credential:
        self.held.ready(deadline)
        return self.held

    def at_hand(self) -> bool:
        return not isinstance(self.held, SignedIn) or has_token(self.held.identity)

    def drop(self) -> None:
        if isinstance(self.held, SignedIn):
            forget_tokens()

    def who(self) -> str:
        found = object_id(self.held.identity) if isinstance(self.held, SignedIn) else None
        return found or _WHO

    def __str__(self) -> str:
        return str(self.held.identity) if isinstance(self.held, SignedIn) else "its credential"


@dataclass(frozen=True)
class KeyFrom:
    """An account key that something keeps for us."""

    keeper: VaultSecret | DatabricksSecret
    kind: ClassVar[Kind] = "key"

    @property
    def libraries(self) -> tuple[str, ...]:
        return self.keeper.libraries

    def get(self, deadline: float) -> Credential:
        key = AccountKey(self.keeper.get(deadline))
        if key.wrong:
            self.drop()
            raise Refused(f"{self.keeper} {key.wrong}", _KEYS)
        return key

    def at_hand(self) -> bool:
        return self.keeper.kept

    def drop(self) -> None:
        self.keeper.drop()

    def who(self) -> str:
        return _WHO

    def __str__(self) -> str:
        return str(self.keeper)


@dataclass(frozen=True)
class SparkSession:
    """What the workspace has set up in its Spark session; only Spark can use it."""

    kind: ClassVar[Kind] = "session"
    libraries: ClassVar[tuple[str, ...]] = ()

    def get(self, deadline: float) -> Credential:
        raise Refused(
            "auth_mode: session is what Spark's session was set up with, and the pandas engine has no part in it",
            "Run it with engine: spark, or use auth_mode: identity or key_vault",
        )

    def at_hand(self) -> bool:
        return True

    def drop(self) -> None:
        """Nothing is kept."""

    def who(self) -> str:
        return _WHO

    def __str__(self) -> str:
        return "Spark's session"


_WHO: Final = "$(az ad signed-in-user show --query id -o tsv)"


def source_of(name: str, model: Any) -> Source:
    """Where the credential of a connection's model comes from.

    Raises ConnectionFailed for a wrong connection string.
    """
    try:
        return _SOURCES[model.auth_mode](model)
    except Refused as error:
        raise error.told(name) from None


def _connection_string(model: Any) -> Source:
    return Held(from_connection_string(model.connection_string, model.account))


_SOURCES: Final[Mapping[str, Callable[[Any], Source]]] = {
    "key_vault": lambda model: KeyFrom(VaultSecret(model.key_vault_name, model.secret_name)),
    "databricks_secret": lambda model: KeyFrom(DatabricksSecret(model.secret_scope, model.secret_key)),
    "direct_key": lambda model: Held(AccountKey(model.account_key)),
    "sas_token": lambda model: Held(SasToken(model.sas_token)),
    "connection_string": _connection_string,
    "service_principal": lambda model: Held(
        SignedIn(Identity("principal", model.tenant_id, model.client_id, model.client_secret))
    ),
    "managed_identity": lambda model: Held(SignedIn(Identity("managed", client_id=model.client_id))),
    "identity": lambda model: Held(SignedIn(Identity("any", model.tenant_id, model.client_id))),
    "session": lambda model: SparkSession(),
}


def from_connection_string(text: Secret, account: str) -> Credential:
    """The key or SAS in a storage account's connection string, as the portal gives it.

    Raises Refused where it is none, or is of another account or cloud.
    """
    pairs = [part.partition("=") for part in text.reveal().strip().strip(";").split(";")]
    fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
    named = fields.get("accountname") or _account_of(fields.get("blobendpoint", ""))
    if named and named != account:
        raise Refused(
            f"its connection_string is of account '{named}', not of '{account}'",
            "Take the one of the account's own page, or mend account:",
        )
    suffix = fields.get("endpointsuffix", "core.windows.net")
    if suffix != "core.windows.net":
        raise Refused(
            f"its connection_string is of another cloud ({suffix})", "Only Azure's public cloud is supported"
        )
    if fields.get("accountkey"):
        return AccountKey(Secret(fields["accountkey"]))
    if fields.get("sharedaccesssignature"):
        return SasToken(Secret(fields["sharedaccesssignature"]))
    raise Refused(
        "its connection_string has no AccountKey and no SharedAccessSignature",
        f"The whole text: az storage account show-connection-string --name {account}",
    )


def _account_of(endpoint: str) -> str:
    """`account1` of https://account1.blob.core.windows.net/; "" of anything else."""
    host = endpoint.removeprefix("https://").partition("/")[0]
    account, _, rest = host.partition(".")
    return account if rest == "blob.core.windows.net" else ""
