"""Folders and files under their full names, the same for this machine and for blobs."""

from __future__ import annotations

import io
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from odibi_magics.connections.base import Connection
from odibi_magics.connections.local import LocalConnection
from odibi_magics.errors import EngineError

if TYPE_CHECKING:
    from odibi_magics.engines.pandas.blobs import Blobs

# Of a blob that is read from its beginning on, in one request.
_AHEAD = 4 << 20


@dataclass(frozen=True)
class File:
    """A file as it stands, which its tree can open.

    path: its full name. mtime: nanoseconds, as the file system tells it. etag: of a blob, its version.
    """

    path: str
    bytes: int
    mtime: int
    etag: str = ""
    tree: Tree = field(compare=False, repr=False, kw_only=True)

    def open(self) -> BinaryIO:
        """Its bytes. Raises OSError, ConnectionFailed."""
        return self.tree.open(self)

    def check_unchanged(self) -> None:
        """Raises EngineError where it has changed or gone since it was listed."""
        self.tree.check_unchanged(self)


@dataclass(frozen=True)
class Entry:
    """What stands at a path. file: where the listing told of it."""

    path: str
    is_folder: bool
    file: File | None = None

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Tree(Protocol):
    """Where files are.

    Names that begin with `_` or `.` are not data, as Spark has it: listings leave them out. All raise OSError and
    ConnectionFailed.
    """

    def at(self, path: str) -> Entry | None:
        """What stands there; None for nothing."""

    def entries(self, folder: str) -> list[Entry]:
        """What stands directly in a folder, sorted; nothing in one that is not there."""

    def glob(self, pattern: str) -> list[Entry]:
        """What matches, sorted."""

    def file(self, entry: Entry) -> File:
        """The file of an entry. Raises EngineError where it is none."""

    def open(self, file: File) -> BinaryIO: ...

    def check_unchanged(self, file: File) -> None: ...


def tree_of(connection: Connection) -> Tree:
    """The files of a connection."""
    return LocalTree(connection) if isinstance(connection, LocalConnection) else BlobTree(connection)


def fixed_part(pattern: str) -> str:
    """The folders before the first part that is a pattern."""
    parts = pattern.split("/")
    return "/".join(parts[: next(i for i, part in enumerate(parts) if has_magic(part))])


def is_hidden(path: str) -> bool:
    return any(part.startswith(("_", ".")) for part in path.split("/"))


@dataclass(frozen=True)
class LocalTree:
    """Files of this machine. Links that lead out of the connection's folder are refused."""

    connection: LocalConnection

    def at(self, path: str) -> Entry | None:
        return Entry(path, Path(path).is_dir()) if Path(path).exists() else None

    def entries(self, folder: str) -> list[Entry]:
        found = Path(folder).iterdir() if Path(folder).is_dir() else ()
        return self._there(path for path in found if not is_hidden(path.name))

    def glob(self, pattern: str) -> list[Entry]:
        root = Path(fixed_part(pattern) or "/")
        found = root.glob(str(Path(pattern).relative_to(root)))
        return self._there(path for path in found if not is_hidden(path.relative_to(root).as_posix()))

    def file(self, entry: Entry) -> File:
        """Raises EngineError for a pipe or a device, whose reading might never end, ConnectionFailed for a link out."""
        return self._file(self.connection.file(entry.path))

    def open(self, file: File) -> BinaryIO:
        return Path(file.path).open("rb")

    def check_unchanged(self, file: File) -> None:
        try:
            now = self._file(file.path)
        except FileNotFoundError:
            raise EngineError(f"{file.path} is gone since it was first read: run again") from None
        if now != file:
            raise EngineError(f"{file.path} has changed since it was first read: run again")

    def _file(self, path: str) -> File:
        found = Path(path).stat()
        if not stat.S_ISREG(found.st_mode):
            raise EngineError(f"{path} is no file")
        return File(path, found.st_size, found.st_mtime_ns, tree=self)

    @staticmethod
    def _there(paths: Iterable[Path]) -> list[Entry]:
        return [Entry(str(path), path.is_dir()) for path in sorted(paths)]


@dataclass(frozen=True)
class BlobTree:
    """Blobs of a storage account."""

    connection: Any

    @cached_property
    def blobs(self) -> Blobs:
        from odibi_magics.engines.pandas.blobs import Blobs

        return Blobs(self.connection)

    def at(self, path: str) -> Entry | None:
        try:
            return self._entry(self.blobs.info(path))
        except FileNotFoundError:
            return None

    def entries(self, folder: str) -> list[Entry]:
        try:
            return self._seen(self.blobs.ls(folder), folder)
        except FileNotFoundError:
            return []

    def glob(self, pattern: str) -> list[Entry]:
        return self._seen(self.blobs.glob(pattern, detail=True).values(), fixed_part(pattern))

    def file(self, entry: Entry) -> File:
        if entry.file is None:
            raise EngineError(f"{entry.path} is no file")
        return entry.file

    def open(self, file: File) -> BinaryIO:
        from odibi_magics.engines.pandas.blob_start import StartReader

        return _ReadAhead(StartReader(self.blobs, file.path, file.bytes, file.etag), _AHEAD)

    def check_unchanged(self, file: File) -> None:
        """Nothing: each request asks for the version that was listed."""

    def _seen(self, found: Iterable[dict[str, Any]], root: str) -> list[Entry]:
        entries = (self._entry(info) for info in found)
        seen = (entry for entry in entries if not is_hidden(entry.path.removeprefix(f"{root}/")))
        return sorted(seen, key=lambda entry: entry.path)

    def _entry(self, info: dict[str, Any]) -> Entry:
        if info["type"] == "directory":
            return Entry(info["name"], True)
        file = File(info["name"], info["size"], int(info["mtime"] * 1e9), info["etag"], tree=self)
        return Entry(file.path, False, file)


class _ReadAhead(io.BufferedReader):
    """Asks for as much as its buffer holds; the base would pass on the 8 kB that a reader of text asks for."""

    def read1(self, size: int = -1) -> bytes:
        self.peek(1)
        return super().read1(size)
