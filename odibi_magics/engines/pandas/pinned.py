"""What DuckDB may open of storage accounts: blobs that a source has listed, each as it stood then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from odibi_magics.engines.pandas.blobs import BlobReader
from odibi_magics.engines.pandas.files import unescaped
from odibi_magics.engines.pandas.trees import BlobTree, File
from odibi_magics.engines.waiting import Asked, obeying
from odibi_magics.errors import EngineError


class PinnedFiles(AbstractFileSystem):  # type: ignore[misc]
    """The blobs one DuckDB instance may open, by their URLs; it asks for nothing else.

    failed: takes an error of a reader, and gives the text that DuckDB is to hand on in its place. stopped: whether
    readers are to give up; they run in DuckDB's threads.
    """

    protocol = "abfss"
    cachable = False

    def __init__(self, failed: Callable[[BaseException], str], stopped: Asked) -> None:
        super().__init__()
        self._failed, self._stopped = failed, stopped
        self._lock = threading.Lock()
        self._files: dict[str, File] = {}

    def pin(self, files: Iterable[File]) -> None:
        """Lets these be opened; of a blob that was listed twice, as it stood the last time."""
        with self._lock:
            self._files.update({file.path: file for file in files if isinstance(file.tree, BlobTree)})

    def check(self, files: Iterable[File]) -> None:
        """Raises EngineError where a blob has changed since it was listed first."""
        for file in files:
            if self._files.get(file.path, file) != file:
                raise EngineError(f"{file.path} has changed since it was first read: run again")

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        file = self._file(path)
        assert isinstance(file.tree, BlobTree)
        reader = BlobReader(file.tree.blobs, file.path, file.bytes, file.etag)
        return _Told(reader, self._failed, self._stopped)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        return {"name": path, "type": "file", "size": self._file(path).bytes}

    def glob(self, path: str, **_: Any) -> list[str]:
        found = unescaped(path)
        return [found] if found in self._files else []

    def exists(self, path: str, **_: Any) -> bool:
        return unescaped(path) in self._files

    def modified(self, path: str) -> datetime:
        return datetime.fromtimestamp(self._file(path).mtime / 1e9, UTC)

    def _file(self, path: str) -> File:
        with self._lock:
            found = self._files.get(unescaped(path))
        if found is None:
            raise FileNotFoundError(path)
        return found


class _Told:
    """A blob whose errors DuckDB hands on as a ticket: it would make one text of all of them, tracebacks and all."""

    def __init__(self, reader: BlobReader, failed: Callable[[BaseException], str], stopped: Asked) -> None:
        self._reader, self._failed, self._stopped = reader, failed, stopped
        self.seek, self.tell, self.close = reader.seek, reader.tell, reader.close

    def read(self, size: int = -1) -> bytes:
        try:
            with obeying(self._stopped):
                return self._reader.read(size)
        except BaseException as error:  # a stop too, which may come in a thread of DuckDB
            raise OSError(self._failed(error)) from None
