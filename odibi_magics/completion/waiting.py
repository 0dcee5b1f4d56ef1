"""Answers that may take long: waited for briefly, kept for a while, never asked for twice at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Seconds that a whole completion may wait for storage; people type on.
LIMIT: Final = 0.3

# Seconds that an answer holds, and that a failure does: a folder changes, and a secret may be fetched in a moment.
KEPT: Final = 30.0
FAILED: Final = 5.0
_MOST: Final = 200


class Patience:
    """The time that one completion has left."""

    def __init__(self, seconds: float = LIMIT) -> None:
        self._end = monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - monotonic())


@dataclass
class _Asked:
    call: Callable[
        [], Any
    ]  # what it refers to lives as long as the answer, so that no key comes again for another
    done: Event = field(default_factory=Event)
    until: float = float("inf")
    found: Any = None


class Answers:
    """Answers by key. Each is looked for in a daemon thread, so that nothing waits for it, not even the end of the
    process; one that comes too late is there for the next completion."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: OrderedDict[Hashable, _Asked] = OrderedDict()

    def get(self, key: Hashable, call: Callable[[], T], patience: Patience) -> T | None:
        """What the call gives, or gave a while ago; None where it takes longer than there is patience, or failed."""
        with self._lock:
            asked = self._asked.get(key)
            if asked is None or asked.until < monotonic():
                # What was found before is better than nothing, where it takes long to look again.
                asked = self._asked[key] = _Asked(call, found=asked.found if asked else None)
                while len(self._asked) > _MOST:
                    self._asked.popitem(last=False)
                Thread(target=_answer, args=(asked,), name="odibi completion", daemon=True).start()
        asked.done.wait(patience.left)
        found: T | None = asked.found
        return found


def _answer(asked: _Asked) -> None:
    try:
        asked.found = asked.call()
    except Exception:  # what cannot be had is not offered; a run will tell why
        asked.found = None
        asked.until = monotonic() + FAILED
    else:
        asked.until = monotonic() + KEPT
    asked.done.set()
