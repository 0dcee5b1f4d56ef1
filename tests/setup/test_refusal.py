"""What looks like a secret is not taken, and not kept."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from odibi_magics.secret import redact
from odibi_magics.setup.page import view
from odibi_magics.setup.refusal import reference, refusal, variable_refusal
from odibi_magics.setup.wizard import Wizard
from tests.setup.conftest import fill

KEY = base64.b64encode(hashlib.sha512(b"no key of anybody").digest()).decode()
SECRETS = [
    KEY,
    KEY[:-2],  # copied without its end
    KEY[:40],
    f"DefaultEndpointsProtocol=https;AccountName=account1;AccountKey={KEY};EndpointSuffix=core.windows.net",
    "?sv=2024-11-04&ss=b&srt=sco&sp=rl&se=2026-12-01T00:00:00Z&sig=abc%3D",
    "sp=r&st=2026-01-01&sv=2024-11-04&sr=c&sig=abc",
    "abc8Q~defghijklmnopqrstuvwxyz-._~0123456789",
    "dapi0123456789abcdef0123456789abcdef",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl",
    hashlib.sha256(b"nor is this").hexdigest(),
]  # fmt: skip
NAMES = [
    "bronze-key", "Prod-Storage-Account1-Primary-Access-Key-For-The-Data-Team", "BRONZE_KEY", "company-kv", "raw",
    "12d94cee-b49d-4c66-a1a4-c7cc20c31b5f", "/Volumes/main/default/landing", "./data", "{{ account }}", "",
    "a-name-of-many-words-that-is-longer-than-any-key-would-be-and-still-is-a-name-2026",
]  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_are_refused_with_a_reason_that_does_not_show_them(text: str) -> None:
    said = refusal(text)
    assert "was not kept" in said and "environment variable" in said and text not in said
    assert text not in redact(f"echoed by somebody: {text}")


@pytest.mark.parametrize("text", NAMES)
def test_names_are_taken(text: str) -> None:
    assert refusal(text) == ""


@pytest.mark.parametrize(
    "text", ["p4ssw0rd!", "c2VjcmV0==", "two words", "1KEY", "${not a name}", "KEY-NAME", *SECRETS]
)
def test_what_is_no_variables_name_may_be_the_secret_itself(text: str) -> None:
    assert "not kept" in variable_refusal(text)


@pytest.mark.parametrize(
    ("text", "made"), [("KEY", "${KEY}"), ("${KEY}", "${KEY}"), ("{{ key }}", "{{ key }}")]
)
def test_a_variables_name_becomes_a_reference(text: str, made: str) -> None:
    assert (variable_refusal(text), reference(text)) == ("", made)


@pytest.mark.parametrize("text", [KEY, SECRETS[3], "hunter2hunter2!"])
def test_nothing_of_it_stays_in_the_wizard(wizard: Wizard, text: str) -> None:
    draft = fill(wizard, "bronze", auth_mode="direct_key", account="account1")
    for key in (
        ("account_key",) if "!" in text else ("account_key", "account", "container", "path_prefix", "name")
    ):
        wizard.set(draft.id, key, text)
        assert "not kept" in draft.errors[key]
    wizard.write(text)
    wizard.go("check")
    shown = json.dumps(view(wizard))
    assert wizard.step != "check" and "not kept" in shown
    assert text not in shown and text not in repr(vars(wizard)) and text not in repr(draft)


def test_a_name_instead_is_taken(wizard: Wizard) -> None:
    draft = fill(wizard, "bronze", auth_mode="direct_key", account_key=KEY)
    wizard.set(draft.id, "account_key", "BRONZE_KEY")
    assert not draft.errors and draft.written()["account_key"] == "${BRONZE_KEY}"
