"""The command line as real processes: what it says where, and each exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from odibi_magics.cli.answer import failure
from odibi_magics.errors import MissingExtra
from tests.cli.conftest import PROJECT, Command

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 130

FAILING = PROJECT.replace("write:", "validation: {row_count: {min: 9}}\n        write:")


def test_a_library_that_is_not_installed_is_no_failure_of_a_run() -> None:
    assert failure(MissingExtra("pyspark", "spark", "the spark engine")).code == WRONG


# Done -----------------------------------------------------------------------------------------------------


def test_validate(odibi: Command) -> None:
    done = odibi("validate", "etl.odibi.yaml")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert done.stdout == "etl.odibi.yaml: no problems in 1 connection, 1 pipeline, 2 nodes\n"


def test_plan(odibi: Command) -> None:
    done = odibi("plan", "etl.odibi.yaml", "--sql")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "create" in done.stdout and "SELECT" in done.stdout
    assert not (odibi.folder / "clean").exists()


def test_plan_as_data(odibi: Command) -> None:
    plan = odibi.data("plan", "etl.odibi.yaml", "--sql")
    orders, clean = plan["nodes"]
    assert plan["engine"] == "pandas"
    assert orders["reads"]["address"] == "lake:orders.csv"
    assert clean["after"] == [{"node": "orders", "why": "named in SQL"}]
    assert (clean["writes"]["address"], clean["writes"]["action"]) == ("lake:clean/orders", "create")
    assert [column["name"] for column in clean["columns"]] == ["id", "qty"]
    assert "SELECT" in clean["sql"][0]


def test_run(odibi: Command) -> None:
    done = odibi("run", "etl.odibi.yaml")
    assert done.returncode == DONE
    assert "clean" in done.stdout
    assert "clean" in done.stderr, "the log of the progress"
    assert (odibi.folder / "clean/orders/_delta_log").is_dir()


def test_the_only_project_needs_no_name(odibi: Command) -> None:
    assert odibi("validate").stdout == odibi("validate", "etl.odibi.yaml").stdout
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING)
    assert "odibi-magics run etl.odibi.yaml --resume" in odibi("run").stdout, "commands name it"
    other = odibi.folder / "b.odibi.yaml"
    other.write_text("connections: {}")
    asked = odibi("plan", "--sql")
    assert (asked.returncode, asked.stderr) == (
        WRONG,
        "which project? one of: b.odibi.yaml, etl.odibi.yaml\n",
    )
    (odibi.folder / "etl.odibi.yaml").unlink()
    other.unlink()
    none = odibi("run")
    assert (none.returncode, "which project? There is no *.odibi.yaml here" in none.stderr) == (WRONG, True)


def test_run_without_progress(odibi: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ODIBI_PROGRESS", "off")
    assert odibi("run", "etl.odibi.yaml").stderr == ""


def test_run_as_data(odibi: Command) -> None:
    report = odibi.data("run", "etl.odibi.yaml", "--run-id", "r1")
    assert (report["run_id"], report["state"]) == ("r1", "done")


def test_run_preview_writes_nothing(odibi: Command) -> None:
    report = odibi.data("run", "etl.odibi.yaml", "--preview")
    assert report["preview"]["rows"] == [[1, 5], [3, 7]]
    assert not (odibi.folder / "clean").exists()


def test_preview(odibi: Command) -> None:
    done = odibi("preview", "lake:orders.csv")
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "2026-01-02" in done.stdout


@pytest.mark.parametrize("version", ["@3", "@2026-01-01T00:00Z"])
def test_files_have_no_versions(odibi: Command, version: str) -> None:
    done = odibi("preview", f"lake:orders.csv{version}")
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "lake:orders.csv is csv: only Delta tables have versions" in done.stderr


def test_preview_as_data(odibi: Command) -> None:
    shown = odibi.data("preview", "lake", "orders.csv", "--rows", "1")
    assert [column["name"] for column in shown["columns"]] == ["id", "qty", "day"]
    assert shown["rows"] == [[1, 5, "2026-01-01"]]


def test_a_timestamp_as_data_is_an_instant(odibi: Command) -> None:
    (odibi.folder / "t.csv").write_text("day,at\n2026-01-01,2026-01-01 10:00:00\n")
    assert odibi.data("preview", "t.csv")["rows"] == [["2026-01-01", "2026-01-01T10:00:00+00:00"]]


def test_preview_needs_no_project(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").unlink()
    assert "2026-01-02" in odibi("preview", "orders.csv").stdout


def test_connections(odibi: Command) -> None:
    done = odibi("connections")
    assert done.returncode == DONE
    assert "lake" in done.stdout and "ok" in done.stdout


@pytest.mark.parametrize(
    "words",
    [["--help"], ["-h"], *([v, "--help"] for v in ("validate", "plan", "run", "preview", "connections"))],
)
def test_help(odibi: Command, words: list[str]) -> None:
    done = odibi(*words)
    assert (done.returncode, done.stderr) == (DONE, "")
    assert "--json" in done.stdout


def test_a_reader_that_leaves_early_changes_nothing(odibi: Command) -> None:
    read, write = os.pipe()
    os.close(read)
    process = odibi.start("run", "etl.odibi.yaml", stdout=write)
    os.close(write)
    said = process.communicate()[1]
    assert process.returncode == DONE
    assert "BrokenPipe" not in said and "Traceback" not in said


def test_a_reader_that_leaves_a_failing_run(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING)
    read, write = os.pipe()
    os.close(read)
    process = odibi.start("run", "etl.odibi.yaml", stdout=write, stderr=write)
    os.close(write)
    assert process.wait() == FAILED


# Failed ---------------------------------------------------------------------------------------------------


def test_a_run_that_fails(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING)
    done = odibi("run", "etl.odibi.yaml")
    assert done.returncode == FAILED
    assert "failed" in done.stdout and "clean" in done.stderr
    assert not (odibi.folder / "clean/orders").exists()


def test_a_run_that_fails_as_data(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(FAILING)
    report = odibi.data("run", "etl.odibi.yaml", code=FAILED)
    assert report["state"] == "failed"


def test_a_connection_that_does_not_answer(odibi: Command) -> None:
    text = PROJECT.replace("lake:", "gone: {type: local, base_path: ./orders.csv}\n  lake:", 1)
    (odibi.folder / "etl.odibi.yaml").write_text(text)
    done = odibi("connections")
    assert done.returncode == FAILED
    assert "ok" in done.stdout and "failed" in done.stdout
    assert "gone" in done.stderr and "lake" not in done.stderr
    states = {row["name"]: row["state"] for row in odibi.data("connections", code=FAILED)}
    assert states == {"gone": "failed", "lake": "ok"}


def test_a_folder_that_a_run_would_make(odibi: Command) -> None:
    text = PROJECT.replace("lake:", "out: {type: local, base_path: ./out}\n  lake:", 1)
    (odibi.folder / "etl.odibi.yaml").write_text(text + MADE)
    assert {row["name"]: row["state"] for row in odibi.data("connections")} == {
        "lake": "ok", "out": "will be made",
    }  # fmt: skip
    assert "will be made" in odibi("connections").stdout


MADE = """\
      - name: made
        depends_on: [clean]
        write: {connection: out, path: made}
