"""A vacuum's preview against what it cannot do without: one listing of the folder and one pass over the commits.

Arguments: folder, rounds; prints seconds by way as JSON. The ways run in turn in one process; what each found is
compared first.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COMMITS = 1000
DAY = 86_400_000


def prepare(folder: Path, files: int) -> None:
    """A table of so many files on storage and 1,000 commits, half of whose files were replaced ten days ago; a hundred
    more belong to no version. The log is written by hand, the files are empty."""
    table = folder / "t"
    (table / "_delta_log").mkdir(parents=True)
    now = int(time.time() * 1000)
    old = (now - 20 * DAY) / 1000
    each = files // COMMITS
    for version in range(COMMITS):
        actions = [_info(now - 20 * DAY + version), *(_first() if version == 0 else ())]
        for i in range(each):
            path = f"p={i % 50}/part-{version:05}-{i:05}.parquet"
            actions.append(_add(path, i % 50))
            _file(table / path, old)
            if version >= COMMITS // 2:
                gone = f"p={i % 50}/part-{version - COMMITS // 2:05}-{i:05}.parquet"
                actions.append(
                    {"remove": {"path": gone, "dataChange": True, "deletionTimestamp": now - 10 * DAY}}
                )
        text = "".join(json.dumps(one) + "\n" for one in actions)
        (table / "_delta_log" / f"{version:020}.json").write_text(text)
    for i in range(100):
        _file(table / f"p=0/orphan-{i}.parquet", old)


def _file(path: Path, when: float) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    os.utime(path, (when, when))


def _info(when: int) -> dict[str, Any]:
    told = {"timestamp": when, "operation": "WRITE", "operationParameters": {"mode": "Append"}}
    return {"commitInfo": told}


def _first() -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = [
        {"name": name, "type": "long", "nullable": True, "metadata": {}} for name in ("id", "v", "p")
    ]
    metadata = {
        "id": "t", "format": {"provider": "parquet", "options": {}}, "partitionColumns": ["p"], "configuration": {},
        "schemaString": json.dumps({"type": "struct", "fields": fields}),
    }  # fmt: skip
    return [{"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}, {"metaData": metadata}]


def _add(path: str, p: int) -> dict[str, Any]:
    bounds = {"id": 1_000_000, "v": 5}
    stats = {"numRecords": 1000, "minValues": bounds, "maxValues": bounds, "nullCount": {"id": 0, "v": 0}}
    return {
        "add": {
            "path": path, "partitionValues": {"p": str(p)}, "size": 1, "modificationTime": 1_700_000_000_000,
            "dataChange": True, "stats": json.dumps(stats),
        }
    }  # fmt: skip


def floor(table: Path) -> tuple[int, int]:
    """One listing with sizes and times, and one pass over the commits; how many files are named and how many there."""
    there = list(_listed(str(table)))
    named = set()
    for path in sorted(path for path, _, _ in there if "/_delta_log/" in path):
        for line in Path(path).read_bytes().splitlines():
            action = json.loads(line)
            if "add" in action:
                named.add(action["add"]["path"])
    return len(named), len(there)


def _listed(folder: str) -> Any:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _listed(entry.path)
            else:
                about = entry.stat()
                yield entry.path, about.st_size, about.st_mtime_ns


def rounds(folder: Path, count: int) -> dict[str, list[float]]:
    """Seconds of each way; the first round, which imports, does not count."""
    from odibi_magics import Project

    tables = Project.from_yaml(f"connections: {{lake: {{type: local, base_path: '{folder}'}}}}").engine
    ways: dict[str, Callable[[], Any]] = {
        "ours": lambda: tables.vacuum_delta(connection="lake", path="t", dry_run=True),
        "listing and pass": lambda: floor(folder / "t"),
        "deltalake": lambda: _deltalake(folder / "t"),
    }
    shown, (named, there), deltalake = (way() for way in ways.values())
    assert named == there - COMMITS - 100, (named, there)
    assert shown.files == named // 2 + 100 == len(deltalake), (shown.files, named, len(deltalake))
    assert (shown.orphans, shown.kept) == (100, ((COMMITS - 1, COMMITS - 1),)), (shown.orphans, shown.kept)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(count):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            took[name].append(time.perf_counter() - start)
    return took


def _deltalake(table: Path) -> list[str]:
    """Its list tells no sizes, no versions, and orphans of any age."""
    from deltalake import DeltaTable

    return DeltaTable(str(table)).vacuum(168, dry_run=True, full=True)


if __name__ == "__main__":
    print(json.dumps(rounds(Path(sys.argv[1]), int(sys.argv[2]))))
