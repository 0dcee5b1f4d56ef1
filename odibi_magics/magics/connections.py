"""%%odibi_connections defines connections; %odibi_connections lists and checks them."""

from __future__ import annotations

from odibi_magics.connections.info import ConnectionInfo
from odibi_magics.display.tables import table_html, table_text
from odibi_magics.errors import ConnectionFailed
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.show import show, show_help, show_text
from odibi_magics.magics.words import words
from odibi_magics.options import Parser
from odibi_magics.project import Project

_COLUMNS = ("name", "kind", "place", "auth", "secret", "defined", "state")


def define(magics: OdibiMagics, line: str, cell: str) -> None:
    """Keeps the cell's connections; nothing is opened. Raises ConfigErrors."""
    if _asked(Parser("%%odibi_connections", "Define connections by name."), line):
        project = magics.session.define_connections(cell, namespace=magics.variables, defined=magics.here)
        magics.session.keep(project)
        _show([(*_fields(info), "defined, not checked yet") for info in project.connections()])


def check(magics: OdibiMagics, line: str) -> None:
    """Lists all connections. Raises ConnectionFailed, after the list, with all that do not answer."""
    if not _asked(Parser("%odibi_connections", "List the connections and check that they answer."), line):
        return
    project = magics.session.project()
    states = {info.name: _state(project, info) for info in project.connections()}
    failures = [state for state in states.values() if isinstance(state, ConnectionFailed)]
    _show(
        [
            (*_fields(info), "failed" if (state := states[info.name]) in failures else str(state))
            for info in project.connections()
        ]
    )
    if failures:
        raise ConnectionFailed("\n".join(map(str, failures)))


def _asked(parser: Parser, line: str) -> bool:
    given = words(parser.prog, line)
    if show_help(parser, given):
        return False
    parser.read(given)
    return True


def _state(project: Project, info: ConnectionInfo) -> str | ConnectionFailed:
    try:
        return project.check_connection(info.name)
    except ConnectionFailed as error:
        return error


def _fields(info: ConnectionInfo) -> tuple[str, ...]:
    return (info.name, info.kind, info.place, info.auth, info.secret, info.defined)


def _show(rows: list[tuple[str, ...]]) -> None:
    if rows:
        show(table_html(_COLUMNS, rows), table_text(_COLUMNS, rows))
    else:
        show_text("No connections are defined yet. Define some with %%odibi_connections.")
