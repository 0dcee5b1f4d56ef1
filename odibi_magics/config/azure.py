"""Storage accounts: names that Azure allows, keys that go with an auth_mode, and which vault a secret is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import AdlsConnection
from odibi_magics.errors import Problem

# What each way of opening an account needs, and what else it may have.
AUTH: Final = {
    "key_vault": ({"secret_name"}, {"key_vault_name"}),
    "direct_key": ({"account_key"}, set()),
    "sas_token": ({"sas_token"}, set()),
    "connection_string": ({"connection_string"}, set()),
    "service_principal": ({"tenant_id", "client_id", "client_secret"}, set()),
    "managed_identity": (set(), {"client_id"}),
    "identity": (set(), {"client_id", "tenant_id"}),
    "databricks_secret": ({"secret_scope", "secret_key"}, set()),
    "session": (set(), set()),
}
AUTH_KEYS: Final = frozenset().union(*(needed | allowed for needed, allowed in AUTH.values()))


def check_account(config: Config, path: Path, connection: AdlsConnection, known: Known) -> Iterator[Problem]:
    """What is wrong with a connection to a storage account whose keys and types are right."""
    given = set(connection.model_fields_set) & AUTH_KEYS
    needed, allowed = AUTH[connection.auth_mode]
    for key in sorted(needed - given):
        default = "" if "auth_mode" in connection.model_fields_set else ", the default,"
        yield config.key_problem(path, f"auth_mode {connection.auth_mode}{default} needs the key '{key}'")
    for key in sorted(given - needed - allowed):
        hint = f"it takes {', '.join(sorted(needed | allowed)) or 'no further key'}"
        yield config.key_problem((*path, key), f"auth_mode {connection.auth_mode} takes no '{key}'", hint)
    yield from _azure_names(config, path, connection)
    if connection.path_prefix is not None and connection.container is None:
        yield config.key_problem((*path, "path_prefix"), "path_prefix goes only with container")
    if connection.auth_mode == "key_vault" and vault_of(config, connection, known) is None:
        vaults = sorted(vaults_named(config) | known.vaults)
        why = (
            f"the connections name {len(vaults)}: {', '.join(vaults)}" if vaults else "none is named anywhere"
        )
        yield config.key_problem(path, "which key vault? No key_vault_name here or in the project", why)


# What Azure allows as names. They become parts of host names, so that nothing else may stand in them.
_AZURE_NAMES: Final = {
    "account": (re.compile(r"[a-z0-9]{3,24}"), "a storage account's name is 3 to 24 lower-case letters and digits"),
    "container": (
        re.compile(r"\$(?:root|web|logs)|(?=.{3,63}\Z)[a-z0-9]+(?:-[a-z0-9]+)*"),
        "a container's name is 3 to 63 lower-case letters, digits and single hyphens",
    ),
    "key_vault_name": (
        re.compile(r"(?=.{3,24}\Z)[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*"),
        "a vault's name is 3 to 24 letters, digits and single hyphens",
    ),
    "secret_name": (re.compile(r"[A-Za-z0-9-]{1,127}"), "a vault secret's name is letters, digits and hyphens"),
}  # fmt: skip


def is_name(key: str, value: str) -> bool:
    """Whether Azure allows it as a name for what a key names, so that it may become part of a host's name."""
    return _AZURE_NAMES[key][0].fullmatch(value) is not None


def _azure_names(config: Config, path: Path, connection: AdlsConnection) -> Iterator[Problem]:
    for key, (pattern, said) in _AZURE_NAMES.items():
        value = getattr(connection, key)
        if value is not None and not pattern.fullmatch(value):
            yield config.problem((*path, key), f"{said}: {value}", _without_host(value, pattern))


def _without_host(value: str, pattern: re.Pattern[str]) -> str:
    """`company-kv` for https://company-kv.vault.azure.net/, which people paste."""
    name = re.sub(r"^\w+://", "", value).partition(".")[0]
    return f"did you mean '{name}'?" if name != value and pattern.fullmatch(name) else ""


def with_vaults(config: Config, known: Known) -> Config:
    """The same, each connection that takes its secret from a vault saying from which."""
    opened = {
        name: _in_vault(connection, vault_of(config, connection, known))
        if isinstance(connection, AdlsConnection)
        else connection
        for name, connection in config.model.connections.items()
    }
    return replace(config, model=config.model.model_copy(update={"connections": opened}))


def _in_vault(connection: AdlsConnection, vault: str | None) -> AdlsConnection:
    if connection.auth_mode != "key_vault" or vault == connection.key_vault_name:
        return connection
    return connection.model_copy(update={"key_vault_name": vault})


def vaults_named(config: Config) -> set[str]:
    """The vaults that connections of this text name."""
    return {
        connection.key_vault_name
        for connection in config.model.connections.values()
        if isinstance(connection, AdlsConnection) and connection.key_vault_name
    }


def vault_of(config: Config, connection: AdlsConnection, known: Known) -> str | None:
    """The connection's vault, else the project's, else the one vault that connections name; None where unclear."""
    if connection.key_vault_name or config.model.key_vault_name:
        return connection.key_vault_name or str(config.model.key_vault_name)
    vaults = vaults_named(config) | known.vaults
    return vaults.pop() if len(vaults) == 1 else None
