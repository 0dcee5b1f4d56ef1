"""Connections as people see them in lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from odibi_magics.config.sqltext import TEMPLATE
from odibi_magics.secret import SECRET_KEYS, redact


@dataclass(frozen=True)
class ConnectionInfo:
    """A connection as people see it. secret: where its secret comes from, never the secret itself."""

    name: str
    kind: str
    place: str
    auth: str
    secret: str
    defined: str


def connection_info(name: str, model: Any, defined: str, written: Mapping[str, Any]) -> ConnectionInfo:
    """A connection's line in a list. written: its keys as they stand in the text, `${NAME}` not filled in."""
    if model.type == "local":
        return ConnectionInfo(name, "local", model.base_path, "none", "", defined)
    if model.type == "unity_catalog":
        return ConnectionInfo(name, model.type, f"{model.catalog}.{model.schema_}", "session", "", defined)
    place = "/".join(part for part in (model.account, model.container, model.path_prefix) if part)
    return ConnectionInfo(name, model.type, place, model.auth_mode, _secret_origin(model, written), defined)


def _secret_origin(model: Any, written: Mapping[str, Any]) -> str:
    if model.auth_mode == "key_vault":
        return f"{model.key_vault_name}/{model.secret_name}"
    if model.auth_mode == "databricks_secret":
        return f"{model.secret_scope}/{model.secret_key}"
    held = [str(value) for key, value in written.items() if key in SECRET_KEYS]
    return redact(held[0] if TEMPLATE.search(held[0]) else "in the text") if held else ""
