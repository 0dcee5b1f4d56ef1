"""Where a table is: the one seam between the writers and storage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from pyarrow import fs

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.trees import LocalTree, Tree
from odibi_magics.errors import ConnectionFailed, EngineError


@dataclass(frozen=True)
class Stamp:
    """What tells a file from any other one of its name, before or later.

    tag: a blob's etag, a file's inode and nanoseconds.
    """

    size: int
    tag: object


@dataclass(frozen=True)
class Store:
    """A folder or file on storage.

    url: as people read it. root: the same inside `filesystem`. options: for deltalake; they may hold secrets.
    address: as people typed it.
    """

    url: str
    root: str
    filesystem: Any
    options: dict[str, str] = field(default_factory=dict, repr=False)
    address: str = ""

    @property
    def told(self) -> str:
        """What errors call it that are about the table, and not about a file of it."""
        return self.address or self.url

    @property
    def delta_url(self) -> str:
        """The place as deltalake takes it."""
        return self.url

    @property
    def lists_from(self) -> bool:
        """Whether `names` with `after` costs only what comes after it."""
        return False

    @property
    def tree(self) -> Tree:
        """The same files, to be listed and read."""
        return LocalTree(LocalConnection("table", self.root))

    def at(self, relative: str) -> str:
        """The path of something below the root, as `filesystem` takes it."""
        return f"{self.root}/{relative}"

    def files(self) -> list[Any]:
        """Every file below the root, as pyarrow.fs.FileInfo; none where nothing is there."""
        return [info for info in self._below() if info.type == fs.FileType.File]

    def is_file(self) -> bool:
        return bool(self._info().type == fs.FileType.File)

    def is_folder(self) -> bool:
        return bool(self._info().type == fs.FileType.Directory)

    def is_table(self) -> bool:
        """Whether a Delta table's log stands in the folder."""
        return bool(self.filesystem.get_file_info(self.at("_delta_log")).type == fs.FileType.Directory)

    def top(self) -> list[Any]:
        """What stands directly in the folder."""
        return list(self.filesystem.get_file_info(fs.FileSelector(self.root, allow_not_found=True)))

    def names(self, folder: str, after: str = "") -> Iterator[str]:
        """The names of the files directly in a folder below the root, sorted; those that come after one."""
        try:
            with os.scandir(self.at(folder)) as found:
                return iter(sorted(entry.name for entry in found if entry.name > after and entry.is_file()))
        except (FileNotFoundError, NotADirectoryError):
            return iter(())

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes of files below the root; None for one that is not there. Raises OSError, ConnectionFailed."""
        return list(map(self._bytes, paths))

    def there(self, paths: Sequence[str]) -> list[bool]:
        """Whether files stand below the root. Raises OSError, ConnectionFailed."""
        return [Path(self.at(path)).is_file() for path in paths]

    def stamps(self, paths: Sequence[str]) -> list[Stamp | None]:
        """Of files below the root; None for one that is not there. Raises OSError, ConnectionFailed."""
        return [stamp(self.at(path)) for path in paths]

    def listing(self) -> Iterator[tuple[str, int, int, bool]]:
        """Every file below the root: its path, bytes, milliseconds since 1970, and whether a folder above is a link.

        Raises OSError, ConnectionFailed.
        """
        return _listed(self.root, "", False, set())

    def delete_files(self, paths: Sequence[str]) -> Iterator[str]:
        """Deletes files below the root, and gives each that was there and is gone. Raises OSError, ConnectionFailed."""
        for path in paths:
            with suppress(FileNotFoundError):
                os.unlink(self.at(path))
                yield path

    def prune_above(self, paths: Iterable[str]) -> int:
        """Deletes the folders above some files, below the root, that are empty; says how many went."""
        folders = {path[:at] for path in paths for at, char in enumerate(path) if char == "/"}
        gone = 0
        for folder in sorted(folders, key=len, reverse=True):
            with suppress(OSError):
                os.rmdir(self.at(folder))
                gone += 1
        return gone

    def delete(self, path: str) -> None:
        """Deletes a file if it is there."""
        if self.filesystem.get_file_info(path).type == fs.FileType.File:
            self.filesystem.delete_file(path)

    def prune(self) -> None:
        """Deletes the folder with its folders, but no file: it fails where one is left."""
        for path, _, _ in os.walk(self.root, topdown=False):
            Path(path).rmdir()

    def put(self, made: Path, path: str) -> int:
        """Moves a file of this machine to its place, so that no reader sees half of it; returns its bytes.

        Raises EngineError, ConnectionFailed; then what stood there still does.
        """
        target = Path(path)
        beside = target.with_name(f".{target.name}.{uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, beside)
            size = beside.stat().st_size
            beside.replace(target)
        except OSError as error:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            raise EngineError(f"cannot write {target}: {error.strerror or error}") from None
        return size

    def create(self, path: str, data: bytes) -> None:
        """Writes a file below the root, whole or not at all; no two writers can create the same one.

        Raises FileExistsError where one is there, OSError and ConnectionFailed.
        """
        target = Path(self.at(path))
        beside = target.with_name(f"_commit_{uuid4().hex}.json.tmp")
        try:
            with beside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _linked(beside, target)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)

    def missing(self, paths: Sequence[str]) -> list[str]:
        """Those of some files below the root that are not there. Raises OSError, ConnectionFailed."""
        return [path for path in paths if not os.path.isfile(self.at(path))]  # a third of Path's time

    def explain(self, error: BaseException, doing: str) -> ConnectionFailed | None:
        """An error that storage caused, in words that name the connection; None for any other one."""
        return None

    def _bytes(self, path: str) -> bytes | None:
        try:
            with open(self.at(path), "rb", buffering=0) as file:  # half the time that Path.read_bytes takes
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _info(self) -> Any:
        return self.filesystem.get_file_info(self.root)

    def _below(self) -> list[Any]:
        return list(
            self.filesystem.get_file_info(fs.FileSelector(self.root, recursive=True, allow_not_found=True))
        )


def stamp(path: str) -> Stamp | None:
    """Of a file of this machine; None for one that is not there."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return Stamp(found.st_size, (found.st_ino, found.st_mtime_ns))


