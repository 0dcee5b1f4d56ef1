"""What plans and results show themselves with, those of verbs on tables too.

`display` is imported by the first that does: many runs show nothing, and save 40 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from odibi_magics.delta.told import Told
from odibi_magics.pipeline.result import Render


def later(module: str, name: str) -> Callable[[Any], str]:
    """A function of `display`, imported when it is called."""
    return partial(_call, module, name)


def _call(module: str, name: str, what: Any) -> str:
    shown: str = getattr(import_module(f"odibi_magics.display.{module}"), name)(what)
    return shown


RENDER = Render(
    report_html=later("report", "report_html"),
    report_text=later("report", "report_text"),
    report_page=later("report", "report_page"),
    preview_html=later("tables", "preview_html"),
    preview_text=later("tables", "preview_text"),
)

Told.text, Told.html = later("results", "result_text"), later("results", "result_html")
