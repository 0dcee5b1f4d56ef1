"""Names, as a real name server answers them: the system's resolver asks ours, and our own libraries' calls with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from odibi_magics.doctor import vault
from odibi_magics.doctor.hosts import Name, proxy_of
from odibi_magics.sandbox import Cloud
from tests.doctor.conftest import VAULT, Diagnose, broken

HOST, ZONE = "company-kv.vault.azure.net", "privatelink.vaultcore.azure.net"
PRIVATE = "company-kv.privatelink.vaultcore.azure.net"
NAME = Name(HOST, ZONE, "az keyvault list")
ALIAS = (HOST, "CNAME", PRIVATE)


class NameServer:
    """Answers with what it holds; a name that it does not hold, or whose alias leads to none, is NXDOMAIN."""

    def __init__(self) -> None:
        self.records: dict[str, tuple[str, str]] = {}
        self.silent = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    def holds(self, *records: tuple[str, str, str]) -> None:
        self.records = {name: (kind, value) for name, kind, value in records}

    def _serve(self) -> None:
        while True:
            try:
                asked, client = self.socket.recvfrom(4096)
            except OSError:
                return
            if not self.silent:
                self.socket.sendto(self._answer(dns.message.from_wire(asked)).to_wire(), client)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        [question] = query.question
        name = question.name.to_text(omit_final_dot=True)
        while name in self.records:
            kind, value = self.records[name]
            if kind == "CNAME" or question.rdtype.name == kind:
                answer.answer.append(
                    dns.rrset.from_text(f"{name}.", 60, "IN", kind, value + ("." if kind == "CNAME" else ""))
                )
            if kind != "CNAME":
                return answer
            name = value
        answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """No proxy, and a name server of our own for this process."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = NameServer()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port, resolver.lifetime = ["127.0.0.1"], made.socket.getsockname()[1], 2.0
    monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
    dns.resolver.override_system_resolver(resolver)
    yield made
    dns.resolver.restore_system_resolver()
    made.socket.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("20.50.2.1", "20.50.2.1, a public address"),
        ("10.1.2.3", "10.1.2.3, a private address: a private endpoint"),
    ],
)
def test_public_and_private_addresses(server: NameServer, address: str, said: str) -> None:
    server.holds(ALIAS, (PRIVATE, "A", address))
    found = NAME.look()
    assert found.state == "ok" and found.said == f"{HOST} is {said}"


def test_an_alias_that_leads_nowhere_is_wrong_private_dns(server: NameServer) -> None:
    server.holds(ALIAS)
    found = NAME.look()
    assert found.state == "failed" and "wrong private DNS" in found.said and PRIVATE in found.said
    assert found.command.startswith("az network private-endpoint dns-zone-group create")
    assert found.command.endswith(f"--private-dns-zone {ZONE}")


def test_a_name_that_nobody_has(server: NameServer) -> None:
    found = NAME.look()
    assert found.state == "failed" and "there is no such host" in found.said
    assert "wrong private DNS" not in found.said and found.command == "az keyvault list"


def test_no_name_server_answers(server: NameServer) -> None:
    server.silent = True
    found = NAME.look()
    assert found.state == "failed" and found.command == "" and "no such host" not in found.said


def test_a_private_vault_at_a_public_address_is_wrong_private_dns(
    server: NameServer, cloud: Cloud, diagnose: Diagnose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vault answers through the practice cloud's proxy; what the name leads to, our name server says."""
    cloud.vault("company-kv").forbid("private")
    monkeypatch.setattr(vault, "proxy_of", lambda host: None)
    server.holds(ALIAS, (PRIVATE, "A", "20.50.2.1"))
    said, command = broken(diagnose(VAULT), "secret")
    assert "leads to a public address here: wrong private DNS" in said
    assert command.startswith("az network private-dns link vnet create")

    server.holds(ALIAS, (PRIVATE, "A", "10.1.2.3"))
    said, command = broken(diagnose(VAULT), "secret")
    assert "wait for approval" in said and command.startswith("az network private-endpoint-connection list")


def test_a_password_of_the_proxy_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:pa55word@127.0.0.1:9")
    assert proxy_of(HOST) is not None
    shown = NAME.look().said + str(NAME.look_at_tls())
    assert "127.0.0.1:9" in shown and "pa55word" not in shown


def test_hosts_that_need_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", ".vault.azure.net")
    assert proxy_of(HOST) is None and proxy_of("account1.blob.core.windows.net") is not None
