"""The files behind a place: one file, a folder of parts as Spark writes them, or a glob; pinned as they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.trees import Entry, File, LocalTree, Tree, fixed_part, tree_of
from odibi_magics.errors import EngineError, nearest

_ENDINGS = {
    "csv": (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "parquet": (".parquet",),
}
_PACKED = (".bz2", ".xz", ".zst", ".zip", ".7z", ".lz4", ".snappy")


@dataclass(frozen=True)
class Files:
    """The files of a place, sorted by path. url: of the place, as people wrote it."""

    url: str
    files: tuple[File, ...]

    def __getitem__(self, path: str) -> File:
        return next(file for file in self.files if file.path == path)

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    def pins(self) -> dict[str, Any]:
        """What a run mark says of them; names are relative to the place where they are below it."""
        return {"url": self.url, "files": [self._pin(file) for file in self.files]}

    def _pin(self, file: File) -> list[Any]:
        return [self._name(file), file.bytes, file.mtime, *([file.etag] if file.etag else [])]

    def _name(self, file: File) -> str:
        if file.path == self.url:
            return file.path.rpartition("/")[2]
        return file.path.removeprefix(f"{self.url}/")

    def check_unchanged(self) -> None:
        """Raises EngineError where a file has changed or gone since it was listed."""
        for file in self.files:
            file.check_unchanged()


def find_files(place: Place) -> Files:
    """The files of a place as they stand now. Raises EngineError where there are none, ConnectionFailed."""
    url = place.url.rstrip("/") or "/"
    tree = tree_of(place.connection)
    try:
        whole = tree.at(url)
        found = (
            _globbed(tree, place, url) if whole is None and has_magic(url) else _at(tree, place, url, whole)
        )
        files = tuple(sorted(map(tree.file, found), key=lambda file: file.path))
    except OSError as error:
        raise EngineError(f"{error.filename or url} cannot be read: {error.strerror}") from None
    if packed := next((file.path for file in files if file.path.lower().endswith(_PACKED)), None):
        raise EngineError(f"{packed} is packed: unpack it, or pack it with gzip (.gz)")
    return Files(url, files)


def parts(place: Place, *more: Path) -> Files:
    """The files of a folder, if there is one, and those of this machine that are to be put beside them.

    Raises as `find_files`.
    """
    tree = tree_of(place.connection)
    there = map(tree.file, _parts(tree, place, place.url))
    return Files(place.url, (*there, *(file for path in more for file in made(path).files)))


def made(path: Path) -> Files:
    """A file that was made on this machine."""
    tree = LocalTree(LocalConnection("made", path.parent))
    return Files(str(path), (tree.file(Entry(str(path), False)),))


def holds_files(place: Place) -> bool:
    """Whether a file stands there, or a folder with anything but hidden files in it."""
    tree = tree_of(place.connection)
    found = tree.at(place.url)
    return found is not None and (not found.is_folder or bool(tree.entries(place.url)))


def _globbed(tree: Tree, place: Place, url: str) -> list[Entry]:
    """The files that match, and those of folders that do; `**` matches a folder and what is in it."""
    found = {
        file.path: file
        for match in tree.glob(url)
        for file in (_parts(tree, place, match.path) if match.is_folder else [match])
    }
    if not found:
        raise EngineError(f"no file matches {url}{_there(tree, fixed_part(url))}")
    return list(found.values())


def _at(tree: Tree, place: Place, url: str, whole: Entry | None) -> list[Entry]:
    if whole is None:
        raise EngineError(f"there is no file {url}{hint(tree, url)}")
    if not whole.is_folder:
        return [whole]
    found = _parts(tree, place, url)
    if not found:
        raise EngineError(f"the folder {url} holds no {place.format} files{_there(tree, url)}")
    return found


def _parts(tree: Tree, place: Place, folder: str) -> list[Entry]:
    """The data files of a folder."""
    if (log := tree.at(f"{folder}/_delta_log")) and log.is_folder:
        raise EngineError(f"{folder} is a Delta table: read it with format: delta")
    entries = tree.entries(folder)
    if partition := next((entry.name for entry in entries if "=" in entry.name and entry.is_folder), None):
        raise EngineError(
            f"{folder} holds partition folders ({partition}), whose values stand in no file; "
            "name the files with a glob, or write the data as a Delta table"
        )
    return [entry for entry in entries if not entry.is_folder and _is_data(entry.name, place.format)]


def _is_data(name: str, format_: str) -> bool:
    """Whether a file of a folder belongs to the format: by its ending, or because it has none."""
    unpacked = next((name[: -len(end)] for end in _PACKED if name.lower().endswith(end)), name)
    return unpacked.lower().endswith(_ENDINGS[format_]) or "." not in name


_CONTAINER_TWICE = re.compile(r"abfss://([^@/]+)@[^/]+/\1/")


def hint(tree: Tree, path: str) -> str:
    """The nearest name beside it; for a folder that is missing, the first one of them."""
    missing, there = path, None
    while "/" in missing.removeprefix("abfss://"):
        above = missing.rpartition("/")[0]
        there = tree.at(above or "/")
        if there is not None:
            break
        missing = above
    if there is not None and not there.is_folder:
        return f": {there.path} is no folder"
    folder = "" if there is None or missing == path else f", nor a folder {missing}"
    # An empty container has no folder at all, not even its root.
    twice = _CONTAINER_TWICE.fullmatch(f"{missing}/") if there else _CONTAINER_TWICE.match(f"{path}/")
    if twice:
        return f"{folder}: '{twice[1]}' is the container already, leave it out of the path"
    if there is None:
        return ""
    if meant := _meant(tree, there.path, missing, path):
        return meant
    close = nearest(missing.rpartition("/")[2], [entry.name for entry in tree.entries(there.path)])
    return f"{folder}: did you mean '{close}'?" if close else folder or _there(tree, there.path)


def _meant(tree: Tree, there: str, missing: str, path: str) -> str:
    """A path that is there, of one written with `\\`, or with its connection's folder once more."""
    if "\\" in path and tree.at(path.replace("\\", "/")):
        return ": parts of a path are parted by '/', not by '\\'"
    twice = missing.rpartition("/")[2]
    again = missing != path and there.rpartition("/")[2] == twice
    if again and tree.at(f"{there}{path.removeprefix(missing)}"):
        return f": '{twice}' stands in it twice, the connection's base_path has it already"
    return ""


def _there(tree: Tree, folder: str) -> str:
    names = [entry.name for entry in tree.entries(folder)][:5]
    return f"; there: {', '.join(names)}" if names else ""


def escaped(path: str) -> str:
    """A path as DuckDB's readers take it, which look for patterns in every name."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def unescaped(pattern: str) -> str:
    """What `escaped` made of a path, as the path."""
    return re.sub(r"\[([*?\[])\]", r"\1", pattern)
