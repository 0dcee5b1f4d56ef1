"""Connections by their `type`, made late: an Azure library loads only where an Azure connection is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from odibi_magics.connections.base import Connection
from odibi_magics.errors import ConnectionFailed


def connect(name: str, model: Any, folder: Path) -> Connection:
    """The connection a model of the language describes. folder: what a local base_path is relative to.

    Equal names and models give equal connections. Raises ConnectionFailed for a place that cannot be.
    """
    if model.type == "local":
        from odibi_magics.connections.local import LocalConnection

        try:
            return LocalConnection(name, folder / Path(model.base_path).expanduser())
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL character
            raise ConnectionFailed(f"Connection '{name}': base_path is no folder: {error}") from None
    if model.type == "azure_adls":
        from odibi_magics.connections.adls import AdlsConnection

        return AdlsConnection.of_model(name, model)
    from odibi_magics.connections.unity import UnityConnection

    return UnityConnection(name, model.catalog, model.schema_)
