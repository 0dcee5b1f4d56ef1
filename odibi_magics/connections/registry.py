"""Connections by their `type`, made late: an Azure library loads only where an Azure connection is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odibi_magics.connections.base import Connection
from odibi_magics.errors import ConnectionFailed


def connect(name: str, model: Any, folder: Path) -> Connection:
    """The connection a model of the language describes. folder: what a local base_path is relative to.

    Raises ConnectionFailed for kinds that are part of the language but cannot be opened yet.
    """
    if model.type == "local":
        from odibi_magics.connections.local import LocalConnection

        try:
            return LocalConnection(name, folder / Path(model.base_path).expanduser())
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL character
            raise ConnectionFailed(f"Connection '{name}': base_path is no folder: {error}") from None
    raise ConnectionFailed(
        f"Connection '{name}': type {model.type} is checked but cannot be opened by this version; "
        "use type: local, or lay a local connection over it with --env"
    )
