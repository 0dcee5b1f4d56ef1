"""%odibi_preview: the first rows of any table."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.connections.address import parse_address
from odibi_magics.engines.base import Frame
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.show import show_help, show_preview
from odibi_magics.magics.words import words
from odibi_magics.pipeline.result import first_rows


def preview(magics: OdibiMagics, line: str) -> None:
    """Shows a TABLE. Raises UsageError, EngineError, ConnectionFailed."""
    parser = parser_of("%odibi_preview")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    found = parser.read(given)
    frame = magics.session.project().table(*found.table)
    shown = magics.keep_rows and (found.rows or magics.keep_rows)
    show_preview(first_rows(frame, shown, _title(found.table, frame)))


def _title(table: Sequence[str], frame: Frame) -> str:
    """A TABLE as it was typed; of a time with the version that it led to."""
    typed = " ".join(table)
    if parse_address(*table).timestamp is None:
        return typed
    return f"{typed}, version {frame.inputs[0]['version']}"
