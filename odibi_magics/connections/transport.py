"""One HTTPS session for every call to vaults and sign-in endpoints of this process."""

from __future__ import annotations

import os
import ssl
from typing import Any

from azure.core.pipeline.transport import RequestsTransport
from requests import PreparedRequest, Session
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from odibi_magics.connections.once import once

# Seconds. A vault answers in 20 to 200 ms; the SDK's own limit is 300 s, in which no one waits for a notebook.
CONNECT_TIMEOUT = 5
READ_TIMEOUT = 10

# As many connections are kept open to one host; more would be opened and thrown away again.
_POOL = 64


@once
def transport() -> RequestsTransport:
    """The session, for all clients of azure-core: they share its open connections.

    Proxies and the CA bundle are those of the environment, as `requests` takes them.
    """
    session = Session()
    session.mount("https://", _OneTlsContext(pool_connections=_POOL, pool_maxsize=_POOL))
    return RequestsTransport(
        session=session, session_owner=False, connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT
    )


class _OneTlsContext(HTTPAdapter):
    """Loads the CA bundle once, not for each of 50 connections: that takes 20 ms of CPU each time."""

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if verify:
            bundle = pool.pop("ca_certs", None) or pool.pop("ca_cert_dir", None) or DEFAULT_CA_BUNDLE_PATH
            pool["ssl_context"] = _context(bundle)
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: this would have each connection load the bundle into the context again."""


@once
def _context(bundle: str) -> ssl.SSLContext:
    """A context that trusts the CAs of a bundle's file or folder."""
    context = create_urllib3_context()
    folder = os.path.isdir(bundle)
    context.load_verify_locations(cafile=None if folder else bundle, capath=bundle if folder else None)
    return context
