"""Work side by side, in threads that a stop need not wait for."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue


class Workers:
    """Daemon threads, one for each name at work: a process that ends does not wait for a function that never does.

    working: names that were started and whose end was not taken yet.
    """

    def __init__(self, work: Callable[[str], None]) -> None:
        self._work = work
        self._ends: SimpleQueue[tuple[str, BaseException | None]] = SimpleQueue()
        self._threads: dict[str, threading.Thread] = {}
        self.working: set[str] = set()

    def start(self, name: str) -> None:
        self._threads[name] = threading.Thread(
            target=self._run, args=(name,), name=f"odibi-node-{name}", daemon=True
        )
        self.working.add(name)
        self._threads[name].start()

    def _run(self, name: str) -> None:
        try:
            self._work(name)
            self._ends.put((name, None))
        except BaseException as error:
            self._ends.put((name, error))

    def ended(self, seconds: float) -> str | None:
        """One that has ended, None where none did within so many seconds. Raises what its work raised."""
        try:
            name, error = self._ends.get(timeout=seconds)
        except Empty:
            return None
        self.working.discard(name)
        if error is not None:
            raise error
        return name

    def alive(self) -> set[str]:
        """Those that still run, whatever an interrupt did to the books."""
        return {name for name, thread in self._threads.items() if thread.is_alive()}


@contextmanager
def deaf_to_signals() -> Iterator[None]:
    """Ignores further signals to stop: a second one would tear the wait for what the first one could not interrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A handler that is no function is the system's own: SIGTERM then ends the process, and still does.
    heard = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heard = {number: handler for number, handler in heard.items() if callable(handler)}
    for number in heard:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in heard.items():
            signal.signal(number, handler)
