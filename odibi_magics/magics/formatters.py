"""How results show themselves as a cell's last expression: no more rows than `keep_rows`.

Registered by name, so that nothing is imported before there is such an object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from odibi_magics.magics.extension import OdibiMagics
    from odibi_magics.pipeline.result import NodeData, RunResult

_RESULT = "odibi_magics.pipeline.result"


def add_formatters(magics: OdibiMagics) -> None:
    """To both kinds of display, HTML and plain text."""
    for kind, name, function in _formatters(magics):
        _of(magics, kind).for_type_by_name(_RESULT, name, function)


def remove_formatters(magics: OdibiMagics) -> None:
    """Undoes `add_formatters`."""
    for kind, name, _ in _formatters(magics):
        _of(magics, kind).pop(f"{_RESULT}.{name}", None)


def _of(magics: OdibiMagics, kind: str) -> Any:
    assert magics.shell.display_formatter is not None
    return magics.shell.display_formatter.formatters[kind]


def _formatters(magics: OdibiMagics) -> tuple[tuple[str, str, Callable[..., Any]], ...]:
    return (
        ("text/html", "NodeData", lambda data: _data(magics, data, "preview_html")),
        ("text/plain", "NodeData", lambda data, p, _: p.text(_data(magics, data, "preview_text"))),
        ("text/html", "RunResult", lambda result: _report(magics, result, "report_html")),
        ("text/plain", "RunResult", lambda result, p, _: p.text(_report(magics, result, "report_text"))),
    )


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
