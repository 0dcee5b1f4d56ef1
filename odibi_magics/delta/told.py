"""What verbs on tables give prints as it is displayed. The layers above, which know how, put it here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar


class Told:
    """A result with a display. text, html: make it, once a project was imported; before, the plain repr tells."""

    text: ClassVar[Callable[[Any], str] | None] = None
    html: ClassVar[Callable[[Any], str] | None] = None

    def __str__(self) -> str:
        return repr(self) if Told.text is None else Told.text(self)

    def _repr_html_(self) -> str | None:
        return None if Told.html is None else Told.html(self)
