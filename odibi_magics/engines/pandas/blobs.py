"""Blobs of a storage account as files: one fsspec file system, for DuckDB, pyarrow and ourselves.

obstore does the requests, not adlfs: its retries end within seconds, its tokens renew themselves, it asks for a blob
as it stood (If-Match), and it stands on the library that deltalake does, so that one set of options serves both.
"""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import obstore
from fsspec import AbstractFileSystem
from obstore.exceptions import AlreadyExistsError, PreconditionError

from odibi_magics.engines.waiting import awaited
from odibi_magics.errors import ConnectionFailed, EngineError

T = TypeVar("T")

# Of a blob on its way up; each open file holds up to two of them.
_PART_BYTES = 8 << 20
_AT_ONCE = 2

# Small blobs on their way down.
_READS_AT_ONCE = 32

# Entries of one answer of a listing: the service's own limit.
_PAGE = 5000


class BlobConnection(Protocol):
    """What a connection to blobs must tell; odibi_magics.connections.adls has one."""

    def store(self, container: str) -> Any:
        """The obstore store of a container. Raises ConnectionFailed."""

    def explain(self, error: BaseException, url: str, doing: str) -> ConnectionFailed | None:
        """The error in words that name the connection and the remedy; None for one that storage did not cause."""


class Blobs(AbstractFileSystem):  # type: ignore[misc]
    """The blobs that a connection reaches. Names are full URLs: abfss://container@host/key."""

    protocol = "abfss"
    cachable = False  # fsspec would keep the credentials of every connection for good

    def __init__(self, connection: BlobConnection) -> None:
        super().__init__()
        self.connection = connection

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return path.rstrip("/")

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """A blob or a folder of blobs. Raises FileNotFoundError, ConnectionFailed."""
        try:
            found = self._head(path)
        except FileNotFoundError:
            if next(self._listed(path), None) is None:
                raise FileNotFoundError(path) from None
            return _folder(path)
        return _folder(path) if self._marks_folder(path, found) else _file(path, found)

    def _marks_folder(self, path: str, found: Any) -> bool:
        """Whether an empty blob stands for a folder: accounts with a hierarchical namespace tell each so, and Spark
        and the portal put one there on the others. The answer to HEAD tells it, and `head` keeps that to itself."""
        if found["size"]:
            return False
        with self._explained(path, "reading"):
            store, key = self._located(path)
            answer = awaited(lambda: store.get(key, options={"head": True}))
        return str(answer.attributes.get("hdi_isfolder")).lower() == "true"

    def _head(self, path: str) -> Any:
        """What the service says of a blob. Raises FileNotFoundError, ConnectionFailed."""
        with self._explained(path, "reading"):
            store, key = self._located(path)
            if not key:
                raise FileNotFoundError(path)
            try:
                return awaited(lambda: store.head(key))
            except (FileNotFoundError, ConnectionFailed):
                raise
            except Exception:  # without a reason: the answer to HEAD has no body. That to GET has one
                return awaited(lambda: store.get(key, options={"range": (0, 1)})).meta

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """What stands directly in a folder. Raises FileNotFoundError, ConnectionFailed."""
        path = self._strip_protocol(path)
        root, key = parted(path)
        with self._explained_listing(path):
            store = self._located(path)[0]
            found: Any = awaited(lambda: store.list_with_delimiter(f"{key}/" if key else None))
        folders = {key, *found["common_prefixes"]}
        entries = [_folder(f"{root}/{prefix}") for prefix in found["common_prefixes"]]
        entries += [
            _file(f"{root}/{meta['path']}", meta)
            for meta in found["objects"]
            if meta["size"] or meta["path"] not in folders
        ]
        if not entries:
            raise FileNotFoundError(path)
        return entries if detail else [entry["name"] for entry in entries]

    def below(self, path: str, after: str = "") -> Iterator[dict[str, Any]]:
        """Every blob below a folder, sorted, in as few requests as there are pages; those that come after a name.

        Raises ConnectionFailed.
        """
        root, _ = parted(path)
        return (_file(f"{root}/{meta['path']}", meta) for meta in self._listed(path, after))

    def _listed(self, path: str, after: str = "") -> Iterator[dict[str, Any]]:
        with self._explained_listing(path):
            store, key = self._located(self._strip_protocol(path))
            offset = f"{key}/{after}" if after else None
            pages = store.list(f"{key}/" if key else None, chunk_size=_PAGE, offset=offset)
            while page := awaited(partial(next, pages, None)):
                yield from page

    def read(self, paths: Sequence[str]) -> list[bytes | None]:
        """The bytes of small blobs, side by side; None for one that is not there. Raises ConnectionFailed."""
        if not paths:
            return []
        with self._explained(paths[0], "reading"):
            located = list(map(self._located, paths))
            return awaited(lambda: asyncio.run(_read_all(located)))

    def there(self, paths: Sequence[str]) -> list[bool]:
        """Whether blobs stand there, asked side by side. Raises ConnectionFailed."""
        return [found is not None for found in self.heads(paths)]

    def heads(self, paths: Sequence[str]) -> list[Any]:
        """What storage tells of blobs, asked side by side; None for one that is not there. Raises ConnectionFailed."""
        if not paths:
            return []
        with self._explained(paths[0], "reading"):
            located = list(map(self._located, paths))
            return awaited(lambda: asyncio.run(_ask_all(located)))

    def delete(self, paths: Sequence[str]) -> Iterator[str]:
        """Deletes blobs, some side by side, and gives each that was there and is gone. Raises ConnectionFailed."""
        for start in range(0, len(paths), _READS_AT_ONCE):
            part = paths[start : start + _READS_AT_ONCE]
            with self._explained(part[0], "deleting"):
                located = list(map(self._located, part))
                found = awaited(partial(_delete_all, located))
            yield from (path for path, gone in zip(part, found, strict=True) if gone is True)
            for path, gone in zip(part, found, strict=True):
                if isinstance(gone, Exception):
                    with self._explained(path, "deleting"):
                        raise gone

    def create(self, path: str, data: bytes) -> None:
        """Puts a blob where none is. It is not given up at a stop: whether it landed must be known.

        Raises FileExistsError where one is there, also where it is ours and the first answer was lost;
        ConnectionFailed.
        """
        with self._explained(path, "writing"):
            store, key = self._located(path)
            try:
                store.put(key, data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                raise FileExistsError(path) from None

    def _open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode == "rb":
            found = self.info(path)
            return BlobReader(self, path, found["size"], found["etag"])
        return BlobWriter(self, path)

    def put(self, made: Path, path: str) -> None:
        """Uploads a file; readers see all of it or what stood there. Raises ConnectionFailed."""
        with self._explained(path, "writing"), made.open("rb") as file:
            store, key = self._located(path)
            store.put(key, file)

    def _rm(self, path: str) -> None:
        with self._explained(path, "deleting"):
            store, key = self._located(path)
            awaited(lambda: store.delete(key))

    def mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Nothing: a folder is there as soon as a blob is in it."""

    def _located(self, url: str) -> tuple[Any, str]:
        root, key = parted(url)
        return self.connection.store(root.removeprefix("abfss://").partition("@")[0]), key

    @contextmanager
    def _explained(self, url: str, doing: str) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, FileExistsError, ConnectionFailed, PreconditionError):
            raise
        except Exception as error:
            raise self.connection.explain(error, url, doing) or error from None

    @contextmanager
    def _explained_listing(self, url: str) -> Iterator[None]:
        """A listing that is not found lacks its container: an empty folder is an empty list."""
        try:
            with self._explained(url, "listing"):
                yield
        except FileNotFoundError as error:
            raise self.connection.explain(error, url, "listing") or error from None


async def _read_all(located: Sequence[tuple[Any, str]]) -> list[bytes | None]:
    async def one(store: Any, key: str) -> bytes:
        found = await store.get_async(key)
        return bytes(await found.bytes_async())

    return await _side_by_side(located, one)


async def _ask_all(located: Sequence[tuple[Any, str]]) -> list[Any]:
    async def one(store: Any, key: str) -> Any:
        return await store.head_async(key)

    return await _side_by_side(located, one)


def _delete_all(located: Sequence[tuple[Any, str]]) -> list[bool | Exception | None]:
    """True of each that is gone now, None of one that was not there. An error is given, not raised: of those beside it,
    it must be known which are gone."""

    async def one(store: Any, key: str) -> bool | Exception:
        try:
            await store.delete_async(key)
        except FileNotFoundError:
            raise
        except Exception as error:
            return error
        return True

    return asyncio.run(_side_by_side(located, one))


async def _side_by_side(
    located: Sequence[tuple[Any, str]], request: Callable[[Any, str], Awaitable[T]]
) -> list[T | None]:
    """What a request gives of each blob; None for one that is not there."""
    turns = asyncio.Semaphore(_READS_AT_ONCE)

    async def one(store: Any, key: str) -> T | None:
        async with turns:
            try:
                return await request(store, key)
            except FileNotFoundError:
                return None

    return await asyncio.gather(*(one(store, key) for store, key in located))


def parted(url: str) -> tuple[str, str]:
    """abfss://container@host, and the key."""
    authority, _, key = url.removeprefix("abfss://").partition("/")
    return f"abfss://{authority}", key.strip("/")


def _file(url: str, meta: Any) -> dict[str, Any]:
    """The tag with its quotes, which the service leaves out in listings: one version has one tag."""
    modified = meta["last_modified"]
    tag = (meta["e_tag"] or "").strip('"')
    return {
        "name": url, "type": "file", "size": meta["size"], "etag": tag and f'"{tag}"',
        "mtime": modified.timestamp(),
    }  # fmt: skip


def _folder(url: str) -> dict[str, Any]:
    return {"name": url, "type": "directory", "size": 0}


class BlobReader(io.RawIOBase):
    """A blob as it stood when its tag was read; a part of another version is never mixed in.

    Each thread has its own position: DuckDB reads one file with many, and moves before every read.
    """

    def __init__(self, blobs: Blobs, url: str, size: int, etag: str = "") -> None:
        self._blobs, self._url, self.size = blobs, url, size
        self._pinned = {"if_match": etag} if etag else {}
        self._at = threading.local()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(getattr(self._at, "byte", 0))

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self.size}[whence]
        self._at.byte = start + offset
        return start + offset

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, in one request. Raises ConnectionFailed, EngineError where the blob has changed."""
        start = self.tell()
        end = self.size if size is None or size < 0 else min(self.size, start + size)
        if start >= end:
            return b""
        found = self._requested(start, end)
        self._at.byte = end
        return found

    def readinto(self, buffer: Any) -> int:
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def _requested(self, start: int, end: int) -> bytes:
        try:
            with self._blobs._explained(self._url, "reading"):
                store, key = self._blobs._located(self._url)
                options = {"range": (start, end), **self._pinned}
                found = awaited(lambda: _part(store, key, options))
        except FileNotFoundError:
            raise EngineError(f"{self._url} is gone since it was first read: run again") from None
        except PreconditionError:
            raise EngineError(f"{self._url} has changed or gone since it was first read: run again") from None
        if len(found) < end - start:
            raise EngineError(
                f"{self._url} is cut off: it should have {self.size:,} bytes. Bring it back from a copy of the storage"
            )
        return found


def _part(store: Any, key: str, options: Any) -> bytes:
    """A range of a blob, no more of it than there is: a range behind the end is an error of storage, 416."""
    try:
        return bytes(store.get(key, options=options).bytes())
    except Exception as error:
        if "416 Range Not Satisfiable" in str(error):
            return b""
        raise


class BlobWriter(io.RawIOBase):
    """A blob on its way up in parts; it is there, whole, once closed. After a failure it never will be."""

    def __init__(self, blobs: Blobs, url: str) -> None:
        self._blobs, self._url, self._bytes = blobs, url, 0
        store, key = blobs._located(url)
        self._failed = False
        self._writer = obstore.open_writer(store, key, buffer_size=_PART_BYTES, max_concurrency=_AT_ONCE)

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._bytes

    def write(self, data: Any) -> int:
        part = bytes(data)  # its own: the caller's buffer may be gone before a request that is given up
        self._sent(lambda: self._writer.write(part))
        self._bytes += len(part)
        return len(part)

    def close(self) -> None:
        if not self.closed:
            super().close()
            if not self._failed:
                self._sent(self._writer.close)

    def _sent(self, request: Callable[[], Any]) -> None:
        # obstore panics when it is asked again, and a request that was given up may still be at work.
        if self._failed:
            raise OSError(f"the upload of {self._url} has failed")
        try:
            with self._blobs._explained(self._url, "writing"):
                awaited(request)
        except BaseException:
            self._failed = True
            raise
