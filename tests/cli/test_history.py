"""`odibi-magics history` as a process."""

from __future__ import annotations

import shlex

from odibi_magics.cli.answer import FAILED, WRONG
from tests.cli.conftest import Command
from tests.engines import logs


def test_a_table_s_history(odibi: Command) -> None:
    run = odibi.data("run", "etl.odibi.yaml", "--run-id", "r-1")
    done = odibi("history", "lake:clean/orders", "--file", "etl.odibi.yaml")
    assert (done.returncode, run["run_id"]) == (0, "r-1")
    for told in (
        "1 version, 0",
        "r-1 clean",
        "odibi-magics preview lake:clean/orders@0 --file etl.odibi.yaml",
    ):
        assert told in done.stdout


def test_printed_commands_are_of_the_same_project(odibi: Command) -> None:
    text = (odibi.folder / "etl.odibi.yaml").read_text()
    folder = odibi.folder / "my dir"
    folder.mkdir()
    (folder / "load.yaml").write_text(text.replace("base_path: .", "base_path: '{{ lake }}'"))
    of = ("--file", "my dir/load.yaml", "--set", f"lake={odibi.folder}")
    for _ in range(2):
        assert odibi("run", of[1], *of[2:], "--again").returncode == 0
    verbs = ("history", "lake:clean/orders"), ("diff", "clean@0", "clean@1"), ("restore", "clean@0")
    lines = {line for verb in verbs for line in _commands(odibi(*verb, *of).stdout)}
    assert {line.split()[1] for line in lines} == {"preview", "diff", "restore"}
    for line in lines:
        assert odibi(*shlex.split(line)[1:]).returncode == 0, line


def _commands(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip().startswith("odibi-magics ")]


def test_as_data(odibi: Command) -> None:
    odibi.data("run", "etl.odibi.yaml", "--run-id", "r-1")
    odibi.data("run", "etl.odibi.yaml")
    told = odibi.data("history", "clean", "--limit", "1")
    assert (told["address"], told["newest"], told["oldest"], told["more"]) == ("lake:clean/orders", 1, 0, 1)
    assert told["warnings"] == []
    (older,) = odibi.data("history", "clean@0")["entries"]
    assert (older["version"], older["run"], older["node"], older["rows_inserted"], older["files_added"]) == (
        0,
        "r-1",
        "clean",
        2,
        1,
    )
    assert older["time"].endswith("+00:00")


def test_warnings(odibi: Command) -> None:
    logs.long_log(odibi.folder / "t", 60)
    done = odibi("history", "t", "--limit", "2")
    assert "60 files of 1.0 kB on average" in done.stdout
    assert "compact it (odibi-magics optimize t)" in done.stdout and "%odibi" not in done.stdout
    assert [one["code"] for one in odibi.data("history", "t")["warnings"]] == ["many-small-files"]


def test_a_version_that_is_not_there(odibi: Command) -> None:
    logs.long_log(odibi.folder / "t", 5)
    done = odibi("history", "t@99")
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr == "t has no version 99: its versions are 0 to 4\n"


def test_a_connection_of_no_project(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").unlink()
    done = odibi("history", "lake:clean/orders")
    told = "unknown connection 'lake': --file FILE names the project of it\n"
    assert (done.returncode, done.stderr) == (WRONG, told)


def test_a_path_needs_no_project(odibi: Command) -> None:
    logs.long_log(odibi.folder / "data/foreign", 5)
    other = odibi.folder / "b.odibi.yaml"
    other.write_text("connections: {}")
    asked = odibi("history", "foreign")
    files = "b.odibi.yaml, etl.odibi.yaml"
    assert asked.stderr == f"which project? --file one of: {files}; a path, as ./orders, needs none\n"
    assert odibi("connections").stderr == f"which project? --file one of: {files}\n"
    assert odibi.data("history", "data/foreign")["newest"] == 4
    assert odibi.data("history", "./data/foreign@3")["address"] == "./data/foreign"
    assert odibi("history", "data/foreign", "--env", "prod").stderr == asked.stderr
    other.unlink()
    (odibi.folder / "etl.odibi.yaml").write_text("connections: {lake: {tpye: local}}")
    assert odibi.data("history", "data/foreign")["newest"] == 4
    for words in (("lake:foreign",), ("data/foreign", "--file", "etl.odibi.yaml")):
        assert "missing key 'type'" in odibi("history", *words).stderr
    assert "has no version 9" in odibi("diff", "data/foreign@9", "data/foreign").stderr
    inside = Command(odibi.folder / "data/foreign")
    (inside.folder / "x.odibi.yaml").write_text("pipelines: 1")
    assert inside.data("vacuum", ".")["address"] == "."


def test_what_is_wrong(odibi: Command) -> None:
    assert odibi("history").returncode == WRONG
    assert odibi("history", "t", "--limit", "0").returncode == WRONG
    done = odibi("history", "orders.csv")
    assert (done.returncode, "is a file, not a Delta table" in done.stderr) == (FAILED, True)
    folder = logs.long_log(odibi.folder / "t", 5)
    (folder / "_delta_log" / logs.name(3)).write_bytes(b"")
    error = odibi.data("history", "t", code=FAILED)["error"]
    assert (error["kind"], f"_delta_log/{logs.name(3)}: it is empty" in error["message"]) == (
        "DamagedLog",
        True,
    )
