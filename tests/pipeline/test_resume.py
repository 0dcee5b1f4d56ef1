"""Resume: what a failed run wrote is read back, the rest runs under the same id; nothing is mixed silently."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from odibi_magics import NodeFailed, UsageError, transform
from odibi_magics.errors import AppendRefused, ResumeRefused
from odibi_magics.pipeline.events import Event, NodeFinished, NodeStarted
from odibi_magics.pipeline.result import RunResult
from odibi_magics.session import Session
from tests.pipeline.conftest import SALES
from tests.pipeline.lakes import CHAIN, Lake, anywhere, cell, here

__all__ = ["anywhere", "here"]

ROOT = Path(__file__).resolve().parents[2]

# `clean` appends, `daily` fails until raw/limit.csv allows as many rows as there are.
NODES = """
- {name: sales, read: {connection: lake, path: raw/sales.csv}}
- name: clean
  transform: {steps: [{sql: "SELECT id, city, qty * price AS amount FROM sales WHERE qty > 0"}]}
  write: {connection: lake, path: clean, mode: append}
- {name: limit, read: {connection: lake, path: raw/limit.csv}}
- name: daily
  transform: {steps: [{sql: "SELECT count(*) AS n, max(most) AS most FROM clean CROSS JOIN limit"}]}
  validation: {expression: [{sql: n <= most}]}
  write: {connection: lake, path: daily, mode: append}
- {name: shown, transform: {steps: [{sql: SELECT n * 2 AS m FROM daily}]}}
"""


def failed(lake: Lake, **options: str) -> RunResult:
    lake.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed) as raised:
        lake.project(NODES).run(**options)  # type: ignore[arg-type]
    result: RunResult = raised.value.result
    assert (result.node("clean").state, result.node("daily").state) == ("done", "failed")
    return result


def test_what_was_written_is_read_back_and_the_rest_runs(anywhere: Lake) -> None:
    first = failed(anywhere)
    anywhere.put("raw/limit.csv", "most\n9\n")
    heard: list[Event] = []
    result = anywhere.project(NODES).run(resume=True, observers=[heard.append])
    assert result.run_id == first.run_id and result.state == "done"
    clean = result.node("clean")
    assert (clean.state, clean.reason) == ("done", "written before by this run, version 0")
    assert clean.written is not None and clean.written.version_after == 0
    assert anywhere.version("clean") == 0, "not written again"
    assert anywhere.rows("daily") == [(3, 9)]
    assert len(result["clean"]) == 3 and result["shown"].to_arrow().to_pylist() == [{"m": 6}]
    started = [event.node for event in heard if isinstance(event, NodeStarted)]
    assert "clean" not in started and "daily" in started
    assert "clean" in [event.node for event in heard if isinstance(event, NodeFinished)]
    assert "written before by this run, version 0" in str(result)
    assert '"written before by this run"' in result.to_json()
    mark = anywhere.mark("daily")
    assert mark is not None and mark.run == first.run_id


def test_it_is_read_at_the_version_it_wrote(anywhere: Lake) -> None:
    failed(anywhere)
    anywhere.other("clean", {"id": [9], "city": ["Bonn"], "amount": [1.0]})
    anywhere.put("raw/limit.csv", "most\n9\n")
    result = anywhere.project(NODES).run(resume=True)
    assert anywhere.rows("daily") == [(3, 9)]
    assert len(result["clean"]) == 3


def test_what_was_undone_since_is_written_again(anywhere: Lake) -> None:
    first = failed(anywhere)
    anywhere.project(NODES).undo(first.run_id)
    anywhere.put("raw/limit.csv", "most\n9\n")
    result = anywhere.project(NODES).run(resume=True, run_id=first.run_id)
    assert result.node("clean").reason == ""
    assert len(anywhere.rows("clean")) == 3


def test_a_run_id_makes_a_jobs_retry_a_resume(anywhere: Lake) -> None:
    """The same command each time: also the first, and once more when all is done."""
    anywhere.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed):
        anywhere.project(NODES).run(resume=True, run_id="job-7")
    with pytest.raises(NodeFailed):
        anywhere.project(NODES).run(resume=True, run_id="job-7")
    anywhere.put("raw/limit.csv", "most\n9\n")
    anywhere.project(NODES).run(resume=True, run_id="job-7")
    last = anywhere.project(NODES).run(resume=True, run_id="job-7")
    assert last.node("daily").reason == "written before by this run, version 0"
    assert (anywhere.version("clean"), anywhere.version("daily")) == (0, 0)


def test_without_an_id_there_must_be_something_to_resume(here: Lake) -> None:
    here.put("raw/limit.csv", "most\n9\n")
    with pytest.raises(UsageError, match="no table of these nodes tells of a run"):
        here.project(NODES).run(resume=True)
    done = here.project(NODES).run()
    with pytest.raises(
        UsageError, match=f"run {done.run_id}, the last one that these tables tell of, wrote all"
    ):
        here.project(NODES).run(resume=True)


def test_a_run_that_finished_is_not_resumed_with_another_text(here: Lake) -> None:
    here.put("raw/limit.csv", "most\n9\n")
    done = here.project(NODES).run().run_id
    changed = here.project(NODES.replace("qty > 0", "qty > 1"))
    for run, last in ((None, ", the last one that these tables tell of,"), (done, "")):
        with pytest.raises(UsageError) as refused:
            changed.run(resume=True, run_id=run)
        assert str(refused.value) == (
            f"there is nothing to resume: run {done}{last} wrote all of them. The text has changed since: run "
            "without --resume"
        )


def test_a_run_of_another_pipeline_is_not_gone_on_with(here: Lake) -> None:
    first = failed(here)
    other = "- {name: theirs, read: {connection: lake, path: raw/sales.csv}, write: {connection: lake, path: daily, mode: append}}"
    here.project(other).run(run_id="theirs")
    here.put("raw/limit.csv", "most\n9\n")
    text = NODES.replace("path: daily, mode: append", "path: daily, mode: append, merge_schema: true")
    assert here.project(text).run(resume=True).run_id == first.run_id


def test_another_text_is_refused_by_name(anywhere: Lake) -> None:
    first = failed(anywhere)
    changed = NODES.replace("qty > 0", "qty > 1")
    with pytest.raises(ResumeRefused) as refused:
        anywhere.project(changed).run(resume=True)
    assert f"run {first.run_id} cannot be resumed, nothing was run" in str(refused.value)
    assert "node 'clean': its text, or that of a node it takes, is another one now" in str(refused.value)
    assert anywhere.version("clean") == 0
    text = NODES.replace("n <= most", "n <= most + 99")
    assert anywhere.project(text).run(resume=True).state == "done", "what is left may be mended"


def test_a_node_that_wrote_another_table_is_refused_by_name(anywhere: Lake) -> None:
    beside = "- {name: beside, depends_on: [sales], write: {connection: lake, path: beside}}\n"
    anywhere.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed):
        anywhere.project(NODES + beside).run(run_id="r")
    elsewhere = NODES.replace("path: clean,", "path: elsewhere,") + beside
    with pytest.raises(
        ResumeRefused, match=r"node 'clean': it wrote .*clean, and would write .*elsewhere now"
    ):
        anywhere.project(elsewhere).run(resume=True, run_id="r")
    anywhere.put("raw/limit.csv", "most\n9\n")
    mended = NODES.replace("path: daily,", "path: other,") + beside
    assert anywhere.project(mended).run(resume=True, run_id="r").state == "done", "it had not written"


def test_other_inputs_are_told(anywhere: Lake) -> None:
    failed(anywhere)
    anywhere.put("raw/limit.csv", "most\n9\n")
    anywhere.put("raw/sales.csv", SALES + "5,2026-02-01 09:00:00,2026,2,Rome,1,1.0\n")
    result = anywhere.project(NODES).run(resume=True)
    [warned] = [each for each in result.node("clean").warnings if each.code == "resumed-with-old-inputs"]
    assert "what it read has changed since it wrote version 0" in warned.message


def test_what_nothing_needs_any_more_is_not_evaluated(here: Lake) -> None:
    calls: list[int] = []

    @transform
    def counted(df: object) -> object:
        calls.append(1)
        return df

    nodes = NODES.replace(
        "- name: clean\n",
        "- {name: made, depends_on: [sales], transform: {steps: [{function: counted}]}}\n- name: clean\n",
    ).replace("FROM sales", "FROM made")
    here.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed):
        here.project(nodes).run()
    here.put("raw/limit.csv", "most\n9\n")
    result = here.project(nodes).run(resume=True)
    assert len(calls) == 1
    assert result.node("made").state == "not evaluated"
    assert result.node("made").reason == "what takes it was written before"


def test_an_append_of_another_run_is_refused_here_too(here: Lake) -> None:
    here.put("raw/limit.csv", "most\n9\n")
    here.project(NODES).run()
    with pytest.raises(AppendRefused):
        here.project(NODES).run(resume=True, run_id="another")


def test_overwritten_since(here: Lake) -> None:
    """A later overwrite takes nothing back: the node's own version is there."""
    here.put("raw/limit.csv", "most\n9\n")
    with pytest.raises(NodeFailed):
        here.project(CHAIN + "  validation: {row_count: {min: 9}}\n").run(run_id="r")
    here.other("clean", {"id": [9], "city": ["Bonn"], "amount": [1.0]}, mode="overwrite")
    result = here.project(CHAIN).run(resume=True, run_id="r")
    assert result.node("clean").reason == "written before by this run, version 0"
    assert here.rows("daily") == [(3,)]


