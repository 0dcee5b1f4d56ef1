"""No secret is in what a connection says, wherever it fails, nor in what the SDKs log of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.prepare import forget, prepare
from odibi_magics.errors import OdibiError
from odibi_magics.sandbox import Cloud
from tests.connections.conftest import VAULT, opened

FAULTS: dict[str, Callable[[Cloud], object]] = {
    "none": lambda cloud: None,
    "forbidden vault": lambda cloud: cloud.vault("company-kv").forbid(),
    "throttled vault": lambda cloud: cloud.vault("company-kv").throttle(retry_after=600),
    "lost vault": lambda cloud: cloud.vault("company-kv").vanish(),
    "lost sign-in": lambda cloud: cloud.tokens.vanish(),
    "another key": lambda cloud: cloud.storage("account1").rotate_key(),
    "no role": lambda cloud: cloud.storage("account1").allow("principal", "none"),
    "firewall": lambda cloud: cloud.storage("account1").refuse("AuthorizationFailure"),
    "busy": lambda cloud: cloud.storage("account1").refuse("ServerBusy"),
    "lost account": lambda cloud: cloud.storage("account1").vanish(),
}


def said(connection: AdlsConnection) -> str:
    """All that is told of opening a connection and of writing to it."""
    told = [repr(connection), str(connection.needs()), connection.describe()]
    try:
        prepare([connection])
        connection.check()
        connection.put("raw/a.txt", b"1")
        write_deltalake(
            connection.url("raw/leaks.delta"), pa.table({"n": [1]}), mode="overwrite",
            storage_options=connection.storage_options("deltalake"),
        )  # fmt: skip
    except OdibiError as error:
        told += [str(error), repr(error), str(error.__cause__), *error._render_traceback_()]
    except Exception as error:
        found = connection.explain(error, connection.url("raw/leaks.delta"), "writing")
        told += [str(found), repr(found)]
    return "\n".join(told)


@pytest.mark.parametrize("fault", FAULTS)
def test_secrets_stay_where_they_are(
    cloud: Cloud, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    storage, principal = cloud.storage("account1"), cloud.identity("principal")
    sas = storage.sas()
    texts = [
        f"{VAULT}, secret_name: bronze-key",
        f"auth_mode: direct_key, account_key: {storage.key}",
        f"auth_mode: sas_token, sas_token: '{sas}'",
        f"auth_mode: connection_string, connection_string: 'AccountName=account1;AccountKey={storage.key}'",
        f"auth_mode: service_principal, tenant_id: {cloud.tenant}, client_id: {principal.client_id}, "
        f"client_secret: {principal.client_secret}",
        "auth_mode: identity",
    ]
    secrets = {"key": storage.key, "signature": sas.partition("sig=")[2], "client": principal.client_secret}
    FAULTS[fault](cloud)
    forget()
    told = [said(opened(f"account: account1, {text}")) for text in texts]
    printed = "".join(capfd.readouterr())
    everything = "\n".join([*told, caplog.text, printed])
    assert "account1" in everything
    assert [name for name, secret in secrets.items() if secret in everything] == []
    assert "eyJ" not in everything  # a token
