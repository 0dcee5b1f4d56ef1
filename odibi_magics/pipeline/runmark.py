"""The run mark: what each commit says of its run, as JSON in Delta's `userMetadata`.

Any one table of a run leads to the others from it, in a fresh session too, and an append can see that its text and
inputs were written before. Delta's own `txn` ids do not serve: they survive a restore, so that undo and run again
would write nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from odibi_magics.pipeline.plan import Plan, PlannedNode

FORMAT = 1


@dataclass(frozen=True)
class Target:
    """A table a run writes. before: its version when the run was planned, None where it was not there."""

    node: str
    url: str
    format: str
    before: int | None


@dataclass(frozen=True)
class RunMark:
    """What a commit says of its run.

    fingerprint: of the node's text with all it evaluates, sha256 in hex. inputs: what was read: for Delta tables
    `{url, version}`, for files `{url, files: [[name, bytes, mtime_ns], ...]}`.
    """

    run: str
    pipeline: str
    node: str
    mode: str
    fingerprint: str
    inputs: tuple[dict[str, Any], ...]
    targets: tuple[Target, ...]

    def to_json(self) -> str:
        """One line, keys in a fixed order; `odibi` holds the format's number."""
        return json.dumps({"odibi": FORMAT, **asdict(self)}, separators=(",", ":"), ensure_ascii=False)


def read_mark(text: str | None) -> RunMark | None:
    """The mark in a commit's userMetadata; None where there is none of ours."""
    try:
        found = json.loads(text or "")
        if found.pop("odibi", None) != FORMAT:
            return None
        targets = tuple(Target(**target) for target in found.pop("targets"))
        return RunMark(targets=targets, inputs=tuple(found.pop("inputs")), **found)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


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


def fingerprint(node: PlannedNode, plan: Plan) -> str:
    """Of a node's text, its variables filled in, with all nodes it evaluates; a written input counts by its URL."""
    told: list[Any] = []
    seen: set[str] = set()
    _tell(node, plan, told, seen, top=True)
    text = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _tell(node: PlannedNode, plan: Plan, told: list[Any], seen: set[str], *, top: bool) -> None:
    if node.name in seen:
        return
    seen.add(node.name)
    if node.sink is not None and not top:
        told.append(["table", node.sink.place.url])
        return
    told.append([node.name, _text(node)])
    for name in node.inputs:
        _tell(plan.by_name[name], plan, told, seen, top=False)


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
