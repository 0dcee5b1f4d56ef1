"""The one command in a sentence of advice."""

from __future__ import annotations

import pytest

from odibi_magics.doctor.commands import command_in

SCOPE = "$(az storage account show --name a --query id -o tsv)"


@pytest.mark.parametrize(
    ("remedy", "command"),
    [
        ("Its secrets: az keyvault secret list --vault-name kv --query [].name", "az keyvault secret list --vault-name kv --query [].name"),
        (f'Grant it: az role assignment create --role "X Y" --scope {SCOPE}. A role takes time', f'az role assignment create --role "X Y" --scope {SCOPE}'),
        ("Let it in: az x y --ip $(curl -s https://api.ipify.org); or work from inside", "az x y --ip $(curl -s https://api.ipify.org)"),
        ("Maybe: az account show, az login --tenant TENANT", "az account show"),
        ("Check it. Your vaults: az keyvault list --query [].name", "az keyvault list --query [].name"),
        ("Sign in: az login; or set AZURE_TENANT_ID", "az login"),
        ("Try again in a moment", ""),
        ("Give the lazy one: nothing", ""),
    ],
)  # fmt: skip
def test_the_command(remedy: str, command: str) -> None:
    assert command_in(remedy) == command
