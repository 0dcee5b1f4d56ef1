"""Tables whose logs a plan reads: several at once, and not again for its run where they have not grown since."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from odibi_magics.delta.log import commit_name
from odibi_magics.engines.pandas.storage import Stamp, Store

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.snapshot import Snapshot

_lock = threading.Lock()
_held: dict[object, tuple[Snapshot, Stamp]] = {}
_asking = 0

# Tables that are being opened: each is taken by the first who asks for it.
_ahead: dict[object, SimpleQueue[tuple[Snapshot | None, Exception | None]]] = {}
_AT_ONCE = 16


@contextmanager
def remembering() -> Iterator[None]:
    """Tables that are opened meanwhile, in any thread, are held until the last who asks for it is done."""
    global _asking
    with _lock:
        _asking += 1
    try:
        yield
    finally:
        with _lock:
            _asking -= 1
            if not _asking:
                _held.clear()


@contextmanager
def opened_ahead(stores: Iterable[Store], opened: Callable[[Store], Snapshot | None]) -> Iterator[None]:
    """Tables are opened at once, each for the first who asks for it meanwhile. opened: opens one."""
    begun = {_key(store): (store, SimpleQueue[Any]()) for store in stores}
    left: SimpleQueue[tuple[Store, SimpleQueue[Any]]] = SimpleQueue()
    for one in begun.values():
        left.put(one)
    with _lock:
        _ahead.update({key: done for key, (_, done) in begun.items()})
    for _ in range(min(len(begun), _AT_ONCE)):
        threading.Thread(target=_open_all, args=(left, opened), name="odibi-ahead", daemon=True).start()
    try:
        yield
    finally:
        with _lock:
            for key, (_, done) in begun.items():
                if _ahead.get(key) is done:
                    del _ahead[key]


def _open_all(
    left: SimpleQueue[tuple[Store, SimpleQueue[Any]]], opened: Callable[[Store], Snapshot | None]
) -> None:
    while True:
        try:
            store, done = left.get_nowait()
        except Empty:
            return
        try:
            done.put((opened(store), None))
        except Exception as error:
            done.put((None, error))


def being_opened(store: Store) -> Callable[[], Snapshot | None] | None:
    """What waits for a table that is being opened; None where none is. It raises what opening raised."""
    with _lock:
        done = _ahead.pop(_key(store), None)
    if done is None:
        return None

    def wait() -> Snapshot | None:
        table, error = done.get()
        if error is not None:
            raise error
        return table

    return wait


def remember(table: Snapshot, stamp: Stamp) -> None:
    """stamp: of the commit that made this version, the newest one."""
    with _lock:
        if _asking:
            _held[_key(table.store)] = (table, stamp)


def remembered(store: Store, version: int | None) -> Snapshot | None:
    """A table as it was opened, where that is still its newest version, or the version that is asked for.

    Costs a request that asks for its commit and the next one. Raises OSError, ConnectionFailed.
    """
    with _lock:
        held = _held.get(_key(store))
    if held is None:
        return None
    table, stamp = held
    if version is None:
        fits = table.changed is None and stamps(store, table.version, table.version + 1) == [stamp, None]
    else:
        fits = table.version == version and stamps(store, version) == [stamp]
    return table if fits else None


def stamps(store: Store, *versions: int) -> list[Stamp | None]:
    """Of the commits that made these versions. Raises OSError, ConnectionFailed."""
    return store.stamps([f"_delta_log/{commit_name(version)}" for version in versions])


def _key(store: Store) -> object:
    return store.delta_url, store.address, frozenset(store.options.items())
