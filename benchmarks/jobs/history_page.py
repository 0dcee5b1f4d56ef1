"""The newest page of a long history.

`prepare FOLDER VERSIONS` makes tables, `rounds FOLDER N` prints milliseconds by way as JSON. Ways run in turn in one
process, in each round those of milliseconds many times, of which the median counts; what each found is compared first.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

PAGES = ("page of 100", "page of 20,000", "the same with a checkpoint")
REPEATS = 25

SHORT, LONG, CHECKPOINT = "short", "long", "checkpoint"
SCHEMA = {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]}


def prepare(folder: Path, versions: int) -> None:
    """Tables of 100 and of so many versions, and the latter with a checkpoint; their logs are written by hand."""
    from deltalake import DeltaTable

    _log(folder / SHORT, 100)
    _log(folder / LONG, versions)
    shutil.copytree(folder / LONG, folder / CHECKPOINT)
    DeltaTable(str(folder / CHECKPOINT)).create_checkpoint()


def _log(folder: Path, versions: int) -> None:
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    for version in range(versions):
        (log / f"{version:020}.json").write_text("".join(json.dumps(one) + "\n" for one in _actions(version)))


def _actions(version: int) -> list[dict[str, Any]]:
    when = 1_767_225_600_000 + version * 60_000
    mark = {
        "odibi": 1, "run": f"run-{version}", "pipeline": "etl", "node": "clean", "mode": "append",
        "fingerprint": "f" * 64,
        "inputs": [{"url": "abfss://raw@account1.dfs.core.windows.net/sales", "version": version}], "targets": [],
    }  # fmt: skip
    info = {
        "timestamp": when, "operation": "WRITE", "operationParameters": {"mode": "Append", "partitionBy": "[]"},
        "operationMetrics": {"numFiles": "1", "numOutputRows": "1000", "numOutputBytes": "20000"},
        "engineInfo": "delta-rs:py-1.6.6", "userMetadata": json.dumps(mark),
    }  # fmt: skip
    stats = {"numRecords": 1000, "minValues": {"id": 0}, "maxValues": {"id": 999}, "nullCount": {"id": 0}}
    add = {
        "path": f"part-{version:05}.parquet", "partitionValues": {}, "size": 20_000, "modificationTime": when,
        "dataChange": True, "stats": json.dumps(stats),
    }  # fmt: skip
    metadata = {
        "id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(SCHEMA),
        "partitionColumns": [], "configuration": {},
    }  # fmt: skip
    first = [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": metadata}]
    return [{"commitInfo": info}, *(first if version == 0 else ()), {"add": add}]


def rounds(folder: Path, count: int) -> dict[str, list[float]]:
    """Milliseconds of each way; the first round, which imports, does not count."""
    from deltalake import DeltaTable

    from odibi_magics import Project

    tables = Project.from_yaml(f"connections: {{lake: {{type: local, base_path: '{folder}'}}}}").engine

    def page(path: str, limit: int | None = 20) -> Any:
        return tables.delta_history(connection="lake", path=path, limit=limit)

    ways: dict[str, Callable[[], Any]] = {
        "page of 100": lambda: page(SHORT),
        "page of 20,000": lambda: page(LONG),
        "the same with a checkpoint": lambda: page(CHECKPOINT),
        "all of 20,000": lambda: page(LONG, None),
        "deltalake's own page of 20,000": lambda: DeltaTable(str(folder / LONG)).history(20),
        "the same with a checkpoint, deltalake": lambda: DeltaTable(str(folder / CHECKPOINT)).history(20),
    }
    _check(ways)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(count):
        pages: dict[str, list[float]] = {name: [] for name in PAGES}
        for _ in range(REPEATS):
            for name in PAGES:
                pages[name].append(_timed(ways[name]))
        for name, way in ways.items():
            took[name].append(median(pages[name]) if name in pages else _timed(way))
    return took


def _timed(way: Callable[[], Any]) -> float:
    start = time.perf_counter()
    way()
    return (time.perf_counter() - start) * 1000


def _check(ways: dict[str, Callable[[], Any]]) -> None:
    _, long, checkpoint, everything, theirs, _ = (way() for way in ways.values())
    assert long.entries == checkpoint.entries == everything.entries[:20]
    assert len(everything.entries) == everything.newest + 1 == long.more + 20
    told = [(one["version"], one["operation"], one["timestamp"]) for one in theirs]
    assert told == [(one.version, one.operation, round(one.time.timestamp() * 1000)) for one in long.entries]


if __name__ == "__main__":
    does, where, number = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if does == "prepare":
        prepare(where, number)
    else:
        print(json.dumps(rounds(where, number)))
