"""Hosts: what their names lead to, and whether they answer, straight or through the environment's proxy."""

from __future__ import annotations

import os
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from odibi_magics.connections.network import fault, words_of
from odibi_magics.doctor.diagnosis import Layer, failed, ok, skipped

# Seconds: to connect, TLS included, and between two bytes of an answer.
CONNECT_SECONDS: Final = 5
_CHECK: Final = "Check the network, and the firewall between here and there"


def proxy_of(host: str) -> SplitResult | None:
    """The proxy of HTTPS_PROXY, or of the system's settings, unless NO_PROXY excepts the host."""
    address = getproxies().get("https") or getproxies().get("all")
    if not address or proxy_bypass(host):
        return None
    return urlsplit(address if "://" in address else f"http://{address}")


def told(proxy: SplitResult) -> str:
    """A proxy's host and port, without the password that may stand before them."""
    return f"{proxy.hostname}:{proxy.port or 80}"


# Names ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Name:
    """A host's name. zone: of private endpoints, as "privatelink.vaultcore.azure.net". lists: finds one's own hosts."""

    host: str
    zone: str
    lists: str

    def look(self) -> Layer:
        """What it leads to: public addresses, or the private one of a private endpoint. A proxy resolves by itself."""
        proxy = proxy_of(self.host)
        if proxy:
            return skipped(f"left to the proxy {told(proxy)}")
        try:
            addresses = addresses_of(self.host)
        except socket.gaierror as error:
            return self._unresolved(error)
        kind = "a private address: a private endpoint" if is_private(addresses) else "a public address"
        return ok(f"{self.host} is {', '.join(addresses)}, {kind}")

    def _unresolved(self, error: socket.gaierror) -> Layer:
        private = self._private_name()
        if private:
            said = f"{self.host} leads to its private endpoint's name {private}, which has no record: wrong private DNS"
            return failed(said, f"Add its record to the zone {self.zone} that this network uses", self.record)
        found = fault(str(error))
        remedy = found.remedy if found else _CHECK
        said = found.said if found else str(error.strerror)
        nobody = not (found and found.transient)
        more = ". Is the name right?" if nobody else ""
        return failed(f"{self.host}: {said}", remedy + more, self.lists if nobody else "")

    def look_at_tls(self) -> Layer:
        """Whether the host takes connections, and shows a certificate that is trusted here."""
        try:
            connection = connect(self.host)
        except OSError as error:
            found = unreachable(self.host, error)
            nobody = "no such host" in found.said
            return replace(found, command=self.lists) if nobody else found
        with connection.sock as secured:
            assert isinstance(secured, ssl.SSLSocket)
            return ok(f"{secured.version()}, certificate by {_issuer(secured)}")

    def _private_name(self) -> str:
        """Where the name's alias leads, if that is to a private endpoint: the system's resolver says only that it
        found nothing."""
        import dns.exception
        import dns.resolver

        try:
            dns.resolver.resolve(self.host, lifetime=CONNECT_SECONDS)
        except dns.resolver.NXDOMAIN as error:
            canonical = error.canonical_name.to_text(omit_final_dot=True)
            return canonical if ".privatelink." in canonical else ""
        except dns.exception.DNSException:
            return ""
        return ""

    @property
    def record(self) -> str:
        """Has a private endpoint keep its record in the private zone."""
        return (
            "az network private-endpoint dns-zone-group create --resource-group GROUP --endpoint-name ENDPOINT "
            f"--name default --zone-name default --private-dns-zone {self.zone}"
        )

    @property
    def link(self) -> str:
        """Has a network look into the private zone."""
        return (
            f"az network private-dns link vnet create --resource-group GROUP --zone-name {self.zone} "
            "--name LINK --virtual-network NETWORK --registration-enabled false"
        )


def addresses_of(host: str) -> list[str]:
    """As every library resolves it. Raises socket.gaierror."""
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_private(addresses: list[str]) -> bool:
    return all(not ip_address(address).is_global for address in addresses)


# Answers --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What a host says without being told who asks. headers: their names in lower case."""

    status: int
    headers: Mapping[str, str]


def ask(host: str, path: str) -> Answer:
    """Its answer to a GET without a credential. Raises OSError."""
    connection = connect(host)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
    except HTTPException as error:
        raise ConnectionResetError(str(error) or "connection closed") from None
    finally:
        connection.close()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()})


def connect(host: str) -> HTTPConnection:
    """Open, TLS done. Raises OSError."""
    proxy, context = (
        proxy_of(host),
        _trust(os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")),
    )
    if proxy is None:
        connection = HTTPSConnection(host, timeout=CONNECT_SECONDS, context=context)
    else:
        connection = HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=CONNECT_SECONDS, context=context
        )
        connection.set_tunnel(host, 443, _authorized(proxy))
    connection.connect()
    return connection


def _authorized(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


@cache
def _trust(bundle: str | None) -> ssl.SSLContext:
    """bundle: a file or a folder of CAs, as the libraries take it; None for those of the system."""
    folder = bundle is not None and os.path.isdir(bundle)
    return ssl.create_default_context(cafile=None if folder else bundle, capath=bundle if folder else None)


def _issuer(secured: ssl.SSLSocket) -> str:
    certificate = secured.getpeercert() or {}
    fields = dict(pair for part in certificate.get("issuer", ()) for pair in part)  # type: ignore[misc]
    return str(fields.get("organizationName") or fields.get("commonName") or "nobody named")


def unreachable(host: str, error: OSError) -> Layer:
    """A layer that failed because a host did not answer."""
    found = fault(words_of(error))
    proxy = proxy_of(host)
    through = f" through the proxy {told(proxy)}" if proxy else ""
    if found is None:
        return failed(f"{host} cannot be reached{through}: {error}", _CHECK)
    return failed(f"{host}{through}: {found.said}", found.remedy)
