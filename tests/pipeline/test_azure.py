"""Pipelines over storage accounts, from their text to the bytes: every way to open them, and every way to fail."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import ConfigErrors, NodeFailed, Project, UsageError
from odibi_magics.config.source import Source
from odibi_magics.connections.prepare import forget
from odibi_magics.errors import OdibiError
from odibi_magics.sandbox import Cloud
from tests.accounts import opened
from tests.roadmap import CONNECTIONS, PIPELINES

VAULT, LOGIN = ".vault.azure.net", "login.microsoftonline.com"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """Each test begins as a new process does: no secret, no token, nobody signed in, no open connection."""
    forget()
    yield
    forget()


@pytest.fixture
def place() -> str:
    """A folder of its own in account2."""
    return f"clean/{uuid.uuid4().hex}"


def copying(opened: str, place: str, mode: str = "overwrite") -> Project:
    """From account1 by its vault secret to account2, opened in some way."""
    return Project.from_yaml(f"""
connections:
  bronze: {{type: azure_adls, account: account1, key_vault_name: company-kv, secret_name: bronze-key}}
  silver: {{type: azure_adls, account: account2, {opened}}}
pipelines:
  - pipeline: etl
    nodes:
      - {{name: sales, read: {{connection: bronze, path: raw/sales.csv}}}}
      - {{name: table, write: {{connection: silver, path: {place}/t, mode: {mode}}}}}
      - {{name: file, write: {{connection: silver, path: {place}/f.csv}}}}
      - {{name: back, read: {{connection: silver, path: {place}/old.csv}}}}
""")


def told(project: Project) -> str:
    """What a run says that cannot succeed, and that nothing of it is a traceback."""
    with pytest.raises(OdibiError) as raised:
        project.run(engine="pandas")
    text = str(raised.value)
    assert "Traceback" not in text and "\x1b" not in text
    return text


def test_the_roadmap_as_written(cloud: Cloud) -> None:
    result = Project.from_yaml(CONNECTIONS + PIPELINES).run()
    nodes = ("read_data", "write_data", "write_delta")
    [rows] = {result[node].to_arrow().num_rows for node in nodes}
    again = Project.from_yaml(CONNECTIONS + PIPELINES).run(again=True)
    assert again["write_delta"].to_arrow().num_rows == 2 * rows > 2000
    assert "abfss://clean@account2.dfs.core.windows.net/sales.delta" in str(again)
    assert {one.path.partition("?")[0] for one in cloud.requests(VAULT) if one.status == 200} == {
        "/secrets/bronze-key/",
        "/secrets/silver-key/",
    }


# Every way to open an account -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "way",
    [
        "key_vault", "direct_key", "sas_token", "connection_string", "service_principal", "managed_identity", "identity",
        "databricks_secret",
    ],
)  # fmt: skip
def test_every_way_to_open_an_account_reads_and_writes(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, place: str, way: str
) -> None:
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    result = copying(opened(way, cloud, monkeypatch), place).run(engine="pandas")
    assert result["back"].to_arrow().to_pylist() == [{"id": 1}]
    assert (
        result["table"].to_arrow().num_rows
        == result["file"].to_arrow().num_rows
        == result["sales"].to_arrow().num_rows
    )
    merged = copying(opened(way, cloud, monkeypatch), place, "append").run(engine="pandas")
    assert merged["table"].to_arrow().num_rows == 2 * result["sales"].to_arrow().num_rows


def test_a_session_of_spark_is_refused_with_the_reason(cloud: Cloud, place: str) -> None:
    said = told(copying("auth_mode: session", place))
    assert (
        said.startswith("1 problem in this text")
        and "connections.silver.auth_mode: Connection 'silver'" in said
    )
    assert "Run it with engine: spark" in said


def _put(cloud: Cloud, path: str, data: bytes) -> None:
    container, _, key = path.partition("/")
    cloud.storage("account2").client().get_blob_client(container, key).upload_blob(data, overwrite=True)


# Secrets --------------------------------------------------------------------------------------------------------------


def test_all_secrets_that_cannot_be_had_are_told_at_once_with_their_lines(cloud: Cloud) -> None:
    cloud.vault("company-kv").set("off", "x", enabled=False)
    cloud.vault("company-kv").set("late", "x", expires=datetime.now(UTC) - timedelta(days=1))
    text = """
key_vault_name: company-kv
connections:
  bronze: {type: azure_adls, account: account1, secret_name: wrong-name}
  silver: {type: azure_adls, account: account2, key_vault_name: no-such-vault, secret_name: silver-key}
  off: {type: azure_adls, account: account2, secret_name: off}
  late: {type: azure_adls, account: account2, secret_name: late}
  unused: {type: azure_adls, account: account2, secret_name: not-asked-for}
