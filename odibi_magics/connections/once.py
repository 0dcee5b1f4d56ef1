"""Things made once, for many threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from threading import RLock
from typing import Generic, TypeVar

T = TypeVar("T")


class once(Generic[T]):
    """As functools.lru_cache, but threads that ask at the same moment wait for one making, and get the same thing.

    50 threads would else make 50 clients, each with its own TLS context and connections.
    """

    def __init__(self, make: Callable[..., T]) -> None:
        self._cached = lru_cache(maxsize=64)(make)
        self._lock = RLock()

    def __call__(self, *given: object) -> T:
        with self._lock:
            return self._cached(*given)

    def forget(self) -> None:
        """Has each be made anew."""
        self._cached.cache_clear()
