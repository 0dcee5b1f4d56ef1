"""%%odibi_connections defines connections; %odibi_connections lists and checks them, %odibi_doctor looks deeper."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

from odibi_magics.checks import follow_diagnoses, follow_statuses
from odibi_magics.connections.prepare import forget
from odibi_magics.display.connections import INFO, broken_names, diagnoses_shown, info_cells, statuses_shown
from odibi_magics.display.html import Displayed
from odibi_magics.display.tables import table_html, table_text
from odibi_magics.errors import ConnectionFailed
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.progress import Spot, moves
from odibi_magics.magics.show import show, show_help, show_text, show_warnings
from odibi_magics.magics.words import words
from odibi_magics.options import Parser
from odibi_magics.pipeline.warn import plan_warnings

T = TypeVar("T")

_COLUMNS = ("connection", "state", *INFO)


def define(magics: OdibiMagics, line: str, cell: str) -> None:
    """Keeps the cell's connections; nothing is opened. Raises ConfigErrors."""
    if _asked(parser_of("%%odibi_connections"), line) is None:
        return
    project = magics.session.define_connections(cell, namespace=magics.variables, defined=magics.here)
    magics.session.keep(project)
    rows = [(info.name, "defined, not checked yet", *info_cells(info)) for info in project.connections()]
    if rows:
        show(table_html(_COLUMNS, rows), table_text(_COLUMNS, rows))
    else:
        _show_none()
    show_warnings(plan_warnings(project.definitions.configs[-1:], ()))


def check(magics: OdibiMagics, line: str) -> None:
    """Lists all connections. Raises ConnectionFailed, after the list, with the names of those that do not answer."""
    parser = parser_of("%odibi_connections")
    found = _asked(parser, line)
    if found is None:
        return
    project = magics.session.project()
    if not project.connections():
        _show_none()
        return
    if found.refresh:
        forget()
    statuses = _followed(magics, follow_statuses(project), statuses_shown)
    _fail([status.name for status in statuses if status.error], len(statuses))


def diagnose(magics: OdibiMagics, line: str) -> None:
    """Shows each connection's layers. Raises ConnectionFailed, after them, with the names of those that failed."""
    parser = parser_of("%odibi_doctor")
    found = _asked(parser, line)
    if found is None:
        return
    project = magics.session.project()
    if not project.connections() and not found.names:
        _show_none()
        return
    found_out = follow_diagnoses(project, found.names, found.wait * 60)
    diagnoses = _followed(magics, found_out, diagnoses_shown)
    _fail([each.connection for each in diagnoses if each.failure], len(diagnoses))


def _fail(broken: Sequence[str], count: int) -> None:
    """Raises ConnectionFailed where something is broken, short: the display has told the rest."""
    if broken:
        raise ConnectionFailed(broken_names(broken, count))


def _asked(parser: Parser, line: str) -> Namespace | None:
    """The options; None where help was asked for, and shown."""
    given = words(parser.prog, line)
    return None if show_help(parser, given) else parser.read(given)


def _followed(magics: OdibiMagics, found: Iterator[T], shown: Callable[[T, str], Displayed]) -> T:
    """Shows what is known while it grows, and gives what is final. A Stop leaves under the cell what was known."""
    spot, moving, now = Spot(), moves(magics.shell), next(found)
    try:
        for known in chain([now], found):
            now = known
            if moving:
                spot.put(shown(now, ""))
    except KeyboardInterrupt:
        spot.end(shown(now, "stopped"))
        raise
    spot.end(shown(now, ""))
    return now


def _show_none() -> None:
    show_text("No connections are defined yet. Define some with %%odibi_connections.")
