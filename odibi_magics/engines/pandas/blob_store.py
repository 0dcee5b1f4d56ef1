"""Tables in storage accounts: what differs from folders of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from odibi_magics.engines.pandas.blobs import Blobs, parted
from odibi_magics.engines.pandas.storage import Stamp, Store
from odibi_magics.engines.pandas.trees import BlobTree
from odibi_magics.errors import ConnectionFailed

# Blobs that are asked for one by one; a listing tells of 5,000 in one request, but of all that are there.
_FEW = 200


class _Handler(fs.FSSpecHandler):  # type: ignore[misc]
    """fsspec for pyarrow, without a question before each opening: opening tells as much."""

    def open_input_stream(self, path: str) -> Any:
        return pa.PythonFile(self.fs.open(path, mode="rb"), mode="r")

    open_input_file = open_input_stream


@dataclass(frozen=True)
class BlobStore(Store):
    """A folder of blobs. A blob is there whole once its upload ends, so nothing is written beside it and renamed."""

    @property
    def delta_url(self) -> str:
        """Encoded: deltalake takes `#` and `?` in a URL for the end of the path."""
        root, key = parted(self.url)
        return f"{root}/{quote(key)}"

    @property
    def tree(self) -> BlobTree:
        return BlobTree(self.blobs.connection)

    @property
    def blobs(self) -> Blobs:
        found: Blobs = self.filesystem.handler.fs
        return found

    def is_table(self) -> bool:
        return next(self.blobs.below(self.at("_delta_log")), None) is not None

    def names(self, folder: str, after: str = "") -> Iterator[str]:
        below = self.at(folder)
        found = (info["name"].removeprefix(f"{below}/") for info in self.blobs.below(below, after))
        return (name for name in found if "/" not in name)

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        return self.blobs.read([self.at(path) for path in paths])

    def there(self, paths: Sequence[str]) -> list[bool]:
        return self.blobs.there([self.at(path) for path in paths])

    def stamps(self, paths: Sequence[str]) -> list[Stamp | None]:
        found = self.blobs.heads([self.at(path) for path in paths])
        return [meta and Stamp(meta["size"], meta["e_tag"]) for meta in found]

    @property
    def lists_from(self) -> bool:
        return True

    def prune(self) -> None:
        """Nothing: a folder without blobs is none."""

    def put(self, made: Path, path: str) -> int:
        self.blobs.put(made, path)
        return made.stat().st_size

    def listing(self) -> Iterator[tuple[str, int, int, bool]]:
        start = len(self.root) + 1
        for info in self.blobs.below(self.root):
            yield info["name"][start:], info["size"], int(info["mtime"] * 1000), False

    def delete_files(self, paths: Sequence[str]) -> Iterator[str]:
        start = len(self.root) + 1
        for name in self.blobs.delete([self.at(path) for path in paths]):
            yield name[start:]

    def prune_above(self, paths: Iterable[str]) -> int:
        """Nothing: a folder without blobs is none."""
        return 0

    def create(self, path: str, data: bytes) -> None:
        self.blobs.create(self.at(path), data)

    def missing(self, paths: Sequence[str]) -> list[str]:
        if len(paths) > _FEW:
            there = {info.path for info in self._infos()}
            return [path for path in paths if self.at(path) not in there]
        return [path for path, there in zip(paths, self.there(paths), strict=True) if not there]

    def explain(self, error: BaseException, doing: str) -> ConnectionFailed | None:
        return self.blobs.connection.explain(error, self.url, doing)

    def _below(self) -> list[Any]:
        return list(self._infos())

    def _infos(self) -> Iterator[Any]:
        for info in self.blobs.below(self.root):
            yield fs.FileInfo(info["name"], fs.FileType.File, size=info["size"], mtime=info["mtime"])


def open_blob_store(connection: Any, url: str) -> BlobStore:
    """The folder of blobs at a URL of a connection. Raises ConnectionFailed where its secrets cannot be had."""
    filesystem = fs.PyFileSystem(_Handler(Blobs(connection)))
    return BlobStore(url, url, filesystem, connection.storage_options("deltalake"))
