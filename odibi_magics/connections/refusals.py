"""Why a vault or a sign-in refused us, in words for people, each with the command that mends it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.network import fault, words_of
from odibi_magics.errors import nearest

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

    from odibi_magics.connections.keyvault import VaultSecret
    from odibi_magics.connections.tokens import Identity

_LOGIN: Final = "login.microsoftonline.com"


# Key Vault ------------------------------------------------------------------------------------------------------------


def of_vault(error: Exception, secret: VaultSecret) -> Refused | None:
    """What an error of the Key Vault SDK means; None for one that is no answer of vault, sign-in or network."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    if isinstance(error, ClientAuthenticationError) and error.status_code != 401:
        return of_sign_in(error)
    if isinstance(error, HttpResponseError):
        return _answered(error, secret)
    if isinstance(error, AzureError):
        return _no_answer(words_of(error), secret)
    return None


def not_found(secret: VaultSecret, others: Sequence[str]) -> Refused:
    """A secret that the vault does not have. others: names of some that it has."""
    close = nearest(secret.name, others)
    meant = f"Did you mean '{close}'? " if close else ""
    return Refused(
        f"Secret '{secret.name}' not found in vault '{secret.vault}'",
        f"{meant}Its secrets: az keyvault secret list --vault-name {secret.vault} --query [].name",
    )


def expired(secret: VaultSecret, when: datetime) -> Refused:
    """A secret after its time."""
    return Refused(
        f"Secret '{secret.name}' in vault '{secret.vault}' expired on {when:%Y-%m-%d %H:%M} UTC",
        f"Set a new one: az keyvault secret set --vault-name {secret.vault} --name {secret.name} --value VALUE",
    )


def too_early(secret: VaultSecret, when: datetime) -> Refused:
    """A secret before its time."""
    return Refused(
        f"Secret '{secret.name}' in vault '{secret.vault}' is not valid before {when:%Y-%m-%d %H:%M} UTC",
        f"Wait, or: az keyvault secret set-attributes --vault-name {secret.vault} --name {secret.name} "
        "--not-before DATE",
    )


def _answered(error: HttpResponseError, secret: VaultSecret) -> Refused:
    text = words_of(error)
    if error.status_code == 429:
        return _throttled(error, secret)
    if error.status_code == 401:
        return _unauthorized(text, secret)
    if error.status_code == 403:
        made = next(
            (made for code, made in _FORBIDDEN.items() if re.search(code, text, re.IGNORECASE)), _forbidden
        )
        return made(text, secret)
    return Refused(
        f"vault '{secret.vault}' answered {error.status_code} for secret '{secret.name}': {_first_line(text)}",
        "Try again; if it stays, see its state: az keyvault show --name " + secret.vault,
        transient=(error.status_code or 0) >= 500,
    )


def _throttled(error: HttpResponseError, secret: VaultSecret) -> Refused:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    wait = headers.get("Retry-After")
    asked = f" and asks to wait {wait} s" if wait else ""
    return Refused(
        f"vault '{secret.vault}' is throttled (429){asked}; secret '{secret.name}' was not fetched",
        "Try again later; whoever else reads this vault counts too",
        transient=True,
    )


def _unauthorized(text: str, secret: VaultSecret) -> Refused:
    return Refused(
        f"vault '{secret.vault}' does not take our sign-in (401): {_first_line(text)}",
        "The vault may belong to another tenant than the one signed in to: az account show, az login --tenant TENANT",
    )


def _no_role(text: str, secret: VaultSecret) -> Refused:
    vault = re.search(r"/subscriptions/[^'\"\s]*?/vaults/[\w-]+", text, re.IGNORECASE)
    scope = vault[0] if vault else f"$(az keyvault show --name {secret.vault} --query id -o tsv)"
    return Refused(
        f"vault '{secret.vault}' forbids reading secret '{secret.name}': no role that may; the vault uses Azure RBAC, "
        "so an access policy has no effect",
        f'Grant it: az role assignment create --role "Key Vault Secrets User" --assignee {_caller(text)} '
        f"--scope {scope}. A role just granted takes some minutes",
        kind="role",
    )


def _no_policy(text: str, secret: VaultSecret) -> Refused:
    return Refused(
        f"vault '{secret.vault}' forbids reading secret '{secret.name}': no access policy that may; the vault uses "
        "access policies, so a role has no effect",
        f"Grant it: az keyvault set-policy --name {secret.vault} --object-id {_caller(text)} "
        "--secret-permissions get",
        kind="policy",
    )


def _firewall(text: str, secret: VaultSecret) -> Refused:
    address = re.search(r"Client address: *([0-9a-f.:]+)", text)
    here = address[1] if address else "$(curl -s https://api.ipify.org)"
    return Refused(
        f"the firewall of vault '{secret.vault}' refuses this machine{f' ({here})' if address else ''}",
        f"Let it in: az keyvault network-rule add --name {secret.vault} --ip-address {here}",
        kind="firewall",
    )


def _private(text: str, secret: VaultSecret) -> Refused:
    return Refused(
        f"vault '{secret.vault}' answers on its private endpoint only",
        "Work from inside its network, with that network's DNS; what it is: az keyvault show --name "
        f"{secret.vault} --query properties.privateEndpointConnections",
        kind="private",
    )


def _disabled(text: str, secret: VaultSecret) -> Refused:
    return Refused(
        f"Secret '{secret.name}' in vault '{secret.vault}' is disabled",
        f"Enable it: az keyvault secret set-attributes --vault-name {secret.vault} --name {secret.name} --enabled true",
    )


