"""Secrets never become text: not by printing them, not inside messages of others."""

from __future__ import annotations

import pickle

import pytest

from odibi_magics.secret import Secret, names_secret, redact


def test_a_secret_gives_itself_away_only_when_asked() -> None:
    secret = Secret("correct-horse-battery")
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", format(secret)]
    assert not any("horse" in text for text in shown)
    assert secret.reveal() == "correct-horse-battery"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_what_a_secret_held_is_hidden_wherever_it_appears() -> None:
    Secret("s3cr3t-value-42")
    assert redact("GET https://x/?k=s3cr3t-value-42 failed") == "GET https://x/?k=[hidden] failed"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://a.blob.core.windows.net/c?sv=1&sig=abc%2Bdef%3D&se=2", "abc%2Bdef%3D"),
        ("AccountName=a;AccountKey=Zm9vYmFy==;EndpointSuffix=x", "Zm9vYmFy=="),
        ('{"client_secret": "abcDEF~123"}', "abcDEF~123"),
        ("Authorization: Bearer abc.def.ghi", "abc.def.ghi"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl here", "eyJhbGciOiJI"),
        (f"key {'+a/B' * 21}cd== refused", "+a/B+a/B"),
    ],
)
def test_shapes_of_secrets_are_hidden_though_never_held(text: str, hidden: str) -> None:
    assert hidden not in redact(text)


@pytest.mark.parametrize("shown", ["s3cr3t+v%2F", "s3cr3t+v/=\n", "s3cr3t%2Bv%2F%3D", '{"k": "s3cr3t+v/="}'])
def test_what_a_secret_held_is_hidden_as_others_write_it(shown: str) -> None:
    Secret("s3cr3t+v/=\n")
    assert "s3cr3t%2Bv" not in redact(shown)
    assert "s3cr3t+v/" not in redact(shown)


@pytest.mark.parametrize(
    ("key", "holds"),
    [
        ("account_key", True), ("AccountKey", True), ("acount_kye", True), ("azure_storage_account_key", True),
        ("password", True), ("pasword", True), ("sas", True), ("client_secret_value", True), ("api_key", True),
        ("account_name", False), ("secret_name", False), ("secret_key", False), ("secret_scope", False),
        ("key_vault_name", False), ("keys", False), ("connection", False), ("client_id", False), ("tokens_seen", False),
    ],
)  # fmt: skip
def test_keys_behind_which_a_secret_stands(key: str, holds: bool) -> None:
    assert names_secret(key) is holds


@pytest.mark.parametrize(
    "text", ["account_key: expected text", "account_key: ${BRONZE_KEY}", "the sig is missing"]
)
def test_our_own_words_stay_readable(text: str) -> None:
    assert redact(text) == text
