"""%odibi_preview: the first rows of any table."""

from __future__ import annotations

from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.show import first_rows, show_help, show_preview
from odibi_magics.magics.words import words
from odibi_magics.options import Parser, add_table


def preview(magics: OdibiMagics, line: str) -> None:
    """Shows a TABLE. Raises UsageError, EngineError, ConnectionFailed."""
    parser = Parser("%odibi_preview", "Show the first rows of a table.", add_table)
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    address = parser.read(given).table
    frame = magics.session.project().table(*address)
    show_preview(first_rows(frame, magics.keep_rows, " ".join(address)))
