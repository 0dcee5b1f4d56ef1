"""Where host names lead, for whatever lives in the practice cloud."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from odibi_magics.sandbox import Cloud

JAVA = """
import java.net.*;
public class Ask {
    public static void main(String[] hosts) throws Exception {
        for (String host : hosts)
            System.out.println(((HttpURLConnection) new URL("https://" + host).openConnection()).getResponseCode());
    }
}
"""


def answer_to(cloud: Cloud, asked: str) -> str:
    """The proxy's first line."""
    address = urlsplit(cloud.environment["HTTPS_PROXY"])
    assert address.hostname and address.port
    with socket.create_connection((address.hostname, address.port), timeout=10) as tunnel:
        tunnel.sendall(f"{asked} HTTP/1.1\r\n\r\n".encode())
        return tunnel.makefile("rb").readline().decode().strip()


@pytest.mark.parametrize(
    "host",
    [
        "account1.blob.core.windows.net",
        "account2.dfs.core.windows.net",
        "company-kv.vault.azure.net",
        "login.microsoftonline.com",
    ],
)
def test_hosts_of_the_cloud_are_served_under_their_names(cloud: Cloud, host: str) -> None:
    assert requests.get(f"https://{host}/x").status_code in (400, 401, 403, 404)
    assert [one.host for one in cloud.requests()] == [host]
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(cloud, host, ssl.create_default_context(cafile=_public_authorities()))


def _public_authorities() -> str:
    import certifi

    return certifi.where()


def _shake_hands(cloud: Cloud, host: str, context: ssl.SSLContext) -> None:
    address = urlsplit(cloud.environment["HTTPS_PROXY"])
    assert address.hostname and address.port
    with socket.create_connection((address.hostname, address.port), timeout=10) as tunnel:
        tunnel.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        assert b"200" in tunnel.recv(1000)
        context.wrap_socket(tunnel, server_hostname=host).close()


@pytest.mark.parametrize(
    "asked",
    [
        "CONNECT nobody.blob.core.windows.net:443",
        "CONNECT account1.queue.core.windows.net:443",
        "CONNECT account1.blob.core.windows.net:80",
        "CONNECT no-such-kv.vault.azure.net:443",
        "CONNECT graph.microsoft.com:443",
        "CONNECT example.org:443",
    ],
)
def test_other_hosts_are_not_there(cloud: Cloud, asked: str) -> None:
    assert answer_to(cloud, asked) == "HTTP/1.1 502 Bad Gateway"


@pytest.mark.parametrize("asked", ["GET http://example.org/", "nonsense", "CONNECT nowhere"])
def test_only_tunnels(cloud: Cloud, asked: str) -> None:
    assert answer_to(cloud, asked) in ("HTTP/1.1 405 Method Not Allowed", "")


def test_loopback_does_not_go_through_the_proxy(cloud: Cloud) -> None:
    with _echo() as port, pytest.raises(requests.ConnectionError) as failed:
        requests.get(f"https://localhost:{port}/", timeout=5)
    assert not isinstance(failed.value, requests.exceptions.ProxyError)


def test_hosts_outside_of_azure_are_let_through_where_asked() -> None:
    with Cloud.start(outside=True) as cloud, _echo() as port:
        assert answer_to(cloud, f"CONNECT localhost:{port}") == "HTTP/1.1 200 Connection established"
        assert answer_to(cloud, "CONNECT nobody.blob.core.windows.net:443") == "HTTP/1.1 502 Bad Gateway"


@contextmanager
def _echo() -> Iterator[int]:
    """A port that takes a connection and ends it."""
    with socket.create_server(("localhost", 0)) as server:
        threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        yield server.getsockname()[1]


@pytest.mark.skipif(shutil.which("javac") is None, reason="needs a JDK")
def test_java_lives_in_it_too(cloud: Cloud, tmp_path: Path) -> None:
    source = tmp_path / "Ask.java"
    source.write_text(JAVA)
    done = subprocess.run(
        ["java", str(source), "account1.dfs.core.windows.net/raw/sales.csv", "company-kv.vault.azure.net/secrets"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["403", "401"], done.stderr
