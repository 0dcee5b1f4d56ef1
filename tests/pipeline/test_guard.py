"""Appends that a table holds already: refused before anything is written, and nothing else is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odibi_magics import NodeFailed, Project, UsageError, transform
from odibi_magics.delta.held import Looked, look
from odibi_magics.delta.line import LOOK_BACK
from odibi_magics.errors import AppendRefused, UndoRefused
from odibi_magics.pipeline import pins
from odibi_magics.pipeline.events import Event, NodeProgress
from tests.pipeline.conftest import SALES
from tests.pipeline.lakes import APPEND, CHAIN, Lake, anywhere, here, local

__all__ = ["anywhere", "here"]

LAKE = "- {name: sales, read: {connection: lake, path: raw/sales.csv}}\n"


def held(project: Project) -> dict[str, int]:
    """The appends that a plan says were done already, each with the version that holds it."""
    return {node.name: node.held.version for node in project.plan().nodes if node.held}


def test_the_same_append_is_refused_before_anything_is_written(anywhere: Lake) -> None:
    first = anywhere.project(APPEND).run()
    with pytest.raises(AppendRefused) as refused:
        anywhere.project(APPEND).run()
    said = str(refused.value)
    assert re.search(
        r"lake:clean holds what node 'clean' would append: same 1 file as version 0, written "
        rf"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC by run {first.run_id}. Nothing was run",
        said,
    )
    assert "--again" in said and "--replace" in said and "nothing to do" in said
    assert anywhere.version("clean") == 0


FAILS = """
- {name: late, read: {connection: lake, path: raw/limit.csv}}
- name: last
  transform: {steps: [{sql: "SELECT count(*) AS n, max(most) AS most FROM clean CROSS JOIN late"}]}
  validation: {expression: [{sql: n <= most}]}
  write: {connection: lake, path: last, mode: append}