"""


def test_a_folder_that_is_read_first_is_a_failure(odibi: Command) -> None:
    text = PROJECT.replace("base_path: .", "base_path: ./nowhere")
    (odibi.folder / "etl.odibi.yaml").write_text(text)
    done = odibi("connections")
    assert done.returncode == FAILED
    assert "there is no folder" in done.stderr


def test_output_that_cannot_be_written(odibi: Command) -> None:
    if not Path("/dev/full").exists():
        pytest.fail("this test needs /dev/full")
    with Path("/dev/full").open("w") as full:
        process = odibi.start("validate", "etl.odibi.yaml", stdout=full)
        said = process.communicate()[1]
    assert process.returncode == FAILED
    assert "the output cannot be written" in said


# Wrong ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "usage: odibi-magics COMMAND"),
        (["rnu", "etl.odibi.yaml"], "did you mean 'run'?"),
        (["run", "etl.odibi.yaml", "--pveriew"], "did you mean '--preview'?"),
        (
            ["run", "nope.yaml"],
            "'nope.yaml' cannot be read: No such file or directory; there: etl.odibi.yaml",
        ),
        (["run", "."], "'.' cannot be read: Is a directory"),
        (["run", "etl.ipynb"], "'etl.ipynb' is a notebook: %odibi_save FILE in it writes the file that runs"),
        (["run", "orders.bin"], "is not UTF-8"),
        (["run", "etl.odibi.yaml", "--only", "claen"], "did you mean 'clean'?"),
        (["run", "etl.odibi.yaml", "--env", "prod"], "unknown environment 'prod'"),
        (["plan", "etl.odibi.yaml", "--engine", "panda"], "did you mean 'pandas'?"),
        (["preview"], "required: TABLE"),
        (["preview", "laek:orders.csv"], "did you mean 'lake'?"),
        (["preview", "lake:orders.csv", "--rows", "x"], "not 'x'"),
        (["connections", "--file", "nope.yaml"], "'nope.yaml' cannot be read"),
        (["connections", "--file", "empty.yaml"], "no connections are defined in empty.yaml"),
        (["preview", "orders.csv", "--env", "prod"], "unknown environment 'prod'"),
    ],
)
def test_a_wrong_call(odibi: Command, words: list[str], said: str) -> None:
    (odibi.folder / "orders.bin").write_bytes(b"\xff\xfe\x00")
    (odibi.folder / "empty.yaml").write_text("connections: {}")
    done = odibi(*words)
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["validate", "plan", "run"])
def test_a_wrong_text(odibi: Command, verb: str) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(PROJECT.replace("write:", "wriite:"))
    done = odibi(verb, "etl.odibi.yaml")
    assert (done.returncode, done.stdout) == (WRONG, "")
    assert "line 10 " in done.stderr and "did you mean 'write'?" in done.stderr


def test_a_wrong_text_as_data(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").write_text(PROJECT.replace("write:", "wriite:"))
    error = odibi.data("run", "etl.odibi.yaml", code=WRONG)["error"]
    assert error["kind"] == "ConfigErrors"
    [problem] = error["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("etl.odibi.yaml", 10, 9)
    assert problem["hint"] == "did you mean 'write'?"


def test_validate_has_one_shape_of_data(odibi: Command) -> None:
    right = odibi.data("validate", "etl.odibi.yaml")
    counts = {"connections": 1, "pipelines": 1, "nodes": 2}
    assert right == {"file": "etl.odibi.yaml", "valid": True, "problems": [], "warnings": [], **counts}

    (odibi.folder / "etl.odibi.yaml").write_text(PROJECT.replace("write:", "wriite:"))
    wrong = odibi.data("validate", "etl.odibi.yaml", code=WRONG)
    assert wrong.keys() == right.keys()
    assert (wrong["valid"], wrong["nodes"], wrong["warnings"]) == (False, None, [])
    [problem] = wrong["problems"]
    assert (problem["line"], problem["hint"]) == (10, "did you mean 'write'?")

    blob = "blob: {type: azure_adls, account: accounta, auth_mode: direct_key, account_key: c2VjcmV0c2VjcmV0}"
    (odibi.folder / "etl.odibi.yaml").write_text(PROJECT.replace("lake:", f"{blob}\n  lake:", 1))
    [warning] = odibi.data("validate", "etl.odibi.yaml")["warnings"]
    assert warning.keys() == {"message", "remedy", "code"}


def test_preview_a_node_that_writes_no_table(odibi: Command) -> None:
    assert "2026-01-02" in odibi("preview", "orders").stdout
    assert not (odibi.folder / "clean").exists()


def test_only_may_be_repeated(odibi: Command) -> None:
    report = odibi.data("run", "etl.odibi.yaml", "--only", "clean", "--only", "orders")
    assert [node["name"] for node in report["nodes"]] == ["orders", "clean"]


def test_a_wrong_call_as_data(odibi: Command) -> None:
    assert odibi.data("rnu", code=WRONG)["error"]["kind"] == "UsageError"


def test_no_project_here(odibi: Command) -> None:
    (odibi.folder / "etl.odibi.yaml").unlink()
    done = odibi("connections")
    assert done.returncode == WRONG
    assert "--file names one" in done.stderr


def test_closed_output(odibi: Command) -> None:
    words = " ".join(odibi.words("validate", "etl.odibi.yaml"))
    for closed in (">&-", ">&- 2>&-"):
        done = subprocess.run(["sh", "-c", f"{words} {closed}"], cwd=odibi.folder, env=odibi.environment)
        assert done.returncode == DONE


def test_which_file(odibi: Command) -> None:
    (odibi.folder / "other.odibi.yaml").write_text(PROJECT)
    done = odibi("connections")
    assert done.returncode == WRONG
    assert "etl.odibi.yaml, other.odibi.yaml" in done.stderr


# Stopped --------------------------------------------------------------------------------------------------

SLOW = """\
import time
from pathlib import Path
from odibi_magics import transform

