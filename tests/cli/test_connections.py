"""`odibi-magics connections` and `odibi-magics doctor`, in the practice cloud."""

from __future__ import annotations

import pytest

from odibi_magics.cli.answer import DONE, FAILED, WRONG
from odibi_magics.sandbox import Cloud
from tests.cli.conftest import Command
from tests.roadmap import CONNECTIONS, PIPELINES


@pytest.fixture
def practice(odibi: Command, cloud: Cloud) -> Command:
    (odibi.folder / "etl.odibi.yaml").write_text(CONNECTIONS + PIPELINES)
    return odibi


def test_connections(practice: Command, cloud: Cloud) -> None:
    rows = practice.data("connections")
    assert [(row["name"], row["state"], row["error"]) for row in rows] == [
        ("bronze", "ok", None),
        ("silver", "ok", None),
    ]
    assert rows[0]["secret"] == "company-kv/bronze-key" and 0 < rows[0]["seconds"] < 60

    cloud.vault("company-kv").forbid("firewall")
    done = practice("connections", "--refresh")
    assert done.returncode == FAILED
    assert "✗ failed" in done.stdout and "az keyvault network-rule add" in done.stderr


def test_the_doctor(practice: Command, cloud: Cloud) -> None:
    done = practice("doctor")
    assert done.returncode == DONE, done.stdout
    assert "✓ bronze · storage account account1 · ok" in done.stdout and done.stderr == ""
    assert "its first byte)" in done.stdout

    cloud.vault("company-kv").forbid("policy")
    [found] = practice.data("doctor", "bronze", code=FAILED)
    assert (found["name"], found["state"], found["failed_at"]) == ("bronze", "failed", "secret")
    assert found["command"].startswith("az keyvault set-policy --name company-kv --object-id ")
    states = {layer["name"]: layer["state"] for layer in found["layers"]}
    assert (states["sign-in"], states["secret"], states["access"]) == ("ok", "failed", "skipped")
    assert cloud.storage("account1").key not in str(found)

    done = practice("doctor", "silver")
    assert done.returncode == FAILED and done.stderr.rstrip().endswith(found["command"])


def test_a_warning_is_no_failure(practice: Command, cloud: Cloud) -> None:
    cloud.storage("account1").dfs.vanish()
    done = practice("doctor", "bronze", "--file", "etl.odibi.yaml")
    assert done.returncode == DONE and "⚠ warning" in done.stdout and "Spark uses it" in done.stdout


def test_wrong_calls(practice: Command) -> None:
    done = practice("doctor", "bronce")
    assert done.returncode == WRONG and "did you mean 'bronze'" in done.stderr
