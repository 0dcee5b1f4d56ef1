"""A run's report: what became of each node, what was written where, what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.display.document import Advice, Block, Cell, Item, Items, Line, Table, Texts, without_empty
from odibi_magics.display.html import blocks_html, page
from odibi_magics.display.plan import at, plan_details, warning_items
from odibi_magics.display.tables import preview_blocks
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import count, duration, plural, size
from odibi_magics.display.values import line
from odibi_magics.engines.base import CheckResult, Sink, Written
from odibi_magics.pipeline.result import NodeResult, RunResult
from odibi_magics.quoting import first_line


def report_html(result: RunResult) -> str:
    """The report as a display."""
    return blocks_html(report_blocks(result))


def report_text(result: RunResult) -> str:
    """The report as text; whole, however long."""
    return blocks_text(report_blocks(result))


def report_page(result: RunResult) -> str:
    """The report as a page of its own, whole, with the plan that was run."""
    # Its warnings stand in the report already.
    plan = [block for block in plan_details(result.plan) if not isinstance(block, Items)]
    head = Line("The plan", "as it stood before the run")
    return page(f"Run {result.run_id}", [*report_blocks(result), head, *plan])


def report_blocks(result: RunResult) -> list[Block]:
    """Errors come right below the nodes, data last; of a run that failed, what to type next."""
    return [
        *_head(result),
        *_nodes(result.nodes),
        *_errors(result),
        *warning_items(_warnings(result)),
        *_checks(result.nodes),
        *(_addresses(result) if result.writes else ()),
        *(_ways(result) if result.writes and result.state != "done" else ()),
        *_replaced(result),
        *(preview_blocks(result.preview) if result.preview else ()),
    ]


_SIGNS = {
    "queued": "·", "running": "…", "done": "✓", "not evaluated": "·", "failed": "✗", "skipped": "–",
    "stopped": "■", "planned": "·", "previewed": "✓", "again": "↻",
}  # fmt: skip


def state_cell(state: str, reason: str = "") -> Cell:
    """A node's state as a sign and a word: the colour is only a third."""
    why = reason.removeprefix(f"{state} ")
    said = f"{_SIGNS.get(state, '…')} {state}" + (f": {why}" if why else "")
    return Cell(line(said), kind=state)


def _head(result: RunResult) -> Iterator[Line]:
    parts = [plural(len(result.nodes), "node"), duration(result.seconds), result.engine]
    parts += [f"started {result.started:%Y-%m-%d %H:%M:%S} UTC"]
    parts += [f"project {result.plan.project}"] if result.plan.project else []
    parts += [f"environment {result.plan.environment}"] if result.plan.environment else []
    sampled = f" of at most {plural(result.sample, 'row')} of each source" if result.sample else ""
    parts += [f"a preview{sampled}: nothing was written"] if not result.writes else []
    sign = _SIGNS[result.state]
    yield Line(f"{sign} Run {result.run_id} {result.state}", " · ".join(["", *parts]).lstrip(), result.state)


def _nodes(nodes: Sequence[NodeResult]) -> Iterator[Table]:
    several = len({node.pipeline for node in nodes}) > 1
    columns = ("node", "pipeline", "state", "rows", "time", "changed", "files", "size", "version", "table")
    rows = [
        (node.name, node.pipeline if several else "", state_cell(node.state, _why(node)), node.rows,
         duration(node.seconds) if node.seconds else "", *_written(node.written))
        for node in nodes
    ]  # fmt: skip
    kept, cells = without_empty(columns, rows)
    if cells:
        yield Table(kept, cells, right=("time", "size"), weight=6)


def _why(node: NodeResult) -> str:
    tries = len(node.tries) + 1
    if tries == 1 or node.state not in ("done", "failed"):
        return node.reason
    return f"at try {tries}" if node.state == "done" else f"after {tries} tries"


def _written(written: Written | None) -> tuple[str | int | None, ...]:
    """Changed rows, files, bytes, versions and address of a write."""
    if written is None:
        return "", None, "", "", ""
    address = at(written.place.address, written.version_after)
    if written.skipped:
        return f"nothing: {written.skipped}", None, "", versions(written), address
    return _changed(written), written.files, size(written.bytes), versions(written), address


