"""Storage accounts: where a path is, and what stays of a connection's secrets in its text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from odibi_magics.config.models import AdlsConnection as AdlsConfig
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.registry import connect
from odibi_magics.errors import ConnectionFailed
from odibi_magics.secret import Secret

KEY = "a2V5IG9mIGFjY291bnQx" * 4


def opened(**fields: Any) -> AdlsConnection:
    key = {"auth_mode": "direct_key", "account_key": Secret(KEY)}
    model = AdlsConfig.model_validate({"type": "azure_adls", "account": "account1", **key, **fields})
    made = connect("bronze", model, Path())
    assert isinstance(made, AdlsConnection)
    return made


@pytest.mark.parametrize(
    ("fields", "path", "url"),
    [
        ({}, "raw/sales.csv", "abfss://raw@account1.dfs.core.windows.net/sales.csv"),
        ({}, "raw", "abfss://raw@account1.dfs.core.windows.net/"),
        ({}, "", "abfss://account1.dfs.core.windows.net/"),
        ({}, "/raw//a/./b/", "abfss://raw@account1.dfs.core.windows.net/a/b"),
        ({}, "$web/index.html", "abfss://$web@account1.dfs.core.windows.net/index.html"),
        ({"container": "raw"}, "", "abfss://raw@account1.dfs.core.windows.net/"),
        ({"container": "raw"}, "raw/a", "abfss://raw@account1.dfs.core.windows.net/raw/a"),
        ({"container": "raw"}, "a b%20c#d/é*.csv", "abfss://raw@account1.dfs.core.windows.net/a b%20c#d/é*.csv"),
        ({"container": "raw", "path_prefix": "/in/"}, "a", "abfss://raw@account1.dfs.core.windows.net/in/a"),
        ({"container": "raw", "path_prefix": "in"}, "", "abfss://raw@account1.dfs.core.windows.net/in"),
        ({}, "abfss://raw@account1.dfs.core.windows.net/a?.csv", "abfss://raw@account1.dfs.core.windows.net/a?.csv"),
        ({"container": "raw"}, "abfss://raw@account1.dfs.core.windows.net/a", "abfss://raw@account1.dfs.core.windows.net/a"),
        ({}, "https://account1.blob.core.windows.net/raw/a/b", "abfss://raw@account1.dfs.core.windows.net/a/b"),
        (
            {"container": "raw", "path_prefix": "in"},
            "https://account1.dfs.core.windows.net/raw/in/b",
            "abfss://raw@account1.dfs.core.windows.net/in/b",
        ),
    ],
)  # fmt: skip
def test_a_path_is_a_url_of_the_account(fields: dict[str, Any], path: str, url: str) -> None:
    assert opened(**fields).url(path) == url


@pytest.mark.parametrize(
    ("fields", "path", "why"),
    [
        ({}, "../x", "leaves its place"),
        ({}, "raw/../other/x", "leaves its place"),
        ({"container": "raw"}, "a/..", "leaves its place"),
        ({}, "raw\\x", "backslash"),
        ({}, "raw/a\0b", "NUL"),
        ({}, "Raw/x", "container 'Raw'"),
        ({}, "ra/x", "3 to 63 lower-case letters, digits and single hyphens; or give the connection `container: raw`"),
        ({}, "a--b/x", "single hyphens"),
        ({}, "*/x", "container '*'"),
        ({}, "https://account2.blob.core.windows.net/raw/a", "no URL of account 'account1'"),
        ({}, "https://account1.blob.core.windows.net.evil.com/raw/a", "no URL of account"),
        ({}, "https://user@account1.blob.core.windows.net/raw/a", "no URL of account"),
        ({}, "s3://raw/a", "no URL of account"),
        ({"container": "raw"}, "abfss://other@account1.dfs.core.windows.net/a", "leaves its container 'raw'"),
        (
            {"container": "raw", "path_prefix": "in"},
            "abfss://raw@account1.dfs.core.windows.net/inside/b",
            "leaves its folder in",
        ),
    ],
)  # fmt: skip
def test_a_path_that_leaves_is_refused(fields: dict[str, Any], path: str, why: str) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        opened(**fields).url(path)
    assert str(caught.value).startswith("Connection 'bronze': the path ") and why in str(caught.value)


def test_a_token_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConnectionFailed, match="without a query") as caught:
        opened().url("https://account1.blob.core.windows.net/raw/a?sv=2024&sig=c2lnbmF0dXJl")
    assert "c2lnbmF0dXJl" not in str(caught.value)


@given(st.text(st.characters(exclude_characters="\\\0", exclude_categories=["Cs"]), max_size=20))
def test_splitting_a_url_gives_back_what_it_was_made_of(path: str) -> None:
    connection = opened(container="raw", path_prefix="in")
    try:
        url = connection.url(path)
    except ConnectionFailed:
        return
    container, key = connection.split(url)
    assert container == "raw" and (key == "in" or key.startswith("in/"))
    assert connection.url(url) == url


def test_equal_models_give_equal_connections() -> None:
    assert opened() == opened() and hash(opened()) == hash(opened())
    others = [
        opened(account_key=Secret("other")),
        opened(container="raw"),
        opened(storage_options={"timeout": "5s"}),
        opened(auth_mode="identity", account_key=None),
    ]
    assert opened() not in others


def test_a_connection_shows_its_place_and_no_secret() -> None:
    connection = opened(container="raw", path_prefix="in")
    assert connection.describe() == "storage account account1/raw/in"
    shown = f"{connection!r} {connection} {connection.source!r} {connection.needs()!r}"
    assert "account1" in shown and KEY not in shown
