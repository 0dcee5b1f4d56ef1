"""%odibi_restore, %odibi_vacuum and %odibi_optimize: each shows first, and prints the line that does it."""

from __future__ import annotations

from argparse import Namespace

from odibi_magics.display.html import Displayed
from odibi_magics.display.upkeep import optimized_shown, restored_shown, vacuumed_shown
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.show import kept_optimized, show, show_help
from odibi_magics.magics.words import words
from odibi_magics.options import Parser


def restore(magics: OdibiMagics, line: str) -> None:
    """Raises UsageError, EngineError, ConnectionFailed."""
    parser = parser_of("%odibi_restore")
    if found := _asked(parser, line):
        tables = magics.session.project().engine
        _show(restored_shown(tables.restore(*found.table, at=found.at, dry_run=found.at is None)))


def vacuum(magics: OdibiMagics, line: str) -> None:
    """Raises UsageError, EngineError, ConnectionFailed."""
    parser = parser_of("%odibi_vacuum")
    if found := _asked(parser, line):
        tables = magics.session.project().engine
        hours, act = found.retention_hours, found.yes
        _show(
            vacuumed_shown(
                tables.vacuum(*found.table, retention_hours=hours, force=found.force, dry_run=not act)
            )
        )


def optimize(magics: OdibiMagics, line: str) -> None:
    """Raises UsageError, EngineError, ConnectionFailed."""
    parser = parser_of("%odibi_optimize")
    if found := _asked(parser, line):
        told = magics.session.project().engine.optimize(*found.table, dry_run=not found.yes)
        _show(optimized_shown(kept_optimized(told, magics.keep_rows)))


def _asked(parser: Parser, line: str) -> Namespace | None:
    """The options; None where help was asked for, and shown."""
    given = words(parser.prog, line)
    return None if show_help(parser, given) else parser.read(given)


def _show(shown: Displayed) -> None:
    show(shown.html, shown.text)