nodes:
  - {name: a, read: {connection: bronze, path: raw/sales.csv}}
  - {name: b, write: {connection: silver, path: clean/x}}
  - {name: c, depends_on: [a], write: {connection: off, path: clean/y}}
  - {name: d, depends_on: [a], write: {connection: late, path: clean/z}}
"""
    said = told(Project.from_yaml(text))
    assert said.startswith("4 problems in this text, nothing was run")
    assert (
        "line 4  connections.bronze.secret_name: Connection 'bronze': Secret 'wrong-name' not found in vault 'company-kv'"
        in said
    )
    assert (
        "line 5  connections.silver.key_vault_name: Connection 'silver': " in said and "no-such-vault" in said
    )
    assert "line 6  connections.off.secret_name: Connection 'off': " in said and "disabled" in said
    assert "line 7  connections.late.secret_name: Connection 'late': " in said and "expired" in said
    assert not cloud.requests(VAULT, path="not-asked-for")
    with pytest.raises(ConfigErrors, match="wrong-name"):
        Project.from_yaml(text).plan()


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ("auth_mode: direct_key, account_key: 'no key'", "account_key"),
        (f"auth_mode: direct_key, account_key: {'A' * 86}==", "account_key"),
        ("auth_mode: sas_token, sas_token: 'no token'", "sas_token"),
        ("auth_mode: connection_string, connection_string: 'AccountName=account1;AccountKey=none'", "connection_string"),
        ("auth_mode: connection_string, connection_string: 'AccountName=account1'", "connection_string"),
        ("secret_name: silver-key", "secret_name"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_told_at_its_own_key(cloud: Cloud, fields: str, key: str) -> None:
    text = f"""
key_vault_name: no-such-vault
connections:
  bronze: {{type: azure_adls, account: account1, {fields}}}
nodes:
  - {{name: a, read: {{connection: bronze, path: raw/sales.csv}}}}
"""
    assert f"line 4  connections.bronze.{key}: Connection 'bronze': " in told(Project.from_yaml(text))


def test_the_containers_own_name_in_a_path_warns_also_of_an_earlier_cells_connection(cloud: Cloud) -> None:
    earlier = Project.from_yaml(
        "connections: {silver: {type: azure_adls, account: account2, container: clean, auth_mode: identity}}"
    )
    node = "{name: a, transform: {steps: [{sql: SELECT 1 AS x}]}, write: {connection: silver, path: %s}}"
    for path, codes in (("clean/t", ["doubled-container"]), ("cleaner/t", [])):
        cell = Source(f"- {node % path}", "this cell", Path.cwd())
        plan = Project.from_source(cell, earlier=earlier.definitions).plan()
        assert [warning.code for warning in plan.warnings] == codes


def test_a_wrong_text_asks_no_vault(cloud: Cloud) -> None:
    with pytest.raises(ConfigErrors, match="moode"):
        Project.from_yaml(CONNECTIONS + PIPELINES.replace("mode: append", "moode: append"))
    assert cloud.requests(VAULT) == cloud.requests(LOGIN) == []


@pytest.mark.parametrize("fault", ["hang", "stall_tls", "drip"])
def test_the_deadline_holds_against_a_vault_that_does_not_answer(cloud: Cloud, fault: str) -> None:
    getattr(cloud.vault("company-kv"), fault)()
    began = datetime.now(UTC)
    said = told(Project.from_yaml("secrets: {timeout: 2}\n" + CONNECTIONS + PIPELINES))
    assert datetime.now(UTC) - began < timedelta(seconds=20)
    for name in ("bronze", "silver"):
        assert f"Connection '{name}': Secret '{name}-key' of vault 'company-kv': timed out after 2 s" in said
    cloud.clear()
    Project.from_yaml(CONNECTIONS + PIPELINES).plan()


def test_a_throttled_vault_is_asked_again_when_it_says(cloud: Cloud) -> None:
    cloud.vault("company-kv").throttle(1, retry_after=1)
    Project.from_yaml(CONNECTIONS + PIPELINES).plan()
    assert [one.status for one in cloud.requests(VAULT, path="bronze-key")].count(200) == 1


# Faults of storage ----------------------------------------------------------------------------------------------------


def test_an_account_that_is_not_there(cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADE_KEY", cloud.storage("account2").key)
    text = f"""
