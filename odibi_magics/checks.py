"""A project's connections looked at side by side: how they answer, and where they break.

Iterators give what is known so far, the last what is final. Only the caller's thread waits, so that Stop ends it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import NothingThere
from odibi_magics.connections.prepare import forget
from odibi_magics.connections.status import ConnectionStatus
from odibi_magics.doctor.diagnosis import Diagnosis, Layer
from odibi_magics.doctor.examination import Patient
from odibi_magics.doctor.follow import follow
from odibi_magics.doctor.steps import cut_short
from odibi_magics.doctor.storage import Use
from odibi_magics.errors import ConnectionFailed, unknown_connection

if TYPE_CHECKING:
    from odibi_magics.project import Project

T = TypeVar("T")

# Seconds beyond those that secrets may take, for the places themselves.
_PLACES: Final = 20
# Seconds for all layers of all connections; each has its own limits of 5 to 15.
_DOCTOR: Final = 60


def last(found: Iterable[T]) -> T:
    """What is final."""
    return deque(found, maxlen=1)[0]


# How they answer ------------------------------------------------------------------------------------------------------


def follow_statuses(project: Project) -> Iterator[tuple[ConnectionStatus, ...]]:
    """Of all connections, in the order they were defined."""
    begun = {info.name: ConnectionStatus(info, "checking") for info in project.connections()}
    seconds = project.secrets_timeout + _PLACES
    checks = {name: partial(_check, project, status) for name, status in begun.items()}
    now = begun
    yield tuple(now.values())
    for found in follow(checks, seconds):
        now = {**begun, **found}
        yield tuple(now.values())
    if any(status.state == "checking" for status in now.values()):
        yield tuple(_late(status, seconds) for status in now.values())


def _check(project: Project, status: ConnectionStatus) -> Iterator[ConnectionStatus]:
    begin = monotonic()
    try:
        state = _answered(project, status.name)
    except ConnectionFailed as error:
        yield replace(status, state="failed", seconds=monotonic() - begin, error=str(error))
    else:
        yield replace(status, state=state, seconds=monotonic() - begin)


def _answered(project: Project, name: str) -> Literal["ok", "will be made", "skipped"]:
    """Raises ConnectionFailed with what was tried and the remedy."""
    connection = project.connection(name)
    if connection.only_spark:
        return "skipped"
    failures = project.prepare([connection])
    if failures:
        raise failures[name]
    try:
        connection.check()
    except NothingThere:
        if is_read_first(project, name):
            raise
        return "will be made"
    return "ok"


def _late(status: ConnectionStatus, seconds: float) -> ConnectionStatus:
    if status.state != "checking":
        return status
    error = (
        f"Connection '{status.name}': no answer within {seconds:g} s. Where it stands still: "
        f"%odibi_doctor {status.name}"
    )
    return replace(status, state="failed", seconds=seconds, error=error)


# Where they break -----------------------------------------------------------------------------------------------------


def follow_diagnoses(
    project: Project, names: Iterable[str], wait: float = 0.0
) -> Iterator[tuple[Diagnosis, ...]]:
    """Layer by layer; secrets and tokens are fetched anew. names: none for all. Raises UsageError.

    wait: seconds in which a role that is missing is asked for again, for it may have been granted just now.
    """
    chosen = [_known(project, name) for name in names] or list(project.definitions.connections)
    forget()
    for found in followed(project, chosen, wait):
        yield tuple(found.values())


def followed(project: Project, names: Iterable[str], wait: float = 0.0) -> Iterator[dict[str, Diagnosis]]:
    """The diagnoses by name, with what is at hand of secrets and tokens: others may be looked at meanwhile."""
    now = {name: Diagnosis(name, "") for name in names}
    checks = {name: _diagnosed(project, name, wait) for name in now}
    yield dict(now)
    seconds = _DOCTOR + wait
    for found in follow(checks, seconds):
        now |= found
        yield dict(now)
    if any(each.state == "running" for each in now.values()):
        yield {name: cut_short(each, seconds) for name, each in now.items()}


def _known(project: Project, name: str) -> str:
    there = list(project.definitions.connections)
    if name not in there:
        raise unknown_connection(name, there)
    return name


def _diagnosed(project: Project, name: str, wait: float) -> Callable[[], Iterator[Diagnosis]]:
    def diagnose() -> Iterator[Diagnosis]:
        if project.definitions.connections[name].model.type == "unity_catalog":
            yield Diagnosis(name, "", (Layer("catalog", "skipped", "only Spark can open it"),))
            return
        try:
            connection = project.connection(name)
        except ConnectionFailed as error:
            said, _, remedy = str(error).removeprefix(f"Connection '{name}': ").partition(". ")
            yield Diagnosis(name, "", (Layer("text", "failed", said, remedy=remedy),))
            return
        engine = str(project.definitions.settings.get("engine", "auto"))
        uses = _uses(project, connection) if isinstance(connection, AdlsConnection) else ()
        yield from Patient(connection, uses, is_read_first(project, name), engine).diagnose(wait)

    return diagnose


def _uses(project: Project, connection: AdlsConnection) -> tuple[Use, ...]:
    """The containers that nodes name, or the connection's own."""
    own = [connection.container] if connection.container else []
    read = {_container(connection, path) for path in _paths_read(project, connection.name)}
    written = {_container(connection, path) for path in _paths_written(project, connection.name)}
    names = sorted({*own, *read, *written})
    return tuple(Use(name, name in read, name in written) for name in names if name)


def is_read_first(project: Project, name: str) -> bool:
    """Whether a node reads in a connection what no node writes."""
    return bool(_paths_read(project, name) - _paths_written(project, name))


def _paths_read(project: Project, connection: str) -> set[str]:
    reads = [defined.node.read for defined in project.definitions.nodes.values()]
    return {read.path for read in reads if read and read.path and read.connection == connection}


def _paths_written(project: Project, connection: str) -> set[str]:
    """What nodes write there, and the runs' reports."""
    writes = [defined.node.write for defined in project.definitions.nodes.values()]
    places = [*writes, project.definitions.settings.get("story")]
    return {place.path for place in places if place and place.path and place.connection == connection}


def _container(connection: AdlsConnection, path: str) -> str:
    """ "" for a path that leads nowhere: the plan tells of it."""
    try:
        return connection.split(connection.url(path))[0]
    except ConnectionFailed:
        return ""
