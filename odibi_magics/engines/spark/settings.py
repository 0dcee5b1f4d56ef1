"""What a session is set to while something of ours runs in it, and back again.

Runs side by side share a session: a setting goes back when the last of those that use it ends.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from odibi_magics.delta.optimize import TARGET_BYTES
from odibi_magics.errors import EngineError

ANSI = "spark.sql.ansi.enabled"
ZONE = "spark.sql.session.timeZone"
MARK = "spark.databricks.delta.commitInfo.userMetadata"

# What answers depend on: without these nothing runs.
REQUIRED: Mapping[str, str] = {ANSI: "true", ZONE: "UTC"}

# Spark's defaults, unless somebody changed them; that a commit of no rows is one, for its mark must be found; and that
# no method is made that Java would interpret for ever, at a third of its speed, because it has more bytes than this.
_USUAL: Mapping[str, str] = {
    "spark.sql.caseSensitive": "false",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.ansi.doubleQuotedIdentifiers": "false",
    "spark.sql.legacy.ctePrecedencePolicy": "CORRECTED",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.storeAssignmentPolicy": "ANSI",
    "spark.databricks.delta.schema.autoMerge.enabled": "false",
    "spark.databricks.delta.skipRecordingEmptyCommits": "false",
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
OURS: Mapping[str, str] = {**REQUIRED, **_USUAL}

UNCHECKED: Mapping[str, str] = {"spark.databricks.delta.retentionDurationCheck.enabled": "false"}
"""For a vacuum below a week, which was forced: Spark's own guard would refuse it, and only to look, too."""

OPTIMIZED: Mapping[str, str] = {
    f"spark.databricks.delta.optimize.{key}": str(TARGET_BYTES) for key in ("minFileSize", "maxFileSize")
}
"""What a good file is to Spark's OPTIMIZE, where the session lets that be set."""


@dataclass
class _Held:
    """One setting in force. before: what it was, None for unset. users: who want it so."""

    before: str | None
    users: int = 1


class Settings:
    """The settings of one session that we hold."""

    def __init__(self, session: Any) -> None:
        self._conf = session.conf
        self._lock = threading.RLock()
        self._marking = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._refused: set[str] = set()
        self._unset: dict[str, str] = {}

    @contextmanager
    def held(self, wanted: Mapping[str, str]) -> Iterator[None]:
        """The settings, as long as it lasts. Raises EngineError where the session takes one not that must be."""
        taken: list[str] = []
        try:
            with self._lock:
                for key, value in wanted.items():
                    if self._take(key, value):
                        taken.append(key)
            yield
        finally:
            with self._lock:
                for key in reversed(taken):
                    self._give_back(key)

    @contextmanager
    def mark(self, text: str) -> Iterator[None]:
        """Commits carry this text, as long as it lasts, where the session lets that be set; one at a time."""
        with self._marking, self.held({MARK: text}):
            yield

    def takes(self, key: str) -> bool:
        """Whether the session lets a setting be made, as far as it was tried."""
        return key not in self._refused

    def _take(self, key: str, value: str) -> bool:
        if (held := self._held.get(key)) is not None:
            held.users += 1
            if key not in OURS:  # of an account whose key was mended meanwhile
                self._conf.set(key, value)
            return True
        if key in self._refused:
            return False
        before = self._conf.get(key, None)
        now = self._default(key) if before is None and key in OURS else before
        if now is not None and now.lower() == value.lower():
            return False
        try:
            self._conf.set(key, value)
        except Exception as error:  # serverless refuses most settings, each library with an error of its own
            if key not in _USUAL and key not in (MARK, *OPTIMIZED):
                raise EngineError(f"this Spark session does not let {key} be set: {_first(error)}") from None
            self._refused.add(key)
            return False
        self._held[key] = _Held(before)
        return True

    def _default(self, key: str) -> str | None:
        """What a setting is that nobody made; None where the session does not know it (yet). Asked once: by Spark
        Connect each question goes to the server, and so would setting it and taking that back."""
        if key not in self._unset:
            try:
                self._unset[key] = self._conf.get(key)
            except Exception:  # no such setting, which each kind of session says by an error of its own
                return None
        return self._unset[key]

    def _give_back(self, key: str) -> None:
        held = self._held[key]
        held.users -= 1
        if held.users:
            return
        del self._held[key]
        if held.before is None:
            self._conf.unset(key)
        else:
            self._conf.set(key, held.before)


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


_lock = threading.Lock()
_known: weakref.WeakKeyDictionary[Any, Settings] = weakref.WeakKeyDictionary()


def settings_of(session: Any) -> Settings:
    """The one that holds a session's settings."""
    with _lock:
        found = _known.get(session)
        if found is None:
            found = _known[session] = Settings(session)
        return found
