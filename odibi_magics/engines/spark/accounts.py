"""Storage accounts in a session: what opens each of them, and what their driver says in our words."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import Connection, Refused
from odibi_magics.errors import CannotOpen, ConnectionFailed

# Hadoop keeps file systems, which would go on with the key they were made with although that was mended meanwhile, and
# would let whoever uses the session later into the account. Making one for each use costs little, but where it signs
# in: a small write to a Delta table takes 150 of them, and so many tokens are more than sign-in services give.
_KEPT, _NOT_KEPT = (
    {"fs.abfss.impl.disable.cache": off, "fs.abfs.impl.disable.cache": off} for off in ("false", "true")
)

# A request to the account for each file system that ends, to tell Microsoft how it went.
_QUIET: Final[Mapping[str, str]] = {"fs.azure.metrics.collection.enabled": "false"}

# Spark's UI and event log show what a session is set to, keys too, unless their names match.
REDACTION: Final = "spark.sql.redaction.options.regex"
_OF_SPARK, _OURS = "(?i)url", r"fs\.azure"


class Accounts:
    """The accounts that one run reads and writes; thread-safe."""

    def __init__(self, session: Any) -> None:
        self._lock = threading.Lock()
        self._settings: dict[str, dict[str, str]] = {}
        self._connections: dict[str, AdlsConnection] = {}
        self._kept = _kept_by.setdefault(session, {})
        self._here = threading.local()

    def open(self, connection: Connection) -> None:
        """Takes up what opens a connection's account now, in place of what did before. Raises ConnectionFailed."""
        if not isinstance(connection, AdlsConnection):
            return
        settings = connection.storage_options("spark")
        self._here.last = connection
        with self._lock:
            self._connections[connection.account] = connection
            self._settings[connection.account] = settings

    def __bool__(self) -> bool:
        """Whether the session has to be set to anything for them."""
        with self._lock:
            return any(self._settings.values())

    def settings(self, redacted: str | None) -> dict[str, str]:
        """What the session is to be set to meanwhile. redacted: what REDACTION is now; None for nothing."""
        with self._lock:
            found = {key: value for one in self._settings.values() for key, value in one.items()}
            kept = _KEPT if _signs_in(found) and self._are_as_kept() else _NOT_KEPT
        if not found:
            return {}
        now = _OF_SPARK if redacted is None else redacted
        hidden = now if _OURS in now else f"{now}|{_OURS}"
        return {REDACTION: hidden, **kept, **_QUIET, **found}

    def _are_as_kept(self) -> bool:
        """Whether each account is opened as it was when its file systems were first kept."""
        now = {account: hash(frozenset(one.items())) for account, one in self._settings.items()}
        return all(self._kept.setdefault(account, opened) == opened for account, opened in now.items())

    def explained(self, text: str) -> ConnectionFailed | None:
        """What the driver said of an account, in our words; None where it is about something else.

        text: an error of Spark's with all that led to it. An answer without a reason has the account asked once more.
        """
        with self._lock:
            connections = dict(self._connections)
        said = _said(text)
        place = _place(text, connections) if said else None
        if place is None and said and (last := getattr(self._here, "last", None)) is not None:
            place = last, last.url("")
        if said is None or place is None:
            return None
        connection, url = place
        if _NO_DRIVER in said:
            return Refused(*_WITHOUT_DRIVER).told(connection.name)
        if _REFUSED.search(said):
            self._kept[connection.account] = None  # what is mended now is to be seen
        error = _reason(connection, url) if _UNREASONED.search(said) else None
        return connection.explain(error or _DriverSaid(said), url, _doing(text))


# Of each session: what an account was opened with when its file systems were kept; None where that does not count.
_kept_by: weakref.WeakKeyDictionary[Any, dict[str, int | None]] = weakref.WeakKeyDictionary()


def _signs_in(settings: Mapping[str, str]) -> bool:
    return any(
        key.startswith("fs.azure.account.auth.type.") and value == "OAuth" for key, value in settings.items()
    )


class _DriverSaid(ConnectionError):
    """What a driver said that came by Spark."""


