"""A DuckDB instance that is started ahead: it takes 20 ms, in which planning goes on on another core."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# What is the same for all: nothing is fetched, and no variable of Python's is taken for a table. Of blobs it would keep
# all that was read, up to the memory limit: 4 GB of a CSV of 4 GB.
_CONFIG: dict[str, Any] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "enable_external_file_cache": False,
}

_lock = threading.Lock()
_begun: dict[int, Future[duckdb.DuckDBPyConnection]] = {}
"""By process: a fork has the thread of its parent no more, and nothing of its instances."""


def begin() -> None:
    """Starts one in a thread, unless one is there that nobody took."""
    import duckdb  # noqa: F401 - here, so that no two threads import it at once

    with _lock, suppress(RuntimeError):  # no thread to be had: it is started by who takes it
        if os.getpid() not in _begun:
            # Python's end waits for it: native code that outlives the end of Python crashes.
            starter = ThreadPoolExecutor(1, "odibi-duckdb")
            _begun[os.getpid()] = starter.submit(_new)
            starter.shutdown(wait=False)


def take() -> duckdb.DuckDBPyConnection:
    """The one that was begun, or a new one. Raises duckdb.Error."""
    with _lock:
        begun = _begun.pop(os.getpid(), None)
    return begun.result() if begun else _new()


def _new() -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(":memory:", config=_CONFIG)
    # The first statement of an instance takes a millisecond more than the next.
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection
