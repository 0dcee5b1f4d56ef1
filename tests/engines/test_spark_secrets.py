"""Nothing of keys, SAS tokens and OAuth secrets in what Spark shows: its UI, its event log, its log, a table's log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from odibi_magics.sandbox import Cloud
from tests.accounts import opened
from tests.spark import sessions

# The driver's own dump of headers stays out, as docs/engines.md says: it holds SAS tokens. So it does in sessions of ours.
# What is to be seen nowhere.
WORK = """
from pathlib import Path
from odibi_magics import Project

text = Path("pipeline.odibi.yaml").read_text()
result = Project.from_yaml(text).run()
assert result.engine == "spark engine" and result["back"].to_arrow().num_rows == 2
frame = result["back"].to_spark()
assert frame.where("amount > 2").count() == 1
frame.explain("extended")
try:
    Project.from_yaml(text.replace("clean/", "claen/")).run()
except Exception as error:
    print(error)
"""

# A session with its UI and its event log on does that, and so does a client of the Connect server beside it.
SESSION = r"""
import json, re, subprocess, sys
from pathlib import Path
from urllib.request import ProxyHandler, build_opener
from pyspark.sql import SparkSession

settings = json.loads(Path("settings.json").read_text())
spark = SparkSession.builder.config(map=settings).getOrCreate()
work = Path("work.py").read_text()
exec(work)
server = f"sc://localhost:{settings['spark.connect.grpc.binding.port']}"
client = f"from pyspark.sql import SparkSession\nspark = SparkSession.builder.remote('{server}').getOrCreate()\n"
subprocess.run([sys.executable, "-c", client + work], check=True)

direct = build_opener(ProxyHandler({}))
url = spark.sparkContext.uiWebUrl
get = lambda path: direct.open(url + path).read().decode()
api = f"/api/v1/applications/{spark.sparkContext.applicationId}"
executions = json.loads(get(f"{api}/sql?details=true&planDescription=true&length=500"))
pages = ["/jobs/", "/stages/", "/storage/", "/environment/", "/executors/", "/SQL/", f"{api}/environment", "/connect/"]
pages += [f"/SQL/execution/?id={one['id']}" for one in executions]
pages += [f"/connect/session/?id={one}" for one in set(re.findall(r"connect/session/\?id=([\w-]+)", get("/connect/")))]
told = {path: get(path) for path in pages} | {"api": json.dumps(executions)}
Path("ui.json").write_text(json.dumps(told))
spark.stop()
"""

LOG4J = """
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = spark.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %p %c: %m%n%ex
logger.hadoop.name = org.apache.hadoop
logger.hadoop.level = debug
logger.talkative.name = org.apache.hadoop.fs.azurebfs.services.AbfsIoUtils
logger.talkative.level = info
logger.sql.name = org.apache.spark.sql
logger.sql.level = debug
logger.delta.name = org.apache.spark.sql.delta
logger.delta.level = debug
logger.http.name = sun.net.www
logger.http.level = debug
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    sessions.environment(monkeypatch)
    (tmp_path / "log4j2.properties").write_text(LOG4J)
    (tmp_path / "events").mkdir()
    return tmp_path


@pytest.fixture
def secrets(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What must not be seen, in every form that it may take."""
    monkeypatch.setenv("MADE_SAS", cloud.storage("account2").sas())
    opened("service_principal", cloud, monkeypatch)
    plain = [
        cloud.storage("account1").key,
        os.environ["MADE_SAS"].rpartition("sig=")[2].partition("&")[0],
        cloud.identity("principal").client_secret,
    ]
    return [
        form for text in plain for form in (text, quote(text, safe=""), b64encode(text.encode()).decode())
    ]


@pytest.mark.spark
@pytest.mark.classic
def test_secrets_are_in_nothing_that_spark_shows(
    cloud: Cloud, secrets: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: a session's UI and event log are chosen when it starts."""
    principal = opened("service_principal", cloud, monkeypatch)
    cloud.add_account("account3").client().create_container("lake")
    cloud.storage("account1").client().get_blob_client("raw", "tiny.csv").upload_blob(
        b"id,amount\n1,1.5\n2,2.5\n", overwrite=True
    )
    (folder / "pipeline.odibi.yaml").write_text(f"""
connections:
  by_key: {{type: azure_adls, account: account1, key_vault_name: company-kv, secret_name: bronze-key}}
  by_sas: {{type: azure_adls, account: account2, auth_mode: sas_token, sas_token: "${{MADE_SAS}}"}}
  by_token: {{type: azure_adls, account: account3, {principal}}}
nodes:
  - {{name: sales, read: {{connection: by_key, path: raw/tiny.csv}}}}
  - {{name: table, write: {{connection: by_sas, path: clean/secrets}}}}
  - {{name: back, write: {{connection: by_token, path: lake/secrets}}}}
""")
    given = sessions.settings(folder)
    options = (
        f"{given['spark.driver.extraJavaOptions']} -Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    )
    shown_by = {
        "spark.driver.extraJavaOptions": options,
        "spark.ui.enabled": "true",
        "spark.ui.port": "0",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": (folder / "events").as_uri(),
        "spark.eventLog.compress": "false",
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "localhost",
        "spark.connect.grpc.binding.port": str(sessions.free_port()),
    }
    (folder / "work.py").write_text(WORK)
    (folder / "settings.json").write_text(json.dumps({**given, **shown_by}))
    done = subprocess.run(
        [sys.executable, "-c", SESSION],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    pages = json.loads((folder / "ui.json").read_text())
    events = "".join(
        file.read_text(errors="replace") for file in (folder / "events").rglob("*") if file.is_file()
    )
    log = (folder / "spark.log").read_text(errors="replace")
    committed = b"".join(
        cloud.storage(account).client().get_blob_client(container, f"{path}/_delta_log/{version:020}.json").download_blob().readall()
        for account, container, path in (("account2", "clean", "secrets"), ("account3", "lake", "secrets"))
        for version in (0, 1)
    ).decode()  # fmt: skip
    # That these would show a setting if they could.
    assert (
        "fs.azure.account.key.account1" in events
        and "fs.azure.sas.fixed.token.account2" in pages["api"] + events
    )
    assert sum(page.startswith("/connect/session") for page in pages) == 1
    assert "fs.azure.account.oauth2.client.secret.account3" in events and len(pages) > 12
    assert (
        "AzureBlobFileSystem" in log
        and "AADToken" in log
        and "\nDEBUG org.apache.hadoop" in log
        and "userMetadata" in committed
    )
    shown = {
        **pages,
        "event log": events,
        "log": log,
        "commits": committed,
        "out": done.stdout,
        "err": done.stderr,
    }
    assert [name for name, text in shown.items() for secret in secrets if secret in text] == []
