"""Waiting for requests to storage so that a stop ends it: they run in native code, which no signal reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import TypeVar

from odibi_magics.errors import Cancelled

T = TypeVar("T")
Asked = Callable[[], bool]
"""Whether a stop was asked for."""

# Seconds between two looks (a signal need not wake the main thread where there are others), and those that a request
# has although a stop was asked for: cleaning up needs a few.
GLANCE = 0.05
_PATIENCE = 0.5


def never() -> bool:
    """For what must be seen through: nobody asks it to stop."""
    return False


_asked: ContextVar[Asked] = ContextVar("asked", default=never)


def asked() -> Asked:
    """Who asks this thread's requests to stop; for threads that work for it."""
    return _asked.get()


def obey(stopped: Asked) -> None:
    """Has the requests of this thread end once `stopped()`."""
    _asked.set(stopped)


@contextmanager
def obeying(stopped: Asked) -> Iterator[None]:
    """As `obey`, for a while."""
    before = _asked.set(stopped)
    try:
        yield
    finally:
        _asked.reset(before)


def awaited(request: Callable[[], T]) -> T:
    """What a request gives. Raises what it raises, Cancelled after a stop, and KeyboardInterrupt in the main thread.

    It has a daemon thread of its own, 0.1 ms. One that is given up goes on there, so it must change nothing that
    anyone sees.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    Thread(target=_run, args=(request, done), name="odibi-request", daemon=True).start()
    began, stopped = monotonic(), _asked.get()
    while True:
        try:
            found, error = done.get(timeout=GLANCE)
        except Empty:
            if stopped() and monotonic() - began > _PATIENCE:
                raise Cancelled("stopped") from None
            continue
        if error is not None:
            raise error
        return found  # type: ignore[return-value]  # the request's own None, where it gave that


def _run(request: Callable[[], T], done: SimpleQueue[tuple[T | None, BaseException | None]]) -> None:
    try:
        done.put((request(), None))
    except BaseException as error:
        done.put((None, error))
