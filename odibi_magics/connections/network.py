"""What keeps a host from answering, told from the words of whichever library asked it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# How a sentence about a host ends, what to do, and whether it may pass; the first pattern that is found counts.
# The words are those of OpenSSL, rustls, getaddrinfo, hyper, urllib3 and Java.
_FAULTS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), said, remedy, transient)
    for pattern, said, remedy, transient in (
        (
            r"certificate|CERTIFICATE_VERIFY_FAILED|invalid peer|UnknownIssuer|PKIX path",
            "its TLS certificate is not trusted",
            "Behind a proxy that opens TLS, name its CA in REQUESTS_CA_BUNDLE and SSL_CERT_FILE before Python starts",
            False,
        ),
        (
            r"Temporary failure in name resolution|Try again",
            "no name server answers",
            "The network seems to be down: try again when it is there",
            True,
        ),
        (
            r"Name or service not known|nodename nor servname|failed to lookup address|dns error|getaddrinfo failed"
            r"|NameResolutionError|No address associated|no such host|UnknownHostException",
            "there is no such host",
            "Check the name's spelling; behind a private endpoint this machine must use the network's own DNS",
            False,
        ),
        (
            r"Tunnel connection failed: 50[234]|TunnelUnsuccessful|tunnel error\W+unsuccessful"
            r"|Unable to tunnel through proxy\W+Proxy returns \W*HTTP/1\.\d 50[234]",
            "the proxy finds no such host, or it does not answer",
            "Check the name's spelling, and whether the proxy of HTTPS_PROXY may reach it",
            False,
        ),
        (
            r"Unable to connect to proxy|ProxyError|Tunnel connection failed|Unable to tunnel through proxy",
            "the proxy of HTTPS_PROXY does not let us through",
            "Check HTTPS_PROXY, and NO_PROXY for hosts that need none",
            True,
        ),
        (
            r"Connection refused|actively refused",
            "connections are refused",
            "Check the network, HTTPS_PROXY where it is set, and the firewall between here and there",
            True,
        ),
        (
            r"timed out|timeout|operation timed|deadline has elapsed",
            "it does not answer in time",
            "Check the network, and the firewall between here and there; then try again",
            True,
        ),
        (
            r"reset by peer|Connection reset|terminated the handshake|shut down incorrectly|broken pipe"
            r"|connection closed|Remote end closed|IncompleteRead|incomplete|unexpected end"
            r"|TunnelUnexpectedEof|Connection aborted|end of file|error decoding response body|EOF|unexpectedly",
            "the connection was dropped",
            "Try again",
            True,
        ),
        (
            r"Network is unreachable|No route to host|error sending request|Failed to establish a new connection"
            r"|error trying to connect|client error \(Connect\)",
            "no way leads there",
            "Check the network, and the firewall between here and there; then try again",
            True,
        ),
    )
)


@dataclass(frozen=True)
class Fault:
    """Why a host did not answer: the end of a sentence about it, a sentence on what to do, whether it may pass."""

    said: str
    remedy: str
    transient: bool

    @property
    def no_host(self) -> bool:
        """Whether there is nothing under the name, as far as it can be told."""
        return "no such host" in self.said


def fault(text: str) -> Fault | None:
    """What the network did, told from an error's words; None where they are about something else."""
    for pattern, said, remedy, transient in _FAULTS:
        if pattern.search(text):
            return Fault(said, remedy, transient)
    return None


def words_of(error: BaseException) -> str:
    """The texts of an error and of all that led to it, without the colours of a terminal, and without the limits that
    object_store tells of itself: their names are no fault's."""
    return _NOISE.sub("", "\n".join(str(one) for one in _chain(error)))


_NOISE: Final = re.compile(r"\x1b\[[0-9;]*m|\b(?:max_retries|retry_timeout)\b")


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: BaseException | None = error
    while left is not None and id(left) not in seen:
        seen.add(id(left))
        yield left
        left = left.__cause__ or left.__context__
