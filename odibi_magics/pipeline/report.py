"""A run's report as JSON, for machines.

`format` is 1; it grows when a key changes its meaning, not when one is added. Keys are always there; null
stands for what is not known or does not apply. Times are ISO 8601 in UTC, durations seconds, sizes bytes.

    format, run_id, state (done | failed | stopped), engine, project, environment, started, seconds
    variables   name, value, origin
    warnings    message, remedy, code: of the run as a whole
    nodes       name, pipeline, state (done | failed | skipped | stopped | queued), rows, seconds, reason,
                error, defined
      after     node, why, carries (false: only the order counts)
      reads     address, url, format, version
      writes    address, url, format, mode, action: as it was planned
      written   address, url, rows, files, bytes, version_before, version_after, rows_inserted, rows_updated,
                rows_deleted, skipped
      columns   name, type
      checks    check, on_fail, failed, at_least, message
      warnings  message, remedy, code
    used        nodes of earlier cells that were read or evaluated: name, defined

No rows of data are in it, and it has passed the redactor.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.engines.base import CheckResult, Place, Sink, Source, Warned, Written
from odibi_magics.pipeline.plan import PlannedNode
from odibi_magics.pipeline.result import NodeResult, RunResult
from odibi_magics.secret import redact

FORMAT = 1


def to_json(result: RunResult) -> str:
    """The report, as this module describes it; the same result gives the same text."""
    plan = result.plan
    report = {
        "format": FORMAT,
        "run_id": result.run_id,
        "state": result.state,
        "engine": result.engine,
        "project": plan.project,
        "environment": plan.environment,
        "started": result.started.isoformat(),
        "seconds": round(result.seconds, 3),
        "variables": [
            {"name": used.name, "value": used.value, "origin": used.origin} for used in plan.variables
        ],
        "warnings": _warnings((*plan.warnings, *result.warnings)),
        "nodes": [_node(node, plan.by_name[node.name]) for node in result.nodes],
        "used": [{"name": node.name, "defined": node.defined} for node in plan.nodes if not node.runs],
    }
    return json.dumps(_redacted(report), indent=2, ensure_ascii=False) + "\n"


def _node(result: NodeResult, planned: PlannedNode) -> dict[str, Any]:
    return {
        "name": result.name,
        "pipeline": result.pipeline,
        "state": result.state,
        "rows": result.rows,
        "seconds": round(result.seconds, 3),
        "reason": result.reason,
        "error": result.error,
        "tries": list(result.tries),
        "defined": planned.defined,
        "after": [{"node": edge.source, "why": edge.why, "carries": edge.carries} for edge in planned.edges],
        "reads": _reads(planned.source),
        "writes": _writes(planned.sink, planned.action),
        "written": _written(result.written),
        "columns": [{"name": column.name, "type": column.type} for column in planned.columns]
        if planned.columns is not None
        else None,
        "checks": list(map(_check, result.checks)),
        "warnings": _warnings(result.warnings),
    }


def _place(place: Place) -> dict[str, Any]:
    return {"address": place.address, "url": place.url}


def _reads(source: Source | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {**_place(source.place), "format": source.place.format, "version": source.version}


def _writes(sink: Sink | None, action: str | None) -> dict[str, Any] | None:
    if sink is None:
        return None
    return {**_place(sink.place), "format": sink.place.format, "mode": sink.mode, "action": action}


_WRITTEN = (
    "rows", "files", "bytes", "version_before", "version_after", "rows_inserted", "rows_updated",
    "rows_deleted", "skipped",
)  # fmt: skip


def _written(written: Written | None) -> dict[str, Any] | None:
    return {**_place(written.place), **{key: getattr(written, key) for key in _WRITTEN}} if written else None


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "check": check.label,
        "on_fail": check.on_fail,
        "failed": check.failed,
        "counts": check.counts,
        "at_least": check.at_least,
        "message": check.message,
    }


def _warnings(warnings: Sequence[Warned]) -> list[dict[str, str]]:
    return [{"message": warned.message, "remedy": warned.remedy, "code": warned.code} for warned in warnings]


def _redacted(value: Any) -> Any:
    """Before it becomes JSON, whose escapes would hide a secret from the redactor."""
    if isinstance(value, Mapping):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else redact(str(value))
