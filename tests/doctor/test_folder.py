"""Folders of this machine, layer by layer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from odibi_magics import Project
from odibi_magics.doctor.diagnosis import Diagnosis
from odibi_magics.errors import UsageError
from tests.doctor.conftest import READS, WRITES, broken


def diagnose(folder: Path, *nodes: str) -> Diagnosis:
    text = f"connections: {{lake: {{type: local, base_path: '{folder}'}}}}\n"
    if nodes:
        text += f"pipelines: [{{pipeline: etl, nodes: [{', '.join(nodes)}]}}]\n"
    [found] = Project.from_yaml(text).doctor()
    return found


def test_all_layers_hold_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").touch()
    found = diagnose(tmp_path)
    assert [(layer.name, layer.state) for layer in found.layers] == [
        ("folder", "ok"),
        ("read", "ok"),
        ("write", "ok"),
    ]
    assert os.listdir(tmp_path) == ["sales.csv"]


def test_a_folder_that_a_run_makes(tmp_path: Path) -> None:
    found = diagnose(
        tmp_path / "new",
        READS.replace("raw/sales.csv", "x.csv"),
        WRITES.replace("clean/sales.delta", "x.csv"),
    )
    assert found.state == "warning" and "the first run that writes makes it" in found["folder"].said
    assert found["write"].said == "after folder" and not (tmp_path / "new").exists()


def test_a_folder_that_is_read_first(tmp_path: Path) -> None:
    said, command = broken(diagnose(tmp_path / "my new", READS), "folder")
    assert "there is no folder" in said and command == f"mkdir -p '{tmp_path}/my new'"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said, command = broken(diagnose(tmp_path / "file"), "folder")
    assert "is a file" in said and command == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    said, command = broken(diagnose(tmp_path), "write")
    tmp_path.chmod(0o700)
    assert "Permission denied" in said and command == f"chmod u+rwx {tmp_path}"


def test_a_place_that_takes_no_files(tmp_path: Path) -> None:
    said, _ = broken(diagnose(Path("/proc/self")), "write")
    assert "cannot be written to" in said


def test_no_such_connection(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown connection 'lakee' .*did you mean 'lake'"):
        Project.from_yaml("connections: {lake: {type: local}}").doctor("lakee")


def test_what_cannot_be_opened_by_its_text() -> None:
    text = """connections:
  loop: {type: azure_adls, account: account1, auth_mode: connection_string, connection_string: BlobEndpoint=x}
  catalog: {type: unity_catalog, catalog: main, schema: sales}"""
    loop, catalog = Project.from_yaml(text).doctor()
    assert "no AccountKey" in broken(loop, "text")[0]
    assert catalog.state == "ok" and catalog["catalog"].said == "only Spark can open it"