# A line of a Java stack that names an error of the driver, or of what it stands on.
_LINE: Final = re.compile(
    r"Operation failed: |AbfsRestOperationException|AbfsDriverException|AzureBlobFileSystemException"
    r"|KeyProviderException|TokenAccessProviderException|AzureADAuthenticator|InvalidConfigurationValueException"
    r"|Status code: -1 error code: |fs\.azurebfs\.SecureAzureBlobFileSystem not found"
)
_NO_DRIVER: Final = "fs.azurebfs.SecureAzureBlobFileSystem not found"
_WITHOUT_DRIVER: Final = (
    "this Spark session has no driver for Azure storage (hadoop-azure)",
    "Start it with spark.jars.packages=org.apache.hadoop:hadoop-azure:VERSION, that of its Hadoop; a session that the "
    "spark engine starts by itself has it",
)
_HOST: Final = re.compile(r"https://([a-z0-9]{3,24})\.(?:blob|dfs)\.core\.windows\.net/([^?\s\"',]*)")
_URL: Final = re.compile(r"abfss://([^@/\s]+)@([a-z0-9]{3,24})\.dfs\.core\.windows\.net(/[^\s\"'`,;)]*)?")
_ANSWER: Final = re.compile(r'Operation failed: "([^"]*)", (\d{3}), (\w+)')

# What refuses a credential; and answers to HEAD, which have no body that could say why.
_REFUSED: Final = re.compile(
    r"AuthenticationFailed|authenticate the request|InvalidAuthenticationInfo|AADToken"
)
_UNREASONED: Final = re.compile(r'Operation failed: "(?!Server failed to authenticate)[^"]*", 40[0139], HEAD')


def _said(text: str) -> str | None:
    """The lines about storage, without the JVM's stack and what a URL asks: "timeout" is a word in both."""
    lines = (line for line in text.splitlines() if not re.match(r"\s*(?:at |\.\.\. \d)", line))
    about = [re.sub(r"(https://[^\s,?]*)\?[^\s,]*", r"\1", line) for line in lines if _LINE.search(line)]
    statuses = [
        f"status code {status} {words}" for line in about for words, status, _ in _ANSWER.findall(line)
    ]
    return "\n".join(dict.fromkeys((*about, *statuses))) or None


def _reason(connection: AdlsConnection, url: str) -> Exception | None:
    """What the account says to a listing of one item; None where it has nothing against it, or we cannot ask."""
    if connection.only_spark:
        return None
    container, _ = connection.split(url)
    try:
        next(iter(connection.store(container).list(chunk_size=1)), None)
    except Exception as error:  # obstore's, and ours
        return error
    return None


def _place(text: str, connections: Mapping[str, AdlsConnection]) -> tuple[AdlsConnection, str] | None:
    """The connection that an error is about, and the URL: by what was asked, else by the file that Spark was at."""
    for account, path in _HOST.findall(text):
        if account in connections:
            container, _, key = unquote(path).partition("/")
            return connections[account], f"abfss://{container}@{account}.dfs.core.windows.net/{key}"
    for container, account, path in _URL.findall(text):
        if account in connections:
            return connections[
                account
            ], f"abfss://{container}@{account}.dfs.core.windows.net{unquote(path) or '/'}"
    return None


def _doing(text: str) -> str:
    """What was tried: by the request's method, else by what Spark says of it."""
    request = _ANSWER.search(text)
    if request is None:
        return "writing" if "TASK_WRITE_FAILED" in text else "reading"
    return "writing" if request[3] in ("PUT", "POST", "PATCH", "DELETE") else "reading"


def cannot_open(connections: Iterable[Connection]) -> dict[str, CannotOpen]:
    """The connections that Spark cannot open, with why: it has no token provider for them, or others of the run want
    another way into their account, and it knows one for each."""
    found: dict[str, CannotOpen] = {}
    first: dict[str, tuple[str, dict[str, Any]]] = {}
    for connection in connections:
        if not isinstance(connection, AdlsConnection):
            continue
        try:
            settings = connection.storage_options("spark")
        except CannotOpen as error:
            found[connection.name] = error
            continue
        name, others = first.setdefault(connection.account, (connection.name, settings))
        if others != settings:
            found[connection.name] = Refused(
                f"account '{connection.account}' is opened in another way by connection '{name}', and in one run Spark "
                "opens an account in one way",
                f"Use connection '{name}' for both, or run it with engine: pandas",
            ).told(connection.name)
    return found