def test_the_failed_report_ends_with_what_goes_on(here: Lake) -> None:
    result = failed(here)
    text = str(result)
    assert text.rstrip().endswith(
        f"To take back what was written\n  project.undo('{result.run_id}', table='lake:clean', dry_run=True)"
    )
    assert f"project.run(resume=True, run_id='{result.run_id}')" in text


def test_the_session_knows_its_last_failed_run(here: Lake) -> None:
    session = Session()
    here.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed) as raised:
        cell(session, here.yaml(NODES))
    session.ended(raised.value.result)
    assert session.failed_run(["daily"]) == raised.value.result.run_id
    assert session.failed_run(["other"]) is None
    here.put("raw/limit.csv", "most\n9\n")
    cell(session, here.yaml(NODES), resume=True, run_id=session.failed_run(["daily"]))
    assert session.failed_run(["daily"]) is None


KILLED = """
import os, signal, sys
from pathlib import Path
from odibi_magics.pipeline.events import NodeFinished
from tests.pipeline.lakes import CHAIN, local
def die(event):
    if isinstance(event, NodeFinished) and event.node == "clean":
        os.kill(os.getpid(), signal.SIGKILL)
local(Path(sys.argv[1])).project(CHAIN).run(observers=[die])
"""


def test_a_run_that_was_killed_goes_on_in_another_process(here: Lake, tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert killed.returncode == -signal.SIGKILL
    result = here.project(CHAIN).run(resume=True)
    assert result.node("clean").reason == "written before by this run, version 0"
    assert here.rows("daily") == [(3,)]
