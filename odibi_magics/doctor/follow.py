"""Checks side by side, seen as they go on, under one deadline that holds whatever they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, Final, TypeVar

T = TypeVar("T")

# Seconds between two looks at what changed. A display update costs the front end a few milliseconds.
PAUSE: Final = 0.2
_END: Final = object()


def follow(checks: Mapping[str, Callable[[], Iterator[T]]], seconds: float) -> Iterator[dict[str, T]]:
    """What each check gave last, by its key, whenever something changed, at most every PAUSE seconds.

    The last is final: all that came before `seconds` were over. Each check has a daemon thread of its own, and the
    caller's thread only waits, so that Stop reaches it at once and nothing has to be awaited at exit. What a check
    raises is raised here.
    """
    heard: SimpleQueue[tuple[str, Any]] = SimpleQueue()

    def run(key: str, check: Callable[[], Iterator[T]]) -> None:
        try:
            for now in check():
                heard.put((key, now))
            heard.put((key, _END))
        except BaseException as error:
            heard.put((key, error))

    for key, check in checks.items():
        Thread(target=run, args=(key, check), name=f"odibi check {key}", daemon=True).start()
    found: dict[str, T] = {}
    left, deadline = set(checks), monotonic() + seconds
    while left and monotonic() < deadline:
        if _take(heard, found, left, min(deadline, monotonic() + PAUSE)):
            yield dict(found)
    yield dict(found)


def _take(heard: SimpleQueue[tuple[str, Any]], found: dict[str, Any], left: set[str], until: float) -> bool:
    """Takes in what is heard until then, or until all have ended; whether there was anything new."""
    news = False
    while left:
        try:
            key, now = heard.get(timeout=max(0, until - monotonic()))
        except Empty:
            break
        if isinstance(now, BaseException):
            raise now
        if now is _END:
            left.discard(key)
        else:
            found[key], news = now, True
    return news
