"""No secret leaves the process: every path that fails, every repr, log, report and saved file, searched for each."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import nbformat
import pytest

from odibi_magics.sandbox import Cloud

# A token in any form: a JWT's first part is JSON that begins with {".
TOKEN = re.compile(rb"eyJ[A-Za-z0-9_-]{10,}\.")

SETUP = """
import logging, warnings
logging.basicConfig(filename="python.log", level=logging.DEBUG, force=True)
%load_ext odibi_magics
%xmode Verbose
from odibi_magics import Project
from odibi_magics.sandbox import Cloud
from odibi_magics.connections.prepare import forget
cloud = Cloud.attach()
"""

CONNECTIONS = """%%odibi_pipeline
story: {connection: key, path: clean/stories}
connections:
  bronze: {type: azure_adls, account: account1, key_vault_name: company-kv, secret_name: bronze-key}
  vault: {type: azure_adls, account: account2, key_vault_name: company-kv, secret_name: silver-key}
  key: {type: azure_adls, account: account2, auth_mode: direct_key, account_key: "${MARKED_KEY}"}
  sas: {type: azure_adls, account: account2, auth_mode: sas_token, sas_token: "${MARKED_SAS}"}
  reading: {type: azure_adls, account: account2, auth_mode: sas_token, sas_token: "${MARKED_READING_SAS}"}
  expired: {type: azure_adls, account: account2, auth_mode: sas_token, sas_token: "${MARKED_EXPIRED_SAS}"}
  string: {type: azure_adls, account: account2, auth_mode: connection_string, connection_string: "${MARKED_STRING}"}
  principal:
    {type: azure_adls, account: account2, auth_mode: service_principal, tenant_id: "${TENANT}", client_id: "${CLIENT}",
     client_secret: "${MARKED_SECRET}"}
  stranger:
    {type: azure_adls, account: account2, auth_mode: service_principal, tenant_id: "${TENANT}", client_id: "${CLIENT}",
     client_secret: "${MARKED_WRONG_SECRET}"}
  identity: {type: azure_adls, account: account2, auth_mode: identity}
  wrong: {type: azure_adls, account: account2, auth_mode: direct_key, account_key: "${MARKED_WRONG_KEY}"}
  nowhere: {type: azure_adls, account: nowhere, auth_mode: direct_key, account_key: "${MARKED_KEY}"}
  lost: {type: azure_adls, account: account2, key_vault_name: company-kv, secret_name: not-there}
  options:
    {type: azure_adls, account: account2, auth_mode: identity, storage_options: {azure_storage_account_key: "${MARKED_KEY}"}}
"""


def copy(connection: str, more: str = "") -> str:
    """A cell that reads from account1 and writes a table and a file through a connection."""
    return f"""%%odibi_pipeline {more}
nodes:
  - {{name: sales, read: {{connection: bronze, path: raw/sales.csv}}}}
  - {{name: t_{connection}, write: {{connection: {connection}, path: clean/leaks/{connection}}}}}
  - {{name: f_{connection}, write: {{connection: {connection}, path: clean/leaks/{connection}.csv}}}}
"""


GOOD = ["vault", "key", "sas", "string", "principal", "identity", "options"]
BAD = ["reading", "expired", "stranger", "wrong", "nowhere", "lost"]

LITERAL = """%%odibi_pipeline
connections: {{lit: {{type: azure_adls, account: account2, auth_mode: direct_key, account_key: "{key}"{typo}}}}}
nodes: [{{name: n, read: {{connection: lit, path: clean/none.csv}}}}]
"""

REPRS = """
project = Project.from_yaml(TEXT := '''
connections: {key: {type: azure_adls, account: account2, auth_mode: direct_key, account_key: "${MARKED_KEY}"}}
nodes: [{name: n, read: {connection: key, path: clean/leaks/key.csv}}]
''')
result = project.run()
model = project.definitions.connections["key"].model
connection = project.connection("key")
for thing in (project, project.definitions, model, connection, connection.source, connection.credential(),
              project.plan(), result, odibi_result, odibi_result.plan):
    print(repr(thing), str(thing))
