"""Storage accounts through Spark's real driver, in the practice cloud, under the real host names."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from odibi_magics import ConfigErrors, Project
from odibi_magics.connections.prepare import forget
from odibi_magics.engines.spark import tables
from odibi_magics.engines.spark.accounts import REDACTION
from odibi_magics.errors import OdibiError
from odibi_magics.pipeline.result import RunResult
from odibi_magics.sandbox import Cloud
from tests.accounts import opened
from tests.roadmap import CONNECTIONS, PIPELINES

VAULT = "key_vault_name: company-kv, secret_name: silver-key"
BLOB, DFS = "account2.blob.core.windows.net", "account2.dfs.core.windows.net"


@pytest.fixture(autouse=True)
def _nothing_kept(cloud: Cloud) -> Iterator[None]:
    """Each test begins as a new process does, and with a small file to read."""
    forget()
    cloud.storage("account1").client().get_blob_client("raw", "tiny.csv").upload_blob(
        b"id,amount\n1,1.5\n2,2.5\n", overwrite=True
    )
    cloud.clear()
    yield
    forget()


@pytest.fixture
def place() -> str:
    """A table of its own in account2."""
    return f"clean/{uuid.uuid4().hex}"


def copying(
    silver: str, place: str, bronze: str = "key_vault_name: company-kv, secret_name: bronze-key"
) -> Project:
    """CSV from account1 to a Delta table in account2, which is opened in some way."""
    return Project.from_yaml(f"""
retry: {{max_attempts: 1}}
connections:
  bronze: {{type: azure_adls, account: account1, {bronze}}}
  silver: {{type: azure_adls, account: account2, {silver}}}
nodes:
  - {{name: sales, read: {{connection: bronze, path: raw/tiny.csv}}}}
  - {{name: table, write: {{connection: silver, path: {place}}}}}
""")


def reading(silver: str, place: str) -> Project:
    return Project.from_yaml(f"""
retry: {{max_attempts: 1}}
connections:
  silver: {{type: azure_adls, account: account2, {silver}}}
nodes:
  - {{name: table, read: {{connection: silver, path: {place}}}}}
""")


def told(project: Project) -> str:
    """What a run says that cannot succeed, and that nothing of it is Java's."""
    with pytest.raises(OdibiError) as raised:
        project.run(engine="spark")
    return _plain(raised.value)


def _plain(error: BaseException) -> str:
    text = str(error)
    assert "Exception" not in text and "rId" not in text and "Traceback" not in text
    return text


def settings(spark: Any) -> dict[str, str]:
    """What the session is set to, but for what Delta itself sets while it works."""
    return {key: value for key, value in spark.conf.getAll.items() if key not in _OF_DELTA}


_OF_DELTA = {
    "spark.databricks.delta.lastCommitVersionInSession",
    "spark.sql.parquet.fieldId.read.enabled",
    "spark.sql.parquet.fieldId.write.enabled",
}


def test_the_roadmap_as_written(spark: Any, cloud: Cloud) -> None:
    before = settings(spark)
    result = Project.from_yaml(CONNECTIONS + PIPELINES).run(engine="spark", again=True)
    rows = {result.node(name).rows for name in ("write_data", "write_delta")}
    assert rows == {5000} and result["read_data"].to_arrow().num_rows == 5000
    assert "abfss://clean@account2.dfs.core.windows.net/sales.delta" in str(result)
    by_pandas = Project.from_yaml("engine: pandas" + CONNECTIONS).engine
    table = by_pandas.read_delta(connection="silver", path="clean/sales.delta").to_arrow()
    assert table.num_rows % 5000 == 0 and {"year", "month"} <= set(table.column_names)
    assert settings(spark) == before
    # A flat account: it was asked once, and nothing else went to a host that it does not have.
    assert len(cloud.requests(BLOB, path="comp=properties")) == 1
    assert cloud.requests(DFS) == []


@pytest.mark.parametrize(
    "way", ["direct_key", "sas_token", "connection_string", "service_principal", "managed_identity", "databricks_secret"]
)  # fmt: skip
def test_every_way_to_open_an_account(
    spark: Any, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, place: str, way: str
) -> None:
    """Another one than that of the account beside it, in one session."""
    if way == "managed_identity":
        _on_a_virtual_machine(cloud, monkeypatch)
    before = settings(spark)
    result = copying(opened(way, cloud, monkeypatch), place).run(engine="spark")
    assert result["table"].to_arrow().to_pylist() == [{"id": 1, "amount": 1.5}, {"id": 2, "amount": 2.5}]
    assert settings(spark) == before


