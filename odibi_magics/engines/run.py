"""What the runs of all engines share: a hold on the engine, the places it was opened for, and a stop."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Place, Sink, Source, Written
from odibi_magics.engines.waiting import never, obeying
from odibi_magics.errors import Cancelled, EngineError


class Hold(Protocol):
    """What keeps a run's data, and runs its queries."""

    def interrupt(self) -> None:
        """Ends what runs, from any thread; what is started until `go_on` raises Cancelled."""

    def go_on(self) -> None:
        """Lets frames be read again once a stop is over."""

    def close(self) -> None:
        """Drops the data. Safe to repeat."""


H = TypeVar("H", bound=Hold)


class Run(Generic[H]):
    """A part of EngineRun. Its hold is made by the first call, for these places; with none, for those of its source."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._roots = sorted({place.root for place in places})
        self._lock = threading.Lock()
        self._hold: H | None = None
        self._cancelled = threading.Event()
        self._calls = 0
        self._left: dict[str, Source] = {}

    @abstractmethod
    def _new_hold(self, roots: Sequence[str]) -> H:
        """roots: what it may open, as URLs."""

    def cancel(self) -> None:
        """Stops what is running, from any thread; what is called afterwards raises Cancelled."""
        self._cancelled.set()
        with self._lock:
            if self._hold is not None and self._calls:
                self._hold.interrupt()

    def close(self) -> None:
        """Drops all data of the run. Safe to repeat."""
        with self._lock:
            if self._hold is not None:
                self._hold.close()

    @contextmanager
    def _call(self) -> Iterator[None]:
        """What a stop ends. Raises Cancelled where it was asked for already."""
        with self._counted(also_cancelled=False), obeying(self._cancelled.is_set):
            yield

    @contextmanager
    def _seen_through(self) -> Iterator[None]:
        """What is called after a write has landed, whoever asked for a stop meanwhile."""
        with self._counted(also_cancelled=True), obeying(never):
            yield

    @contextmanager
    def _counted(self, *, also_cancelled: bool) -> Iterator[None]:
        """Counts the calls that run: a stop is over when the last of them has ended, and frames are read again."""
        with self._lock:
            if self._cancelled.is_set() and not also_cancelled:
                raise Cancelled("stopped")
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1
                if not self._calls and self._hold is not None:
                    self._hold.go_on()

    def _opened(self, place: Place | None = None) -> H:
        """The hold. Raises EngineError for a place that the run was not opened for."""
        with self._lock:
            if self._hold is None:
                if not self._roots and place is not None:
                    self._roots = [place.root]
                self._hold = self._new_hold(self._roots)
            elif place is not None and place.root not in self._roots:
                known = ", ".join(self._roots) or "no place"
                raise EngineError(f"this run was opened for {known}, not for {place.root}")
            return self._hold

    def _leave(self, sink: Sink, columns: Sequence[Column] | None) -> None:
        """Remembers the types that went into files; None where they are those of files that were there."""
        if sink.place.format == "delta":
            return
        schema = None if columns is None else tuple(columns)
        with self._lock:
            self._left[sink.place.url] = Source(sink.place, options=sink.options, schema=schema)

    def _source(self, written: Written) -> Source:
        """What a write left, to be read."""
        return self._left.get(written.place.url) or Source(written.place, version=written.version_after)
