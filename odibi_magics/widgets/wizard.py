"""The setup wizard on a page.

Like all that answers here it speaks in messages: nothing that is typed is ever in a widget's state, which front ends
save, and form widgets of ipywidgets would put there letter by letter. The page is told of news from any thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock, Timer
from typing import Any, Final, Protocol

import anywidget

from odibi_magics.display.values import block
from odibi_magics.errors import Cancelled, OdibiError, Unexpected
from odibi_magics.widgets.sources import place, together, view_of

# Seconds between two pictures that are sent without being asked for.
_PAUSE: Final = 0.15


class Model(Protocol):
    """What the widget shows."""

    def view(self) -> dict[str, Any]:
        """All that is on the page now; from any thread."""

    def answer(self, question: Mapping[str, Any]) -> None:
        """Does what a question asks for. Raises OdibiError, Cancelled."""


class SetupWizard(anywidget.AnyWidget):
    """The widget of one wizard. Each message of the page is a question with an id; each answer has the whole view."""

    _esm = together("page.js", "wizard.js")
    _css = together("page.css", "wizard.css")

    def __init__(self, model: Model) -> None:
        super().__init__()
        self._model = model
        self._id: str = self.model_id  # once it is closed, it has none
        self._lock = Lock()
        self._coming = False
        self.on_msg(self._answer)

    def in_place(self, still: str) -> str:
        """HTML of a display, which the widget takes the place of where a page runs it: the HTML alone is saved."""
        return place("odibi-setup", self._id, still)

    def shown(self) -> dict[str, Any]:
        """The widget's own mime type, for front ends that keep each output apart from the page."""
        return view_of(self._id)

    def changed(self) -> None:
        """There is something new to see; from any thread."""
        with self._lock:
            if self._coming:
                return
            self._coming = True
        timer = Timer(_PAUSE, self._tell)
        timer.daemon = True
        timer.start()

    def _tell(self) -> None:
        with self._lock:
            self._coming = False
        if self.comm is not None:  # else it was closed
            self.send({"view": self._model.view()})

    def _answer(self, widget: object, question: Mapping[str, Any], buffers: object) -> None:
        self.send({"id": question.get("id"), "model": self._id, **self._told(question)})

    def _told(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The view as it is then, and an error in our words."""
        try:
            self._model.answer(question)
        except (OdibiError, Cancelled) as error:
            return {"error": block(error), "view": self._model.view()}
        except KeyboardInterrupt:
            return {"error": "stopped", "view": self._model.view()}
        except Exception as error:
            return {"error": block(Unexpected(error)), "view": self._model.view()}
        return {"view": self._model.view()}
