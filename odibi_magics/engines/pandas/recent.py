"""Tables whose logs were read for a plan: the run that follows does not read a log again that has not grown since."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from odibi_magics.delta.log import commit_name
from odibi_magics.engines.pandas.storage import Stamp, Store

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.snapshot import Snapshot

_lock = threading.Lock()
_held: dict[object, tuple[Snapshot, Stamp]] = {}
_asking = 0


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
