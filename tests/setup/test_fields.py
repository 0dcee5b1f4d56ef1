"""What is asked of a connection is what the language takes."""

from __future__ import annotations

from typing import get_args

import pytest

from odibi_magics.config.models import AdlsConnection, AuthMode, LocalConnection, UnityConnection
from odibi_magics.setup.fields import MODELS, Field, fields_of
from odibi_magics.setup.wizard import Wizard
from tests.setup.conftest import fill

MODES = get_args(AuthMode)
# A value for each key, as somebody may type it.
VALUES = {
    "account": "account1", "secret_name": "bronze-key", "key_vault_name": "company-kv", "account_key": "SOME_NAME",
    "sas_token": "SOME_NAME", "connection_string": "SOME_NAME", "client_secret": "SOME_NAME", "tenant_id": "t",
    "client_id": "c", "secret_scope": "s", "secret_key": "k",
}  # fmt: skip


def asked(type_: str, mode: str = "") -> dict[str, Field]:
    return {each.key: each for each in fields_of(type_, mode)}


def test_every_type_and_every_way_of_opening_can_be_chosen() -> None:
    assert list(MODELS.values()) == [LocalConnection, AdlsConnection, UnityConnection]
    assert [value for value, _ in asked("azure_adls", "identity")["auth_mode"].choices] == list(MODES)


def test_every_key_of_the_models_is_asked_for_somewhere() -> None:
    everywhere = {key for mode in MODES for key in asked("azure_adls", mode)}
    assert everywhere == set(AdlsConnection.model_fields) - {"type", "storage_options"}
    assert set(asked("unity_catalog")) == {"catalog", "schema"} and set(asked("local")) == {"base_path"}
    assert all(each.help for mode in MODES for each in fields_of("azure_adls", mode))


@pytest.mark.parametrize("mode", MODES)
def test_a_way_of_opening_asks_for_what_the_language_needs(
    wizard: Wizard, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all of it the language takes the text; without any one of it, the wizard stops at that field."""
    monkeypatch.setenv("SOME_NAME", "c29tZXRoaW5n")
    draft = fill(wizard, "bronze", auth_mode=mode, key_vault_name="company-kv" if mode == "key_vault" else "")
    needed = [each.key for each in draft.fields if each.needed]
    for key in needed:
        wizard.set(draft.id, key, VALUES[key])
    assert wizard.ready, wizard._wrong()
    for key in needed:
        wizard.set(draft.id, key, "")
        assert not wizard.ready
        wizard.go("check")
        assert (wizard.step, wizard.wrong) == (draft_step(draft.fields, key), {(draft.id, key): "is needed"})
        wizard.step = "connections"
        wizard.set(draft.id, key, VALUES[key])


def draft_step(fields: tuple[Field, ...], key: str) -> str:
    return next(each.step for each in fields if each.key == key)


def test_a_secret_is_asked_for_by_the_name_of_a_variable() -> None:
    kinds = {(each.key, each.kind) for mode in MODES for each in fields_of("azure_adls", mode)}
    held = {"account_key", "sas_token", "connection_string", "client_secret"}
    assert {key for key, kind in kinds if kind == "variable"} == held
    assert asked("azure_adls", "sas_token")["sas_token"].label == "SAS token: environment variable"
