"""Why a place holds no Delta table, and which one may have been meant."""

from __future__ import annotations

from odibi_magics.engines.pandas.files import hint
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.pandas.trees import Tree
from odibi_magics.errors import ConnectionFailed, EngineError, NotDelta

# On storage accounts each look is a request.
_ABOVE, _BELOW, _SHOWN = 3, 20, 5


def no_table(store: Store) -> EngineError:
    """The error for a place where a table was looked for in vain. Raises OSError, ConnectionFailed."""
    return none_at(store.tree, store.url.rstrip("/"), store.told)


def none_at(tree: Tree, url: str, told: str) -> EngineError:
    """The same of a URL. told: as people typed it. Raises OSError, ConnectionFailed."""
    there = tree.at(url)
    if there is None:
        return EngineError(f"there is no Delta table at {told}{hint(tree, url)}")
    if there.is_folder and _has_log(tree, url):
        return EngineError(f"{told} is no Delta table yet: its _delta_log holds no commit")
    what = "is no Delta table" if there.is_folder else "is a file, not a Delta table"
    try:
        above = table_above(tree, url, told)
        near = f"it lies in the table {above}" if above else _below(tree, url) if there.is_folder else ""
    except (OSError, ConnectionFailed):  # who may read a folder may not read what is around it
        near = ""
    why = near or ("it has no _delta_log" if there.is_folder else "")
    return NotDelta(f"{told} {what}: {why}" if why else f"{told} {what}")


def _has_log(tree: Tree, folder: str) -> bool:
    found = tree.at(f"{folder}/_delta_log")
    return found is not None and found.is_folder


def table_above(tree: Tree, url: str, told: str) -> str:
    """The table whose folder or file it is, as people would type it; "" for none. Raises OSError, ConnectionFailed."""
    scheme, _, path = url.rpartition("://")
    parts = path.split("/")
    for up in range(1, min(_ABOVE, len(parts) - 1) + 1):
        folder = "/".join(parts[:-up])
        above = f"{scheme}://{folder}" if scheme else folder
        if above and _has_log(tree, above):
            return _told_above(told, "/".join(parts[-up:])) or above
    return ""


def _told_above(told: str, inner: str) -> str | None:
    """What was typed without its end; None where it does not end so, as `.`."""
    text = told.rstrip("/")
    if text == inner:
        return "."
    outer = text.removesuffix(inner)
    if outer == text or outer[-1:] not in ("/", ":"):
        return None
    return outer.rstrip("/") if outer.endswith("/") else f"{outer}."


def _below(tree: Tree, folder: str) -> str:
    """The tables directly in it."""
    inside = [entry for entry in tree.entries(folder) if entry.is_folder][:_BELOW]
    names = [entry.name for entry in inside if _has_log(tree, f"{folder}/{entry.name}")]
    if not names:
        return ""
    more = ", …" if len(names) > _SHOWN else ""
    return f"it holds the table{'s' if len(names) > 1 else ''} {', '.join(names[:_SHOWN])}{more}"
