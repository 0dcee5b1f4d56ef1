"""What stood at places, remembered from a run's plan to its writes: a look takes Spark a tenth of a second."""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import sha256

from odibi_magics.engines.base import Place, TargetState

# As many as the tables that a large pipeline writes.
_KEPT = 256


class States:
    """Tables by their newest commits: as long as a commit is the newest, what stands there is the same. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, bytes], TargetState] = OrderedDict()

    def get(self, place: Place, commit: bytes) -> TargetState | None:
        """What stands at a place whose newest commit has this text; None where it was not looked at."""
        with self._lock:
            return self._kept.get(_key(place, commit))

    def put(self, place: Place, commit: bytes, state: TargetState) -> None:
        """Remembers it, and forgets the one that was looked at first where there are too many."""
        with self._lock:
            self._kept[_key(place, commit)] = state
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


def _key(place: Place, commit: bytes) -> tuple[str, bytes]:
    """A commit of many files has megabytes of text."""
    return place.url, sha256(commit).digest()
