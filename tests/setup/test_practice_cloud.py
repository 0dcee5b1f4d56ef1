"""The wizard against accounts and a vault: what it finds out, and checks that fail, are mended, and hide none another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from threading import enumerate as enumerate_threads
from types import SimpleNamespace
from typing import Any, get_args

import pytest
import yaml

from odibi_magics.config.models import AuthMode
from odibi_magics.connections.adls import AdlsConnection
from odibi_magics.connections.prepare import forget
from odibi_magics.sandbox import Cloud
from odibi_magics.session import Session
from odibi_magics.setup.page import view
from odibi_magics.setup.wizard import Wizard
from tests.accounts import opened
from tests.setup.conftest import checked, fill, row, until

BRONZE = {
    "account": "account1",
    "container": "raw",
    "key_vault_name": "company-kv",
    "secret_name": "bronze-key",
}
SILVER = {"account": "account2", "key_vault_name": "company-kv", "secret_name": "silver-key"}


@pytest.fixture
def practice(cloud: Cloud, wizard: Wizard) -> Iterator[Wizard]:
    yield wizard
    told = json.dumps(view(wizard)) + json.dumps([asdict(each) for each in wizard.rows.rows])
    assert not [key for name in ("account1", "account2") if (key := cloud.storage(name).key) in told]
    forget()


def at(wizard: Wizard, step: str) -> Wizard:
    wizard.go(step)
    assert wizard.step == step, wizard.wrong
    return wizard


def field(wizard: Wizard, key: str) -> dict[str, Any]:
    forms = [each for each in view(wizard)["sections"] if each["kind"] == "form"]
    return next(each for form in forms for each in form["fields"] if each["key"] == key)


def caller(wizard: Wizard) -> dict[str, Any]:
    until(lambda: wizard.lookups.get(wizard.CALLER))
    return next(each for each in view(wizard)["sections"] if each["id"] == "caller")


# What it finds out ----------------------------------------------------------------------------------------------------


def test_it_says_who_we_are(practice: Wizard, cloud: Cloud) -> None:
    at(practice, "identity")
    assert cloud.identity("managed").object_id in caller(practice)["text"]
    assert cloud.tenant in caller(practice)["text"]


def test_nobody_is_signed_in_until_somebody_is(
    practice: Wizard, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDENTITY_ENDPOINT")
    cloud.tokens.sign_out()
    at(practice, "identity")
    assert "You are not signed in" in caller(practice)["text"]
    assert caller(practice)["blocks"][0]["parts"][2] == "az login"
    cloud.clear()
    practice.look_again()
    assert cloud.identity("user").upn in caller(practice)["text"]


def test_a_vaults_secrets_are_offered_by_name_and_not_fetched(practice: Wizard, cloud: Cloud) -> None:
    at(practice, "identity")
    draft = fill(practice, "bronze", key_vault_name="company-kv")
    until(lambda: practice.found(draft, "secret_name")[0])
    assert field(practice, "secret_name")["names"] == ["bronze-key", "silver-key"]
    assert field(practice, "secret_name")["said"] == "2 secrets to choose from"
    assert not cloud.requests(".vault.azure.net", path="/secrets/bronze-key")


@pytest.mark.parametrize(
    ("model", "words"),
    [("rbac", "no role here may list them"), ("firewall", "its firewall refuses this machine")],
)
def test_a_vault_that_does_not_list_leaves_the_name_to_be_typed(
    practice: Wizard, cloud: Cloud, model: Any, words: str
) -> None:
    cloud.vault("company-kv").forbid(model)
    at(practice, "identity")
    draft = fill(practice, "bronze", key_vault_name="company-kv")
    until(lambda: practice.found(draft, "secret_name")[0])
    assert field(practice, "secret_name")["said"] == f"No secrets to choose from: {words}. Type the name"


def test_no_host_is_asked_for_a_name_that_is_none(practice: Wizard, cloud: Cloud) -> None:
    at(practice, "identity")
    for name in ("evil.example/x", "company-kv@evil.example", "{{ vault }}"):
        draft = fill(practice, "bronze", key_vault_name=name)
        assert practice.found(draft, "secret_name") == (None, False)
    assert caller(practice) and not cloud.requests(".vault.azure.net")


def test_an_accounts_containers_are_offered(practice: Wizard, cloud: Cloud) -> None:
    draft = fill(practice, "bronze", **{**BRONZE, "container": "", "secret_name": "wrong-key"})
    at(practice, "place")
    until(lambda: practice.found(draft, "container")[0])
    assert "Secret 'wrong-key' not found" in field(practice, "container")["said"]
    practice.set(draft.id, "secret_name", "bronze-key")
    until(lambda: practice.found(draft, "container")[0])
    assert "raw" in field(practice, "container")["names"]


def test_a_vault_that_hangs_keeps_nobody_waiting(practice: Wizard, cloud: Cloud) -> None:
    cloud.vault("company-kv").hang()
    at(practice, "identity")
    draft = fill(practice, "bronze", **BRONZE)
    assert "looking for secrets" in field(practice, "secret_name")["said"]
    at(practice, "place")
    assert practice.found(draft, "container")[1]


def test_databricks_tells_who_and_lists_scopes(practice: Wizard, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = SimpleNamespace(
        listScopes=lambda: [SimpleNamespace(name="lake")],
        list=lambda scope: [SimpleNamespace(key=f"{scope}-key")],
    )
    monkeypatch.setitem(
        __import__("sys").modules["__main__"].__dict__, "dbutils", SimpleNamespace(secrets=listed)
    )
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    spark = SimpleNamespace(sql=lambda text: SimpleNamespace(collect=lambda: [{"name": "ada@example.com"}]))
    monkeypatch.setattr("odibi_magics.setup.wizard.active", lambda: spark)
    at(practice, "identity")
    draft = fill(practice, "bronze", auth_mode="databricks_secret", secret_scope="lake")
    assert "ada@example.com, as the workspace knows you" in caller(practice)["text"]
    for key, names in (("secret_scope", ["lake"]), ("secret_key", ["lake-key"])):
        until(lambda key=key: practice.found(draft, key)[0])  # type: ignore[misc]
        assert field(practice, key)["names"] == names


def test_that_nobody_can_say_who_we_are_stops_nothing(
    practice: Wizard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise ConnectionResetError("the gateway is gone; AccountKey=c2VjcmV0c2VjcmV0")

    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "17.3")
    monkeypatch.setattr("odibi_magics.setup.wizard.active", gone)
    at(practice, "identity")
    assert "ConnectionResetError: the gateway is gone; AccountKey=[hidden]" in caller(practice)["text"]


# Checks ---------------------------------------------------------------------------------------------------------------


def test_a_wrong_secret_and_its_mend(practice: Wizard, cloud: Cloud) -> None:
    bronze, _ = (
        fill(practice, "bronze", **{**BRONZE, "secret_name": "wrong-key"}),
        fill(practice, "silver", **SILVER),
    )
    fill(practice, "files", type="local")
    at(practice, "check")
    assert checked(practice) == {"bronze": "failed", "silver": "ok", "files": "ok"}
    assert practice.said == "1 connection of 3 does not work: bronze"
    shown = {each["id"]: each for each in view(practice)["sections"]}
    assert "Secret 'wrong-key' not found in vault 'company-kv'" in shown["bronze"]["said"]
    assert "az keyvault secret list --vault-name company-kv" in shown["bronze"]["blocks"][0]["parts"][2]
    assert shown["silver"]["time"] and shown["silver"]["word"] == "ok" and not shown["silver"]["said"]

    asked = len(cloud.requests(".vault.azure.net", path="/secrets/silver-key"))
    at(practice, "identity")
    practice.set(bronze.id, "secret_name", "bronze-key")
    at(practice, "check")
    assert checked(practice) == {"bronze": "ok", "silver": "ok", "files": "ok"}
    assert len(cloud.requests(".vault.azure.net", path="/secrets/silver-key")) == asked
    assert practice.said == "Checked: 3 connections work"


def test_what_was_mended_outside_is_seen_by_one_row_alone(practice: Wizard, cloud: Cloud) -> None:
    vault = cloud.vault("company-kv")
    vault.set("bronze-key", "not a key at all")
    fill(practice, "bronze", **BRONZE)
    fill(practice, "silver", **SILVER)
    at(practice, "check")
    assert checked(practice) == {"bronze": "failed", "silver": "ok"}
    silver = row(practice, "silver")
    vault.set("bronze-key", cloud.storage("account1").key)
    practice.check("bronze")
    assert not row(practice, "bronze").over
    assert checked(practice) == {"bronze": "ok", "silver": "ok"} and row(practice, "silver") is silver


def test_all_are_looked_at_at_once_and_none_waits_for_another(practice: Wizard, cloud: Cloud) -> None:
    cloud.vault("company-kv").hang()
    fill(practice, "hanging", **BRONZE)
    fill(practice, "by_identity", account="account1", container="raw", auth_mode="identity")
    fill(practice, "files", type="local")
    at(practice, "check")
    until(lambda: row(practice, "by_identity").over and row(practice, "files").over)
    until(lambda: "looking at vault answers" in str(view(practice)["sections"][0]))
    assert row(practice, "hanging").state == "running"
    at(practice, "result")
    assert "not over yet: hanging" in str(view(practice)["sections"][0])
    assert checked(practice) == {"hanging": "failed", "by_identity": "ok", "files": "ok"}


def test_what_is_still_looked_at_counts_no_more_once_it_was_changed(practice: Wizard, cloud: Cloud) -> None:
    cloud.vault("company-kv").hang()
    draft = fill(practice, "bronze", **BRONZE)
    at(practice, "check")
    until(lambda: row(practice, "bronze").state == "running")
    at(practice, "identity")
    practice.set(draft.id, "auth_mode", "identity")
    at(practice, "check")
    assert checked(practice) == {"bronze": "ok"}
    until(lambda: not [each for each in enumerate_threads() if each.name == "odibi check of bronze"])
    assert checked(practice) == {"bronze": "ok"}


def test_looking_again_signs_in_anew(practice: Wizard, cloud: Cloud) -> None:
    fill(practice, "bronze", account="account1", container="raw", auth_mode="identity")
    at(practice, "check")
    checked(practice)
    before = len(cloud.requests("identity"))
    practice.check("bronze")
    checked(practice)
    assert len(cloud.requests("identity")) > before


def test_what_nobody_foresaw_fails_its_own_row(
    practice: Wizard, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: AdlsConnection) -> str:
        raise RuntimeError(f"no such thing; AccountKey={cloud.storage('account1').key}")

    monkeypatch.setattr(AdlsConnection, "describe", broken)
    fill(practice, "bronze", **BRONZE)
    fill(practice, "files", type="local")
    at(practice, "check")
    assert checked(practice) == {"bronze": "failed", "files": "ok"}
    found = row(practice, "bronze").found
    assert (
        found and found.failure and found.failure.said == "RuntimeError: no such thing; AccountKey=[hidden]"
    )


@pytest.mark.parametrize("way", [mode for mode in get_args(AuthMode) if mode != "session"])
def test_every_way_of_opening_an_account_is_checked(
    practice: Wizard, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    given: dict[str, str] = yaml.safe_load(f"{{{opened(way, cloud, monkeypatch)}}}")
    fill(practice, "silver", **{"auth_mode": way, "account": "account2", **given})
    at(practice, "check")
    assert checked(practice) == {"silver": "ok"}


def test_news_are_told_while_they_come(practice: Wizard) -> None:
    heard: list[str] = []
    practice.changed = lambda: heard.append(practice.rows.rows[0].state if practice.rows.rows else "")
    fill(practice, "bronze", **BRONZE)
    at(practice, "check")
    checked(practice)
    until(lambda: heard[-1:] == ["ok"])
    assert "running" in heard


def test_a_connection_of_an_earlier_cell_is_checked_for_what_its_nodes_do(
    cloud: Cloud, folder: object
) -> None:
    made = Session()
    text = """
        connections: {bronze: {type: azure_adls, account: account1, container: raw, auth_mode: identity}}
        nodes: [{name: a, read: {connection: bronze, path: sales.csv}, write: {connection: bronze, path: out}}]
    """
    made.keep(made.define(text))
    cloud.storage("account1").allow("managed", "read")
    wizard = Wizard(made)
    at(wizard, "check")
    assert checked(wizard) == {"bronze": "failed"}, "it may not write there, and a node does"
    found = row(wizard, "bronze").found
    assert found and found.failure and found.failure.name == "write"
    forget()
