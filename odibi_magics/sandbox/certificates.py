"""A certificate authority of one start: who trusts it trusts nobody but this process, and its key ends with it."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, Name

HOSTS = (
    "*.blob.core.windows.net", "*.dfs.core.windows.net", "*.vault.azure.net", "login.microsoftonline.com",
    "management.azure.com",
)  # fmt: skip
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
TRUSTSTORE_PASSWORD = "changeit"  # Java's own default; the file holds public certificates only


@dataclass(frozen=True)
class Certificates:
    """Files in PEM. bundle: our authority beside the public ones; truststore: the same for Java, as PKCS 12."""

    authority: Path
    certificate: Path
    key: Path
    bundle: Path
    truststore: Path


def make_certificates(folder: Path, public: str) -> Certificates:
    """Makes the files in a folder. public: the certificates, in PEM, that are trusted besides."""
    from cryptography.hazmat.primitives.serialization import Encoding

    authority, authority_key = _authority()
    server, server_key = _server(authority, authority_key)
    made = Certificates(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "bundle.pem", "trust.p12"))
    )
    authority_pem = authority.public_bytes(Encoding.PEM)
    made.authority.write_bytes(authority_pem)
    made.certificate.write_bytes(server.public_bytes(Encoding.PEM) + authority_pem)
    made.key.write_bytes(_pem(server_key))
    made.bundle.write_bytes(public.encode() + b"\n" + authority_pem)
    made.truststore.write_bytes(_truststore(made.bundle.read_bytes()))
    return made


def public_authorities() -> str:
    """What the process that starts us trusts: its SSL_CERT_FILE, with certifi's."""
    import certifi

    own = os.environ.get("SSL_CERT_FILE", "")
    files = [certifi.where(), *([own] if own and Path(own).is_file() else [])]
    return "\n".join(Path(file).read_text(encoding="utf-8") for file in files)


def _authority() -> tuple[Certificate, EllipticCurvePrivateKey]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    name = _name("odibi_magics practice cloud")
    builder = (
        _builder(key, "odibi_magics practice cloud")
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, SHA256()), key


def _server(
    authority: Certificate, authority_key: EllipticCurvePrivateKey
) -> tuple[Certificate, EllipticCurvePrivateKey]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256

    key = ec.generate_private_key(ec.SECP256R1())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in HOSTS])
    server_auth = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        _builder(key, "practice cloud")
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(server_auth, critical=False)
        .add_extension(issuer, critical=False)
    )
    return builder.sign(authority_key, SHA256()), key


def _builder(key: EllipticCurvePrivateKey, subject: str) -> CertificateBuilder:
    """Valid for 30 days, from a day ago: clocks of containers differ."""
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
    )


def _name(text: str) -> Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _pem(key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _truststore(bundle: bytes) -> bytes:
    """Java reads a PKCS 12 file's certificates only where each bears an attribute of Oracle's, as these do."""
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    trusted = {certificate for text in _PEM.findall(bundle) for certificate in _readable(text)}
    named = [pkcs12.PKCS12Certificate(one, b"ca%d" % number) for number, one in enumerate(trusted)]
    return pkcs12.serialize_java_truststore(named, BestAvailableEncryption(TRUSTSTORE_PASSWORD.encode()))


def _readable(pem: bytes) -> Iterator[Certificate]:
    """The certificate. Systems keep a few that are not as RFC 5280 wants them; Java does without those."""
    from cryptography import x509

    with warnings.catch_warnings(), suppress(ValueError):
        warnings.simplefilter("error")
        with suppress(Warning):
            yield x509.load_pem_x509_certificate(pem)
