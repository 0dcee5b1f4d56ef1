"""Folders of this machine, or mounted into it; paths cannot leave them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from odibi_magics.connections.base import Need, NothingThere
from odibi_magics.errors import ConnectionFailed

_GLOB = frozenset("*?[")
_SHOWN = 200


class LocalConnection:
    """A folder under a name.

    base: the folder; symbolic links in it are followed once, here, so that comparing paths is comparing places.
    """

    def __init__(self, name: str, base: str | os.PathLike[str]) -> None:
        self._name = name
        self.base = Path(base).expanduser().resolve()

    @property
    def name(self) -> str:
        return self._name

    def url(self, path: str) -> str:
        """The absolute path, symbolic links followed as far as it exists; a glob keeps its pattern.

        No character is encoded: what is asked for is what the file is called. Raises ConnectionFailed where the path
        leaves the folder, or no file can be called so.
        """
        if "\0" in path:
            raise ConnectionFailed(f"Connection '{self.name}': a path cannot hold a NUL character")
        fixed, pattern = _split_glob(path)
        target = self._followed(fixed, pattern)
        if not target.is_relative_to(self.base) or ".." in Path(pattern).parts:
            raise self._outside(path)
        return str(target / pattern) if pattern else str(target)

    def file(self, path: str) -> str:
        """Where a file that a listing found really is; no part of its name is a pattern.

        Raises ConnectionFailed where a link leads out of the folder.
        """
        target = self._followed(path)
        if not target.is_relative_to(self.base):
            raise self._outside(path)
        return str(target)

    def _outside(self, path: str) -> ConnectionFailed:
        return ConnectionFailed(
            f"Connection '{self.name}': the path '{path}' leaves its folder {self.base}; "
            "use a path inside it, or a connection whose base_path holds it"
        )

    def _followed(self, path: str, pattern: str = "") -> Path:
        """Where a path leads. Raises ConnectionFailed for names too long or no text, and for links in a circle."""
        target = self.base / path
        try:
            str(target / pattern).encode()
            target = target.resolve()
            (target / pattern).stat()
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            pass
        except UnicodeEncodeError:
            raise ConnectionFailed(
                f"Connection '{self.name}': the name {str(target / pattern)!r} is not utf-8: rename it"
            ) from None
        except (OSError, RuntimeError) as error:
            raise ConnectionFailed(
                f"Connection '{self.name}': {_cut(target / pattern)} cannot be followed: {_why(error)}"
            ) from None
        return target

    def path(self, url: str) -> str:
        """What `url` would make a whole path of, which lies in the folder."""
        return Path(url).relative_to(self.base).as_posix()

    @property
    def only_spark(self) -> bool:
        return False

    @property
    def libraries(self) -> tuple[str, ...]:
        return ()

    def needs(self) -> tuple[Need, ...]:
        """Nothing."""
        return ()

    def storage_options(self, library: str) -> dict[str, Any]:
        """Nothing: files of this machine need no options."""
        return {}

    def put(self, path: str, data: bytes) -> None:
        """Writes a small file beside its place, then renames it there. Raises ConnectionFailed."""
        target = Path(self.url(path))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                Path(beside).replace(target)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise ConnectionFailed(
                f"Connection '{self.name}': {target} cannot be written: {_why(error)}"
            ) from None

    def check(self) -> None:
        """Whether the folder is there and can be read. Raises ConnectionFailed, NothingThere where it can be made."""
        if self._followed("").is_dir():
            if not os.access(self.base, os.R_OK | os.X_OK):
                raise ConnectionFailed(
                    f"Connection '{self.name}': no permission to read the folder {self.base}"
                )
            return
        if self.base.exists():
            raise ConnectionFailed(
                f"Connection '{self.name}': {self.base} is a file; base_path names a folder"
            )
        parent = next(folder for folder in self.base.parents if folder.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)):
            raise ConnectionFailed(
                f"Connection '{self.name}': there is no folder {self.base}, and none can be made in {parent}"
            )
        raise NothingThere(
            f"Connection '{self.name}': there is no folder {self.base}; {parent} exists. "
            "A run that writes makes it; otherwise mend base_path, which is relative to the file or the kernel's folder"
        )

    def describe(self) -> str:
        return f"local folder {self.base}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalConnection) and (other.name, other.base) == (self.name, self.base)

    def __hash__(self) -> int:
        return hash((self.name, self.base))

    def __repr__(self) -> str:
        return f"LocalConnection({self.name!r}, {str(self.base)!r})"


def _split_glob(path: str) -> tuple[str, str]:
    """The folders before the first pattern, and the rest."""
    parts = path.split("/")
    at = next((i for i, part in enumerate(parts) if _GLOB & set(part)), len(parts))
    fixed = "/".join(parts[:at]) or ("/" if path.startswith("/") else "")
    return fixed, "/".join(parts[at:])


def _cut(path: Path) -> str:
    text = str(path)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _why(error: OSError | RuntimeError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
