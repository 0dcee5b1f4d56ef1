"""What our widgets are made of on a page: files beside this one, and the element that they stand in."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any, Final

import htpy as h
from markupsafe import Markup

VIEW: Final = "application/vnd.jupyter.widget-view+json"

# Blank lines, those of a comment alone, and what lines begin with.
_LEFT_OUT: Final = re.compile(r"^[ \t]*(?://[^\n]*)?\n|^[ \t]+", re.MULTILINE)


def together(*names: str) -> str:
    """Files as one: a widget's JavaScript is one module, and there is no build step.

    Each display brings its code to the page anew, so comments and indentation, a fifth of it, stay behind. No text in
    them goes over several lines.
    """
    folder = files("odibi_magics.widgets")
    return _LEFT_OUT.sub("", "\n".join(folder.joinpath(name).read_text("utf-8") for name in names))


def place(tag: str, model_id: str, still: str) -> str:
    """HTML of a display, which a widget takes the place of where a page runs it: the HTML alone is saved."""
    return str(h.Element(tag)(data_model=model_id)[Markup(still)])


def view_of(model_id: str) -> dict[str, Any]:
    """A widget's own mime type, for front ends that keep each output apart from the page."""
    return {VIEW: {"model_id": model_id, "version_major": 2, "version_minor": 0}}
