"""Files that only the Spark session can open, as our own client would give them: listed, and read in parts.

Spark's source `binaryFile` lists and reads them, which takes a job each time. So a place is listed once, as a whole,
and what is read of a file is kept a while: a header, a sample, a footer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from glob import has_magic
from typing import Any

from odibi_magics.connections.base import Connection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.trees import fixed_part
from odibi_magics.engines.spark.failures import no_such_place
from odibi_magics.engines.spark.names import literal
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError

# Up to so many bytes are fetched at a time, and kept of all files of a place together. Spark's executors read the whole
# file for it, which is what `binaryFile` knows; no file of 2 GB.
_BLOCK, _KEPT = 16 << 20, 8
_LARGEST = 2**31 - 1

Meta = dict[str, Any]


def seen_by_spark(work: Work, place: Place) -> Place:
    """The place, its files opened by the session where nobody else has the rights; else as it is."""
    if not place.connection.only_spark:
        return place
    url = place.url.rstrip("/")
    files = SessionFiles(work, fixed_part(url) if has_magic(url) else url)
    return Place(_Opened(place.connection, files), place.path, place.format, place.given)


@dataclass(frozen=True)
class _Opened:
    """A connection whose files the session opens. It stands for the connection wherever files are listed and read."""

    connection: Connection
    files: SessionFiles = field(compare=False, repr=False)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def store(self, container: str) -> SessionFiles:
        """What obstore's store of the container is to others."""
        return self.files

    def explain(self, error: BaseException, url: str, doing: str) -> None:
        """Spark's errors are explained where they are raised."""

    def storage_options(self, library: str) -> dict[str, Any]:
        return {}


class SessionFiles:
    """The part of obstore's AzureStore that `odibi_magics.engines.pandas.blobs` asks. Keys are as in the container.

    top: the URL below which everything is listed, once; nothing is known of what is above it.
    """

    def __init__(self, work: Work, top: str) -> None:
        self._work, self._top = work, top
        self._root = top[: top.index("/", len("abfss://"))] if "/" in top[len("abfss://") :] else top
        self._lock = threading.Lock()
        self._listing: dict[str, Meta] | None = None
        self._blocks: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    # Listing ----------------------------------------------------------------------------------------------------------

    def head(self, key: str) -> Meta:
        """What is known of a file. Raises FileNotFoundError."""
        found = self._files(key).get(key)
        if found is None:
            raise FileNotFoundError(key)
        return found

    def list(
        self, prefix: str | None, *, chunk_size: int, offset: str | None = None
    ) -> Iterator[Sequence[Meta]]:
        """All files below a folder, sorted, in one page."""
        below = prefix or ""
        found = [
            meta
            for key, meta in sorted(self._files(below).items())
            if key.startswith(below) and key > (offset or "")
        ]
        yield from [found] if found else []

    def list_with_delimiter(self, prefix: str | None) -> Mapping[str, Sequence[Any]]:
        """The files directly in a folder, and the folders in it."""
        below = prefix or ""
        keys = [key for key in self._files(below) if key.startswith(below)]
        folders = {below + key[len(below) :].partition("/")[0] for key in keys if "/" in key[len(below) :]}
        here = [self._files(below)[key] for key in sorted(keys) if "/" not in key[len(below) :]]
        return {"common_prefixes": sorted(folders), "objects": here}

    def _files(self, key: str) -> Mapping[str, Meta]:
        """What was listed. Spark leaves out names that begin with `_` or `.`: who asks for one lists it alone."""
        if any(part.startswith(("_", ".")) for part in key.split("/")):
            return self._listed(f"{self._root}/{key.rstrip('/')}")
        with self._lock:
            if self._listing is None:
                self._listing = self._listed(self._top)
            return self._listing

    def _listed(self, url: str) -> dict[str, Meta]:
        files = self._read(url, recursive=True)
        columns = ("path", "length", "unix_micros(modificationTime)")
        with self._work.running():
            try:
                rows = files.load(url).selectExpr(*columns).collect()
            except Exception as error:
                if no_such_place(error):
                    return {}
                raise
        return {meta["path"]: meta for meta in (self._meta(*row) for row in rows)}

    def _meta(self, path: str, size: int, modified: int) -> Meta:
        when = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=modified)
        key = path.removeprefix(self._root).lstrip("/")
        return {"path": key, "size": size, "last_modified": when, "e_tag": f"{size}-{modified}"}

    # Reading ----------------------------------------------------------------------------------------------------------

    def get(self, key: str, options: Mapping[str, Any]) -> _Got:
        """A file, or `range` of it, the first byte and the one behind the last; `if_match`: as it was listed.

        Raises FileNotFoundError, EngineError where it has changed or is too large.
        """
        meta = self.head(key)
        if options.get("head"):
            return _Got(meta)
        start, end = options.get("range", (0, meta["size"]))
        blocks = [
            self._block(key, meta, at) for at in range(start // _BLOCK, max(start, end - 1) // _BLOCK + 1)
        ]
        first = start // _BLOCK * _BLOCK
        return _Got(meta, b"".join(blocks)[start - first : end - first])

    def _block(self, key: str, meta: Meta, number: int) -> bytes:
        with self._lock:
            if (found := self._blocks.get((key, number))) is not None:
                return found
        found = self._fetched(key, meta, number * _BLOCK)
        with self._lock:
            self._blocks[key, number] = found
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        return found

    def _fetched(self, key: str, meta: Meta, start: int) -> bytes:
        url = f"{self._root}/{key}"
        if meta["size"] > _LARGEST:
            raise EngineError(
                f"{url} has {meta['size']:,} bytes, and only Spark can open it, which gives no part of a file above "
                f"{_LARGEST:,}: give its account another auth_mode, or write it as several files"
            )
        part = f"substring(content, {start + 1}, {_BLOCK})"
        told = f"concat(length, '-', unix_micros(modificationTime)) = {literal(meta['e_tag'])}"
        with self._work.running():
            (row,) = self._read(url).load(url).selectExpr(part, told).collect()
        if not row[1]:
            raise EngineError(f"{url} has changed since it was first read: run again")
        return bytes(row[0])

    def _read(self, url: str, *, recursive: bool = False) -> Any:
        reader = self._work.spark.read.format("binaryFile").option("__globPaths__", "false")
        return reader.option("recursiveFileLookup", str(recursive).lower())


@dataclass(frozen=True)
class _Got:
    """obstore's answer to a `get`."""

    meta: Meta
    content: bytes = b""
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        return self.content
