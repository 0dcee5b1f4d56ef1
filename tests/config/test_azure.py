"""Storage accounts in the language: names, and which vault a connection takes its secret from."""

from __future__ import annotations

from pathlib import Path

import pytest

from odibi_magics import Project
from odibi_magics.config.load import Known, load_connections
from odibi_magics.config.source import Source
from odibi_magics.errors import ConfigErrors
from odibi_magics.session import Session

ROADMAP = """
connections:
  bronze: {type: azure_adls, account: account1, auth_mode: key_vault, key_vault_name: company-kv, secret_name: bronze-key}
  silver: {type: azure_adls, account: account2, auth_mode: key_vault, secret_name: silver-key}
"""


def vaults(text: str, known: Known | None = None) -> dict[str, str | None]:
    config = load_connections(Source(text, "this cell", Path.cwd()), known=known)
    return {name: model.key_vault_name for name, model in config.model.connections.items()}


def test_the_one_vault_that_is_named_is_everyones() -> None:
    assert vaults(ROADMAP) == {"bronze": "company-kv", "silver": "company-kv"}


def test_the_projects_vault_comes_before_that_of_others() -> None:
    assert vaults(f"key_vault_name: own-kv\n{ROADMAP}") == {"bronze": "company-kv", "silver": "own-kv"}


def test_a_vault_named_in_an_earlier_cell_counts() -> None:
    silver = "silver: {type: azure_adls, account: account2, secret_name: silver-key}"
    assert vaults(silver, Known(vaults=frozenset({"company-kv"}))) == {"silver": "company-kv"}
    session = Session()
    session.keep(session.define_connections(ROADMAP))
    session.keep(
        session.define_connections("gold: {type: azure_adls, account: account3, secret_name: gold-key}")
    )
    assert [info.secret for info in session.connections()] == [
        "company-kv/bronze-key", "company-kv/silver-key", "company-kv/gold-key",
    ]  # fmt: skip


def test_only_those_that_use_a_vault_get_one() -> None:
    text = f"{ROADMAP}  own: {{type: azure_adls, account: account3, auth_mode: identity}}\n"
    assert vaults(text)["own"] is None


def test_where_a_secret_comes_from_is_listed_and_never_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRONZE_KEY", "a2V5LW9mLWJyb256ZQ==")
    account = "type: azure_adls, account: account1"
    project = Project.from_yaml(
        f"""
        connections:
          a: {{{account}, auth_mode: direct_key, account_key: "${{BRONZE_KEY}}"}}
          b: {{{account}, auth_mode: direct_key, account_key: bGl0ZXJhbC1rZXk=}}
          c: {{{account}, auth_mode: identity}}
          d: {{{account}, auth_mode: databricks_secret, secret_scope: kv, secret_key: key}}
        """
    )
    assert [info.secret for info in project.connections()] == ["${BRONZE_KEY}", "in the text", "", "kv/key"]
    assert "a2V5LW9mLWJyb256ZQ==" not in str(project.connections())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("account: Account1", "a storage account's name is 3 to 24 lower-case letters and digits: Account1"),
        ("account: ab", "3 to 24"),
        ("account: account1.blob.core.windows.net", "did you mean 'account1'?"),
        ("account: account1, container: Raw", "a container's name is 3 to 63"),
        ("account: account1, container: a--b", "single hyphens"),
        ("account: account1, key_vault_name: https://company-kv.vault.azure.net/, secret_name: s", "did you mean 'company-kv'?"),
        ("account: account1, key_vault_name: evil.com/x, secret_name: s", "a vault's name is 3 to 24"),
        ("account: account1, secret_name: a/b", "a vault secret's name is letters, digits and hyphens: a/b"),
    ],
)  # fmt: skip
def test_a_name_that_azure_does_not_know_is_told_with_its_line(keys: str, words: str) -> None:
    auth = "" if "secret_name" in keys else ", auth_mode: identity"
    vault = "" if "key_vault_name" in keys or auth else ", key_vault_name: company-kv"
    with pytest.raises(ConfigErrors) as caught:
        Project.from_yaml(f"connections:\n  b: {{type: azure_adls, {keys}{auth}{vault}}}\n")
    assert words in str(caught.value) and "line 2  connections.b." in str(caught.value)
    assert len(caught.value.problems) == 1


def test_names_of_azures_own_containers_are_right() -> None:
    for container in ("$root", "$web", "raw", "a1b", "a-b-c"):
        Project.from_yaml(
            f"connections: {{b: {{type: azure_adls, account: account1, container: {container}, auth_mode: identity}}}}"
        )


@pytest.mark.parametrize(
    ("key", "ours"),
    [
        ("account_name", "account"), ("storage_account", "account"), ("container_name", "container"),
        ("filesystem", "container"), ("secret", "secret_name"), ("vault_url", "key_vault_name"), ("acount", "account"),
    ],
)  # fmt: skip
def test_what_other_tools_call_a_key_is_told_by_ours(key: str, ours: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        Project.from_yaml(f"connections: {{b: {{type: azure_adls, {key}: bronze}}}}")
    said = str(raised.value)
    assert f"unknown key '{key}'" in said and f"did you mean '{ours}'?" in said
    assert "missing key 'account'" not in said or ours != "account"


@pytest.mark.parametrize("key", ["account_key", "sas_token"])
def test_a_variable_that_is_not_set_is_told_by_its_name(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MY_STORAGE_SECRET", raising=False)
    mode = {"account_key": "direct_key"}.get(key, key)
    with pytest.raises(ConfigErrors, match=r"\$\{MY_STORAGE_SECRET\} is not set"):
        Project.from_yaml(
            f"connections: {{b: {{type: azure_adls, account: bronze, auth_mode: {mode}, {key}: '${{MY_STORAGE_SECRET}}'}}}}"
        )
