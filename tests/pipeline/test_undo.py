"""Undo: all tables of a run go back to before it, or none does."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics import Cancelled, NodeFailed, Project, UsageError
from odibi_magics.delta.undo import Undone
from odibi_magics.engines.pandas import restore as restoring
from odibi_magics.errors import ConnectionFailed, EngineError, UndoFailed, UndoRefused
from odibi_magics.session import Session
from odibi_magics.undoing import is_table
from tests.pipeline.conftest import SALES
from tests.pipeline.lakes import APPEND, CHAIN, Lake, anywhere, cell, here, local

__all__ = ["anywhere", "here"]

ROOT = Path(__file__).resolve().parents[2]
MORE = {"id": [9], "city": ["Bonn"], "amount": [1.0]}


def states(undone: Undone) -> dict[str, str]:
    return {table.table: table.state for table in undone.tables}


def twice(lake: Lake) -> tuple[str, str]:
    """Two runs of the chain, the second of other rows; their ids."""
    first = lake.project(CHAIN).run().run_id
    lake.put("raw/sales.csv", SALES + "5,2026-02-01 09:00:00,2026,2,Rome,1,1.0\n")
    return first, lake.project(CHAIN).run().run_id


def test_every_table_of_a_run_goes_back(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    before = anywhere.rows("clean", 0), anywhere.rows("daily", 0)
    undone = anywhere.project(CHAIN).undo(second)
    assert undone.state == "done" and states(undone) == {"lake:clean": "undone", "lake:daily": "undone"}
    assert (anywhere.rows("clean"), anywhere.rows("daily")) == before
    assert [table.now for table in undone.tables] == [2, 2]
    mark = anywhere.mark("daily")
    assert mark is not None and (mark.run, mark.mode, mark.undoes) == (undone.undo, "undo", second)
    last, written, _ = anywhere.project(CHAIN).engine.history("lake:daily").entries
    assert (last.run, last.undoes, written.run, written.undoes) == (undone.undo, second, second, None)


def test_a_preview_touches_nothing_and_tells_what_would_come_and_go(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    undone = anywhere.project(CHAIN).undo(second, dry_run=True)
    assert undone.state == "preview" and set(states(undone).values()) == {"to undo"}
    clean, daily = undone.tables
    assert clean.restored and (clean.restored.back.rows, clean.restored.gone.rows) == (3, 4)
    assert daily.restored and (daily.restored.back.rows, daily.restored.gone.rows) == (0, 1)
    assert (clean.at, clean.back_to) == (1, 0)
    assert (anywhere.version("clean"), anywhere.version("daily")) == (1, 1)


def test_any_one_table_leads_to_the_others(anywhere: Lake) -> None:
    """From a project that knows nothing but one of the tables."""
    _, second = twice(anywhere)
    alone = anywhere.project("- {name: daily, read: {connection: lake, path: raw/sales.csv}}")
    undone = alone.undo(table="lake:daily")
    assert undone.run == second
    assert set(states(undone).values()) == {"undone"} and len(undone.tables) == 2


def test_the_versions_lead_to_the_run_in_a_project_that_knows_no_node(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    alone = anywhere.project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}")
    undone = alone.undo(second, at={"lake:clean": 1, "lake:daily": 1})
    assert states(undone) == {"lake:clean": "undone", "lake:daily": "undone"}


def test_tables_are_named_by_their_connection(here: Lake) -> None:
    """Also where a mark, or who typed it, gives a whole path."""
    twice(here)
    alone = here.project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}")
    seen = alone.undo(table=here.place("daily").url, dry_run=True)
    assert [table.table for table in seen.tables] == ["lake:clean", "lake:daily"]


def test_the_last_run_by_default_and_none_before_it(anywhere: Lake) -> None:
    first, second = twice(anywhere)
    built = anywhere.project(CHAIN)
    undo = built.undo()
    assert undo.run == second
    again = built.undo()
    assert (again.run, again.state) == (second, "nothing")
    assert {table.undone_by for table in again.tables} == {undo.undo}
    assert (anywhere.version("clean"), anywhere.version("daily")) == (2, 2)
    assert built.undo(first).state == "done"
    assert (anywhere.rows("clean"), anywhere.rows("daily")) == ([], [])


def test_of_a_table_the_newest_run_that_is_not_undone(anywhere: Lake) -> None:
    """And where all are, the last of them, with the undo that did it."""
    first, second = twice(anywhere)
    built = anywhere.project(CHAIN)
    undone = [built.undo(table="lake:clean") for _ in range(2)]
    assert [each.run for each in undone] == [second, first]
    again = built.undo(table="lake:clean")
    assert (again.run, again.state) == (second, "nothing")
    assert {table.undone_by for table in again.tables} == {undone[0].undo}


def test_a_table_the_run_created_is_emptied(anywhere: Lake) -> None:
    first = anywhere.project(CHAIN).run()
    undone = anywhere.project(CHAIN).undo(first.run_id)
    assert [table.back_to for table in undone.tables] == [None, None]
    assert anywhere.rows("clean") == []
    assert [field.name for field in anywhere.table("clean").schema().fields] == ["id", "city", "amount"]
    assert anywhere.project(CHAIN).run().state == "done", "the append is none that the table holds"


def test_an_undone_run_is_undone_already(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    built = anywhere.project(CHAIN)
    undo = built.undo(second)
    again = built.undo(second)
    assert again.state == "nothing" and set(states(again).values()) == {"undone already"}
    assert "version 2 of 20" in again.tables[0].why and f"RESTORE by run {undo.undo}" in again.tables[0].why
    assert anywhere.version("clean") == 2


def test_an_undo_is_undone_again(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    rows = anywhere.rows("clean"), anywhere.rows("daily")
    built = anywhere.project(CHAIN)
    undo = built.undo(second)
    built.undo(undo.undo)
    assert (anywhere.rows("clean"), anywhere.rows("daily")) == rows
    assert states(built.undo(second, dry_run=True)) == {"lake:clean": "to undo", "lake:daily": "to undo"}


def test_later_data_of_others_is_taken_away_only_with_force(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    anywhere.other("clean", MORE)
    built = anywhere.project(CHAIN)
    look = built.undo(second, dry_run=True)
    assert states(look) == {"lake:clean": "refused", "lake:daily": "to undo"}
    with pytest.raises(
        UndoRefused, match=r"lake:clean: others wrote to it behind the run: version 2, WRITE of .* UTC"
    ):
        built.undo(second)
    assert (anywhere.version("clean"), anywhere.version("daily")) == (2, 1), "no table is touched"
    built.undo(second, force=True)
    assert anywhere.rows("clean") == anywhere.rows("clean", 0)


def test_a_later_run_of_ours_is_in_the_way_too(here: Lake) -> None:
    first, second = twice(here)
    with pytest.raises(UndoRefused, match=f"by run {second}"):
        here.project(CHAIN).undo(first)


def test_commits_that_change_no_data_do_not_count(anywhere: Lake) -> None:
    twice(anywhere)
    anywhere.other("daily", {"n": [1]})
    third = anywhere.project(CHAIN.replace("count(*)", "count(*) + 1")).run().run_id
    anywhere.table("daily").optimize.compact()
    anywhere.table("daily").vacuum(dry_run=False)
    assert anywhere.project(CHAIN).undo(third).state == "done"
    assert sorted(anywhere.rows("daily")) == sorted(anywhere.rows("daily", 2))


def test_a_table_that_several_nodes_wrote_goes_back_to_before_the_first(anywhere: Lake) -> None:
    anywhere.other("clean", MORE)
    beside = "- {name: beside, depends_on: [clean], write: {connection: lake, path: clean, mode: append}}"
    result = anywhere.project(APPEND + beside).run()
    assert anywhere.version("clean") == 2
    undone = anywhere.project(APPEND).undo(result.run_id)
    [table] = undone.tables
    assert (table.back_to, table.nodes) == (0, ("clean", "beside"))
    assert anywhere.rows("clean") == anywhere.rows("clean", 0)


ALONE = """
- name: b
  depends_on: [clean]
  transform: {steps: [{sql: "SELECT count(*) AS n FROM clean"}]}
  write: {connection: lake, path: b, mode: append}
