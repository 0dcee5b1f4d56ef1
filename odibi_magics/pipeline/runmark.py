"""What a run says of itself in the mark of each commit: its tables, and the fingerprint of a node's text."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from odibi_magics.delta.mark import RunMark, Target
from odibi_magics.pipeline.plan import Plan, PlannedNode


def new_run_id() -> str:
    """A run's id: the time in UTC, and six characters so that two runs of one second differ."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def run_mark(
    run_id: str,
    plan: Plan,
    node: PlannedNode,
    inputs: Sequence[Mapping[str, Any]],
    before: Sequence[Target] = (),
) -> RunMark:
    """What the commit of a node that writes says of its run. before: the places that the run told of until now."""
    assert node.sink is not None
    here = targets(plan)
    urls = {target.url for target in here}
    return RunMark(
        run=run_id,
        pipeline=node.pipeline,
        node=node.name,
        mode=node.sink.mode,
        fingerprint=fingerprint(node, plan.by_name),
        inputs=tuple(map(dict, inputs)),
        targets=(*(target for target in before if target.url not in urls), *here),
    )


def targets(plan: Plan) -> tuple[Target, ...]:
    """All places a run writes."""
    return tuple(
        Target(
            node.name,
            node.sink.place.url,
            node.sink.place.format,
            node.target.version if node.target else None,
        )
        for node in plan.nodes
        if node.runs and node.sink
    )


def overwrites(node: PlannedNode) -> bool:
    """Whether a node replaces all that stands at its place."""
    sink = node.sink
    return node.runs and sink is not None and sink.mode == "overwrite" and not sink.replace_where


def fingerprint(node: PlannedNode, nodes: Mapping[str, PlannedNode]) -> str:
    """Of a node's text, its variables filled in, with all nodes it evaluates; a written input counts by its URL."""
    told: list[Any] = []
    seen: set[str] = set()
    _tell(node, nodes, told, seen, top=True)
    text = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _tell(
    node: PlannedNode, nodes: Mapping[str, PlannedNode], told: list[Any], seen: set[str], *, top: bool
) -> None:
    if node.name in seen:
        return
    seen.add(node.name)
    table = node.sink or (node.source if not node.runs and node.config.write else None)
    if table is not None and not top:
        told.append(["table", table.place.url])
        return
    told.append([node.name, _text(node)])
    for name in node.inputs:
        _tell(nodes[name], nodes, told, seen, top=False)


def _text(node: PlannedNode) -> dict[str, Any]:
    """What decides the node's rows and their place; descriptions and checks do not."""
    written = node.config.model_dump(
        include={"read", "write"}, by_alias=True, exclude_defaults=True, mode="python"
    )
    steps = [_step(step) for step in node.steps]
    place = node.source.place.url if node.source else None
    condition = node.source.filter if node.source else None
    return {**written, "steps": steps, "place": place, "condition": condition}


def _step(step: Any) -> Sequence[Any]:
    from odibi_magics.engines.base import Query

    if isinstance(step, Query):
        return ["sql", step.checked.text]
    return ["function", step.function.name, step.function.source, dict(step.params)]
