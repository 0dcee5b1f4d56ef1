"""Delta logs written by hand: any commits, and counts of what is read of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

SCHEMA = {
    "type": "struct",
    "fields": [{"name": "id", "type": "long", "nullable": True, "metadata": {}}],
}
PROTOCOL = {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}
METADATA = {
    "metaData": {
        "id": "t", "format": {"provider": "parquet", "options": {}}, "schemaString": json.dumps(SCHEMA),
        "partitionColumns": [], "configuration": {},
    }
}  # fmt: skip

# Of version 0, milliseconds since 1970: 2026-01-01; one version a minute.
START, STEP = 1_767_225_600_000, 60_000


def add(path: str, rows: int = 10, size: int = 1000, **more: Any) -> dict[str, Any]:
    stats = json.dumps({"numRecords": rows})
    return {
        "add": {
            "path": path, "partitionValues": {}, "size": size, "modificationTime": START, "dataChange": True,
            "stats": stats, **more,
        }
    }  # fmt: skip


def remove(path: str, **more: Any) -> dict[str, Any]:
    return {"remove": {"path": path, "deletionTimestamp": START, "dataChange": True, **more}}


def info(version: int, operation: str = "WRITE", **more: Any) -> dict[str, Any]:
    return {"commitInfo": {"timestamp": START + version * STEP, "operation": operation, **more}}


def text(*actions: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(action) + "\n" for action in actions).encode()


def commit(version: int, *actions: Mapping[str, Any], **more: Any) -> bytes:
    """A commit; without actions one that adds a file. more: of its commitInfo."""
    first = (PROTOCOL, METADATA) if version == 0 else ()
    return text(info(version, **more), *first, *(actions or (add(f"part-{version}.parquet"),)))


def name(version: int) -> str:
    return f"{version:020}.json"


def long_log(folder: Path, versions: int) -> Path:
    """A table's folder whose log has so many versions, a file in each. The files are not there."""
    log = folder / "_delta_log"
    log.mkdir(parents=True)
    for version in range(versions):
        (log / name(version)).write_bytes(commit(version))
    return folder


@dataclass
class CountedLog:
    """odibi_magics.delta.log.Log over a mapping. reads: the commits that were read."""

    files: dict[str, bytes]
    lists_from: bool = False
    url: str = "abfss://lake/t"
    told: str = "lake:t"
    reads: list[str] = field(default_factory=list)
    asked: int = 0
    listed: int = 0

    def names(self, after: str = "") -> Iterator[str]:
        self.listed += 1
        return iter(sorted(name for name in self.files if name > after))

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        self.reads += [name for name in names if name[0] != "_"]
        return [self.files.get(name) for name in names]

    def there(self, names: Sequence[str]) -> list[bool]:
        self.asked += 1
        return [name in self.files for name in names]

    def modified(self, name: str) -> datetime:
        raise AssertionError("the commits tell their times")

    def staged(self) -> bool:
        return False


def log_of(versions: Sequence[int], checkpoints: Sequence[int] = (), **more: Any) -> CountedLog:
    """A log with these commits and checkpoints, the last of which its hint names."""
    files = {name(version): commit(version) for version in versions}
    files |= {f"{version:020}.checkpoint.parquet": b"" for version in checkpoints}
    if checkpoints:
        files["_last_checkpoint"] = json.dumps({"version": checkpoints[-1]}).encode()
    return CountedLog(files, **more)