"""


def resumed(session: Session, lake: Lake, text: str) -> str:
    """A run whose second node failed, and that went on with a cell of other nodes; its id."""
    with pytest.raises(NodeFailed) as failed:
        cell(session, lake.yaml(text + "  validation: {row_count: {min: 9}}\n"))
    run: str = failed.value.result.run_id
    rest = Lake(lake.text).yaml(ALONE).split("pipelines:")[1]
    cell(session, f"pipelines:{rest}", resume=True, run_id=run)
    return run


def test_a_run_that_went_on_with_other_nodes_is_undone_whole(anywhere: Lake) -> None:
    """From the table of after, in a project that knows no other: its mark tells of those of before."""
    run = resumed(Session(), anywhere, APPEND + ALONE)
    alone = anywhere.project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}")
    undone = alone.undo(table="lake:b")
    assert undone.run == run
    assert states(undone) == {"lake:clean": "undone", "lake:b": "undone"}
    assert anywhere.rows("clean") == anywhere.rows("b") == []


def test_a_table_that_only_came_with_the_resume_is_undone_with_the_others(here: Lake) -> None:
    """From a table of before, whose mark knows nothing of it."""
    session = Session()
    run = resumed(session, here, CHAIN)
    undone = session.undo(run, table="lake:clean", at=None, dry_run=False, force=False)
    assert states(undone) == {"lake:clean": "undone", "lake:daily": "gone", "lake:b": "undone"}


def test_a_table_that_cannot_be_looked_at_is_told(here: Lake) -> None:
    run = here.project(CHAIN).run().run_id
    here.put("broken/there", "")
    (Path(here.place("broken").url) / "_delta_log").symlink_to("_delta_log")
    more = "- {name: more, depends_on: [clean], write: {connection: lake, path: broken, mode: append}}"
    undone = here.project(CHAIN + more).undo(run, dry_run=True)
    assert undone.left[0].startswith(
        "what the run may have written where it could not be looked: lake:broken: "
    )


def test_what_cannot_be_taken_back_is_told(here: Lake) -> None:
    nodes = APPEND + "- {name: out, depends_on: [clean], write: {connection: lake, path: out.csv}}"
    result = here.project(nodes).run()
    undone = here.project(nodes).undo(result.run_id)
    files, others = undone.left
    assert "out.csv, written by out as csv" in files
    assert "streams" in others and "change feed" in others


def test_versions_that_were_vacuumed_are_told_before_anything_is_touched(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    anywhere.table("clean").vacuum(0, enforce_retention_duration=False, dry_run=False)
    built = anywhere.project(CHAIN)
    assert states(built.undo(second, dry_run=True))["lake:clean"] == "refused"
    with pytest.raises(UndoRefused, match="no table was touched"):
        built.undo(second)
    assert anywhere.version("daily") == 1


def test_the_versions_that_were_seen_must_stand(anywhere: Lake) -> None:
    _, second = twice(anywhere)
    built = anywhere.project(CHAIN)
    seen = {table.table: table.at or 0 for table in built.undo(second, dry_run=True).tables}
    assert seen == {"lake:clean": 1, "lake:daily": 1}
    with pytest.raises(UndoRefused, match="lake:daily: --at gives no version for it; it has version 1 now"):
        built.undo(second, at={"lake:clean": 1})
    with pytest.raises(UndoRefused, match="lake:clean: it has no version 7, but 1"):
        built.undo(second, at={**seen, "lake:clean": 7})
    anywhere.other("stranger", {"n": [1]})
    with pytest.raises(
        UsageError, match=rf"version for lake:stranger, but run {second} wrote lake:clean, lake:daily"
    ):
        built.undo(second, at={**seen, "lake:stranger": 0})
    anywhere.other("daily", {"n": [1]})
    with pytest.raises(UndoRefused, match=r"lake:daily: it was changed after version 1: version 2, WRITE"):
        built.undo(second, at=seen, force=True)
    assert anywhere.version("clean") == 1
    anywhere.table("daily").optimize.compact()
    built.undo(second, at={**seen, "lake:daily": 2}, force=True)
    assert anywhere.rows("daily") == anywhere.rows("daily", 0)


def test_a_table_that_nothing_leads_to_is_named(here: Lake, tmp_path: Path) -> None:
    _, second = twice(here)
    commit = tmp_path / "daily" / "_delta_log" / f"{1:020}.json"
    commit.write_text(commit.read_text().replace(str(tmp_path / "clean"), "s3://elsewhere/clean"))
    with pytest.raises(
        UsageError, match=r"wrote s3://elsewhere/clean, too \(clean\), and nothing leads there: .*s3"
    ):
        here.project(CHAIN).undo(second)
    assert here.version("clean") == here.version("daily") == 1


def test_a_copy_does_not_undo_the_tables_it_was_copied_from(here: Lake, tmp_path: Path) -> None:
    here.project(APPEND).run()
    run = here.project(APPEND).run(again=True).run_id
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "clean", copy / "clean")
    shutil.copytree(tmp_path / "raw", copy / "raw")
    ways: list[dict[str, Any]] = [{"run_id": run}, {"table": "lake:clean"}, {}]
    for named in ways:
        with pytest.raises(
            UsageError, match=f"that run wrote {tmp_path}/clean: the table was moved or copied"
        ):
            local(copy).project(APPEND).undo(**named)
    assert here.version("clean") == local(copy).version("clean") == 1


def test_a_run_of_several_calls_is_undone_as_a_whole(here: Lake) -> None:
    """Each call's marks know the tables of that call alone."""
    nodes = """
    - {name: sales, read: {connection: lake, path: raw/sales.csv}}
    - {name: a, depends_on: [sales], write: {connection: lake, path: a, mode: append}}
    - {name: b, depends_on: [sales], write: {connection: lake, path: b, mode: append}}
    """
    here.project(nodes).run(only=["a"], run_id="job-1")
    here.project(nodes).run(only=["b"], run_id="job-1")
    assert states(here.project(nodes).undo("job-1")) == {"lake:a": "undone", "lake:b": "undone"}


