"""TABLEs that are paths of this machine: whichever way one is written, it is the folder that the system means."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from odibi_magics import Project
from odibi_magics.errors import EngineError, UsageError
from tests.engines import logs

WAYS = [
    ("outer/inner", "."), ("outer/inner", "./"), ("outer/inner", "./."), ("outer/inner", ".@1"),
    ("outer/inner", "../inner"), ("outer/inner", "../../outer/inner/"), ("outer/inner/month=1", ".."),
    ("outer/inner/month=1", "../"), ("outer/inner/month=1", "..@1"), ("outer/inner", "month=1/.."),
    ("outer", "inner"), ("outer", "./inner/"), ("outer", "inner/month=1/.."), (".", "~"), (".", "~/."),
    (".", "elsewhere/link"), (".", "elsewhere/link/"), (".", "elsewhere/outer/inner"), ("elsewhere/link", "."),
    ("elsewhere/link/month=1", ".."), (".", "elsewhere/link/month=1/.."), (".", "elsewhere/../outer/inner"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of 2 versions in one of 3, beside one with the name of a link to it; its own folder is the home."""
    logs.long_log(tmp_path / "outer", 3)
    logs.long_log(tmp_path / "outer/inner", 2)
    logs.long_log(tmp_path / "outer/link", 4)
    (tmp_path / "outer/inner/month=1").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/link").symlink_to(tmp_path / "outer/inner")
    (tmp_path / "elsewhere/outer").symlink_to(tmp_path / "outer")
    monkeypatch.setenv("HOME", str(tmp_path / "outer/inner"))
    return tmp_path


@pytest.mark.parametrize("text", ["connections: {}", "connections: {lake: {type: local, base_path: BASE}}"])
@pytest.mark.parametrize(("here", "table"), WAYS)
def test_one_folder_however_it_is_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, here: str, table: str
) -> None:
    monkeypatch.chdir(folder / here)
    engine = Project.from_yaml(text.replace("BASE", str(folder))).engine
    found = engine.history(table)
    assert (found.url, found.newest) == (str(folder / "outer/inner"), 1)
    assert found.address == table.partition("@")[0]  # what a printed command takes


@pytest.mark.parametrize(
    ("table", "above"),
    [
        (".", "BASE/outer/inner"),
        ("./", "BASE/outer/inner"),
        ("../month=1", ".."),
        ("../../inner/month=1", "../../inner"),
    ],
)
def test_a_table_s_folder_is_not_the_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, table: str, above: str
) -> None:
    said = f"{table} is no Delta table: it lies in the table {above.replace('BASE', str(folder))}"
    monkeypatch.chdir(folder / "outer/inner/month=1")
    engine = Project.from_yaml("connections: {}").engine
    for verb in (engine.history, engine.vacuum, engine.optimize, engine.detail, engine.read):
        with pytest.raises(EngineError, match=f"^{re.escape(said)}$"):
            verb(table)


def test_a_link_to_a_file_keeps_the_format_of_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "2026").write_text("id\n1\n")
    (folder / "2026.csv").write_text("id\n1\n2\n")
    (folder / "today.csv").symlink_to(folder / "2026")
    (folder / "newest").symlink_to(folder / "2026.csv")
    monkeypatch.chdir(folder)
    engine = Project.from_yaml("connections: {}").engine
    assert [len(engine.read(name).to_arrow()) for name in ("today.csv", "newest")] == [1, 2]


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (r".\outer\inner", "no file or folder"), (r"outer\inner", "no file or folder"),
        ("outer/none", "no file or folder"), ("../none/", "no file or folder"), ("circle", "no file or folder"),
        ("x" * 300, "cannot be followed: File name too long"), ("a\0b/c", "no file or folder"),
        ("~nobody-of-this-name/t", "cannot be followed: Could not determine home directory"),
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch, table: str, says: str
) -> None:
    (folder / "circle").symlink_to(folder / "circle")
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=says):
        Project.from_yaml("connections: {}").engine.vacuum(table)


def test_a_folder_that_is_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    engine = Project.from_yaml("connections: {}").engine
    (folder / "gone").rmdir()
    with pytest.raises(UsageError, match=r"'\.' cannot be followed: No such file or directory"):
        engine.vacuum(".")


PROJECT = """\
connections:
  lake: {type: local, base_path: LAKE}
  cloud: {type: azure_adls, account: nowhere, auth_mode: identity}
pipelines: [{pipeline: etl, nodes: [{name: orders, read: {connection: lake, path: a.csv}}]}]
"""


@pytest.mark.parametrize(
    ("table", "meant"),
    [
        ("inner", "lake:inner"), ("inner/month=1@3", "lake:inner/month=1"), ("lake/new/table", "lake:new/table"),
        ("cloud/main/orders", "cloud:main/orders"), ("ordres", "orders"), ("elsewehre", "elsewhere"),
        ("elsewhere/linc", "elsewhere/link"), ("./outer/iner/", "./outer/inner"), ("zzz", None), ("nowhere/x", None),
    ],
)  # fmt: skip
def test_what_may_have_been_meant(
    folder: Path, monkeypatch: pytest.MonkeyPatch, table: str, meant: str | None
) -> None:
    monkeypatch.chdir(folder)
    engine = Project.from_yaml(PROJECT.replace("LAKE", str(folder / "outer"))).engine
    word = table.partition("@")[0]
    with pytest.raises(UsageError) as caught:
        engine.history(table)
    assert str(caught.value) == (
        f"'{word}' not found: it is no connection's path (conn:path), no node, no catalog.schema.table, and no file or "
        "folder here" + (f": did you mean '{meant}'?" if meant else "")
    )


def test_keys_are_a_list() -> None:
    engine = Project.from_yaml("connections: {lake: {type: local, base_path: .}}").engine
    said = r"^keys: a list of columns is wanted, as \['id'\], not 'id'$"
    with pytest.raises(UsageError, match=said):
        engine.diff_delta(connection="lake", path="t", version=0, keys="id")
    with pytest.raises(UsageError, match=said):
        engine.diff("lake:t@0", keys="id")