def _listed(
    folder: str, prefix: str, linked: bool, seen: set[tuple[int, int]]
) -> Iterator[tuple[str, int, int, bool]]:
    """seen: folders that were listed, so that links in a circle end."""
    try:
        here = os.stat(folder)
        if (here.st_dev, here.st_ino) in seen:
            return
        seen.add((here.st_dev, here.st_ino))
        with os.scandir(folder) as entries:
            found = list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in found:
        if entry.is_dir():
            yield from _listed(entry.path, f"{prefix}{entry.name}/", linked or entry.is_symlink(), seen)
            continue
        with suppress(FileNotFoundError):
            about = entry.stat()
            yield prefix + entry.name, about.st_size, about.st_mtime_ns // 1_000_000, linked


def _linked(made: Path, target: Path) -> None:
    """Gives a file its name unless the name is taken. Mounts that know no links get it written in place."""
    try:
        os.link(made, target)
    except FileExistsError:
        raise
    except OSError:
        with target.open("xb") as file:
            file.write(made.read_bytes())


def open_store(place: Place) -> Store:
    """The place as files. Raises ConnectionFailed where its path or its secrets cannot be had."""
    url = place.url
    if not isinstance(place.connection, LocalConnection):
        from odibi_magics.engines.pandas.blob_store import open_blob_store

        return replace(open_blob_store(place.connection, url), address=place.address)
    parts = urlsplit(url)
    root = unquote(parts.path) if parts.scheme == "file" else url
    options = place.connection.storage_options("deltalake")
    return Store(url, root.rstrip("/"), fs.LocalFileSystem(), options, place.address)
