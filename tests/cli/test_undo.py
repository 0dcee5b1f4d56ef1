"""`odibi-magics undo`, and `run` again, as real processes."""

from __future__ import annotations

import pytest
from deltalake import DeltaTable

from tests.cli.conftest import PROJECT, Command

APPENDING = PROJECT.replace("path: clean/orders}", "path: clean/orders, mode: append}")
FAILING = (
    APPENDING
    + "      - {name: after, depends_on: [clean], validation: {row_count: {min: 9}}, write: {connection: lake, path: after}}\n"
)


@pytest.fixture
def appending(odibi: Command) -> Command:
    (odibi.folder / "etl.odibi.yaml").write_text(APPENDING)
    return odibi


def rows(odibi: Command) -> int:
    return int(DeltaTable(str(odibi.folder / "clean/orders")).to_pyarrow_table().num_rows)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1].strip()


def test_a_second_run_fails_and_says_the_ways_on(appending: Command) -> None:
    assert appending("run", "etl.odibi.yaml").returncode == 0
    again = appending("run", "etl.odibi.yaml")
    assert again.returncode == 1 and again.stdout == ""
    assert "lake:clean/orders holds what node 'clean' would append: same 1 file as version 0" in again.stderr
    assert appending.data("run", "etl.odibi.yaml", code=1)["error"]["kind"] == "AppendRefused"
    assert appending("run", "etl.odibi.yaml", "--again").returncode == 0
    assert rows(appending) == 4
    assert appending("run", "etl.odibi.yaml", "--replace").returncode == 0
    assert rows(appending) == 2


def test_a_jobs_retry_is_a_resume(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING)
    job = ("run", "etl.odibi.yaml", "--resume", "--run-id", "job 7")
    first = odibi(*job)
    assert first.returncode == 1
    assert "odibi-magics run etl.odibi.yaml --resume --run-id 'job 7'" in first.stdout
    assert last_line(first.stdout) == "odibi-magics undo 'job 7' lake:clean/orders --file etl.odibi.yaml"
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING.replace("min: 9", "min: 1"))
    done = odibi.data(*job)
    assert [node["reason"] for node in done["nodes"] if node["name"] == "clean"] == [
        "written before by this run, version 0"
    ]
    assert rows(odibi) == 2


def test_undo_previews_then_acts(appending: Command) -> None:
    run = appending.data("run", "etl.odibi.yaml")["run_id"]
    shown = appending("undo")
    assert shown.returncode == 0 and rows(appending) == 2
    assert "empty: the run created it" in shown.stdout
    command = last_line(shown.stdout)
    assert command == f"odibi-magics undo {run} --at lake:clean/orders=0"
    done = appending(*command.split()[1:])
    assert done.returncode == 0 and rows(appending) == 0
    assert f"Run {run} was undone" in done.stdout
    assert appending.data("undo", run)["state"] == "nothing"


def test_undo_as_data(appending: Command) -> None:
    run = appending.data("run", "etl.odibi.yaml")["run_id"]
    found = appending.data("undo", run, "--file", "etl.odibi.yaml")
    assert (found["run"], found["state"]) == (run, "preview")
    [table] = found["tables"]
    assert (table["table"], table["state"], table["at"], table["back_to"]) == (
        "lake:clean/orders",
        "to undo",
        0,
        None,
    )
    assert table["restored"]["gone"]["rows"] == 2


def test_refused_and_wrong(appending: Command) -> None:
    appending("run", "etl.odibi.yaml")
    refused = appending("undo", "--at", "lake:clean/orders=7")
    assert refused.returncode == 1 and "it has no version 7, but 0" in refused.stderr
    assert appending.data("undo", "--at", "lake:clean/orders=7", code=1)["error"]["kind"] == "UndoRefused"
    assert appending("undo", "nightly").returncode == 2
    assert appending("undo", "--at", "x").returncode == 2
    assert appending("run", "etl.odibi.yaml", "--again", "--resume").returncode == 2