"""


def test_of_a_run_that_did_not_get_to_its_end_it_says_how_to_go_on(anywhere: Lake) -> None:
    anywhere.put("raw/limit.csv", "most\n1\n")
    built = anywhere.project(APPEND + FAILS)
    with pytest.raises(NodeFailed) as failed:
        built.run()
    run = failed.value.result.run_id
    with pytest.raises(AppendRefused) as refused:
        built.run()
    said = str(refused.value).splitlines()
    assert said[1:4] == [
        f"run {run} has not written node 'last' (lake:last): it failed, was stopped, or still runs",
        f"  --resume --run-id {run}",
        "             goes on with it: what it wrote is read back, what is left runs "
        f"(in Python resume=True, run_id='{run}')",
    ]
    assert said[-1] == "  the nodes that are left: --only last"
    assert "nothing to do" not in str(refused.value)
    [warned] = [each for each in built.plan()["clean"].warnings if each.code == "append-held"]
    assert warned.remedy.startswith(
        f"run {run} has not written node 'last' (lake:last): --resume --run-id {run} goes on"
    )
    anywhere.put("raw/limit.csv", "most\n9\n")
    assert built.run(resume=True, run_id=run).state == "done"
    with pytest.raises(AppendRefused, match="or there is nothing to do: the rows are there"):
        built.run()
    assert len(anywhere.rows("clean")) == 3


def test_what_resume_would_refuse_is_not_offered(here: Lake) -> None:
    """What the run overwrote has another text by now."""
    first = "- {name: base, read: {connection: lake, path: raw/sales.csv}, write: {connection: lake, path: base}}\n"
    here.put("raw/other.csv", SALES)
    here.put("raw/limit.csv", "most\n1\n")
    with pytest.raises(NodeFailed):
        here.project(first + APPEND + FAILS).run()
    with pytest.raises(AppendRefused) as refused:
        here.project(first.replace("sales.csv", "other.csv") + APPEND + FAILS).run()
    assert "has not written node 'last'" in str(refused.value) and "--resume" not in str(refused.value)
    assert "nothing to do" not in str(refused.value)


def test_the_plan_says_so_already(anywhere: Lake) -> None:
    built = anywhere.project(APPEND)
    assert held(built) == {}
    first = built.run()
    [warned] = [each for each in built.plan()["clean"].warnings if each.code == "append-held"]
    assert "same 1 file as version 0" in warned.message and first.run_id in warned.message
    assert "--again" in warned.remedy
    assert "append-held" not in str(built.preview().plan["clean"].warnings), "a preview writes nothing"


def test_other_files_or_another_text_are_another_append(anywhere: Lake) -> None:
    anywhere.project(APPEND).run()
    anywhere.project(APPEND.replace("qty > 0", "qty > 1")).run()
    anywhere.put("raw/sales.csv", SALES + "5,2026-02-01 09:00:00,2026,2,Rome,1,1.0\n")
    anywhere.project(APPEND).run()
    assert anywhere.version("clean") == 2
    with pytest.raises(AppendRefused, match="version 2"):
        anywhere.project(APPEND).run()


def test_another_table_made_at_the_same_place_is_another_input(here: Lake, tmp_path: Path) -> None:
    nodes = """
    - {name: source, read: {connection: lake, path: source}}
    - {name: taken, depends_on: [source], write: {connection: lake, path: taken, mode: append}}
    """
    here.other("source", {"id": [1]})
    here.project(nodes).run(run_id="r")
    shutil.rmtree(tmp_path / "source")
    here.other("source", {"id": [2]})
    resumed = here.project(nodes).run(run_id="r", resume=True)
    assert "resumed-with-old-inputs" in str(resumed.node("taken").warnings)
    assert here.project(nodes).run().state == "done"
    assert here.rows("taken") == [(1,), (2,)]


def test_again_appends_anyway(anywhere: Lake) -> None:
    built = anywhere.project(APPEND)
    built.run()
    built.run(again=True)
    assert len(anywhere.rows("clean")) == 6


def test_replace_undoes_that_run_first(anywhere: Lake) -> None:
    built = anywhere.project(CHAIN)
    built.run()
    built.run(again=True)
    result = built.run(replace=True)
    assert result.state == "done"
    assert anywhere.rows("daily") == [(3,)], "both runs that appended it were undone"
    assert len(anywhere.rows("clean")) == 3


def test_replace_tells_of_every_run_it_undid(anywhere: Lake) -> None:
    built = anywhere.project(APPEND)
    runs = [built.run().run_id, *(built.run(again=True).run_id for _ in range(2))]
    with pytest.raises(AppendRefused, match="each older run that holds these rows"):
        built.run()
    result = built.run(replace=True)
    told = [each.message for each in result.plan.warnings if each.code == "undone-first"]
    assert told == [
        f"undone first: run {run} (lake:clean version {version}, 3 rows go)"
        for run, version in zip(runs[::-1], (2, 3, 4), strict=True)
    ]
    assert all(line in str(result) for line in told)
    assert len(anywhere.rows("clean")) == 3


def test_replace_puts_back_what_it_undid_where_its_run_fails(anywhere: Lake) -> None:
    """Both runs that appended it; only a table that the failed run wrote is left, with the command for it."""
    built = anywhere.project(CHAIN)
    runs = [built.run().run_id, built.run(again=True).run_id]
    rows = anywhere.rows("clean"), anywhere.rows("daily")
    bad = CHAIN + "  validation: {row_count: {min: 9}}\n"
    worse = CHAIN.replace(
        "  write: {connection: lake, path: clean}",
        "  validation: {row_count: {min: 9}}\n  write: {connection: lake, path: clean}",
    )
    with pytest.raises(NodeFailed) as failed:
        anywhere.project(worse).run(replace=True)
    result = failed.value.result
    assert (anywhere.rows("clean"), anywhere.rows("daily")) == rows, (
        "nothing was written, and nothing is away"
    )
    [warned] = [each.message for each in result.warnings if each.code == "put-back"]
    assert (
        warned
        == "put back, as it was before --replace undid it: lake:clean (version 4), lake:daily (version 4)"
    )
    assert warned in str(result) and "To have run" not in str(result)
    assert held(built) == {"daily": 1}, "the appends stand again"
    with pytest.raises(NodeFailed) as failed:
        anywhere.project(bad).run(replace=True)
    result = failed.value.result
    assert anywhere.rows("daily") == rows[1]
    [warned] = [each.message for each in result.warnings if each.code == "not-put-back"]
    assert warned.startswith("lake:clean could not be put back as it was before --replace undid it: ")
    assert f"undone first: run {runs[1]} (lake:clean version 4, 3 rows go, 3 rows come back; " in str(result)
    [away] = result.away
    assert (away.run, away.tables) == (runs[1], ("lake:clean",))
    assert (
        str(result)
        .rstrip()
        .endswith(
            f"To have run {runs[1]} back, shown first, in place of what was written since\n"
            f"  project.undo('{away.undo}', table='lake:clean', dry_run=True, force=True)"
        )
    )
    built.undo(away.undo, table="lake:clean", force=True)
    assert (anywhere.rows("clean"), anywhere.rows("daily")) == rows


def test_replace_puts_back_where_an_older_run_cannot_be_undone(here: Lake) -> None:
    """The first undo has landed by then."""
    built = here.project(APPEND)
    first = built.run().run_id
    here.other("clean", {"id": [9], "city": ["Bonn"], "amount": [1.0]})
    second = built.run(again=True).run_id
    rows = here.rows("clean")
    with pytest.raises(UndoRefused) as refused:
        built.run(replace=True)
    assert f"run {first} was not undone" in str(refused.value)
    assert str(refused.value).endswith(
        "put back, as it was before --replace undid it: lake:clean (version 4)"
    )
    assert here.rows("clean") == rows and held(built) == {"clean": 2}
    [plan] = [each for each in built.plan(replace=True).warnings if "refused" in each.message]
    assert (
        f"--replace would be refused, for run {first} cannot be undone: lake:clean: others wrote"
        in plan.message
    )
    assert second in str(built.plan(replace=True))


def test_the_plan_tells_what_replace_would_undo(anywhere: Lake) -> None:
    built = anywhere.project(CHAIN)
    runs = [built.run().run_id, built.run(again=True).run_id]
    told = [each.message for each in built.plan(replace=True).warnings if each.code == "replaces"]
    assert told == [
        f"--replace would undo run {runs[1]} first: lake:clean version 1 becomes as version 0, 3 rows go, "
        "3 rows come back; lake:daily version 1 becomes as version 0, 1 row goes",
        f"--replace would undo run {runs[0]} first, with the 1 above: lake:clean version 1 becomes empty, 3 rows go; "
        "lake:daily version 1 becomes empty, 2 rows go",
    ]
    assert all(line in str(built.plan(replace=True)) for line in told)
    assert "a run is refused" not in str(built.plan(replace=True))
    assert (anywhere.version("clean"), anywhere.version("daily")) == (1, 1), "nothing is touched"


def test_replace_stops_at_what_others_wrote(anywhere: Lake) -> None:
    built = anywhere.project(APPEND)
    built.run()
    anywhere.other("clean", {"id": [9], "city": ["Bonn"], "amount": [1.0]})
    with pytest.raises(UndoRefused, match="others wrote to it behind the run: version 1, WRITE"):
        built.run(replace=True)
    assert anywhere.version("clean") == 1


def test_replace_runs_where_there_is_nothing_to_replace(here: Lake) -> None:
    assert here.project(APPEND).run(replace=True).state == "done"


def test_the_three_exclude_one_another(here: Lake) -> None:
    with pytest.raises(UsageError, match="exclude one another"):
        here.project(APPEND).run(again=True, resume=True)


def test_a_whole_cell_run_again_is_refused_as_a_whole(anywhere: Lake) -> None:
    """The append reads a table that is overwritten each time: a new version, the same rows."""
    built = anywhere.project(CHAIN)
    built.run()
    with pytest.raises(
        AppendRefused, match="lake:daily holds what node 'daily' would append: same 1 input table"
    ):
        built.run()
    assert anywhere.version("clean") == 0, "not even the overwrite"


def test_an_append_from_a_table_of_another_cell(anywhere: Lake) -> None:
    """Each cell is a project of its own; the first one runs again, and its table has a new version."""
    make = LAKE + "- {name: clean, depends_on: [sales], write: {connection: lake, path: clean}}"
    take = """
    - {name: clean, read: {connection: lake, path: clean}}
    - {name: daily, transform: {steps: [{sql: SELECT count(*) AS n FROM clean}]}, write: {connection: lake, path: d, mode: append}}
    """
    anywhere.project(make).run()
    anywhere.project(take).run()
    anywhere.project(make).run()
    anywhere.table("clean").optimize.compact()
    assert held(anywhere.project(take)) == {"daily": 0}
    anywhere.other("clean", {"id": [9]}, schema_mode="merge")
    assert held(anywhere.project(take)) == {}


def test_a_race_is_refused_at_the_commit(here: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes append the same at once: the one that comes second sees the other's commit."""
    here.other("clean", {"id": [0], "city": ["-"], "amount": [0.0]})
    done: list[bool] = []

    def meanwhile(event: Event) -> None:
        if isinstance(event, NodeProgress) and not done:
            done.append(True)
            here.project(APPEND).run(run_id="faster")

    with pytest.raises(NodeFailed) as failed:
        here.project(APPEND).run(observers=[meanwhile])
    assert "same 1 file as version 1" in failed.value.result.node("clean").error
    assert "by run faster" in failed.value.result.node("clean").error
    assert here.version("clean") == 1
    assert len(here.rows("clean")) == 4


