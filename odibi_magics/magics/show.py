"""What the magics put under a cell. Every display has HTML and plain text, and keeps to `keep_rows`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from IPython import display as front_end

from odibi_magics.display.html import Displayed, framed, text_html
from odibi_magics.pipeline.events import Event, NodeFinished, NodeRetried
from odibi_magics.quoting import WITHHELD, without_data

if TYPE_CHECKING:
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.engines.base import Preview, Warned
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
    show(framed(text_html(text)), text)


def show_plan(plan: Plan, *, sql: bool) -> None:
    from odibi_magics.display.plan import plan_html, plan_sql_html, plan_sql_text, plan_text

    show(plan_html(plan), plan_text(plan))
    if sql:
        show(plan_sql_html(plan), plan_sql_text(plan))


def show_warnings(warnings: Sequence[Warned]) -> None:
    """Nothing where there are none."""
    from odibi_magics.display.document import Item
    from odibi_magics.display.html import blocks_html
    from odibi_magics.display.plan import warning_items
    from odibi_magics.display.text import blocks_text

    blocks = list(warning_items(tuple(Item("", one.message, one.remedy) for one in warnings)))
    if blocks:
        show(blocks_html(blocks), blocks_text(blocks))


def show_preview(preview: Preview) -> None:
    from odibi_magics.display.tables import preview_html, preview_text

    show(preview_html(preview), preview_text(preview))


def kept_result(result: RunResult, keep_rows: int) -> RunResult:
    """The result as it is shown: of a preview the rows that may be kept; with none, no data in any text either."""
    preview = result.preview and replace(result.preview, rows=result.preview.rows[:keep_rows])
    if preview and not keep_rows and preview.total is None:
        preview = replace(preview, total=len(result[preview.title]))
    if keep_rows:
        return replace(result, preview=preview)
    nodes = tuple(map(_node_without_data, result.nodes))
    warnings = tuple(map(_warned_without_data, result.warnings))
    return replace(result, preview=preview, nodes=nodes, warnings=warnings)


def kept_history(history: History, keep_rows: int) -> History:
    """The history as it is shown: with no rows, no parameters either, whose conditions quote values."""
    if keep_rows:
        return history
    entries = (
        replace(entry, parameters=dict.fromkeys(entry.parameters, WITHHELD)) for entry in history.entries
    )
    return replace(history, entries=tuple(entries))


def _node_without_data(node: NodeResult) -> NodeResult:
    return replace(
        node,
        checks=tuple(replace(one, examples=(), message=without_data(one.message)) for one in node.checks),
        warnings=tuple(map(_warned_without_data, node.warnings)),
        error=without_data(node.error),
        tries=tuple(map(without_data, node.tries)),
    )


def kept_optimized(found: Optimized, keep_rows: int) -> Optimized:
    """A partition's values are data."""
    if keep_rows:
        return found
    return replace(
        found, parts=tuple(replace(one, partition=one.partition and WITHHELD) for one in found.parts)
    )


def event_without_data(event: Event) -> Event:
    """What happens in a run, its texts without the data they quote."""
    if isinstance(event, NodeFinished):
        return replace(event, result=_node_without_data(event.result))
    return replace(event, error=without_data(event.error)) if isinstance(event, NodeRetried) else event


def _warned_without_data(warned: Warned) -> Warned:
    return replace(warned, message=without_data(warned.message), remedy=without_data(warned.remedy))


def kept(result: Any, keep_rows: int) -> Any:
    """What a verb on a table gave, as it is shown."""
    from odibi_magics.delta.diff import Diff
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized

    match result:
        case History():
            return kept_history(result, keep_rows)
        case Optimized():
            return kept_optimized(result, keep_rows)
        case Diff():
            return replace(result, sample=result.sample[:keep_rows])
        case _:
            return result