@transform
def slow(df):
    Path("started").touch()
    while not Path("release").exists():
        time.sleep(0.01)
    return df
"""


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_stop(odibi: Command, signal_: signal.Signals) -> None:
    (odibi.folder / "slow.py").write_text(SLOW)
    text = "functions: [slow.py]\n" + PROJECT.replace(
        'sql: "SELECT id, qty FROM orders WHERE qty > 0"', "function: slow"
    )
    (odibi.folder / "etl.odibi.yaml").write_text(text)
    process = odibi.start("run", "etl.odibi.yaml", "--json")
    while not (odibi.folder / "started").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal_)
    assert process.stderr is not None
    assert any("stop" in line for line in process.stderr), "Stop is said at once"
    (odibi.folder / "release").touch()
    data, said = process.communicate()

    assert process.returncode == STOPPED
    assert json.loads(data)["state"] == "stopped"
    assert "Traceback" not in said
    assert not (odibi.folder / "clean").exists()


def test_stop_of_a_function_that_never_ends(odibi: Command) -> None:
    (odibi.folder / "slow.py").write_text(SLOW)
    text = "functions: [slow.py]\n" + PROJECT.replace(
        'sql: "SELECT id, qty FROM orders WHERE qty > 0"', "function: slow"
    )
    (odibi.folder / "etl.odibi.yaml").write_text(text)
    process = odibi.start("run", "etl.odibi.yaml")
    while not (odibi.folder / "started").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGTERM)
    said, log = process.communicate(timeout=30)
    assert process.returncode == STOPPED
    assert "its function goes on, and what it returns is dropped" in said
    assert log.endswith("stopped: clean not written\n")


# As a function --------------------------------------------------------------------------------------------


def test_main_returns_where_it_worked(
    odibi: Command, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from odibi_magics.cli import main

    monkeypatch.chdir(odibi.folder)
    main(["run", "etl.odibi.yaml"])
    with pytest.raises(SystemExit) as stopped:
        main(["run", "nope.yaml"])
    assert stopped.value.code == WRONG
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, "as it was before"


def test_importing_the_command_is_light(odibi: Command) -> None:
    heavy = {"pandas", "pyarrow", "duckdb", "deltalake", "pydantic", "sqlglot", "IPython", "yaml"}
    code = f"import sys, odibi_magics.cli.command; print(sorted({heavy!r} & set(sys.modules)))"
    words = [*odibi.words()[:1], "-c", code]
    done = subprocess.run(words, env=odibi.environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
