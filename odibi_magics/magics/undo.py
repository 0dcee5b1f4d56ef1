"""%odibi_undo: a run taken back, in every table it wrote."""

from __future__ import annotations

from odibi_magics.delta.undo import Undone
from odibi_magics.display.undo import undone_shown
from odibi_magics.errors import Cancelled, UndoFailed, UndoRefused
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.show import show, show_help
from odibi_magics.magics.words import words
from odibi_magics.pipeline.undo_words import refused_words
from odibi_magics.pipeline.ways import Ways
from odibi_magics.undoing import named_by

_WAYS = Ways(undoing=("%odibi_undo",))


def undo(magics: OdibiMagics, line: str) -> None:
    """Shows what an undo would do; with --at it does it, and shows what it did. Raises as Session.undo."""
    parser = parser_of("%odibi_undo")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    found = parser.read(given)
    run, tables = named_by(magics.session.project(), found.run)
    try:
        done = magics.session.undo(
            run, table=tables, at=dict(found.at) or None, dry_run=not found.at, force=found.force
        )
    except UndoRefused as error:
        raise UndoRefused(refused_words(error.result, _WAYS), error.result) from None
    except (UndoFailed, Cancelled) as error:
        if isinstance(error.result, Undone):
            _show(error.result)
        raise
    _show(done)


def _show(done: Undone) -> None:
    shown = undone_shown(done, _WAYS)
    show(shown.html, shown.text)
