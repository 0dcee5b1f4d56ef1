"""What shows while a run goes on: a table that is updated in place, or lines in a terminal."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from odibi_magics.display.html import Displayed
from odibi_magics.magics.show import display, event_without_data

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from odibi_magics.pipeline.events import Observer


class Spot:
    """A spot under the cell: what is put there replaces what was there, so that only the last is saved."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._lock = threading.Lock()
        self._over = False

    def put(self, shown: Displayed) -> None:
        """Shows it here, from any thread; nothing after the end."""
        with self._lock:
            if not self._over:
                self._show(shown)

    def end(self, shown: Displayed) -> None:
        """Shows what stays."""
        with self._lock:
            self._over = True
            self._show(shown)

    def _show(self, shown: Displayed) -> None:
        if self._handle is None:
            self._handle = display(shown, display_id=True)
        else:
            self._handle.update(shown)


def moves(shell: InteractiveShell) -> bool:
    """Whether a display may be put in place of another: a terminal would print each anew, and nbval knows none."""
    return hasattr(shell, "kernel") and os.environ.get("ODIBI_PROGRESS", "").lower() != "off"


def progress(shell: InteractiveShell, spot: Spot, keep_rows: int) -> tuple[Observer, ...]:
    """Who watches a run. Nobody where ODIBI_PROGRESS is "off": nbval knows no updates of a display."""
    from odibi_magics.display.progress import LiveTable, PlainLog

    if os.environ.get("ODIBI_PROGRESS", "").lower() == "off":
        return ()
    if hasattr(shell, "kernel"):
        return (LiveTable(spot.put),)
    # A terminal would print every update of a display anew.
    log = PlainLog(sys.stderr.write)
    return (log,) if keep_rows else (lambda event: log(event_without_data(event)),)
