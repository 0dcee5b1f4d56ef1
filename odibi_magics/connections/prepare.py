"""All that connections need before they can be opened, fetched at once before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Any

from odibi_magics.connections.base import Connection, Need, Refused
from odibi_magics.connections.parallel import at_once, load
from odibi_magics.errors import CannotOpen, ConnectionsFailed, MissingExtra

# Seconds for all secrets of a run together, where the project has no `secrets: {timeout:}`.
TIMEOUT = 30.0


def prepare(connections: Iterable[Connection], timeout: float = TIMEOUT) -> None:
    """Fetches the secrets and tokens of connections in parallel, equal ones once, and keeps them for this process.

    timeout: seconds, for all together; it holds against a vault that hangs. Raises ConnectionsFailed with every
    connection that cannot be opened; what failed is not kept, and asked for again the next time.
    """
    wanted = list(connections)
    needs = dict.fromkeys(need for connection in wanted for need in connection.needs())
    load(needs)
    deadline = monotonic() + timeout
    found = at_once({need: partial(need.get, deadline) for need in needs}, deadline)
    late = [need for need in needs if need not in found]
    failures = {
        connection.name: failure
        for connection in wanted
        for need in reversed(connection.needs())
        if (failure := _failure(connection.name, need, found, timeout))
    }
    if late:
        abandon()
    if failures:
        raise ConnectionsFailed(failures)


def _failure(name: str, need: Need, found: Mapping[Need, Any], timeout: float) -> CannotOpen | None:
    if need not in found:
        remedy = "The network or the service does not answer: try again, or give it longer with secrets: {timeout: 60}"
        return Refused(f"{need}: timed out after {timeout:g} s", remedy, transient=True).told(name)
    outcome = found[need]
    if isinstance(outcome, Refused):
        return outcome.told(name)
    if isinstance(outcome, ModuleNotFoundError):
        raise MissingExtra(outcome.name or "azure.identity", "azure", f"Connection '{name}'")
    if isinstance(outcome, BaseException):
        raise outcome
    return None


def forget() -> None:
    """Drops all secrets, tokens, sign-ins and open connections of this process: the next run gets them anew."""
    from odibi_magics.connections import adls, databricks, keyvault

    adls.forget()
    keyvault.forget()
    databricks.forget()
    abandon()


def abandon() -> None:
    """Drops the sign-ins and clients that calls may still hang in, so that the next call does not wait for them."""
    from odibi_magics.connections import keyvault, tokens

    keyvault.forget_clients()
    tokens.forget()
    if (
        "odibi_magics.connections.transport" in sys.modules
    ):  # else there is none, and importing it takes a second
        from odibi_magics.connections.transport import transport

        transport.forget()
