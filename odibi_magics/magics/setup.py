"""%odibi_setup: the wizard under a cell, and its YAML in the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from odibi_magics.display.html import blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.live import keep, keeps_outputs_apart
from odibi_magics.magics.show import display, show_help, show_text
from odibi_magics.magics.words import words
from odibi_magics.setup.page import Page, still
from odibi_magics.setup.wizard import Wizard

if TYPE_CHECKING:
    from odibi_magics.widgets.wizard import SetupWizard

NO_WIDGETS = (
    "The setup wizard needs widgets: pip install 'odibi-magics[widgets]'. Without them, %%odibi_connections defines "
    "connections, and %odibi_doctor says where one breaks and what mends it."
)
NO_NOTEBOOK = (
    "The setup wizard needs a notebook. Here, %%odibi_connections defines connections, and %odibi_doctor says where "
    "one breaks and what mends it."
)


def setup(magics: OdibiMagics, line: str) -> None:
    """Shows the wizard; with --cell, what the last one made goes into the next cell, once it has made something."""
    parser = parser_of("%odibi_setup")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    last = magics.wizard if parser.read(given).cell else None
    if last is not None and last.ready:
        magics.shell.set_next_input(f"%%odibi_connections\n{last.text()}")
        return
    if not hasattr(magics.shell, "kernel"):
        show_text(NO_NOTEBOOK)
        return
    try:
        from odibi_magics.widgets.wizard import SetupWizard
    except ModuleNotFoundError as missing:
        if missing.name not in ("anywidget", "ipywidgets"):
            raise
        show_text(NO_WIDGETS)
        return
    magics.wizard = last or Wizard(magics.session, lambda: magics.variables, f"setup in {magics.here}")
    Shown(magics, magics.wizard, SetupWizard(Page(magics.wizard)))


class Shown:
    """A wizard under its cell. What is saved of it is still, and another one each time that a check has ended."""

    def __init__(self, magics: OdibiMagics, wizard: Wizard, widget: SetupWizard) -> None:
        self._magics, self._wizard, self._widget = magics, wizard, widget
        self._saved = self._data()
        self._handle = display(self._saved, raw=True, display_id=True)
        wizard.changed = self._changed
        keep(widget)

    def _changed(self) -> None:
        """From any thread."""
        self._widget.changed()
        if not self._wizard.rows.over:
            return
        data = self._data()
        if data["text/plain"] != self._saved["text/plain"]:
            self._saved = data
            self._handle.update(data, raw=True)

    def _data(self) -> dict[str, Any]:
        blocks = still(self._wizard)
        html, apart = blocks_html(blocks), keeps_outputs_apart(self._magics)
        return {
            **(self._widget.shown() if apart else {}),
            "text/html": html if apart else self._widget.in_place(html),
            "text/plain": blocks_text(blocks),
        }