RACE = """
- {name: base, read: {connection: lake, path: raw/sales.csv}, write: {connection: lake, path: base}}
- {name: daily, transform: {steps: [{sql: SELECT count(*) AS n FROM base}]}, write: {connection: lake, path: daily, mode: append}}
- {name: after, transform: {steps: [{sql: SELECT n * 2 AS m FROM daily}]}, write: {connection: lake, path: after}}
"""


def test_the_one_that_lost_a_race_goes_on_with_what_is_left(
    here: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    built, done = here.project(RACE), list[bool]()

    def meanwhile(event: Event) -> None:
        if isinstance(event, NodeProgress) and event.node == "daily" and not done:
            done.append(True)
            here.project(RACE).run(run_id="faster", only="daily")

    with pytest.raises(NodeFailed) as failed:
        built.run(run_id="slower", observers=[meanwhile])
    result = failed.value.result
    said = result.node("daily").error
    assert (
        "  There is nothing to do for this node: the rows are there\n  --only daily --again  appends them once"
        in said
    )
    assert (result.node("base").state, result.node("after").state) == ("done", "skipped")
    assert "To go on with what is left\n  project.run(only=['after'], resume=True, run_id='slower')\n" in str(
        result
    )
    with pytest.raises(AppendRefused) as refused:
        built.run(resume=True, run_id="slower")
    assert str(refused.value).splitlines()[1:] == [
        "another run than slower, which was to go on, made it: there is nothing to do for node 'daily'",
        "  --only after --resume --run-id slower",
        "             goes on with what is left",
        "  --only daily --again --run-id slower",
        "             appends them once more, and runs nothing else",
    ]
    assert built.run(only=["after"], resume=True, run_id="slower").state == "done"
    assert here.rows("after") == [(8,)]
    assert built.run(only="daily", again=True, run_id="slower").state == "done"
    assert len(here.rows("daily")) == 2


def test_one_node_alone_is_the_same_text(here: Lake) -> None:
    """What a node takes is its input's table, whether that runs with it or was written before."""
    built = here.project(CHAIN)
    built.run()
    with pytest.raises(AppendRefused):
        built.run(only="daily")


def test_files_that_are_written_on_the_way(here: Lake) -> None:
    nodes = """
    - {name: sales, read: {connection: lake, path: raw/sales.csv}}
    - {name: out, write: {connection: lake, path: out.csv}}
    - {name: count, transform: {steps: [{sql: SELECT count(*) AS n FROM out}]}, write: {connection: lake, path: t, mode: append}}
    """
    here.project(nodes).run()
    with pytest.raises(AppendRefused, match="lake:t holds"):
        here.project(nodes).run()


def test_what_is_overwritten_first_is_appended_to_again(here: Lake) -> None:
    nodes = """
    - {name: sales, read: {connection: lake, path: raw/sales.csv}}
    - {name: first, depends_on: [sales], write: {connection: lake, path: t}}
    - {name: second, depends_on: [sales], write: {connection: lake, path: t, mode: append}}
    """
    here.project(nodes).run()
    assert here.project(nodes).run().state == "done"
    assert len(here.rows("t")) == 8


def test_what_was_taken_away_may_be_appended_again(anywhere: Lake) -> None:
    """By a restore, an overwrite, a delete of all its files; not by what leaves its rows there."""
    built = anywhere.project(APPEND)
    anywhere.other("clean", {"id": [0], "city": ["-"], "amount": [0.0]})
    built.run()
    table = anywhere.table("clean")
    table.delete("id = 1")
    assert held(built) == {"clean": 1}, "its other rows are there"
    table.optimize.compact()
    assert held(built) == {"clean": 1}
    anywhere.table("clean").restore(0)
    assert held(built) == {}
    built.run()
    anywhere.other("clean", {"id": [7], "city": ["x"], "amount": [0.0]}, mode="overwrite")
    assert held(built) == {}
    built.run()
    anywhere.table("clean").delete()
    assert held(built) == {}


def test_an_undone_append_that_comes_back_is_there_again(here: Lake) -> None:
    built = here.project(APPEND)
    here.other("clean", {"id": [0], "city": ["-"], "amount": [0.0]})
    built.run()
    here.table("clean").restore(0)
    assert held(built) == {}
    here.table("clean").restore(1)
    assert held(built) == {"clean": 1}


def test_an_append_of_no_rows_holds_none(here: Lake) -> None:
    built = here.project(APPEND.replace("qty > 0", "qty > 100"))
    here.other("clean", {"id": [0], "city": ["-"], "amount": [0.0]})
    built.run()
    assert built.run().state == "done"


def test_newer_than_may_be_run_again(anywhere: Lake) -> None:
    """A second run finds nothing new and adds nothing; with `lag` it would read rows twice."""
    newer = """
    - name: sales
      read: {connection: lake, path: raw/sales.csv, newer_than: ts}
      write: {connection: lake, path: clean, mode: append}
    """
    built = anywhere.project(newer)
    built.run()
    assert built.run().node("sales").rows == 0
    assert len(anywhere.rows("clean")) == 4
    lagged = anywhere.project(newer.replace("ts}", "ts, lag: 2h}").replace("path: clean", "path: lagged"))
    lagged.run()
    with pytest.raises(AppendRefused):
        lagged.run()


def test_modes_that_may_be_repeated_are_not_asked(here: Lake) -> None:
    for i, write in enumerate(
        ("mode: overwrite", "mode: merge, keys: [id]", "mode: append_once, keys: [id]")
    ):
        built = here.project(APPEND.replace("mode: append", write).replace("path: clean", f"path: t{i}"))
        built.run()
        assert built.run().state == "done"


def test_files_have_no_history_and_the_plan_says_so(here: Lake) -> None:
    built = here.project(
        LAKE + "- {name: out, write: {connection: lake, path: out, format: parquet, mode: append}}"
    )
    built.run()
    assert built.run().state == "done"
    assert "append-unseen" in [warned.code for warned in built.plan()["out"].warnings]


def test_a_text_without_inputs(here: Lake) -> None:
    one = "- {name: one, transform: {steps: [{sql: SELECT 1 AS id}]}, write: {connection: lake, path: one, mode: append}}"
    here.project(one).run()
    with pytest.raises(AppendRefused, match="same text, which reads nothing"):
        here.project(one).run()


def test_a_function_without_inputs_may_read_anything(here: Lake) -> None:
    @transform
    def fetched(df: Any) -> Any:
        return df

    nodes = """
    - name: one
      transform: {steps: [{sql: SELECT 1 AS id}, {function: fetched}]}
      write: {connection: lake, path: one, mode: append}
    """
    built = here.project(nodes)
    built.run()
    assert built.run().state == "done"


def test_a_text_that_asks_the_day_is_another_one_on_another_day(
    here: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import date

    nodes = APPEND.replace("SELECT id", "SELECT current_date() AS day, id")
    here.project(nodes).run()
    assert held(here.project(nodes)) == {"clean": 0}
    monkeypatch.setattr(pins, "today", lambda: date(2100, 1, 1))
    assert held(here.project(nodes)) == {}


def test_an_append_of_one_node_holds_up_no_other(here: Lake) -> None:
    more = "- {name: beside, depends_on: [sales], write: {connection: lake, path: beside, mode: append}}"
    here.project(APPEND).run()
    both = here.project(APPEND + more)
    with pytest.raises(AppendRefused, match="the other nodes alone: --only beside") as refused:
        both.run()
    said = str(refused.value)
    assert "nothing to do" not in said and "--resume" not in said, "that run wrote all that it was to write"
    assert both.run(only="beside").state == "done"


def test_two_appends_are_told_together(here: Lake) -> None:
    both = (
        APPEND
        + "- {name: beside, depends_on: [sales], write: {connection: lake, path: beside, mode: append}}"
    )
    here.project(both).run()
    with pytest.raises(AppendRefused) as refused:
        here.project(both).run()
    assert str(refused.value).count("same 1 file as version 0") == 2


def test_only_so_much_history_is_looked_through_and_that_is_said(
    here: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odibi_magics.pipeline import guard

    def short(log: Any, newest: int, fingerprint: str, same: Any, without: Any) -> Looked:
        return look(log, newest, fingerprint, same, without, limit=2)

    monkeypatch.setattr(guard, "look", short)
    built = here.project(APPEND)
    built.run()
    for i in range(2):
        here.other("clean", {"id": [i], "city": ["-"], "amount": [0.0]})
    [warned] = [each for each in built.plan()["clean"].warnings if each.code == "history-cut"]
    assert "of the 3 versions of lake:clean the newest 2 were looked at" in warned.message
    assert LOOK_BACK >= 1000


# Any sequence of what may happen to a table ----------------------------------------------------------------

Step = tuple[str, int]
steps = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.integers(0, 1)),
        st.tuples(st.sampled_from(["append", "overwrite", "optimize", "delete"]), st.just(0)),
        st.tuples(st.just("restore"), st.integers(0, 9)),
    ),
    max_size=6,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
def test_whatever_happens_to_a_table(tmp_path_factory: pytest.TempPathFactory, found: list[Step]) -> None:
    """A model that knows which rows are there: an append is refused exactly where all of its rows are."""
    lake = local(tmp_path_factory.mktemp("lake"))
    lake.put("raw/sales.csv", SALES)
    lake.other("clean", {"id": [100], "city": ["-"], "amount": [0.0]})
    texts = [
        lake.project(
            APPEND.replace("qty > 0", f"qty > {n}").replace("SELECT id", f"SELECT id + {20 * n} AS id")
        )
        for n in (0, 1)
    ]
    states: list[frozenset[str]] = [frozenset({"seed"})]
    for kind, number in found:
        now = states[-1]
        if kind == "run":
            name = f"run{number}"
            if name in now:
                with pytest.raises(AppendRefused):
                    texts[number].run()
                continue
            texts[number].run()
            states.append(now | {name})
        elif kind == "append":
            lake.other("clean", {"id": [200], "city": ["-"], "amount": [0.0]})
            states.append(now | {"other"})
        elif kind == "overwrite":
            lake.other("clean", {"id": [300], "city": ["-"], "amount": [0.0]}, mode="overwrite")
            states.append(frozenset({"over"}))
        elif kind == "optimize":
            lake.table("clean").optimize.compact()
            states += [now] * (lake.version("clean") + 1 - len(states))
        elif kind == "delete":
            lake.table("clean").delete("id >= 100")
            states += [now - {"seed", "other", "over"}] * (lake.version("clean") + 1 - len(states))
        elif number < len(states) - 1:
            before = lake.version("clean")
            lake.table("clean").restore(number)
            if lake.version("clean") > before:
                states.append(states[number])
    assert len(states) == lake.version("clean") + 1
    assert {name for name, text in zip(("run0", "run1"), texts, strict=True) if held(text)} == states[-1] & {
        "run0",
        "run1",
    }
