"""What `init` lays out runs as it is: by the command, in a notebook's kernel, in VS Code, and as a job by its own words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from build import ProjectBuilder
from deltalake import DeltaTable
from jsonschema import Draft7Validator
from nbclient import NotebookClient

from odibi_magics.cli import main
from odibi_magics.config.schema import language_schema
from odibi_magics.errors import UsageError
from odibi_magics.project import Project
from odibi_magics.starter import lay_out
from tests.cli.conftest import Command
from tests.test_repo import copy_of_sources

DAILY = [("2026-11-01", 2, 139.0), ("2026-11-02", 2, 81.25)]
FILES = {
    "orders.odibi.yaml", "orders.ipynb", "input/orders/2026-11-01.csv", "input/orders/2026-11-02.csv",
    ".env.example", ".gitignore", ".vscode/settings.json", ".vscode/odibi.schema.json",
}  # fmt: skip
BUNDLE = {"databricks.yml", "resources/orders.job.yml"}


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def daily(folder: Path) -> list[tuple[Any, ...]]:
    rows = DeltaTable(folder / "data" / "daily").to_pyarrow_table().to_pylist()
    return sorted((str(row["day"]), row["orders"], row["amount"]) for row in rows)


def test_the_next_commands_work(tmp_path: Path) -> None:
    made = Command(tmp_path)("init", "my shop")
    assert (made.returncode, made.stderr) == (0, "")
    folder = tmp_path / "my shop"
    assert files(folder) == FILES
    assert all(name in made.stdout for name in FILES)
    commands = made.stdout.partition("Next\n")[2].split("\n")
    script = " && ".join(command.strip() for command in commands if command)
    assert script == "cd 'my shop' && odibi-magics run orders.odibi.yaml"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env={**os.environ, "PATH": path}, check=True)
    assert daily(folder) == DAILY


def test_nothing_that_is_there_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("mine")
    main(["init", "--databricks", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert set(told["made"]) == (FILES | BUNDLE) - {".gitignore"}
    assert (told["kept"], told["next"]) == ([".gitignore"], ["odibi-magics run orders.odibi.yaml"])
    (tmp_path / "orders.odibi.yaml").write_text("mine, too")
    before = {file: (tmp_path / file).read_bytes() for file in files(tmp_path)}
    assert lay_out(tmp_path, databricks=True).made == {}
    assert {file: (tmp_path / file).read_bytes() for file in files(tmp_path)} == before


def test_a_place_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        UsageError, match=r"file' is a file, and a folder is needed there|file' cannot be made: Not a dir"
    ):
        lay_out(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be made: Not a directory"):
        lay_out(tmp_path / "file" / "below")


def test_the_notebook_runs(tmp_path: Path) -> None:
    lay_out(tmp_path)
    notebook = nbformat.read(tmp_path / "orders.ipynb", as_version=4)
    NotebookClient(notebook, timeout=280, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert daily(tmp_path) == DAILY
    assert [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ] == []


def test_the_environments_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path)
    (tmp_path / ".env.example").rename(tmp_path / ".env")
    file = tmp_path / "orders.odibi.yaml"
    azure = Project.from_file(file, env="azure").connections()
    there = Project.from_file(file, env="databricks", variables={"account": "lakeaccount"}).connections()
    assert "mystorageaccount" in str(azure) and "lakeaccount" in str(there)


def test_vs_code_gets_the_schema(tmp_path: Path) -> None:
    lay_out(tmp_path)
    settings = json.loads((tmp_path / ".vscode/settings.json").read_text())
    [(file, pattern)] = settings["yaml.schemas"].items()
    schema = json.loads((tmp_path / file).read_text())
    assert schema == language_schema()
    assert [found.name for found in tmp_path.glob(pattern)] == ["orders.odibi.yaml"]
    text = yaml.safe_load((tmp_path / "orders.odibi.yaml").read_text())
    assert list(Draft7Validator(schema).iter_errors(text)) == []


def test_the_job_calls_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its task's words, with what a bundle and a run put in. The storage account is a folder here, on this engine."""
    lay_out(tmp_path, databricks=True)
    bundle = yaml.safe_load((tmp_path / "databricks.yml").read_text())
    assert [str(found.relative_to(tmp_path)) for found in tmp_path.glob(bundle["include"][0])] == [
        "resources/orders.job.yml"
    ]
    job = yaml.safe_load((tmp_path / "resources/orders.job.yml").read_text())["resources"]["jobs"]["orders"]
    [task] = job["tasks"]
    assert task["environment_key"] in [one["environment_key"] for one in job["environments"]]
    wheel = task["python_wheel_task"]
    assert (wheel["package_name"], wheel["entry_point"]) == ("odibi-magics", "odibi-magics")
    given = {
        "${workspace.file_path}": str(tmp_path), "${var.account}": bundle["variables"]["account"]["default"],
        "{{job.run_id}}": "8113",
    }  # fmt: skip
    words = [_filled(word, given) for word in wheel["parameters"]]
    assert "${" not in "".join(words)
    file = tmp_path / "orders.odibi.yaml"
    local = file.read_text().replace("engine: spark", "engine: pandas")
    for name in ("input", "lake"):
        folder = "input" if name == "input" else "data"
        account = f'{name}: {{type: azure_adls, account: "{{{{ account }}}}", container: {name}, auth_mode: session}}'
        assert account in local
        local = local.replace(account, f"{name}: {{type: local, base_path: {folder}}}")
    file.write_text(local.replace("project: orders", 'project: "{{ account }}"'))
    for _ in range(2):  # the second is a retry
        main(words)
    assert daily(tmp_path) == DAILY
    assert len(DeltaTable(tmp_path / "data/daily").history()) == 1


def _filled(word: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        word = word.replace(name, value)
    return word


def test_the_wheel_brings_the_files(tmp_path: Path) -> None:
    """As it is installed: its own code lays out the same files, with nothing of this checkout in reach."""
    wheel = ProjectBuilder(copy_of_sources(tmp_path / "sources")).build("wheel", str(tmp_path))
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    code = "import odibi_magics.cli as c; print(c.__file__); c.main(['init', 'made', '--databricks'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(str(tmp_path / "site"))
    assert files(tmp_path / "made") == FILES | BUNDLE
