"""The plan as people read it: order and why, what each write will do, the columns that come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.config.times import written
from odibi_magics.display.document import Block, Item, Items, Line, Table, Texts, data_cell, without_empty
from odibi_magics.display.html import blocks_html
from odibi_magics.display.text import blocks_text
from odibi_magics.display.units import plural, size
from odibi_magics.engines.base import Place, Query, Sink, Source, Step, TargetState
from odibi_magics.pipeline.plan import Edge, Plan, PlannedNode


def plan_html(plan: Plan) -> str:
    """The plan as a display."""
    return blocks_html(plan_blocks(plan))


def plan_text(plan: Plan) -> str:
    """The plan as text; whole, however long."""
    return blocks_text(plan_blocks(plan))


def plan_sql_html(plan: Plan) -> str:
    """The SQL that the engine gets for each step, as a display."""
    return blocks_html(sql_blocks(plan))


def plan_sql_text(plan: Plan) -> str:
    """The SQL that the engine gets for each step, as text."""
    return blocks_text(sql_blocks(plan))


def plan_blocks(plan: Plan) -> list[Block]:
    """All that is known before a run."""
    return [_head(plan), *plan_details(plan)]


def plan_details(plan: Plan) -> list[Block]:
    """The plan without its headline."""
    runs = [node for node in plan.nodes if node.runs]
    return [
        *_order(runs),
        *warning_items(plan_warnings(plan)),
        *_columns(runs),
        *_changes(runs),
        *_checks(runs),
        *_places(plan.nodes),
        *_earlier(plan),
        *_variables(plan),
    ]


def _head(plan: Plan) -> Line:
    parts = [f"{plural(sum(node.runs for node in plan.nodes), 'node')} on {plan.engine_title}"]
    parts += [f"project {plan.project}"] if plan.project else []
    parts += [f"environment {plan.environment}"] if plan.environment else []
    return Line("Plan:", " · ".join([*parts, "nothing was run"]))


def _order(runs: Sequence[PlannedNode]) -> Iterator[Table]:
    several = len({node.pipeline for node in runs}) > 1
    columns = ("node", "pipeline", "after", "reads", "steps", "writes", "there now", "comes out")
    rows = [
        (node.name, node.pipeline if several else "", after(node.edges), _reads(node.source),
         _steps(node.steps), _writes(node), _there(node), _comes_out(node))
        for node in runs
    ]  # fmt: skip
    kept, cells = without_empty(columns, rows)
    if cells:
        yield Table(kept, cells, "In this order", weight=6)


def after(edges: Sequence[Edge]) -> str:
    """The nodes that come before, each with why."""
    return ", ".join(f"{edge.source} ({why(edge)})" for edge in edges)


def why(edge: Edge) -> str:
    """Why a node comes after another."""
    return edge.why if edge.carries else f"{edge.why}; order only"


def _reads(source: Source | None) -> str:
    if source is None:
        return ""
    parts = [at(source.place.address, source.version)]
    parts += [f"as of {written(source.timestamp)}"] if source.timestamp else []
    parts += [f"only {', '.join(source.columns)}"] if source.columns else []
    parts += [f"where {source.filter}"] if source.filter else []
    parts += [_newer(source)] if source.newer_than else []
    return ", ".join(parts)


def _newer(source: Source) -> str:
    lag = f" less {source.lag}" if source.lag else ""
    table = f" in {source.watermark.address}" if source.watermark else ""
    return f"{source.newer_than} above its maximum{table}{lag}"


def at(address: str, version: int | None) -> str:
    """`conn:path@version`, ready to paste."""
    return address if version is None else f"{address}@{version}"


def _steps(steps: Sequence[Step]) -> str:
    return ", ".join("sql" if isinstance(step, Query) else f"{step.function.name}()" for step in steps)


def _writes(node: PlannedNode) -> str:
    return write_words(node, node.sink.place.address) if node.sink else ""


_ACTIONS = {
    "create": "create", "append": "append to", "overwrite": "overwrite", "replace": "replace in",
    "merge": "merge into", "insert new": "insert what is new into", "keep": "leave as it is",
    "refuse": "refuse, as there is already",
}  # fmt: skip


def write_words(node: PlannedNode, place: str) -> str:
    """What the write will do to a place, and with what settings: "merge into lake:clean (keys: id)"."""
    assert node.sink is not None
    action = _ACTIONS[node.action] if node.action else node.sink.mode
    details = "; ".join(_details(node.sink, node.action))
    return f"{action} {place} ({details})" if details else f"{action} {place}"


def _details(sink: Sink, action: str | None) -> Iterator[str]:
    """In the words of the language."""
    if action not in (None, sink.mode) and not (action == "create" and sink.mode == "overwrite"):
        yield f"mode: {sink.mode}"
    for key in ("keys", "partition_by"):
        if names := getattr(sink, key):
            yield f"{key}: {', '.join(names)}"
    if sink.replace_where:
        yield f"replace_where: {sink.replace_where}"
    for key in ("merge_schema", "overwrite_schema"):
        if getattr(sink, key):
            yield f"{key}: true"


def _there(node: PlannedNode) -> str:
    if node.sink is None or node.target is None:
        return ""
    return _state(node.target) if node.target.exists else "nothing yet"


def _state(target: TargetState) -> str:
    parts = [f"version {target.version}"] if target.version is not None else ["exists"]
    parts += [plural(target.rows, "row")] if target.rows is not None else []
    parts += [plural(target.files, "file")] if target.files is not None else []
    parts += [size(target.bytes)] if target.bytes is not None else []
    return ", ".join(parts)


def _comes_out(node: PlannedNode) -> str:
    return "known when run" if node.columns is None else plural(len(node.columns), "column")


def _columns(runs: Sequence[PlannedNode]) -> Iterator[Table]:
    rows = [(node.name, ", ".join(map(str, node.columns or ())) or "known when run") for node in runs]
    if rows:
        yield Table(("node", "columns"), tuple(rows), "Columns that come out", weight=3)


def _changes(runs: Sequence[PlannedNode]) -> Iterator[Table]:
    rows = [
        (node.name, node.sink.place.address if node.sink else "", change.kind, change.column, change.detail)
        for node in runs
        for change in node.changes
    ]
    if rows:
        columns = ("node", "table", "change", "column", "detail")
        yield Table(columns, tuple(rows), "Schema changes against the existing tables", weight=2)


def _checks(runs: Sequence[PlannedNode]) -> Iterator[Table]:
    rows = [
        (node.name, label, "nothing is committed" if on_fail == "error" else "a warning")
        for node in runs
        for label, on_fail in _labels(node)
    ]
    if rows:
        yield Table(("node", "check", "if it fails"), tuple(rows), "Checks", weight=2)


def _labels(node: PlannedNode) -> Iterator[tuple[str, str]]:
    """Each check and its `on_fail`, those of `schema` too, which read no rows."""
    for schema in node.config.validation.schema_ if node.config.validation else ():
        yield "schema", schema.on_fail
    for check in node.checks:
        yield check.label, check.on_fail


def _places(nodes: Sequence[PlannedNode]) -> Iterator[Table]:
    places: list[Place] = []
    for node in nodes:
        places += [node.source.place] if node.source else []
        places += [node.sink.place] if node.sink else []
    rows = dict.fromkeys((place.address, place.format, place.url) for place in places)
    if rows:
        yield Table(("address", "format", "URL"), tuple(rows), "Full addresses", weight=2, folded=True)


def _earlier(plan: Plan) -> Iterator[Table]:
    rows = [
        (node.name, node.defined, f"read from {_reads(node.source)}" if node.source else "evaluated again")
        for node in plan.nodes
        if not node.runs
    ]
    if rows:
        yield Table(("node", "defined in", "here"), tuple(rows), "Nodes of earlier cells: used, not written")


def _variables(plan: Plan) -> Iterator[Table]:
    rows = [(f"{{{{ {used.name} }}}}", data_cell(used.value), used.origin) for used in plan.variables]
    if rows:
        yield Table(("variable", "value", "from"), tuple(rows), "Variables")


def plan_warnings(plan: Plan) -> tuple[Item, ...]:
    """Of the plan itself, then of each node."""
    of_plan = [Item("", warned.message, warned.remedy) for warned in plan.warnings]
    of_nodes = [Item(node.name, each.message, each.remedy) for node in plan.nodes for each in node.warnings]
    return (*of_plan, *of_nodes)


def warning_items(items: tuple[Item, ...]) -> Iterator[Items]:
    """The warnings as a block, where there are any."""
    if items:
        yield Items(f"⚠ {plural(len(items), 'warning')}", items, "warned", weight=2)


def sql_blocks(plan: Plan) -> list[Block]:
    """A text for each SQL step."""
    entries = tuple(entry for node in plan.nodes if node.runs for entry in _sql(node))
    if not entries:
        return [Line("SQL:", f"no step here is SQL for {plan.engine_title}")]
    said = f"{plural(len(entries), 'step')} as {plan.engine_title} gets them"
    return [Line("SQL:", said), Texts(entries, whole='The rest is in the plan: plan["NODE"].sql')]


def _sql(node: PlannedNode) -> Iterator[tuple[str, str]]:
    queries = [step for step in node.steps if isinstance(step, Query)]
    for step, sql in zip(queries if len(queries) == len(node.sql) else node.steps, node.sql, strict=False):
        if sql:
            yield f"{node.name}, step {step.number}", sql
