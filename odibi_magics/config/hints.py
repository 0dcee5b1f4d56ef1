"""What to write instead of what the models refuse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odibi_magics.config.marks import Path
from odibi_magics.errors import nearest, suggest

# How each part is written, for who wrote something of another shape.
_SHAPES = {
    "connections": "{lake: {type: local, base_path: ./data}}", "vars": "{name: value}", "story": "{connection: NAME}",
    "secrets": "{timeout: 30}", "retry": "{max_attempts: 3}", "environments": "{prod: {vars: {name: value}}}",
    "pipelines": "[{pipeline: NAME, nodes: [...]}]", "nodes": "[{name: NAME, ...}]",
    "read": "{connection: NAME, path: PATH}", "write": "{connection: NAME, path: PATH}",
    "transform": "{steps: [{sql: SELECT ...}]}", "steps": "[{sql: SELECT ...}]", "params": "{name: value}",
    "returns": "{column: type}", "options": "{header: true}", "validation": "{not_empty: true}", "not_empty": "true",
    "no_nulls": "{columns: [id]}", "unique": "{columns: [id]}", "accepted_values": "{column: c, values: [a, b]}",
    "range": "{column: c, min: 0}", "row_count": "{min: 1}", "expression": "{sql: a > 0}", "columns": "[a, b]",
}  # fmt: skip
_SHAPELESS = ("list_type", "dict_type", "model_type", "model_attributes_type")
_BOOLEANS = {
    **dict.fromkeys(["no", "off", "false", "n"], "false"),
    **dict.fromkeys(["yes", "on", "true", "y"], "true"),
}


# What Azure's tools and other libraries call them, by our words.
_ELSEWHERE = {
    "account": ("account_name", "storage_account", "storage_account_name"),
    "container": ("container_name", "filesystem", "file_system", "bucket"),
    "secret_name": ("secret", "key_vault_secret"),
    "key_vault_name": ("vault", "vault_name", "vault_url", "key_vault", "keyvault"),
    "direct_key": ("account_key", "access_key", "shared_key", "storage_key"),
    "identity": ("az_login", "azure_cli", "cli", "default", "default_credential"),
    "managed_identity": ("msi",),
    "overwrite": ("replace", "truncate"),
}
_MEANT = {word: ours for ours, words in _ELSEWHERE.items() for word in words}

# Keys of the framework odibi that have none here, by what does the same: docs/odibi.md.
OF_ODIBI = {
    "system": "not kept here: each table's commits tell of its runs, and story: keeps their reports",
    "transformer": "write transform: {steps: [{function: NAME}]}; merge and append_once are modes of write:",
    "pattern": "not kept here: write its steps in SQL, and write: {mode: merge, keys: [id]}",
}


def meant(key: str, allowed: Sequence[str]) -> str | None:
    """The key that an unknown one stands for: by another tool's word for it, else by its spelling; None for none."""
    ours = _MEANT.get(key.lower())
    return ours if ours in allowed else nearest(key, allowed)


def hint(found: Mapping[str, Any], path: Path, value: Any, *, texts: bool) -> str:
    """found: what the model says of the value at `path`. texts: whether a list of texts would do."""
    match found["type"]:
        case "literal_error":
            return _word(str(value), allowed_words(found))
        case "union_tag_invalid":
            return _word(str(value.get("type")), allowed_words(found))
        case "union_tag_not_found":
            return "allowed: azure_adls, local, unity_catalog"
        case "bool_type":
            return boolean_hint(value)
        case "string_type" if isinstance(value, (bool, int, float)):
            return "put it in quotes"
        case "list_type" if texts and isinstance(value, str):
            return f"write [{value}]"
        case kind if kind in _SHAPELESS:
            return _shape(path)
    return ""


def boolean_hint(value: Any) -> str:
    """What stands for the `no` and `on` of YAML 1.1."""
    word = _BOOLEANS.get(str(value).lower())
    return f"write {word}" if word else ""


def _word(given: str, words: Sequence[str]) -> str:
    """As suggest; `adls` is far from azure_adls, and can be nothing else, nor can another tool's word for one."""
    if (ours := _MEANT.get(given.lower())) in words:
        return f"did you mean '{ours}'?"
    longer = [word for word in words if len(given) > 2 and given.lower() in word]
    return f"did you mean '{longer[0]}'?" if len(longer) == 1 else suggest(given, words)


def _shape(path: Path) -> str:
    keys = [part for part in path if isinstance(part, str)]
    if not keys:
        return ""
    if path[-2:-1] == ("connections",):
        return f"write {keys[-1]}: {{type: local, base_path: ./data}}"
    if keys[-1] == "schema":
        return f"write schema: {'{columns: {id: long}}' if 'validation' in keys else '{id: long}'}"
    return f"write {keys[-1]}: {_SHAPES[keys[-1]]}" if keys[-1] in _SHAPES else ""


def allowed_words(found: Mapping[str, Any]) -> list[str]:
    """The words of which a value is not one."""
    expected = found["ctx"].get("expected") or found["ctx"].get("expected_tags", "")
    return [word.strip(" '") for word in expected.replace(" or ", ", ").split(",")]


def homes_hint(homes: Sequence[Sequence[str]]) -> str:
    """Where an unknown key would be known: "it stands under read: or write:"."""
    shown = [" ".join(f"{key}:" for key in home) for home in homes]
    return f"it stands under {' or '.join(shown)}" if shown else ""