connections: {{silver: {{type: azure_adls, account: nosuch, auth_mode: direct_key, account_key: '${{MADE_KEY}}'}}}}
nodes: [{{name: t, read: {{connection: silver, path: {place}/t.csv}}}}]
"""
    began = datetime.now(UTC)
    said = told(Project.from_yaml(text))
    assert "line 2  connections.silver.account: Connection 'silver'" in said
    assert "account 'nosuch' not found at nosuch.blob.core.windows.net" in said
    assert "az storage account list" in said
    assert datetime.now(UTC) - began < timedelta(seconds=20)


FAULTS: dict[str, tuple[str, Callable[[Any], str], str]] = {
    "wrong key": ("direct_key, account_key: '${MADE}'", lambda _: "A" * 86 + "==", "does not take the key"),
    "expired SAS": (
        "sas_token, sas_token: '${MADE}'",
        lambda s: s.sas(lifetime=timedelta(hours=-1)),
        "SAS token has expired|not valid",
    ),
    "read-only SAS": (
        "sas_token, sas_token: '${MADE}'",
        lambda s: s.sas("rl"),
        "the SAS token does not allow writing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_credential_that_does_not_do(
    cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    opened, made, says = FAULTS[fault]
    monkeypatch.setenv("MADE", made(cloud.storage("account2")))
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    project = copying(f"auth_mode: {opened}", place)
    said = told(project)
    assert "Connection 'silver'" in said and "account2" in said and re.search(says, said)
    assert len(cloud.requests("account2.blob.core.windows.net")) < 40
    monkeypatch.setenv("MADE", cloud.storage("account2").key)
    copying("auth_mode: direct_key, account_key: '${MADE}'", place).run(engine="pandas")


def test_an_identity_without_a_role_is_told_which_one(cloud: Cloud, place: str) -> None:
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    for who in ("user", "managed"):
        cloud.storage("account2").allow(who, "none")
    said = told(copying("auth_mode: identity", place))
    assert (
        "Connection 'silver'" in said and "Storage Blob Data" in said and "az role assignment create" in said
    )


def test_a_mended_key_works_in_the_same_session(cloud: Cloud, place: str) -> None:
    opened = "key_vault_name: company-kv, secret_name: silver-key"
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    copying(opened, place).run(engine="pandas")
    key = cloud.storage("account2").rotate_key()
    said = told(copying(opened, place))
    assert "account 'account2' does not take the key" in said
    cloud.vault("company-kv").set("silver-key", key)
    copying(opened, place).run(engine="pandas")


def test_the_network_is_down(cloud: Cloud, place: str) -> None:
    cloud.down()
    began = datetime.now(UTC)
    said = told(copying("key_vault_name: company-kv, secret_name: silver-key", place))
    assert "Connection 'bronze'" in said and "Connection 'silver'" in said
    assert datetime.now(UTC) - began < timedelta(seconds=40)


@pytest.mark.parametrize("of", ["request", "response"])
def test_a_connection_dropped_on_the_way_is_tried_again_and_reported(
    cloud: Cloud, place: str, of: Any
) -> None:
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    project = copying("key_vault_name: company-kv, secret_name: silver-key", place)
    project.plan()
    account = "account1" if of == "response" else "account2"
    cloud.storage(account).drop_after(20_000, of=of, times=2)
    result = project.run(engine="pandas")
    assert (
        result["table"].to_arrow().num_rows
        == result["file"].to_arrow().num_rows
        == result["sales"].to_arrow().num_rows
    )


def test_storage_that_stays_away_leaves_tables_whole(cloud: Cloud, place: str) -> None:
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    project = copying("key_vault_name: company-kv, secret_name: silver-key", place)
    before = project.run(engine="pandas")["table"].to_arrow()
    plan = project.plan(engine="pandas")
    assert plan.by_name["table"].target is not None
    cloud.storage("account2").drop_after(3_000, of="request")
    text = "retry: {max_attempts: 2, backoff: constant}\n" + project.text.text
    with pytest.raises(OdibiError) as raised:
        Project.from_yaml(text).run(engine="pandas", only="table")
    assert "Connection 'silver'" in str(raised.value)
    if isinstance(raised.value, NodeFailed):
        assert raised.value.result.nodes[0].tries
    cloud.clear()
    assert project.engine.read_delta(connection="silver", path=f"{place}/t").to_arrow().equals(before)


def test_a_busy_service_is_tried_again(cloud: Cloud, place: str) -> None:
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    project = copying("key_vault_name: company-kv, secret_name: silver-key", place)
    project.plan()
    cloud.storage("account2").refuse("ServerBusy", times=3, retry_after=1)
    assert project.run(engine="pandas").state == "done"


# Addresses ------------------------------------------------------------------------------------------------------------


def test_a_table_by_its_url(cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the connection that reaches it; without one, as who is signed in."""
    _put(cloud, f"{place}/old.csv", b"id\n1\n")
    project = copying("key_vault_name: company-kv, secret_name: silver-key", place)
    rows = project.run(engine="pandas")["table"].to_arrow()
    url = f"abfss://clean@account2.dfs.core.windows.net/{place.partition('/')[2]}/t"
    cloud.clear()
    assert project.table(f"{url}@0").to_arrow().equals(rows)
    assert not cloud.requests(LOGIN, path="storage")
    assert Project.from_yaml("vars: {a: 1}").table(url).to_arrow().equals(rows)
    for wrong in ("abfss://clean@account2.example.com/t", "s3://bucket/t", "abfss://x"):
        with pytest.raises(UsageError, match="is no URL of a storage account"):
            project.table(wrong)
