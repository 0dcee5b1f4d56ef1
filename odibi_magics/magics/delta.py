"""%odibi_history: what a Delta table went through."""

from __future__ import annotations

from odibi_magics.display.history import history_shown
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.live import show_history
from odibi_magics.magics.show import kept_history, show_help, show_warnings
from odibi_magics.magics.words import words


def history(magics: OdibiMagics, line: str) -> None:
    """Shows a TABLE's newest versions. Raises UsageError, EngineError, ConnectionFailed."""
    parser = parser_of("%odibi_history")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    found = parser.read(given)
    project = magics.session.project()
    told = kept_history(project.engine.history(*found.table, limit=found.limit), magics.keep_rows)
    show_history(magics, project, told, history_shown(told))
    show_warnings(project.engine.glance(*found.table))
