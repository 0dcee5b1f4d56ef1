"""Plans, previews and connections as plain data for `--json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from odibi_magics.cli.answer import problem_data
from odibi_magics.config.types import Column
from odibi_magics.secret import redact

if TYPE_CHECKING:
    from odibi_magics.connections.status import ConnectionStatus
    from odibi_magics.delta.diff import Diff, DiffColumn, RowDiff
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.delta.restore import Restored
    from odibi_magics.delta.undo import Undone
    from odibi_magics.delta.vacuum import Vacuumed
    from odibi_magics.doctor.diagnosis import Diagnosis
    from odibi_magics.engines.base import Place, Preview, Warned
    from odibi_magics.errors import Problem
    from odibi_magics.pipeline.plan import Plan, PlannedNode
    from odibi_magics.pipeline.result import RunResult


def to_json(data: Any) -> str:
    """Redacted JSON. What JSON has no word for is text: decimals, dates in ISO 8601, bytes in hex, NaN."""
    return json.dumps(_plain(data), indent=2, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value.hex() if isinstance(value, (bytes, bytearray, memoryview)) else redact(str(value))


def restored_data(found: Restored) -> dict[str, Any]:
    """changes_nothing: whether the table is so already."""
    return {**asdict(found), "changes_nothing": found.changes_nothing}


def optimized_data(found: Optimized) -> dict[str, Any]:
    """changes_nothing: whether there is nothing to do."""
    return {**asdict(found), "changes_nothing": found.changes_nothing}


def vacuumed_data(found: Vacuumed) -> dict[str, Any]:
    """lost, kept: versions as pairs of the first and the last of a run of them."""
    return asdict(found)


def run_data(result: RunResult) -> Any:
    """A run's report; a preview's rows are in it besides."""
    data = json.loads(result.to_json())
    return {**data, "preview": preview_data(result.preview)} if result.preview else data


def _instant(value: Any, column: Column) -> Any:
    """A value with the zone that its column's type means: previews hold instants as datetimes in UTC."""
    if column.type == "timestamp" and isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return value


def preview_data(preview: Preview) -> dict[str, Any]:
    """Rows as lists in the order of the columns: two columns may have one name."""
    return {
        "title": preview.title,
        "columns": _columns(preview.columns),
        "rows": [list(map(_instant, row, preview.columns)) for row in preview.rows],
        "total": preview.total,
    }


def diff_data(diff: Diff) -> dict[str, Any]:
    """A diff; its sample's rows as lists in the order of the columns that were compared."""
    return {
        "before": asdict(diff.before),
        "after": asdict(diff.after),
        "identical": diff.identical,
        "keys": diff.keys,
        "rows": {name: getattr(diff, name) for name in ("added", "removed", "changed", "unchanged")},
        "schema_changes": [asdict(change) for change in diff.schema_changes],
        "columns": [asdict(column) for column in diff.columns],
        "sample": [_row_diff(row, diff.compared) for row in diff.sample],
        "read": {"files": diff.files_read, "bytes": diff.bytes_read},
        "skipped": {"files": diff.files_skipped, "bytes": diff.bytes_skipped},
        "keys_read": diff.keys_read,
        "unchecked": diff.unchecked,
    }


def _row_diff(row: RowDiff, columns: Sequence[DiffColumn]) -> dict[str, Any]:
    before = [Column(column.name, column.before) for column in columns]
    after = [Column(column.name, column.after) for column in columns]
    return {
        "kind": row.kind,
        "before": row.before and list(map(_instant, row.before, before)),
        "after": row.after and list(map(_instant, row.after, after)),
        "changed": row.changed,
        "count": row.count,
    }


def validate_data(
    file: str,
    problems: Sequence[Problem],
    warnings: Sequence[Warned] = (),
    counts: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """What is wrong with a file, and how much is in it. counts: None where it is too wrong to count."""
    return {
        "file": file,
        "valid": not problems,
        "problems": [problem_data(problem) for problem in problems],
        "warnings": _warnings(warnings),
        **(counts or dict.fromkeys(("connections", "pipelines", "nodes"))),
    }


def plan_data(plan: Plan, *, sql: bool) -> dict[str, Any]:
    """sql: with each step's SQL."""
    return {
        "project": plan.project,
        "environment": plan.environment,
        "engine": plan.engine,
        "variables": [
            {"name": used.name, "value": used.value, "origin": used.origin} for used in plan.variables
        ],
        "nodes": [_node(node, sql) for node in plan.nodes],
        "warnings": _warnings(plan.warnings),
    }


def _node(node: PlannedNode, sql: bool) -> dict[str, Any]:
    return {
        "name": node.name,
        "pipeline": node.pipeline,
        "defined": node.defined,
        "runs": node.runs,
        "after": [{"node": edge.source, "why": edge.why} for edge in node.edges],
        "reads": _place(node.source.place) if node.source else None,
        "writes": _write(node),
        "columns": _columns(node.columns) if node.columns is not None else None,
        "changes": [asdict(change) for change in node.changes],
        "warnings": _warnings(node.warnings),
        **({"sql": list(node.sql)} if sql else {}),
    }


def _write(node: PlannedNode) -> dict[str, Any] | None:
    if node.sink is None:
        return None
    version = node.target.version if node.target else None
    return {**_place(node.sink.place), "mode": node.sink.mode, "action": node.action, "version": version}


def history_data(history: History, warnings: Sequence[Warned] = ()) -> dict[str, Any]:
    """A table's versions, the newest first. more: how many older ones are not among them."""
    return {**asdict(history), "more": history.more, "warnings": _warnings(warnings)}


def status_data(status: ConnectionStatus) -> dict[str, Any]:
    """A connection and how it answers."""
    return {
        **asdict(status.info), "state": status.state, "seconds": status.seconds, "error": status.error or None,
    }  # fmt: skip


def diagnosis_data(found: Diagnosis) -> dict[str, Any]:
    """A connection's layers, and what mends its first failure."""
    failure = found.failure
    return {
        "name": found.connection,
        "place": found.place,
        "state": found.state,
        "seconds": found.seconds,
        "failed_at": failure.name if failure else None,
        "command": failure.command or None if failure else None,
        "layers": [asdict(layer) for layer in found.layers],
    }


def undone_data(found: Undone) -> dict[str, Any]:
    """An undo, table by table."""
    return asdict(found)


def _place(place: Place) -> dict[str, Any]:
    return {"address": place.address, "url": place.url, "format": place.format}


def _columns(columns: Sequence[Column]) -> list[dict[str, str]]:
    return [{"name": column.name, "type": column.type} for column in columns]


def _warnings(warnings: Sequence[Warned]) -> list[dict[str, str]]:
    return [{"message": warned.message, "remedy": warned.remedy, "code": warned.code} for warned in warnings]
