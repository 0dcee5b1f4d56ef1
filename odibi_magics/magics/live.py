"""Widgets under cells, where the front end can show them: %odibi_history's live table, and what others need too."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from odibi_magics.display.html import Displayed, fitting_text, framed
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.progress import moves
from odibi_magics.magics.show import display, kept_history, show

if TYPE_CHECKING:
    from odibi_magics.delta.history import History
    from odibi_magics.display.document import Block
    from odibi_magics.project import Project

HINT = "pip install 'odibi-magics[widgets]' makes this table live: sort, filter, load the rest, go on from a version"

# Those that still answer; of a loop that shows one after the other, the first ones go back to what was saved of them.
_answering: deque[Any] = deque()
_MOST = 16


def show_history(magics: OdibiMagics, project: Project, history: History, static: Displayed) -> None:
    """The live table in place of the static one, which alone is saved. Where nothing can move, the static one."""
    if not moves(magics.shell) or not history.entries:
        show(static.html, static.text)
        return
    try:
        from odibi_magics.widgets.history import LiveHistory
    except ModuleNotFoundError as missing:
        if missing.name not in ("anywidget", "ipywidgets"):
            raise
        show(static.html + framed(HINT), f"{static.text}\n\n{HINT}")
        return
    live = LiveHistory(history, TableVerbs(magics, project, history.address))
    keep(live)
    apart = keeps_outputs_apart(magics)
    data = {
        **(live.view() if apart else {}),
        "text/html": static.html if apart else live.in_place(static.html),
        "text/plain": fitting_text(static.text),
    }
    display(data, raw=True)


def keep(live: Any) -> None:
    """Has a widget answer until many others came after it."""
    _answering.append(live)
    if len(_answering) > _MOST:
        _answering.popleft().close()


def keeps_outputs_apart(magics: OdibiMagics) -> bool:
    """Whether outputs stand in frames of their own, where a widget's code runs only if its mime type is shown.

    VS Code shows the HTML of a notebook that was saved with both. JupyterLab says "model not found" there, and an error
    where it has no anywidget of its own, so it gets the HTML alone.
    """
    return (
        "__vsc_ipynb_file__" in magics.shell.user_ns  # VS Code puts it there
        or "DATABRICKS_RUNTIME_VERSION" in os.environ
        or "google.colab" in sys.modules
    )


@dataclass(frozen=True)
class TableVerbs:
    """odibi_magics.widgets.history.Verbs of a table, as the project was when its history was shown."""

    magics: OdibiMagics
    project: Project
    address: str

    def older(self, before: int, limit: int) -> History:
        with self.magics.telling():
            found = self.project.engine.history(self.address, limit=limit, before=before)
            return kept_history(found, self.magics.keep_rows)

    def preview(self, version: int) -> Sequence[Block]:
        from odibi_magics.display.tables import preview_blocks
        from odibi_magics.pipeline.result import first_rows

        address = f"{self.address}@{version}"
        with self.magics.telling():
            return preview_blocks(first_rows(self.project.table(address), self.magics.keep_rows, address))

    def diff(self, before: int, after: int, keys: Sequence[str]) -> Sequence[Block]:
        """Without its advice: the history and the way back stand beside it."""
        from odibi_magics.display.diff import diff_blocks
        from odibi_magics.display.document import Advice

        sides = [f"{self.address}@{version}" for version in (before, after)]
        with self.magics.telling():
            found = self.project.engine.diff(*sides, keys=keys, rows=self.magics.keep_rows)
            return [each for each in diff_blocks(found) if not isinstance(each, Advice)]
