"""Delta logs as long or as hostile as wanted; of their versions only the commits are there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def log(folder: Path, versions: int, info: Callable[[int], dict[str, Any]]) -> None:
    """Versions that each add one file. info: what a version's commitInfo says."""
    there = folder / "_delta_log"
    there.mkdir(parents=True)
    schema = json.dumps(
        {"type": "struct", "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}]}
    )
    first = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {
            "id": "a", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
            "partitionColumns": [], "configuration": {}, "createdTime": 0,
        }},
    ]  # fmt: skip
    for version in range(versions):
        add = {
            "path": f"{version}.parquet",
            "partitionValues": {},
            "size": 1000,
            "modificationTime": 0,
            "dataChange": True,
        }
        actions = [{"commitInfo": info(version)}, *(first if version == 0 else []), {"add": add}]
        text = "\n".join(map(json.dumps, actions))
        (there / f"{version:020}.json").write_text(text)


def usual(version: int) -> dict[str, Any]:
    """One version in a thousand is a merge; rows are those of a shuffled sequence, so that their order is another one."""
    return {
        "timestamp": 1_760_000_000_000 + version * 60_000,
        "operation": "MERGE" if version % 1000 == 500 else "WRITE",
        "operationParameters": {"mode": "Append"},
        "operationMetrics": {"numOutputRows": version * 7919 % 10_007},
        "userName": "ada",
    }
