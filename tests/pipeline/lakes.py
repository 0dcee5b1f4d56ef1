"""What the tests of running again share: a lake on this machine or in a storage account, and projects over it."""

from __future__ import annotations

import textwrap
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics import Project
from odibi_magics.connections.base import Connection
from odibi_magics.delta.mark import RunMark, read_mark
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.sandbox import Cloud
from odibi_magics.session import Session
from tests.pipeline.conftest import SALES

APPEND = """
- {name: sales, read: {connection: lake, path: raw/sales.csv}}
- name: clean
  transform: {steps: [{sql: "SELECT id, city, qty * price AS amount FROM sales WHERE qty > 0"}]}
  write: {connection: lake, path: clean, mode: append}
"""

CHAIN = """
- {name: sales, read: {connection: lake, path: raw/sales.csv}}
- name: clean
  transform: {steps: [{sql: "SELECT id, city, qty * price AS amount FROM sales WHERE qty > 0"}]}
  write: {connection: lake, path: clean}
- name: daily
  transform: {steps: [{sql: "SELECT count(*) AS n FROM clean"}]}
  write: {connection: lake, path: daily, mode: append}
"""


@dataclass(frozen=True)
class Lake:
    """text: of its connection `lake`, as YAML."""

    text: str

    def project(self, nodes: str, head: str = "") -> Project:
        """A project of one pipeline `etl`."""
        return Project.from_yaml(self.yaml(nodes, head))

    def yaml(self, nodes: str, head: str = "") -> str:
        inner = textwrap.indent(textwrap.dedent(nodes).strip(), "      ")
        return (
            f"{head}connections: {{lake: {self.text}}}\npipelines:\n  - pipeline: etl\n    nodes:\n{inner}\n"
        )

    @property
    def connection(self) -> Connection:
        return Project.from_yaml(f"connections: {{lake: {self.text}}}").connection("lake")

    def put(self, path: str, text: str) -> None:
        self.connection.put(path, text.encode())

    def place(self, path: str) -> Place:
        return Place(self.connection, path, "delta")

    def table(self, path: str, version: int | None = None) -> DeltaTable:
        store = open_store(self.place(path))
        return DeltaTable(store.delta_url, version, storage_options=store.options)

    def version(self, path: str) -> int:
        return self.table(path).version()

    def rows(self, path: str, version: int | None = None) -> list[tuple[Any, ...]]:
        """All rows, in order, read by deltalake alone."""
        table = pa.table(self.table(path, version).to_pyarrow_table())
        return sorted(zip(*(column.to_pylist() for column in table.columns), strict=True), key=repr)

    def other(self, path: str, rows: Mapping[str, Any], mode: Any = "append", **more: Any) -> None:
        """Somebody else's write."""
        store = open_store(self.place(path))
        write_deltalake(
            store.delta_url, pa.table(dict(rows)), mode=mode, storage_options=store.options, **more
        )

    def mark(self, path: str) -> RunMark | None:
        return read_mark(self.table(path).history(1)[0].get("userMetadata"))


def local(folder: Path) -> Lake:
    return Lake(f"{{type: local, base_path: {folder}}}")


@pytest.fixture(params=["local", "blobs"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake with raw/sales.csv: on this machine, then in a storage account."""
    made = local(tmp_path)
    if request.param == "blobs":
        cloud: Cloud = request.getfixturevalue("cloud")
        monkeypatch.setenv("LAKE_KEY", cloud.storage("account2").key)
        made = Lake(
            "{type: azure_adls, account: account2, container: clean, auth_mode: direct_key, account_key: '${LAKE_KEY}', "
            f"path_prefix: {uuid.uuid4().hex}}}"
        )
    made.put("raw/sales.csv", SALES)
    return made


@pytest.fixture
def here(tmp_path: Path) -> Lake:
    """A lake on this machine alone."""
    made = local(tmp_path)
    made.put("raw/sales.csv", SALES)
    return made


def cell(session: Session, text: str, **options: Any) -> Any:
    """A cell of a notebook that runs."""
    project = session.define(text)
    session.keep(project)
    result = project.run(**options)
    session.ended(result)
    return result
