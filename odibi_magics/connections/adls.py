"""Storage accounts of Azure: where a path is, what each library needs to open it, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Literal

from odibi_magics.connections import options, sdk
from odibi_magics.connections.base import Need, Refused
from odibi_magics.connections.credentials import Credential, Held, SasToken, Source, SparkSession, source_of
from odibi_magics.connections.failures import Failure, failure, missing
from odibi_magics.connections.once import once
from odibi_magics.connections.prepare import TIMEOUT, prepare
from odibi_magics.connections.sas import Signed
from odibi_magics.errors import CannotOpen, ConnectionFailed, MissingExtra
from odibi_magics.secret import redact

if TYPE_CHECKING:
    from obstore.store import AzureStore

_CONTAINER: Final = re.compile(r"\$(?:root|web|logs)|(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_SUFFIX: Final = "core.windows.net"

# As Spark writes it, and as the portal does; what stands behind `?` in the latter is a token, not part of the path.
_URL: Final = re.compile(
    r"(?:abfss?://(?:(?P<container>[^@/?]+)@)?|https://(?!.*\?))(?P<host>[^@/?]+)(?:/(?P<path>.*))?",
    re.DOTALL,
)

# No account has it: the answer "no such container" tells that the account took our credential.
NO_CONTAINER: Final = "odibi-magics-check"


class AdlsConnection:
    """A storage account, one of its containers, or a folder of that, under a name.

    container: None where each path's first segment names it. path_prefix: "" for none. hierarchical: what is known of
    the account's namespace; None where nobody said.
    """

    def __init__(
        self,
        name: str,
        account: str,
        source: Source,
        *,
        container: str | None = None,
        path_prefix: str | None = None,
        hierarchical: bool | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.name, self.account, self.source = name, account, source
        self.container = container
        self.path_prefix = "/".join(_segments(path_prefix or ""))
        self.hierarchical = hierarchical
        self._given = {key: options.kept(key, value) for key, value in (given or {}).items()}

    @classmethod
    def of_model(cls, name: str, model: Any) -> AdlsConnection:
        """From a checked model of the language. Raises ConnectionFailed for a wrong connection string."""
        return cls(
            name,
            model.account,
            source_of(name, model),
            container=model.container,
            path_prefix=model.path_prefix,
            hierarchical=model.hierarchical_namespace,
            given=model.storage_options,
        )

    # Places -------------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """The account's host for files of Data Lake Storage; for blobs it is `blob` in place of `dfs`."""
        return f"{self.account}.dfs.{_SUFFIX}"

    @property
    def blob_host(self) -> str:
        """The host that DuckDB's, Delta's and Python's readers use; Spark's uses `host`."""
        return f"{self.account}.blob.{_SUFFIX}"

    def url(self, path: str) -> str:
        """abfss://container@account.dfs.core.windows.net/path; no character is encoded or decoded.

        path: relative to the connection, or a whole URL that lies in it. Raises ConnectionFailed where it leaves
        the connection, or names no container.
        """
        container, key = self._blob(path)
        root = f"{container}@" if container else ""
        return f"abfss://{root}{self.host}/{key}"

    def reaches(self, url: str) -> bool:
        """Whether a whole URL lies in the connection."""
        try:
            self.url(url)
        except ConnectionFailed:
            return False
        return "://" in url

    def path(self, url: str) -> str:
        """What `url` would make a whole URL of, which lies in the connection."""
        container, key = self.split(self.url(url))
        if self.container is None:
            return f"{container}/{key}" if key else container
        return key.removeprefix(self.path_prefix).lstrip("/")

    def split(self, url: str) -> tuple[str, str]:
        """The container and the path in it, of a URL that `url` gave; ("", "") of the account's own."""
        container, at, rest = url.removeprefix("abfss://").partition("@")
        return (container, rest.partition("/")[2]) if at else ("", "")

    def _blob(self, path: str) -> tuple[str, str]:
        if "\0" in path or "\\" in path:
            raise self._wrong(path, "holds a NUL character or a backslash", "Folders are separated by /")
        whole = "://" in path
        container, segments = self._of_url(path) if whole else (self.container, _segments(path))
        if ".." in segments:
            raise self._wrong(path, "leaves its place with '..'", "Write where it leads to")
        if container is None:
            return self._first(path, segments)
        self._check_container(path, container)
        prefix = _segments(self.path_prefix)
        if whole and segments[: len(prefix)] != prefix:
            raise self._wrong(path, f"leaves its folder {self.path_prefix}", "Use a path inside it")
        return container, "/".join(segments if whole else [*prefix, *segments])

    def _first(self, path: str, segments: list[str]) -> tuple[str, str]:
        """The container that a path's first segment names; none for the account itself."""
        if not segments:
            return "", ""
        self._check_container(path, segments[0])
        return segments[0], "/".join(segments[1:])

    def _check_container(self, path: str, container: str) -> None:
        if not _CONTAINER.fullmatch(container):
            what = f"names the container '{container}', and no container can be called so"
            raise self._wrong(
                path,
                what,
                "3 to 63 lower-case letters, digits and single hyphens; or give the connection `container: raw`",
            )

    def _of_url(self, path: str) -> tuple[str | None, list[str]]:
        match = _URL.fullmatch(path)
        if match is None or match["host"] not in (self.host, self.blob_host):
            remedy = "Use a path relative to the connection, or a URL of its account without a query"
            raise self._wrong(path, f"is no URL of account '{self.account}'", remedy)
        segments = _segments(match["path"] or "")
        container = match["container"] or (segments.pop(0) if segments else None)
        if self.container not in (None, container):
            raise self._wrong(path, f"leaves its container '{self.container}'", "Use a path inside it")
        return container, segments

    def _wrong(self, path: str, what: str, remedy: str) -> ConnectionFailed:
        return ConnectionFailed(redact(f"Connection '{self.name}': the path '{path}' {what}. {remedy}"))

    # Opening ------------------------------------------------------------------------------------------------------

    @property
    def only_spark(self) -> bool:
        """Whether the session has set the account up, and nobody else has its key."""
        return isinstance(self.source, SparkSession)

    @property
    def libraries(self) -> tuple[str, ...]:
        return () if self.only_spark else ("obstore", "fsspec", *self.source.libraries)

    def needs(self) -> tuple[Need, ...]:
        return () if self.only_spark else (self.source,)

    def storage_options(self, library: str) -> dict[str, Any]:
        """Options of "deltalake", "obstore" (an AzureStore's config), "fsspec" (adlfs) or "spark", secrets in plain
        text. What the connection's `storage_options` say wins; keys that begin with `fs.` are Spark's, others not.

        Raises ConnectionFailed.
        """
        try:
            made = options.FOR[library](self)
        except Refused as error:
            raise error.told(self.name) from None
        return made | options.given(library, self._given)

    def credential(self) -> Credential:
        """What opens the account; fetched where no run has prepared it. Raises ConnectionFailed."""
        if not self.source.at_hand():
            prepare([self])
        try:
            return self.source.get(monotonic() + TIMEOUT)
        except Refused as error:
            raise error.told(self.name) from None

    def is_hierarchical(self) -> bool | None:
        """Whether the account has a hierarchical namespace, by the text or by the account itself; None where neither
        says. Raises ConnectionFailed."""
        if self.hierarchical is not None:
            return self.hierarchical
        return sdk.hierarchical(self.blob_host, self.container or "", self.credential())

    @property
    def signed(self) -> Signed | None:
        """What its SAS token says of itself; None where something else opens it."""
        held = self.source.held if isinstance(self.source, Held) else None
        return held.says if isinstance(held, SasToken) else None

    def tried(self, container: str, key: str, doing: str) -> Failure:
        """What `failure` has to know of an attempt."""
        source, others = self.source, partial(sdk.containers, self.blob_host, self.source)
        return Failure(self.account, container, key, doing, source.kind, source.who, self.signed, others)

    def store(self, container: str) -> AzureStore:
        """obstore's view of a container: one for each credential, so that a mended key makes a new one.

        Raises ConnectionFailed.
        """
        given = tuple(sorted(self._given.items()))
        try:
            return _store(self.account, container, self.credential(), given)
        except ModuleNotFoundError as error:
            raise MissingExtra(error.name or "obstore", "azure", f"Connection '{self.name}'") from None

    def put(self, path: str, data: bytes) -> None:
        """Writes a small file in one request. Raises ConnectionFailed."""
        url = self.url(path)
        container, key = self.split(url)
        try:
            self.store(container).put(key, data)
        except ConnectionFailed:
            raise
        except Exception as error:
            raise self.explain(error, url, "writing") or error from None

    def check(self) -> None:
        """Whether the account takes the credential and the container is there: one listing of one item.

        Of a SAS token for one container that the connection does not name, only its form. Raises ConnectionFailed.
        """
        url = self.url("")
        self.credential()
        if self.container is None and self.signed and self.signed.opens_one_container:
            return
        store = self.store(self.container or NO_CONTAINER)
        try:
            next(iter(store.list(prefix=self.path_prefix or None, chunk_size=1)), None)
        except Exception as error:
            if self.container is None and missing(error) == "container":
                return
            raise self.explain(error, url, "listing") or error from None

    # Failures -----------------------------------------------------------------------------------------------------

    def explain(self, error: BaseException, url: str, doing: str) -> ConnectionFailed | None:
        """An error of a storage library in our words; None where it is not about access to the account.

        doing: "reading", "writing", "listing". A key that was refused is fetched anew by the next run.
        """
        container, key = self.split(url)
        found = failure(error, self.tried(container, key, doing))
        if found is None:
            return None
        if found.credential_refused:
            self.source.drop()
        text = redact(f"Connection '{self.name}': {found.said}. {found.remedy}")
        if not found.everywhere:
            return ConnectionFailed(text, transient=found.transient)
        about = "" if found.credential_refused else "account"
        return CannotOpen(text, transient=found.transient, about=about)

    def is_missing(self, error: BaseException) -> Literal["account", "container", "path"] | None:
        """What an error says is not there; None for other errors."""
        return missing(error)

    # For people ---------------------------------------------------------------------------------------------------

    def describe(self) -> str:
        place = "/".join(part for part in (self.account, self.container, self.path_prefix) if part)
        return f"storage account {place}"

    def _identity(self) -> tuple[Any, ...]:
        given = tuple(sorted(self._given.items()))
        return (
            self.name,
            self.account,
            self.container,
            self.path_prefix,
            self.source,
            self.hierarchical,
            given,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AdlsConnection) and other._identity() == self._identity()

    def __hash__(self) -> int:
        return hash(self._identity())

    def __repr__(self) -> str:
        return f"AdlsConnection({self.name!r}, {self.url('')!r})"


def _segments(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def forget() -> None:
    """Drops all stores, and with them their open connections, and what accounts said of themselves."""
    _store.forget()
    sdk.forget()


@once
def _store(
    account: str, container: str, credential: Credential, given: tuple[tuple[str, Any], ...]
) -> AzureStore:
    """Each has its own pool of connections: a new one costs a TLS handshake."""
    from obstore.store import AzureStore

    parts = options.obstore_parts(dict(given))
    own = options.has_credential(parts["config"])
    parts["config"] = options.place(account) | parts["config"]
    return AzureStore(container, credential_provider=None if own else credential.provide, **parts)
