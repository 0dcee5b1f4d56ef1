"""%odibi_diff: what differs between two versions of a table, or two tables."""

from __future__ import annotations

from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.show import show, show_help
from odibi_magics.magics.words import words
from odibi_magics.options import two_tables


def diff(magics: OdibiMagics, line: str) -> None:
    """Compares two TABLEs, no row of which is shown where none may be kept.

    Raises UsageError, EngineError, ConnectionFailed.
    """
    parser = parser_of("%odibi_diff")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    found = parser.read(given)
    from odibi_magics.display.diff import diff_html, diff_text

    project = magics.session.project()
    tables = two_tables(found.tables, project.definitions.connections)
    made = project.engine.diff(*tables, keys=found.keys, rows=magics.keep_rows)
    show(diff_html(made), diff_text(made))
