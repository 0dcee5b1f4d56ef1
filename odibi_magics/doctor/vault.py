"""The layers of a vault: its host, whose tokens it takes, and the secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import monotonic
from typing import Final

from odibi_magics.connections.base import Refused
from odibi_magics.connections.credentials import KeyFrom
from odibi_magics.connections.keyvault import VaultSecret
from odibi_magics.connections.tokens import Identity
from odibi_magics.doctor.caller import VAULT, SignIn
from odibi_magics.doctor.diagnosis import Layer, failed, ok
from odibi_magics.doctor.grants import SECRETS, VAULTS, with_record
from odibi_magics.doctor.hosts import Name, addresses_of, ask, is_private, proxy_of, told, unreachable
from odibi_magics.doctor.steps import Step, of_refusal

_SECONDS: Final = 15


class Vault:
    """What is looked at of a secret's vault."""

    def __init__(self, source: KeyFrom, secret: VaultSecret) -> None:
        self._source, self._secret, self._host = source, secret, secret.host
        self._name = Name(
            secret.host, "privatelink.vaultcore.azure.net", "az keyvault list --query [].name -o tsv"
        )
        self._sign_in = SignIn(Identity(), VAULT)
        self._tenant = ""

    def steps(self) -> Iterator[Step]:
        yield Step("vault name", self._name.look)
        yield Step("vault TLS", self._name.look_at_tls, ("vault name",))
        yield Step("vault answers", self._answers, ("vault TLS",))
        yield Step("sign-in", lambda: self._sign_in.look(self._tenant), ("vault answers",))
        yield Step("secret", self._found, ("sign-in",))

    def _answers(self) -> Layer:
        """A vault tells who may come: it answers a request without a token with the tenant whose tokens it takes.

        https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
        """
        try:
            answer = ask(self._host, "/secrets?api-version=7.4&maxresults=1")
        except OSError as error:
            return unreachable(self._host, error)
        if answer.status == 429:
            wait = answer.headers.get("retry-after", "some")
            return failed(
                f"{self._host} is throttled",
                f"Try again in {wait} s; whoever else reads this vault counts too",
            )
        challenge = answer.headers.get("www-authenticate", "")
        tenant = re.search(r'authorization(?:_uri)?="?https://[^/"]+/([^/",\s]+)', challenge)
        if tenant is None:
            said = f"{self._host} answers {answer.status}, and not as a vault does"
            return failed(said, "Check the vault's name", f"az keyvault show --name {self._secret.vault}")
        self._tenant = tenant[1]
        return ok(f"takes tokens of tenant {self._tenant}")

    def _found(self) -> Layer:
        self._source.drop()
        try:
            self._source.get(monotonic() + _SECONDS)
        except Refused as error:
            return self._explained(error)
        return ok(f"secret '{self._secret.name}' is there, enabled, and not expired")

    def _explained(self, error: Refused) -> Layer:
        if error.kind == "private":
            return self._private(error)
        if error.kind == "role":
            return with_record(of_refusal(error), self._sign_in, VAULTS, self._secret.vault, SECRETS)
        return of_refusal(error)

    def _private(self, error: Refused) -> Layer:
        """It takes its private endpoint only: so the name should not lead to a public address."""
        proxy = proxy_of(self._host)
        if proxy:
            why = f"the proxy {told(proxy)} does not come from there: wrong private DNS, or another network"
        elif is_private(addresses_of(self._host)):
            return self._unapproved(error)
        else:
            why = f"{self._host} leads to a public address here: wrong private DNS"
        remedy = (
            "Link the network that resolves the name to the vault's private zone, or work from one that is"
        )
        return failed(f"{error.said}, and {why}", remedy, self._name.link)

    def _unapproved(self, error: Refused) -> Layer:
        command = (
            "az network private-endpoint-connection list --type Microsoft.KeyVault/vaults "
            f"--resource-group GROUP --name {self._secret.vault}"
        )
        said = f"{error.said}, and does not take this one: its connection may wait for approval"
        return failed(said, "See its state, and have it approved", command)
