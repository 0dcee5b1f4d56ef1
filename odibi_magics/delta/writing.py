"""The text of a commit that we write ourselves: what no library writes right.

Source: "Commit Provenance Information" and "In-Commit Timestamps" in
https://github.com/delta-io/delta/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import odibi_magics
from odibi_magics.delta.log import Commit
from odibi_magics.delta.mark import verb_mark
from odibi_magics.delta.replay import Action


@dataclass(frozen=True)
class Deed:
    """What a commit says of itself.

    operation, parameters, metrics: under Spark's names. mark: the commit's userMetadata, None for one that
    tells the verb. token: tells it
    from any other commit of its version.
    """

    operation: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, int]
    mark: str | None = None
    token: str = field(default_factory=lambda: uuid4().hex)

    def text(self, actions: Iterable[Action], last: Commit, configuration: Mapping[str, str]) -> bytes:
        """The commit that follows the last one. configuration: of the table as it is then."""
        now = int(time.time() * 1000)
        info: dict[str, Any] = {"timestamp": now}
        if configuration.get("delta.enableInCommitTimestamps", "").lower() == "true":
            before = last.info.get("inCommitTimestamp")
            after = before + 1 if isinstance(before, int) else 0
            info = {"inCommitTimestamp": max(now, after), "timestamp": now}
        info |= {
            "operation": self.operation,
            "operationParameters": {key: _text(value) for key, value in self.parameters.items()},
            "readVersion": last.version,
            "isolationLevel": "Serializable",
            "isBlindAppend": False,
            "operationMetrics": {key: str(value) for key, value in self.metrics.items()},
            "engineInfo": f"odibi-magics/{odibi_magics.__version__}",
            "txnId": str(uuid4()),
            "odibiCommit": self.token,
        }
        info["userMetadata"] = verb_mark(self.operation.lower()) if self.mark is None else self.mark
        lines = [{"commitInfo": info}, *actions]
        return (
            b"\n".join(json.dumps(one, separators=(",", ":"), ensure_ascii=False).encode() for one in lines)
            + b"\n"
        )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def removed(file: Action, *, changes_data: bool) -> Action:
    """The remove of an add, with all that tells which rows were in it."""
    kept = (
        "path",
        "partitionValues",
        "size",
        "stats",
        "tags",
        "deletionVector",
        "baseRowId",
        "defaultRowCommitVersion",
    )
    about = {name: file[name] for name in kept if file.get(name) is not None}
    when = {
        "deletionTimestamp": int(time.time() * 1000),
        "dataChange": changes_data,
        "extendedFileMetadata": True,
    }
    return {"remove": about | when}
