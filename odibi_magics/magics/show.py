"""What the magics put under a cell. Every display has HTML and plain text, and keeps to `keep_rows`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import htpy
from IPython import display as front_end

from odibi_magics.display.html import Displayed, framed

if TYPE_CHECKING:
    from odibi_magics.engines.base import Frame, Preview
    from odibi_magics.options import Parser
    from odibi_magics.pipeline.plan import Plan
    from odibi_magics.pipeline.result import NodeResult, RunResult


# IPython leaves it untyped.
display: Callable[..., Any] = front_end.display


def show(html: str, text: str) -> None:
    """Under the cell that runs now."""
    display(Displayed(html, text))


def show_help(parser: Parser, words: Sequence[str]) -> bool:
    """Shows the options where `--help` or `-h` is among the words; says whether it did."""
    if not {"-h", "--help"} & set(words):
        return False
    show_text(parser.format_help().rstrip())
    return True


def show_text(text: str) -> None:
    """Text line by line as it is."""
    show(framed(htpy.pre[text]), text)


def show_plan(plan: Plan, *, sql: bool) -> None:
    from odibi_magics.display.plan import plan_html, plan_sql_html, plan_sql_text, plan_text

    show(plan_html(plan), plan_text(plan))
    if sql:
        show(plan_sql_html(plan), plan_sql_text(plan))


def show_preview(preview: Preview) -> None:
    from odibi_magics.display.tables import preview_html, preview_text

    show(preview_html(preview), preview_text(preview))


def first_rows(frame: Frame, keep_rows: int, title: str = "") -> Preview:
    """The first rows of a frame; its columns and the number of its rows where none may be kept."""
    preview = replace(frame.preview(keep_rows), title=title)
    return preview if keep_rows else replace(preview, rows=(), total=frame.count())


def kept_result(result: RunResult, keep_rows: int) -> RunResult:
    """The result as it is shown: of a preview the rows that may be kept; with none, no examples of rows either."""
    preview = result.preview and replace(result.preview, rows=result.preview.rows[:keep_rows])
    if preview and not keep_rows and preview.total is None:
        preview = replace(preview, total=len(result[preview.title]))
    if keep_rows:
        return replace(result, preview=preview)
    return replace(result, preview=preview, nodes=tuple(map(_without_examples, result.nodes)))


def _without_examples(node: NodeResult) -> NodeResult:
    checks = tuple(
        replace(check, examples=(), message=without_examples(check.message)) for check in node.checks
    )
    return replace(node, checks=checks, error=without_examples(node.error))


def without_examples(text: str) -> str:
    """An error's text without the rows that it quotes, nor what follows them in their lines."""
    return re.sub(r", for example .*", "", text)