print(result.to_json())
result.save("report.html"); result.save("report.json")
"""

FAULTS = {
    "cloud.storage('account2').refuse('KeyBasedAuthenticationNotPermitted')": "vault",
    "cloud.storage('account2').refuse('AuthorizationFailure')": "sas",
    "cloud.storage('account2').refuse('ServerBusy')": "key",
    "cloud.storage('account2').drop_after(2000, of='request')": "key",
    "cloud.storage('account2').vanish()": "sas",
    "cloud.vault('company-kv').forbid('policy')": "vault",
    "cloud.vault('company-kv').throttle(retry_after=9)": "vault",
    "cloud.tokens.throttle(retry_after=9)": "principal",
    "cloud.down()": "principal",
    "cloud.storage('account2').rotate_key()": "key",
}


def cells(secrets: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Each with whether it succeeds, in the order they run."""
    good = [SETUP, CONNECTIONS, *map(copy, GOOD), copy("key", "--plan"), copy("key", "--preview"), "%odibi"]
    good += [
        "%odibi_graph",
        REPRS,
        "%whos",
        "%odibi_preview key:clean/leaks/key@0",
        "%odibi_save all.odibi.yaml",
    ]
    literals = [LITERAL.format(key=secrets["MARKED_KEY"], typo=typo) for typo in ("", ", acount: x", "]")]
    bad = [*map(copy, BAD), "%odibi_connections", "%odibi_doctor", *literals, "1 / 0"]
    found = [*((cell, True) for cell in good), *((cell, False) for cell in bad)]
    for fault, connection in FAULTS.items():
        found += [(f"cloud.clear(); forget(); {fault}", True), (copy(connection), False)]
    return found


@pytest.fixture
def secrets(cloud: Cloud) -> dict[str, str]:
    """Each secret under the name of its variable."""
    storage = cloud.storage("account2")
    return {
        "MARKED_KEY": storage.key,
        "MARKED_OTHER_KEY": cloud.storage("account1").key,
        "MARKED_SAS": storage.sas(),
        "MARKED_READING_SAS": storage.sas("rl"),
        "MARKED_EXPIRED_SAS": storage.sas(lifetime=timedelta(hours=-1)),
        "MARKED_STRING": f"AccountName=account2;AccountKey={storage.key};EndpointSuffix=core.windows.net",
        "MARKED_SECRET": cloud.identity("principal").client_secret,
        "MARKED_WRONG_SECRET": "marked~wrong~secret~0123456789",
        "MARKED_WRONG_KEY": "bWFya2Vk" * 10 + "bWFya2U=",
    }


def test_nothing_written_or_shown_holds_a_secret(
    cloud: Cloud, secrets: dict[str, str], tmp_path: Path
) -> None:
    identity = cloud.identity("principal")
    environment = {**os.environ, **secrets, "TENANT": cloud.tenant, "CLIENT": identity.client_id}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    for name in ("home", "ipython", "tmp"):
        (tmp_path / name).mkdir()
    planned = cells(secrets)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell, _ in planned])
    nbformat.write(book, tmp_path / "book.ipynb")
    convert = [sys.executable, "-m", "nbconvert", "--execute", "--allow-errors", "--to", "notebook"]
    said = _run([*convert, "--output", "ran.ipynb", "book.ipynb"], tmp_path, environment)
    (tmp_path / "book.ipynb").unlink()
    ran = nbformat.read(tmp_path / "ran.ipynb", as_version=4)
    for cell, (source, succeeds) in zip(ran.cells, planned, strict=True):
        errors = [one for one in cell.outputs if one.output_type == "error"]
        assert (not errors) is succeeds, f"{source}\n{errors}"
        if secrets["MARKED_KEY"] in source:
            cell.source = ""  # what the user wrote into it himself
    nbformat.write(ran, tmp_path / "ran.ipynb")
    (tmp_path / "a.odibi.yaml").write_text(CONNECTIONS.partition("\n")[2] + copy("key").partition("\n")[2])
    command = [sys.executable, "-m", "odibi_magics.cli"]
    for verb in (
        ["run", "a.odibi.yaml"],
        ["run", "a.odibi.yaml", "--json"],
        ["plan", "a.odibi.yaml"],
        ["connections", "--file", "a.odibi.yaml"],
        ["doctor", "--file", "a.odibi.yaml"],
        ["doctor", "--file", "a.odibi.yaml", "--json"],
    ):
        said += _run([*command, *verb], tmp_path, environment)
    _search({"what was printed": said.encode()}, secrets)
    _search({str(path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}, secrets)
    stories = cloud.storage("account2").client().get_container_client("clean")
    kept = {blob.name: stories.download_blob(blob.name).readall() for blob in stories.list_blobs("stories/")}
    assert kept
    _search(kept, secrets)


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    return done.stdout + done.stderr


def _search(texts: Mapping[str, bytes], secrets: Mapping[str, str]) -> None:
    for where, text in texts.items():
        for name, secret in secrets.items():
            for form in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], *_signatures(secret)}:
                assert form.encode() not in text, f"{name} in {where}"
        found = TOKEN.search(text)
        assert found is None, f"a token in {where}: {found}"


def _signatures(secret: str) -> set[str]:
    """The part of a SAS token that is the secret."""
    return {match[1] for match in re.finditer(r"sig=([^&;]+)", secret)}
