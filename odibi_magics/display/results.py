"""What a verb gave in Python, as a display. Without commands for the magics, which may know nothing of its project."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from odibi_magics.delta.detail import Detail
from odibi_magics.delta.diff import Diff
from odibi_magics.delta.history import History
from odibi_magics.delta.optimize import Optimized
from odibi_magics.delta.restore import Restored
from odibi_magics.delta.undo import Undone
from odibi_magics.delta.vacuum import Vacuumed
from odibi_magics.display.detail import detail_blocks
from odibi_magics.display.diff import diff_blocks
from odibi_magics.display.document import Advice, Block, Texts
from odibi_magics.display.history import history_blocks
from odibi_magics.display.html import Displayed, blocks_html
from odibi_magics.display.tables import preview_blocks
from odibi_magics.display.text import blocks_text
from odibi_magics.display.undo import undone_blocks
from odibi_magics.display.upkeep import optimized_blocks, restored_blocks, vacuumed_blocks
from odibi_magics.engines.base import Preview
from odibi_magics.pipeline.ways import Ways

Result: TypeAlias = History | Diff | Restored | Vacuumed | Optimized | Undone | Detail | Preview


def result_shown(result: Result) -> Displayed:
    """The same display as of the magic. An undo's commands are calls in Python."""
    blocks = list(_blocks(result))
    return Displayed(blocks_html(blocks), blocks_text(blocks))


def result_text(result: Result) -> str:
    """The same as text; whole, however long."""
    return result_shown(result).text


def result_html(result: Result) -> str:
    """The same as HTML."""
    return result_shown(result).html


def _blocks(result: Result) -> Iterable[Block]:
    match result:
        case Undone():
            return undone_blocks(result, Ways())
        case Detail():
            return detail_blocks(result)
        case Preview():
            return preview_blocks(result)
        case History():
            return _without_commands(history_blocks(result))
        case Diff():
            return _without_commands(diff_blocks(result))
        case Restored():
            return _without_commands(restored_blocks(result))
        case Vacuumed():
            return _without_commands(vacuumed_blocks(result))
        case Optimized():
            return _without_commands(optimized_blocks(result))


def _without_commands(blocks: Iterable[Block]) -> list[Block]:
    return [block for block in blocks if not isinstance(block, (Advice, Texts))]
