"""What tests of storage accounts and vaults share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from odibi_magics.config.load import load_connections
from odibi_magics.config.source import Source
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.prepare import forget
from odibi_magics.connections.registry import connect
from odibi_magics.sandbox import Cloud

Open = Callable[[str], AdlsConnection]

VAULT = "auth_mode: key_vault, key_vault_name: company-kv"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Each test fetches its own secrets."""
    forget()
    yield
    forget()


def opened(text: str) -> AdlsConnection:
    """The connection 'bronze' of a text of YAML: its keys but `type`, in a line."""
    whole = f"connections: {{bronze: {{type: azure_adls, {text}}}}}"
    config = load_connections(Source(whole, "this cell", Path.cwd()))
    made = connect("bronze", config.model.connections["bronze"], Path())
    assert isinstance(made, AdlsConnection)
    return made


@pytest.fixture
def bronze(cloud: Cloud) -> AdlsConnection:
    """account1, its key in the vault, as the roadmap has it."""
    return opened(f"account: account1, {VAULT}, secret_name: bronze-key")
