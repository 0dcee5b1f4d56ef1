"""All that connections need before they can be opened, fetched at once before anything runs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from time import monotonic
from typing import Any

from odibi_magics.connections.base import Connection, Need, Refused
from odibi_magics.connections.parallel import at_once, load
from odibi_magics.errors import CannotOpen, ConnectionsFailed

# Seconds for all secrets of a run together, where the project has no `secrets: {timeout:}`.
TIMEOUT = 30.0


def prepare(connections: Sequence[Connection], timeout: float = TIMEOUT) -> None:
    """Fetches the secrets and tokens of connections in parallel, equal ones once, and keeps them for this process.

    timeout: seconds, for all together; it holds against a vault that hangs. Raises ConnectionsFailed with every
    connection that cannot be opened; what failed is not kept, and asked for again the next time.
    """
    failures = _without_libraries(connections)
    wanted = [connection for connection in connections if connection.name not in failures]
    needs = dict.fromkeys(need for connection in wanted for need in connection.needs())
    load(needs)
    deadline = monotonic() + timeout
    found = at_once({need: partial(need.get, deadline) for need in needs}, deadline)
    late = [need for need in needs if need not in found]
    failures |= {
        connection.name: failure
        for connection in wanted
        for need in reversed(connection.needs())
        if (failure := _failure(connection.name, need, found, timeout))
    }
    if late:
        abandon()
    if failures:
        raise ConnectionsFailed(failures)


def _without_libraries(connections: Iterable[Connection]) -> dict[str, CannotOpen]:
    """The connections whose libraries are not installed."""
    missing = {
        connection.name: library.replace(".", "-")
        for connection in connections
        for library in connection.libraries
        if not _is_installed(library)
    }
    remedy = "It comes with pip install 'odibi-magics[azure]', from a checkout pip install '.[azure]'"
    return {
        name: Refused(f"needs {library}, which is not installed", remedy).told(name)
        for name, library in missing.items()
    }


def _is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # of the package it is in
        return False


def _failure(name: str, need: Need, found: Mapping[Need, Any], timeout: float) -> CannotOpen | None:
    if need not in found:
        remedy = "The network or the service does not answer: try again, or give it longer with secrets: {timeout: 60}"
        return Refused(f"{need}: timed out after {timeout:g} s", remedy, transient=True).told(name)
    outcome = found[need]
    if isinstance(outcome, Refused):
        return outcome.told(name)
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