def _changed(written: Written) -> str:
    numbers = {
        "inserted": written.rows_inserted, "updated": written.rows_updated, "deleted": written.rows_deleted
    }  # fmt: skip
    return ", ".join(f"{count(number)} {word}" for word, number in numbers.items() if number is not None)


def versions(written: Written) -> str:
    """`3 → 4`, `new → 0`; "" for files, which have none."""
    before, after = written.version_before, written.version_after
    if after is None:
        return "" if before is None else f"{before}"
    if before == after:
        return f"{after}, unchanged"
    return f"{'new' if before is None else before} → {after}"


def _errors(result: RunResult) -> Iterator[Texts]:
    entries = tuple((f"{node.name} {node.state}", node.error) for node in result.nodes if node.error)
    if entries:
        yield Texts(entries, "failed", 'In full: print(odibi_result.node("NODE").error)', weight=6)


def _warnings(result: RunResult) -> tuple[Item, ...]:
    of_run = [Item("", warned.message, warned.remedy) for warned in (*result.plan.warnings, *result.warnings)]
    of_nodes = [Item(node.name, each.message, each.remedy) for node in result.nodes for each in node.warnings]
    tries = [
        Item(node.name, f"try {i} failed: {first_line(error)}")
        for node in result.nodes
        if node.state == "done"
        for i, error in enumerate(node.tries, 1)
    ]
    return tuple(dict.fromkeys([*of_run, *of_nodes, *tries]))


def _checks(nodes: Sequence[NodeResult]) -> Iterator[Table]:
    columns = ("node", "check", "result", "detail")
    rows = [
        (node.name, check.label, _outcome(check), _detail(check)) for node in nodes for check in node.checks
    ]
    kept, cells = without_empty(columns, rows)
    if cells:
        yield Table(kept, cells, "Checks", weight=2)


def _outcome(check: CheckResult) -> Cell:
    if not check.failed:
        return Cell("✓ held", kind="done")
    least = "at least " if check.at_least else ""
    failed = f"{least}{plural(check.failed, check.counts)}" if check.counts else "failed"
    sign, kind = ("✗", "failed") if check.on_fail == "error" else ("⚠", "warned")
    return Cell(f"{sign} {failed}", kind=kind)


def _detail(check: CheckResult) -> str:
    """Of a failed check that stopped its node, nothing: the node's error says it."""
    return "" if check.on_fail == "error" else check.message


def _addresses(result: RunResult) -> Iterator[Table]:
    """Of all tables the run writes; one that was written with the version it got."""
    rows = [row for node in result.nodes for row in _address(node, result.plan.by_name[node.name].sink)]
    if rows:
        yield Table(("address", "URL"), tuple(rows), "Full addresses", weight=2, folded=True)


def _ways(result: RunResult) -> Iterator[Advice]:
    """The commands that go on from a run that failed or was stopped."""
    held = [node.name for node in result.nodes if node.held]  # a resume of all would find their rows again
    ended = ("done", "not evaluated")
    left = [node.name for node in result.nodes if node.state not in ended and node.name not in held]
    if left or not held:
        command = result.ways.resume(result.run_id, only=left if held else ())
        where = "The same cell, with this as its first line:" if command.startswith("%%") else ""
        broken = any(node.state == "failed" and node.name not in held for node in result.nodes)
        mended = ", once what failed is mended" if broken else ""
        yield Advice(f"To go on with what is left{mended}", where, command)
    written = [node.written for node in result.nodes if node.written]
    tables = [each.place.address for each in written if each.version_after is not None and not each.skipped]
    tables = tables or [each.place.address for each in written if each.version_after is not None]
    if tables:  # the newest mark of a run that went on leads to all its tables
        yield Advice(
            "To take back what was written", "", result.ways.undo(result.run_id, {}, tables=tables[-1:])
        )


def _replaced(result: RunResult) -> Iterator[Advice]:
    """The commands that have back what `--replace` took away, in place of what was written since."""
    for away in result.away:
        title = f"To have run {away.run} back, shown first, in place of what was written since"
        yield Advice(title, "", result.ways.undo(away.undo, {}, tables=away.tables[:1], force=True))


def _address(node: NodeResult, sink: Sink | None) -> Iterator[tuple[str, str]]:
    if node.written:
        yield at(node.written.place.address, node.written.version_after), node.written.place.url
    elif sink:
        yield sink.place.address, sink.place.url
