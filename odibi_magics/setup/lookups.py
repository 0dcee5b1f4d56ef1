"""What is found out while somebody fills in a form: who we are, names of secrets and of containers.

Each look-up has a thread and a deadline of its own, is made once, and waits for nobody: the form goes on without it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic
from typing import Any, Final

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import Connection, Refused
from odibi_magics.connections.databricks import keys_in, scopes
from odibi_magics.connections.keyvault import names_in
from odibi_magics.connections.parallel import at_once
from odibi_magics.connections.sdk import containers
from odibi_magics.connections.tokens import STORAGE, Identity
from odibi_magics.doctor.caller import SignIn
from odibi_magics.doctor.diagnosis import Diagnosis, Layer, failed, ok
from odibi_magics.doctor.steps import Step, examine
from odibi_magics.errors import said
from odibi_magics.secret import redact

SECONDS: Final = 20.0


@dataclass(frozen=True)
class Found:
    """What is known of one question. names: to choose from. said: why there are none, "" for nothing."""

    names: tuple[str, ...] = ()
    said: str = ""
    looking: bool = False


class Lookups:
    """Questions that were asked, and their answers. changed: called from a thread when there is a new one."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = Lock()
        self._found: dict[Hashable, Any] = {}
        self._asked: dict[Hashable, object] = {}

    def get(self, question: Hashable) -> Any:
        """The answer; None where it is not here yet."""
        return self._found.get(question)

    def looking(self, question: Hashable) -> bool:
        return question in self._asked and question not in self._found

    def ask(self, question: Hashable, look: Callable[[], Any], late: Any) -> None:
        """Looks, unless that was asked already. late: the answer where there is none in time."""
        with self._lock:
            if question in self._asked:
                return
            mine = self._asked[question] = object()
        thread = Thread(
            target=self._look, args=(question, mine, look, late), name=f"odibi {question}", daemon=True
        )
        thread.start()

    def _look(self, question: Hashable, mine: object, look: Callable[[], Any], late: Any) -> None:
        answer = at_once({question: look}, monotonic() + SECONDS).get(question, late)
        if isinstance(answer, Exception):
            answer = Found(said=redact(f"{type(answer).__name__}: {said(answer)}"))
        with self._lock:
            if self._asked.get(question) is not mine:
                return  # it was forgotten meanwhile
            self._found[question] = answer
        self._changed()

    def forget(self) -> None:
        """Has the next question looked for anew."""
        with self._lock:
            self._asked.clear()
            self._found.clear()


LATE: Final = Found(said=f"no answer within {SECONDS:g} s")

# Why a vault does not show its secrets, by the kind of its refusal.
_NOT_LISTED: Final = {
    "role": "no role here may list them",
    "policy": "no access policy here may list them",
    "firewall": "its firewall refuses this machine",
    "private": "it answers on its private endpoint only",
}


def secret_names(vault: str) -> Found:
    """Of a vault, where we may list them."""
    try:
        return Found(tuple(names_in(vault, monotonic() + SECONDS / 2)))
    except Refused as error:
        return Found(said=_NOT_LISTED.get(error.kind, error.said.replace(" for secret ''", "")))
    except ModuleNotFoundError as error:
        return Found(said=f"{error.name} is not installed")


def scope_names() -> Found:
    """Databricks' secret scopes."""
    return _of_dbutils(scopes)


def key_names(scope: str) -> Found:
    """The keys of one of them."""
    return _of_dbutils(lambda: keys_in(scope))


def _of_dbutils(ask: Callable[[], Sequence[str]]) -> Found:
    try:
        return Found(tuple(ask()))
    except Refused as error:
        return Found(said=error.said)


def container_names(connection: Connection) -> Found:
    """Of an account, where its credential can be had and may list them."""
    if not isinstance(connection, AdlsConnection):
        return Found()
    try:
        connection.source.get(monotonic() + SECONDS / 2)
        names = containers(connection.blob_host, connection.source)
    except Refused as error:
        return Found(said=error.said)
    except ModuleNotFoundError as error:
        return Found(said=f"{error.name} is not installed")
    return Found(tuple(names), "" if names else "the account shows none to us")


# What people call a variable that holds a secret.
_SECRET_WORD: Final = re.compile(r"KEY|SECRET|TOKEN|SAS|CONN|PASS", re.IGNORECASE)


def environment_names() -> list[str]:
    """Names of environment variables that may hold a secret."""
    return sorted(name for name in os.environ if _SECRET_WORD.search(name))


# Who we are -----------------------------------------------------------------------------------------------------------


def on_databricks() -> bool:
    return "DATABRICKS_RUNTIME_VERSION" in os.environ


def caller(session: Callable[[], Any]) -> Layer:
    """Who signs in where no connection says otherwise; on Databricks also who the workspace takes us for.

    session: gives the Spark session that is there, or None.
    """
    try:
        if on_databricks() and (spark := session()) is not None:
            [row] = spark.sql("SELECT current_user() AS name").collect()
            return ok(f"{row['name']}, as the workspace knows you")
        *_, found = examine(Diagnosis("", ""), [Step("sign-in", SignIn(Identity(), STORAGE).look)])
        return found["sign-in"]
    except Exception as error:  # of a gateway, of a library
        return failed(
            redact(f"{type(error).__name__}: {said(error)}"), "Look again; if it stays, please report it"
        )


CALLER_LATE: Final = failed(
    f"no answer within {SECONDS:g} s", "Check the network, and the firewall between here and there"
)
