from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest

from odibi_magics import Project
from odibi_magics.connections.prepare import forget
from odibi_magics.doctor.diagnosis import Diagnosis
from odibi_magics.sandbox import Cloud

VAULT = "account: account1, key_vault_name: company-kv, secret_name: bronze-key"
PRACTICE = "company-kv"

# What nodes do with the connection.
READS = "{name: sales, read: {connection: lake, path: raw/sales.csv}}"
WRITES = "{name: table, write: {connection: lake, path: clean/sales.delta}}"

Diagnose = Callable[..., Diagnosis]


@pytest.fixture
def diagnose(cloud: Cloud) -> Iterator[Diagnose]:
    """What the doctor finds of the connection `lake`, from its fields; no secret is anywhere in it."""

    def look(fields: str, *nodes: str, wait: float = 0.0, settings: str = "") -> Diagnosis:
        text = f"{settings}\nconnections: {{lake: {{type: azure_adls, {fields}}}}}\n"
        if nodes:
            text += f"pipelines: [{{pipeline: etl, nodes: [{', '.join(nodes)}]}}]\n"
        [found] = Project.from_yaml(text).doctor("lake", wait=wait)
        told = json.dumps(asdict(found))
        assert not [key for name in ("account1", "account2") if (key := cloud.storage(name).key) in told]
        assert "sig=" not in told.replace("(sig=)", "") and "eyJ" not in told
        return found

    yield look
    forget()


def broken(found: Diagnosis, layer: str) -> tuple[str, str]:
    """What is said of the layer where it breaks, and the command that mends it; later layers were not looked at."""
    failure = found.failure
    assert failure is not None and failure.name == layer, found
    assert found.state == "failed" and failure.remedy
    return failure.said, failure.command