def test_a_table_that_is_gone_does_not_keep_the_others(here: Lake, tmp_path: Path) -> None:
    """Neither in a session that knows its connection, nor in one that knows only its path."""
    here.project(CHAIN).run()
    shutil.rmtree(tmp_path / "daily")
    assert set(states(here.project(CHAIN).undo(dry_run=True)).values()) == {"to undo", "gone"}
    assert set(states(here.project(APPEND).undo()).values()) == {"undone", "gone"}


@pytest.mark.parametrize(
    "run", ["scheduled__2026-11-20T00:00:00+00:00", "manual__2026-11-20T18:00:01.5+00:00"]
)
def test_a_schedulers_run_id_is_no_table(here: Lake, run: str) -> None:
    built = here.project(APPEND)
    assert not is_table(built, run)
    assert (
        is_table(built, "lake:clean")
        and is_table(built, "lak:clean")
        and is_table(built, "lake:2026-11-20T00:00")
    )


def test_what_nobody_knows(here: Lake) -> None:
    twice(here)
    newest = here.project(CHAIN).undo(dry_run=True).run
    said = rf"no commit of run 'nightly' is in lake:clean, lake:daily: name a TABLE .*; the newest run there is '{newest}'$"
    with pytest.raises(UsageError, match=said):
        here.project(CHAIN).undo("nightly")
    reading = here.project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}")
    with pytest.raises(UsageError, match="no node that writes a Delta table is defined here yet"):
        reading.undo()
    with pytest.raises(UsageError, match=r"^node 'sales' writes no table$"):
        reading.undo(table="sales")
    with pytest.raises(EngineError, match=r"there is no Delta table at lake:clen: did you mean 'clean'"):
        reading.undo(table="lake:clen")


