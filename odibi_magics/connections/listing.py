"""What stands in a folder of a connection, as far as it can be seen without fetching a secret."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.base import Connection
from odibi_magics.connections.local import LocalConnection
from odibi_magics.connections.sdk import containers

# More than anybody picks from.
_MOST = 500
_LOG = "_delta_log"


@dataclass(frozen=True)
class Entry:
    """A file or folder by its name. table: whether a Delta table's log is seen in the folder."""

    name: str
    folder: bool = False
    table: bool = False


def at_hand(connection: Connection) -> bool:
    """Whether a connection can be opened with what this process has already."""
    if isinstance(connection, AdlsConnection):
        return connection.source.at_hand()
    return not connection.needs()


def listing(connection: Connection, folder: str) -> tuple[Entry, ...]:
    """The entries of a folder, sorted; names that begin with `_` or `.` are nobody's data.

    folder: "" or a path relative to the connection that ends with `/`. Raises ConnectionFailed, OSError, and what the
    storage library raises.
    """
    found: Iterator[Entry] = iter(())
    if isinstance(connection, LocalConnection):
        found = _local(connection, folder)
    elif isinstance(connection, AdlsConnection) and at_hand(connection):
        found = _blobs(connection, folder)
    visible = (entry for entry in found if entry.name and entry.name[0] not in "._")
    return tuple(sorted(islice(visible, _MOST), key=lambda entry: entry.name))


def _local(connection: LocalConnection, folder: str) -> Iterator[Entry]:
    with os.scandir(connection.url(folder)) as entries:
        for entry in entries:
            is_folder = entry.is_dir()
            yield Entry(entry.name, is_folder, is_folder and os.path.isdir(os.path.join(entry.path, _LOG)))


def _blobs(connection: AdlsConnection, folder: str) -> Iterator[Entry]:
    if connection.container is None and "/" not in folder:
        yield from (Entry(name, True) for name in containers(connection.blob_host, connection.source))
        return
    container, key = connection.split(connection.url(folder))
    prefix = f"{key.rstrip('/')}/" if key else ""
    found = connection.store(container).list_with_delimiter(prefix or None)
    folders = [str(one).rstrip("/").rpartition("/")[2] for one in found["common_prefixes"]]
    yield from (Entry(name, True) for name in folders)
    for meta in found["objects"]:
        name = str(meta["path"]).removeprefix(prefix)
        if name not in folders:  # an empty blob may stand for a folder
            yield Entry(name)
