"""The files behind a place: one file, a folder of parts as Spark writes them, or a glob; pinned as they stand."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from odibi_magics.engines.base import Place
from odibi_magics.errors import EngineError, nearest

_ENDINGS = {
    "csv": (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "parquet": (".parquet",),
}
_PACKED = (".bz2", ".xz", ".zst", ".zip", ".7z", ".lz4", ".snappy")


@dataclass(frozen=True)
class File:
    """A file as it stands. mtime: nanoseconds, as the file system tells it."""

    path: str
    bytes: int
    mtime: int


@dataclass(frozen=True)
class Files:
    """The files of a place, sorted by path. url: of the place, as people wrote it."""

    url: str
    files: tuple[File, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    def pins(self) -> dict[str, Any]:
        """What a run mark says of them; names are relative to the place where they are below it."""
        return {"url": self.url, "files": [[self._name(file), file.bytes, file.mtime] for file in self.files]}

    def _name(self, file: File) -> str:
        if file.path == self.url:
            return Path(file.path).name
        return os.path.relpath(file.path, self.url) if file.path.startswith(self.url + os.sep) else file.path

    def check_unchanged(self) -> None:
        """Raises EngineError where a file has changed or gone since it was listed."""
        for file in self.files:
            try:
                now = _file(file.path)
            except FileNotFoundError:
                raise EngineError(f"{file.path} is gone since it was first read: run again") from None
            if now != file:
                raise EngineError(f"{file.path} has changed since it was first read: run again")


def find_files(place: Place) -> Files:
    """The files of a place as they stand now. Raises EngineError where there are none, ConnectionFailed."""
    url = place.url
    try:
        found = _globbed(place, url) if has_magic(url) and not Path(url).exists() else _at(place, url)
        files = tuple(sorted((_file(path) for path in found), key=lambda file: file.path))
    except OSError as error:
        raise EngineError(f"{error.filename or url} cannot be read: {error.strerror}") from None
    if packed := next((file.path for file in files if file.path.lower().endswith(_PACKED)), None):
        raise EngineError(f"{packed} is packed: unpack it, or pack it with gzip (.gz)")
    return Files(url, files)


def parts(place: Place, *more: Path) -> Files:
    """The files of a folder, if there is one, and those that are to be put beside them. Raises as `find_files`."""
    folder = Path(place.url)
    there = _parts(place, folder) if folder.is_dir() else []
    return Files(place.url, tuple(map(_file, [*there, *map(str, more)])))


def _file(path: str) -> File:
    """Raises OSError, and EngineError for a pipe or a device, whose reading might never end."""
    found = Path(path).stat()
    if not stat.S_ISREG(found.st_mode):
        raise EngineError(f"{path} is no file")
    return File(path, found.st_size, found.st_mtime_ns)


def holds_files(url: str) -> bool:
    """Whether a file stands there, or a folder with anything but hidden files in it."""
    return Path(url).is_file() or any(True for _ in _visible(Path(url)))


def _globbed(place: Place, url: str) -> list[str]:
    """Symbolic links that lead out of the place are refused by its `url`, once for each match."""
    root, pattern = _split(url)
    matches = sorted(path for path in root.glob(pattern) if not _is_hidden(path.relative_to(root)))
    found = [file for path in matches for file in (_parts(place, path) if path.is_dir() else [str(path)])]
    if not found:
        raise EngineError(f"no file matches {url}{_there(root)}")
    return [place.connection.url(path) for path in found]


def _at(place: Place, url: str) -> list[str]:
    path = Path(url)
    if path.is_dir():
        found = _parts(place, path)
        if not found:
            raise EngineError(f"the folder {url} holds no {place.format} files{_there(path)}")
        return found
    if not path.exists():
        raise EngineError(f"there is no file {url}{_hint(path)}")
    return [url]


def _parts(place: Place, folder: Path) -> list[str]:
    """The data files of a folder; names that begin with `_` or `.` are not data, as Spark has it."""
    if (folder / "_delta_log").is_dir():
        raise EngineError(f"{folder} is a Delta table: read it with format: delta")
    entries = list(_visible(folder))
    if partitions := sorted(entry.name for entry in entries if "=" in entry.name and entry.is_dir()):
        raise EngineError(
            f"{folder} holds partition folders ({partitions[0]}), whose values stand in no file; "
            "name the files with a glob, or write the data as a Delta table"
        )
    return [place.connection.url(str(e)) for e in entries if _is_data(e.name, place.format) and e.is_file()]


def _is_data(name: str, format_: str) -> bool:
    """Whether a file of a folder belongs to the format: by its ending, or because it has none."""
    unpacked = next((name[: -len(end)] for end in _PACKED if name.lower().endswith(end)), name)
    return unpacked.lower().endswith(_ENDINGS[format_]) or "." not in name


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(("_", ".")) for part in path.parts)


def _visible(folder: Path) -> Iterator[Path]:
    entries = folder.iterdir() if folder.is_dir() else ()
    return (entry for entry in entries if not entry.name.startswith(("_", ".")))


def _split(url: str) -> tuple[Path, str]:
    """The folder before the first pattern, and the rest."""
    parts = Path(url).parts
    at = next(i for i, part in enumerate(parts) if has_magic(part))
    return Path(*parts[:at]), str(Path(*parts[at:]))


def _hint(path: Path) -> str:
    """The nearest name beside it; for a folder that is missing, the first one of them."""
    missing = path
    while not missing.parent.is_dir():
        missing = missing.parent
    if missing.exists():
        return f": {missing} is no folder"
    close = nearest(missing.name, [entry.name for entry in _visible(missing.parent)])
    folder = "" if missing == path else f", nor a folder {missing}"
    return f"{folder}: did you mean '{close}'?" if close else folder or _there(missing.parent)


def _there(folder: Path) -> str:
    names = sorted(entry.name for entry in _visible(folder))[:5]
    return f"; there: {', '.join(names)}" if names else ""


def escaped(path: str) -> str:
    """A path as DuckDB's readers take it, which look for patterns in every name."""
    return re.sub(r"([*?\[])", r"[\1]", path)
