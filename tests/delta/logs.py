"""Delta logs by hand: a commit for each list of actions, as Spark or anyone else may have written them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from odibi_magics.delta.log import commit_name
from odibi_magics.delta.mark import RunMark

START = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class Written:
    """odibi_magics.delta.log.Log over texts; version n was made n minutes after START."""

    url: str = "lake/t"
    told: str = "lake:t"
    files: dict[str, bytes] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    @property
    def newest(self) -> int:
        return len(self.files) - 1

    def commit(
        self, operation: str, *actions: dict[str, Any], mark: RunMark | None = None, **parameters: Any
    ) -> int:
        version = len(self.files)
        info: dict[str, Any] = {
            "timestamp": int((START + timedelta(minutes=version)).timestamp() * 1000),
            "operation": operation,
            "operationParameters": parameters,
        }
        if mark is not None:
            info["userMetadata"] = mark.to_json()
        lines = [{"commitInfo": info}, *actions]
        self.files[commit_name(version)] = "\n".join(map(json.dumps, lines)).encode()
        return version

    def names(self, after: str = "") -> Iterator[str]:
        return iter(sorted(name for name in self.files if name > after))

    def read(self, names: Sequence[str]) -> list[bytes | None]:
        self.reads += names
        return [self.files.get(name) for name in names]

    def there(self, names: Sequence[str]) -> list[bool]:
        return [name in self.files for name in names]

    @property
    def lists_from(self) -> bool:
        return False

    def staged(self) -> bool:
        return False

    def modified(self, name: str) -> datetime:
        return START


def add(path: str, changes: bool = True) -> dict[str, Any]:
    return {"add": {"path": path, "dataChange": changes}}


def remove(path: str, changes: bool = True) -> dict[str, Any]:
    return {"remove": {"path": path, "dataChange": changes}}


def mark(run: str = "r", mode: str = "append", fingerprint: str = "f" * 64, **more: Any) -> RunMark:
    inputs = more.pop("inputs", ({"url": "lake/a", "version": 1},))
    return RunMark(run, "etl", more.pop("node", "n"), mode, fingerprint, inputs, (), **more)