def test_a_failed_run_is_undone_as_far_as_it_came(anywhere: Lake) -> None:
    anywhere.project(CHAIN).run()
    nodes = CHAIN + "  validation: {row_count: {min: 9}}\n"
    with pytest.raises(NodeFailed) as failed:
        anywhere.project(nodes).run(again=True)
    run = failed.value.result.run_id
    undone = anywhere.project(nodes).undo(run)
    assert states(undone) == {"lake:clean": "undone", "lake:daily": "not written"}
    assert anywhere.version("daily") == 0


# Others at the same time, and faults ----------------------------------------------------------------------


def between(monkeypatch: pytest.MonkeyPatch, do: Any, on: int = 2) -> None:
    """Something that happens right before the restore of the n-th table is committed."""
    real, count = restoring.restore, [0]

    def slow(place: Any, version: Any, **more: Any) -> Any:
        if not more.get("dry_run"):
            count[0] += 1
            if count[0] == on:
                do()
        return real(place, version, **more)

    monkeypatch.setattr(restoring, "restore", slow)


def test_tables_that_were_done_are_put_back(anywhere: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = twice(anywhere)
    rows = anywhere.rows("clean")
    with monkeypatch.context() as patched:
        between(patched, lambda: anywhere.other("daily", {"n": [7]}))
        with pytest.raises(UndoFailed) as failed:
            anywhere.project(CHAIN).undo(second)
    result = failed.value.result
    assert states(result) == {"lake:clean": "put back", "lake:daily": "failed"}
    assert [table.now for table in result.tables] == [3, 2]
    assert anywhere.rows("clean") == rows
    assert anywhere.rows("daily")[-1] == (7,)
    assert "lake:clean: put back, version 3" in str(failed.value)
    with pytest.raises(UndoRefused, match="lake:daily: others wrote to it"):
        anywhere.project(CHAIN).undo(second)
    again = anywhere.project(CHAIN).undo(second, force=True)
    assert set(states(again).values()) == {"undone"}


def test_not_where_somebody_has_written_since(here: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = twice(here)

    def others() -> None:
        here.other("daily", {"n": [7]})
        here.other("clean", MORE)

    between(monkeypatch, others)
    with pytest.raises(UndoFailed) as failed:
        here.project(CHAIN).undo(second)
    clean, daily = failed.value.result.tables
    assert (clean.state, daily.state) == ("undone", "failed")
    assert "could not be put back" in clean.why
    assert len(here.rows("clean")) == 4, "the three of before, and theirs"


def test_storage_that_fails_in_the_middle(here: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = twice(here)

    def gone() -> None:
        raise ConnectionFailed("Connection 'lake': no answer")

    between(monkeypatch, gone)
    with pytest.raises(UndoFailed, match="lake:daily: failed, version 1: Connection 'lake': no answer"):
        here.project(CHAIN).undo(second)
    assert here.rows("clean") == here.rows("clean", 1)


def test_stop_puts_back_what_was_done(here: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = twice(here)

    def stop() -> None:
        raise KeyboardInterrupt

    between(monkeypatch, stop)
    with pytest.raises(Cancelled) as stopped:
        here.project(CHAIN).undo(second)
    assert states(stopped.value.result) == {"lake:clean": "put back", "lake:daily": "failed"}
    assert here.rows("clean") == here.rows("clean", 1)


def test_one_who_undoes_it_at_the_same_time_is_no_fault(here: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    _, second = twice(here)
    between(monkeypatch, lambda: here.table("daily").restore(0))
    undone = here.project(CHAIN).undo(second)
    assert states(undone) == {"lake:clean": "undone", "lake:daily": "undone already"}


UNDO = """
import sys
from tests.pipeline.lakes import CHAIN, local
from odibi_magics.errors import OdibiError
from pathlib import Path
project = local(Path(sys.argv[1])).project(CHAIN)
sys.stdin.readline()
try:
    print(project.undo(sys.argv[2]).state)
except OdibiError as error:
    print(type(error).__name__)
"""

DYING = """
import os, signal, sys
from pathlib import Path
from odibi_magics.engines.pandas import restore as restoring
from tests.pipeline.lakes import CHAIN, local
real, count = restoring.restore, []
def dying(place, version, **more):
    if not more.get("dry_run"):
        count.append(1)
        if len(count) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    return real(place, version, **more)
restoring.restore = dying
local(Path(sys.argv[1])).project(CHAIN).undo(sys.argv[2])
"""


def start(code: str, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_process_killed_in_the_middle(here: Lake, tmp_path: Path) -> None:
    _, second = twice(here)
    killed = start(DYING, str(tmp_path), second)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (here.version("clean"), here.version("daily")) == (2, 1)
    undone = here.project(CHAIN).undo(second)
    assert states(undone) == {"lake:clean": "undone already", "lake:daily": "undone"}
    assert (here.rows("clean"), here.rows("daily")) == (here.rows("clean", 0), here.rows("daily", 0))


def test_two_processes_undo_at_once(here: Lake, tmp_path: Path) -> None:
    _, second = twice(here)
    both = [start(UNDO, str(tmp_path), second) for _ in range(2)]
    said = [""] * 2

    def talk(i: int) -> None:
        said[i] = both[i].communicate("\n")[0].strip()

    threads = [threading.Thread(target=talk, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(said) <= {"done", "nothing", "UndoRefused"}, said
    assert "done" in said
    assert (here.rows("clean"), here.rows("daily")) == (here.rows("clean", 0), here.rows("daily", 0))


# Any sequence ---------------------------------------------------------------------------------------------

steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.just(0)),
        st.tuples(st.sampled_from(["append", "optimize"]), st.just(0)),
        st.tuples(st.just("undo"), st.integers(0, 5)),
    ),
    max_size=7,
)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_whatever_came_before(tmp_path_factory: pytest.TempPathFactory, found: list[tuple[str, int]]) -> None:
    """A model: a table is a list of who wrote its rows; a run is undone where it wrote the last of them."""
    lake = local(tmp_path_factory.mktemp("lake"))
    lake.put("raw/sales.csv", SALES)
    lake.other("clean", {"id": [0], "city": ["-"], "amount": [0.0]})
    project: Project = lake.project(APPEND)
    rows, runs = ["seed"], list[str]()
    for kind, number in found:
        if kind == "run":
            runs.append(project.run(again=True).run_id)
            rows = [*rows, runs[-1]]
        elif kind == "append":
            lake.other("clean", {"id": [9], "city": ["-"], "amount": [0.0]})
            rows = [*rows, "other"]
        elif kind == "optimize":
            lake.table("clean").optimize.compact()
        elif number < len(runs):
            run = runs[number]
            if run not in rows:
                assert project.undo(run).state == "nothing"
            elif rows[-1] == run:
                project.undo(run)
                rows = rows[:-1]
            else:
                with pytest.raises(UndoRefused):
                    project.undo(run)
        assert len(lake.rows("clean")) == sum(1 if who in ("seed", "other") else 3 for who in rows)
