"""How results show themselves as a cell's last expression: no more rows than `keep_rows`.

Registered by name, so that nothing is imported before there is such an object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from odibi_magics.display.html import Displayed
    from odibi_magics.magics.extension import OdibiMagics
    from odibi_magics.pipeline.result import NodeData, RunResult

_RESULT = "odibi_magics.pipeline.result"

# What the verbs on tables give in Python, and the modules of odibi_magics.delta that hold it.
_OF_VERBS = (
    ("detail", "Detail"),
    ("history", "History"),
    ("diff", "Diff"),
    ("restore", "Restored"),
    ("vacuum", "Vacuumed"),
    ("optimize", "Optimized"),
    ("undo", "Undone"),
)


def add_formatters(magics: OdibiMagics) -> None:
    """To both kinds of display, HTML and plain text."""
    for kind, module, name, function in _formatters(magics):
        _of(magics, kind).for_type_by_name(module, name, function)


def remove_formatters(magics: OdibiMagics) -> None:
    """Undoes `add_formatters`."""
    for kind, module, name, _ in _formatters(magics):
        _of(magics, kind).pop(f"{module}.{name}", None)


def _of(magics: OdibiMagics, kind: str) -> Any:
    assert magics.shell.display_formatter is not None
    return magics.shell.display_formatter.formatters[kind]


def _formatters(magics: OdibiMagics) -> tuple[tuple[str, str, str, Callable[..., Any]], ...]:
    return (
        ("text/html", _RESULT, "NodeData", lambda data: _data(magics, data, "preview_html")),
        ("text/plain", _RESULT, "NodeData", lambda data, p, _: p.text(_data(magics, data, "preview_text"))),
        ("text/html", _RESULT, "RunResult", lambda result: _report(magics, result, "report_html")),
        (
            "text/plain",
            _RESULT,
            "RunResult",
            lambda result, p, _: p.text(_report(magics, result, "report_text")),
        ),
        # Its HTML it has itself: whoever asks for so many rows gets them.
        ("text/plain", "odibi_magics.engines.base", "Preview", lambda preview, p, _: p.text(str(preview))),
        *(
            (kind, f"odibi_magics.delta.{module}", name, function)
            for module, name in _OF_VERBS
            for kind, function in (
                ("text/html", lambda result: _shown(magics, result).html),
                ("text/plain", lambda result, p, _: p.text(_shown(magics, result).text)),
            )
        ),
    )


def _shown(magics: OdibiMagics, result: Any) -> Displayed:
    from odibi_magics.display.results import result_shown
    from odibi_magics.magics.show import kept

    with magics.telling():
        return result_shown(kept(result, magics.keep_rows))


def _data(magics: OdibiMagics, data: NodeData, render: str) -> str:
    from odibi_magics.display import tables
    from odibi_magics.pipeline.result import first_rows

    with magics.telling():
        shown: str = getattr(tables, render)(first_rows(data.frame, magics.keep_rows, data.name))
    return shown


def _report(magics: OdibiMagics, result: RunResult, render: str) -> str:
    from odibi_magics.display import report
    from odibi_magics.magics.show import kept_result

    with magics.telling():
        shown: str = getattr(report, render)(kept_result(result, magics.keep_rows))
    return shown