def _on_a_virtual_machine(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = cloud.environment["IDENTITY_ENDPOINT"]
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint.removesuffix("/msi/token"))


def test_identity_is_that_of_the_environment_where_spark_can_be_it(
    spark: Any, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    principal = cloud.identity("principal")
    for name, value in {
        "AZURE_TENANT_ID": cloud.tenant,
        "AZURE_CLIENT_ID": principal.client_id,
        "AZURE_CLIENT_SECRET": principal.client_secret,
    }.items():
        monkeypatch.setenv(name, value)
    copying("auth_mode: identity", place).run(engine="spark")
    cloud.storage("account2").allow("principal", "none")
    said = told(reading("auth_mode: identity", place))
    assert "the identity that is signed in has no role" in said and principal.object_id in said


def test_a_token_serves_a_whole_run(spark: Any, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = opened("service_principal", cloud, monkeypatch)
    assert _into_a_new_account(cloud, lambda _: fields).node("table").rows == 2
    assert 0 < len(cloud.requests("login.microsoftonline.com", path="/oauth2/token")) < 10


def _into_a_new_account(cloud: Cloud, fields: Callable[[str], str]) -> RunResult:
    """Of which nothing is known in this session. fields: of the connection, by the account's key."""
    name = f"a{uuid.uuid4().hex[:12]}"
    storage = cloud.add_account(name)
    storage.client().create_container("lake")
    return Project.from_yaml(f"""
connections:
  bronze: {{type: azure_adls, account: account1, key_vault_name: company-kv, secret_name: bronze-key}}
  lake: {{type: azure_adls, account: {name}, {fields(storage.key)}}}
nodes:
  - {{name: sales, read: {{connection: bronze, path: raw/tiny.csv}}}}
  - {{name: table, write: {{connection: lake, path: lake/table}}}}
""").run(engine="spark")


def test_a_session_that_is_set_up_is_left_as_it_is(
    spark: Any, cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying(VAULT, place).run(engine="spark")
    assert "does not take what Spark's session opens it with" in _without_set_up(spark, place)
    own = {"auth.type": "SharedKey", "key": cloud.storage("account2").key, "hns.enabled": "false"}
    set_up = {f"fs.azure.account.{key}.{DFS}": value for key, value in own.items()} | _FLAT
    for key, value in set_up.items():
        spark.conf.set(key, value)
    before = settings(spark)
    seen: list[dict[str, str]] = []
    loaded = tables.load

    def load(*given: Any) -> Any:
        seen.append(settings(spark))
        return loaded(*given)

    monkeypatch.setattr(tables, "load", load)
    try:
        assert reading("auth_mode: session", place).run(engine="spark")["table"].to_arrow().num_rows == 2
    finally:
        for key in set_up:
            spark.conf.unset(key)
    assert seen and all(_of_storage(one) == _of_storage(before) for one in seen)


def _of_storage(found: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if key.startswith("fs.") or key == REDACTION}


_FLAT = {
    f"fs.azure.fns.account.service.type.{DFS}": "BLOB",
    f"fs.azure.networking.library.{DFS}": "JDK_HTTP_URL_CONNECTION",
    f"fs.azure.ssl.channel.mode.{DFS}": "Default_JSSE",
    "fs.abfss.impl.disable.cache": "true",
}


def _without_set_up(spark: Any, place: str) -> str:
    wrong = {f"fs.azure.account.key.{DFS}": base64.b64encode(b"x" * 64).decode()}
    wrong |= {f"fs.azure.account.hns.enabled.{DFS}": "false", **_FLAT}
    for key, value in wrong.items():
        spark.conf.set(key, value)
    try:
        return told(reading("auth_mode: session", place))
    finally:
        for key in wrong:
            spark.conf.unset(key)


# Refused before anything runs -----------------------------------------------------------------------------------------


def test_what_spark_cannot_sign_in_as_is_refused_at_its_line(
    spark: Any, cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = told(copying("auth_mode: identity", place))
    assert said.startswith("1 problem in this text, nothing was run")
    assert (
        "line 5  connections.silver.auth_mode: Connection 'silver': the managed identity is one of App Service"
        in said
    )
    assert "Use auth_mode: session where the workspace has set storage up" in said
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        monkeypatch.delenv(name)
    forget()
    said = told(copying("auth_mode: identity", place))
    assert (
        "auth_mode: identity is signed in by az login here, and Spark's storage driver cannot sign in so"
        in said
    )
    assert cloud.requests(BLOB) == []


def test_two_ways_into_one_account_are_refused(
    spark: Any, cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = opened("sas_token", cloud, monkeypatch)
    text = f"""
connections:
  by_key: {{type: azure_adls, account: account2, {VAULT}}}
  by_sas: {{type: azure_adls, account: account2, {fields}}}
  again: {{type: azure_adls, account: account2, container: clean, {VAULT}}}
nodes:
  - {{name: a, read: {{connection: by_key, path: clean/a}}}}
  - {{name: b, write: {{connection: by_sas, path: {place}}}}}
  - {{name: c, depends_on: [a], write: {{connection: again, path: c}}}}
"""
    with pytest.raises(ConfigErrors) as raised:
        Project.from_yaml(text).plan(engine="spark")
    said = str(raised.value)
    assert (
        "line 4  connections.by_sas.sas_token: Connection 'by_sas': account 'account2' is opened in another way"
        in said
    )
    assert "by connection 'by_key'" in said and "Connection 'again': account" not in said


def test_a_container_that_is_not_there_is_told_before_the_run(spark: Any, cloud: Cloud) -> None:
    said = told(copying(VAULT, "claen/t"))
    assert said.startswith("1 problem in this text") and "line 8  nodes[1].write.path" in said
    assert "there is no container 'claen' in account 'account2'" in said and "Did you mean 'clean'?" in said


# Faults ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "made", "says"),
    [
        ("direct_key, account_key", lambda s: base64.b64encode(b"x" * 64).decode(), "does not take the key"),
        ("sas_token, sas_token", lambda s: s.sas(lifetime=timedelta(hours=-1)), "the SAS token is not valid: it has expired"),
        ("sas_token, sas_token", lambda s: s.sas("rl"), "the SAS token does not allow writing"),
    ],
    ids=["wrong key", "expired SAS", "read-only SAS"],
)  # fmt: skip
def test_a_credential_that_does_not_do(
    spark: Any, cloud: Cloud, place: str, monkeypatch: pytest.MonkeyPatch, fields: str, made: Callable[[Any], str], says: str
) -> None:  # fmt: skip
    monkeypatch.setenv("MADE", made(cloud.storage("account2")))
    said = told(copying(f"auth_mode: {fields}: '${{MADE}}'", place))
    assert "Connection 'silver'" in said and says in said and f"account2/{place}" in said


def test_a_mended_key_works_in_the_same_session(spark: Any, cloud: Cloud, place: str) -> None:
    copying(VAULT, place).run(engine="spark")
    key = cloud.storage("account2").rotate_key()
    assert "account 'account2' does not take the key" in told(reading(VAULT, place))
    cloud.vault("company-kv").set("silver-key", key)
    assert reading(VAULT, place).run(engine="spark")["table"].to_arrow().num_rows == 2


def test_what_storage_does_while_rows_are_read_is_told_in_our_words(
    spark: Any, cloud: Cloud, place: str
) -> None:
    copying(VAULT, place).run(engine="spark")
    storage = cloud.storage("account2")
    patient = f"storage_options: {{fs.azure.http.read.timeout.{DFS}: 500}}"
    result = reading(f"{VAULT}, {patient}", place).run(engine="spark")
    faults: dict[str, Callable[[], None]] = {
        "the account's firewall refuses this machine": lambda: storage.refuse("AuthorizationFailure"),
        "the service is throttled or briefly unavailable": lambda: storage.refuse("ServerBusy"),
        "it does not answer in time": storage.hang,
        "the connection was dropped": lambda: storage.drop_after(500),
    }
    for says, make in faults.items():
        cloud.clear()
        make()
        with pytest.raises(OdibiError) as raised:
            result["table"].to_arrow()
        said = _plain(raised.value)
        assert f"Connection 'silver': reading account2/{place}/" in said and says in said, said
        assert len(cloud.requests(BLOB)) <= 8, says
    cloud.clear()
    assert result["table"].to_arrow().num_rows == 2


# What is handed out ---------------------------------------------------------------------------------------------------


def test_a_frame_that_is_handed_out_can_be_read_as_long_as_its_result_lives(
    spark: Any, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fields(key: str) -> str:
        monkeypatch.setenv("MADE", key)
        return "auth_mode: direct_key, account_key: '${MADE}'"

    before = settings(spark)
    result = _into_a_new_account(cloud, fields)
    frame = result["table"].to_spark()
    assert settings(spark) != before
    assert frame.where("amount > 2").count() == 1
    result.hold.close()  # type: ignore[union-attr]
    assert settings(spark) == before
    with pytest.raises(Exception, match=r"(?i)key"):
        frame.where("amount < 2").count()
