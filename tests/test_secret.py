"""Secrets never become text: not by printing them, not inside messages of others."""

from __future__ import annotations

import pickle

import pytest

from odibi_magics.secret import Secret, redact


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
    ],
)
def test_shapes_of_secrets_are_hidden_though_never_held(text: str, hidden: str) -> None:
    assert hidden not in redact(text)


@pytest.mark.parametrize(
    "text", ["account_key: expected text", "account_key: ${BRONZE_KEY}", "the sig is missing"]
)
def test_our_own_words_stay_readable(text: str) -> None:
    assert redact(text) == text
