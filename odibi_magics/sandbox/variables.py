"""The environment in which a process lives in the practice cloud."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from odibi_magics.sandbox.certificates import TRUSTSTORE_PASSWORD, Certificates

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def variables(
    folder: Path, certificates: Certificates, *, proxy: int, control: int, secret: str, identity_secret: str
) -> dict[str, str]:
    """What is to be set, beside all that is. proxy, control: ports on loopback.

    Only https goes through the proxy: notebook servers and their kernels speak http on loopback. Lower and upper case,
    because curl reads `https_proxy` only in some builds, and Java neither.
    """
    address, bundle = f"http://127.0.0.1:{proxy}", str(certificates.bundle)
    direct = ",".join(dict.fromkeys([*_LOOPBACK, *_listed("NO_PROXY"), *_listed("no_proxy")]))
    trusted = (
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "AWS_CA_BUNDLE",
    )
    return {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), address),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), direct),
        **dict.fromkeys(trusted, bundle),
        "JAVA_TOOL_OPTIONS": " ".join([*_listed("JAVA_TOOL_OPTIONS", " "), *_java(proxy, certificates)]),
        "PATH": os.pathsep.join([str(_commands(folder)), os.environ.get("PATH", os.defpath)]),
        "IDENTITY_ENDPOINT": f"http://127.0.0.1:{control}/msi/token",
        "IDENTITY_HEADER": identity_secret,
        "ODIBI_SANDBOX": f"http://127.0.0.1:{control}/{secret}",
    }


def _java(proxy: int, certificates: Certificates) -> list[str]:
    return [
        "-Dhttps.proxyHost=127.0.0.1",
        f"-Dhttps.proxyPort={proxy}",
        "-Dhttp.nonProxyHosts=localhost|127.*|[::1]",
        f"-Djavax.net.ssl.trustStore={certificates.truststore}",
        f"-Djavax.net.ssl.trustStorePassword={TRUSTSTORE_PASSWORD}",
        "-Djavax.net.ssl.trustStoreType=PKCS12",
    ]


def _commands(folder: Path) -> Path:
    """A folder with the practice `az`."""
    commands = folder / "bin"
    commands.mkdir()
    script = Path(__file__).with_name("az.py")
    az = commands / "az"
    az.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(str(script))} "$@"\n')
    az.chmod(0o755)
    return commands


def _listed(name: str, between: str = ",") -> list[str]:
    return [part for part in os.environ.get(name, "").split(between) if part]
