"""The names of files in a Delta log, as files on storage.

Source: "Add File and Remove File" and "Deletion Vectors" in https://github.com/delta-io/delta/blob/master/PROTOCOL.md.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from odibi_magics.delta.replay import Action

_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_TO_B85 = str.maketrans(_Z85, _B85)
_ID = 20
"""Characters of a deletion vector's id; what stands before them is a folder."""


def stored(file: Action, url: str) -> list[str]:
    """The files on storage that an add or a remove names, relative to its table; those of other tables are left out.

    url: of the table.
    """
    found = inside(file["path"], url)
    names = [] if found is None else [found]
    if vector := file.get("deletionVector"):
        names += _vector_files(vector, url)
    return names


def inside(path: str, url: str) -> str | None:
    """A path of the log as it is on storage, relative to the table; None where it leads elsewhere."""
    if not _is_absolute(path):
        return unquote(path) if "%" in path else path
    (host, whole), (table_host, root) = _parts(path), _parts(url)
    if host.lower() != table_host.lower():
        return None
    below, folder = unquote(whole), f"{root.rstrip('/')}/"
    return below.removeprefix(folder) if below.startswith(folder) else None


def _parts(url: str) -> tuple[str, str]:
    """Host and path. A `#` or `?` in a path is a letter of it, as in folders of this machine."""
    match = _WHOLE.fullmatch(url)
    return (match[1] or "", match[2] or "") if match else ("", url)


_WHOLE = re.compile(r"(?:[A-Za-z][\w+.-]*:)?(?://([^/]*))?(/.*)?", re.DOTALL)


def _is_absolute(path: str) -> bool:
    if ":/" not in path:
        return path.startswith("/")
    scheme, _, rest = path.partition(":")
    return path.startswith("/") or (rest.startswith("/") and scheme.isalnum())


def _vector_files(vector: Any, url: str) -> Iterator[str]:
    kind, where = vector.get("storageType"), vector.get("pathOrInlineDv") or ""
    if kind == "u":
        folder, made = where[:-_ID], where[-_ID:]
        name = f"deletion_vector_{UUID(bytes=base64.b85decode(made.translate(_TO_B85)))}.bin"
        yield f"{folder}/{name}" if folder else name
    elif kind == "p" and (found := inside(where, url)) is not None:
        yield found