def _forbidden(text: str, secret: VaultSecret) -> Refused:
    return Refused(
        f"vault '{secret.vault}' forbids reading secret '{secret.name}': {_first_line(text)}",
        f"Whether it goes by roles or policies: az keyvault show --name {secret.vault} "
        "--query properties.enableRbacAuthorization",
    )


_FORBIDDEN: Final[Mapping[str, Callable[[str, VaultSecret], Refused]]] = {
    "SecretDisabled|disabled secret": _disabled,
    "ForbiddenByRbac|not authorized to perform action": _no_role,
    "ForbiddenByFirewall|Client address is not authorized": _firewall,
    "ForbiddenByConnection|Public network access is disabled": _private,
    "ForbiddenByPolicy|AccessDenied|secrets get permission": _no_policy,
}


def _caller(text: str) -> str:
    """The object id that the vault saw."""
    found = re.search(r"oid=([0-9a-f-]{36})", text)
    return found[1] if found else "$(az ad signed-in-user show --query id -o tsv)"


def _no_answer(text: str, secret: VaultSecret) -> Refused:
    found = fault(text)
    if found is None:
        return Refused(
            f"vault '{secret.vault}' gave no answer: {_first_line(text)}",
            "Try again",
            transient=True,
            about="key_vault_name",
        )
    what = (
        f"Vault '{secret.vault}' not found" if found.no_host else f"vault '{secret.vault}' cannot be reached"
    )
    return Refused(
        f"{what} at {secret.host}: {found.said}",
        f"{found.remedy}. Your vaults: az keyvault list --query [].name",
        transient=found.transient,
        about="key_vault_name",
    )


# Sign-in --------------------------------------------------------------------------------------------------------------


def of_sign_in(error: Exception, identity: Identity | None = None) -> Refused | None:
    """What an error of azure-identity means; None for one that is no answer of it."""
    from azure.core.exceptions import AzureError

    if not isinstance(error, AzureError):
        return None
    text = words_of(error)
    code = re.search(r"AADSTS(\d+)", text)
    if code:
        return _refused_by_entra(code[1], text, identity)
    tried = dict(re.findall(r"^\s*(\w+Credential): (.*)", text, re.MULTILINE))
    if identity is not None and identity.kind == "managed":
        return _no_managed_identity(text)
    if tried:
        return _no_credential(tried)
    found = fault(text)
    if found:
        said = f"signing in failed: {_LOGIN} cannot be reached: {found.said}"
        remedy = f"Check whether the network, and the proxy of HTTPS_PROXY, let through to {_LOGIN}"
        return Refused(said, remedy if found.no_host else found.remedy, transient=found.transient)
    return Refused(f"signing in failed: {_first_line(text)}", "Check who is signed in: az account show")


def _no_credential(tried: Mapping[str, str]) -> Refused:
    """tried: what each credential said; the search ends early at one that is there and fails."""
    last, said = [*tried.items()][-1]
    ended = f"; {last} is there and says: {_first_line(said)}" if "AzureCliCredential" not in tried else ""
    return Refused(
        f"no credential to sign in to Azure with; tried {', '.join(tried)}{ended}",
        "Sign in: az login; or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    )


def _no_managed_identity(text: str) -> Refused:
    return Refused(
        f"no managed identity gives a token here: {_first_line(text)}",
        "It exists only inside Azure (virtual machine, App Service, AKS and others), where one is assigned; "
        "elsewhere use auth_mode: identity",
    )


def _refused_by_entra(code: str, text: str, identity: Identity | None) -> Refused:
    client = (identity and identity.client_id) or os.environ.get("AZURE_CLIENT_ID") or "the application"
    tenant = (identity and identity.tenant_id) or os.environ.get("AZURE_TENANT_ID") or "the tenant"
    said, remedy = _AADSTS.get(code, ("{line}", "Check who is signed in: az account show"))
    names = {"client": client, "tenant": tenant, "line": _first_line(text)}
    said = f"signing in failed: {said.format(**names)} (AADSTS{code})"
    return Refused(said, remedy.format(**names), transient=code in _BUSY)


# Entra's codes for what passes.
_BUSY: Final = frozenset({"50196", "90024", "90033", "90055"})
_NEW_SECRET: Final = (
    "Take the secret's value, not its id; a new one: az ad app credential reset --id {client}"
)
_AADSTS: Final[Mapping[str, tuple[str, str]]] = {
    "7000215": ("the client secret of {client} is wrong", _NEW_SECRET),
    "7000222": (
        "the client secret of {client} has expired",
        "A new one: az ad app credential reset --id {client}",
    ),
    "700016": (
        "there is no application {client} in tenant {tenant}",
        "Check client_id and tenant_id: az ad app list --query [].appId",
    ),
    "90002": ("there is no tenant {tenant}", "Check tenant_id: az account list --query [].tenantId"),
    "900023": (
        "{tenant} is no tenant's id or domain",
        "Check tenant_id: az account list --query [].tenantId",
    ),
    **dict.fromkeys(
        _BUSY, ("the sign-in service is throttled or briefly unavailable", "Try again in a moment")
    ),
    "50076": ("the account needs multi-factor authentication", "Sign in again: az login"),
    "700082": ("the saved sign-in has expired", "Sign in again: az login"),
}


def _first_line(text: str) -> str:
    """What an error says first, without the ids that follow it."""
    lines = (line.strip() for line in text.splitlines())
    line = next((line for line in lines if line), "no reason was given")
    line = re.sub(r"\s*Trace ID:.*", "", line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


_LONGEST: Final = 300
