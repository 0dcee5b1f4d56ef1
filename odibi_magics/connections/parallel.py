"""Calls at once, under one deadline that holds whatever the calls do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Protocol, TypeVar

K = TypeVar("K")
T = TypeVar("T")


class Fetched(Protocol):
    """What is fetched with modules of its own."""

    @property
    def libraries(self) -> tuple[str, ...]: ...


def load(wanted: Iterable[Fetched]) -> None:
    """Imports what fetching will need, in the calling thread: one that is cut off in an import of native code when the
    interpreter ends crashes it. What is missing is told where it is needed."""
    for name in sorted({name for one in wanted for name in one.libraries}):
        with suppress(ModuleNotFoundError):
            import_module(name)


def at_once(calls: Mapping[K, Callable[[], T]], deadline: float) -> dict[K, T | BaseException]:
    """What each call gave or raised, by its key; those that were not done at the deadline are missing.

    deadline: as of time.monotonic(). Each call has a daemon thread of its own: a pool's threads are joined when the
    interpreter ends, and one call that hangs would hang that too.
    """
    done: SimpleQueue[tuple[K, T | BaseException]] = SimpleQueue()

    def run(key: K, call: Callable[[], T]) -> None:
        try:
            done.put((key, call()))
        except BaseException as error:
            done.put((key, error))

    for key, call in calls.items():
        Thread(target=run, args=(key, call), name=f"odibi {key}", daemon=True).start()
    found: dict[K, T | BaseException] = {}
    while len(found) < len(calls):
        try:
            key, outcome = done.get(timeout=max(0, deadline - monotonic()))
        except Empty:
            break
        found[key] = outcome
    return found
