"""Runs: what is written, what is read back, what a failure and a stop leave."""

from __future__ import annotations

import _thread
import asyncio
import gc
import json
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from odibi_magics import Cancelled, NodeFailed, Project, UsageError, transform
from odibi_magics.config.models import Retry
from odibi_magics.delta.mark import read_mark
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import EngineError
from odibi_magics.pipeline.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeRetried,
    NodeStarted,
    RunFinished,
    RunStarted,
    Stopping,
)
from odibi_magics.pipeline.result import RunResult
from odibi_magics.pipeline.runner import Run
from odibi_magics.rendering import RENDER
from tests.pipeline.conftest import Build
from tests.roadmap import PIPELINES

LOCAL = """
connections:
  bronze: {{type: local, base_path: {lake}}}
  silver: {{type: local, base_path: {lake}/silver}}
"""

CLEAN = """
- {name: sales, read: {connection: lake, path: raw/sales.csv}}
- name: clean
  transform: {steps: [{sql: "SELECT id, city, qty * price AS amount FROM sales WHERE qty > 0"}]}
  write: {connection: lake, path: clean, mode: append}
- name: cities
  transform: {steps: [{sql: "SELECT city, count(*) AS n FROM clean GROUP BY city"}]}
"""


def rows(result: RunResult, node: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result[node].to_arrow().to_pylist()
    return found


def test_the_promised_yaml_runs_as_written(lake: Path) -> None:
    result = Project.from_yaml(LOCAL.format(lake=lake) + PIPELINES).run()
    assert [node.state for node in result.nodes] == ["done"] * 3
    table = DeltaTable(str(lake / "silver/clean/sales.delta"))
    assert table.metadata().partition_columns == ["year", "month"]
    assert sorted(row["id"] for row in rows(result, "write_delta")) == [1, 2, 3, 4]
    assert sorted(row["id"] for row in rows(result, "write_data")) == [1, 2, 3, 4]


def test_a_node_that_writes_is_its_table_for_those_after_it(project: Build) -> None:
    built = project(CLEAN)
    built.run()
    result = built.run(again=True)
    assert result.node("clean").rows == 3
    assert sorted(row["n"] for row in rows(result, "cities")) == [2, 4]


def test_a_result_keeps_the_version_it_wrote(project: Build) -> None:
    built = project(CLEAN)
    first = built.run()
    built.run(again=True)
    assert len(first["clean"]) == 3
    assert len(built.engine.read_delta(connection="lake", path="clean").to_arrow()) == 6
    assert len(built.engine.read_delta(connection="lake", path="clean", version=0).to_arrow()) == 3
    assert built.table("lake:clean@0").count() == 3
    assert built.table("clean").count() == 6


def test_a_nodes_data_comes_as_every_kind_of_frame(project: Build) -> None:
    result = project(CLEAN).run()
    assert result["clean"].to_pandas()["id"].tolist() == result["clean"].to_polars()["id"].to_list()
    assert result["clean"].preview(2).rows
    import pyarrow as pa

    assert pa.table(result["clean"]).num_rows == 3
    with pytest.raises(UsageError, match="did you mean 'clean'"):
        result["claen"]


def test_every_commit_says_what_it_is_of(project: Build, lake: Path) -> None:
    result = project(CLEAN).run(run_id="nightly-1")
    commit = DeltaTable(str(lake / "clean")).history(1)[0]
    mark = read_mark(commit["userMetadata"])
    assert mark is not None
    assert (mark.run, mark.pipeline, mark.node, mark.mode) == ("nightly-1", "etl", "clean", "append")
    [read] = mark.inputs
    [[name, size, _]] = read["files"]
    assert name.endswith("sales.csv") or read["url"].endswith("sales.csv")
    assert size == (lake / "raw/sales.csv").stat().st_size
    assert [target.url for target in mark.targets] == [str(lake / "clean")]
    assert result.run_id == "nightly-1"


def test_the_fingerprint_tells_texts_apart_and_nothing_else(project: Build, lake: Path) -> None:
    def fingerprint(nodes: str) -> str:
        project(nodes).run(again=True)
        mark = read_mark(DeltaTable(str(lake / "clean")).history(1)[0]["userMetadata"])
        assert mark is not None
        return mark.fingerprint

    first = fingerprint(CLEAN)
    assert fingerprint(CLEAN) == first
    assert fingerprint(CLEAN.replace("name: clean\n", "name: clean\n  description: other words\n")) == first
    assert fingerprint(CLEAN.replace("qty > 0", "qty > 1")) != first


FAILING = """
- {name: sales, read: {connection: lake, path: raw/sales.csv}}
- name: clean
  depends_on: [sales]
  validation: {no_nulls: {columns: [city]}}
  write: {connection: lake, path: clean}
- {name: after, depends_on: [clean], write: {connection: lake, path: after}}
- {name: beside, depends_on: [sales], write: {connection: lake, path: beside}}
"""


def test_a_failure_is_its_nodes_own(project: Build, lake: Path) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(FAILING).run()
    result = caught.value.result
    assert {node.name: node.state for node in result.nodes} == {
        "sales": "done", "clean": "failed", "after": "skipped", "beside": "done",
    }  # fmt: skip
    assert result.node("after").reason == "clean failed"
    assert "no_nulls city" in result.node("clean").error
    assert not DeltaTable.is_deltatable(str(lake / "clean"))
    assert len(result["beside"]) == 4
    with pytest.raises(UsageError, match="clean failed"):
        result["after"]


def test_observers_hear_all_and_the_end_last(project: Build) -> None:
    heard: list[Event] = []
    with pytest.raises(NodeFailed):
        project(FAILING).run(observers=[heard.append])
    assert isinstance(heard[0], RunStarted)
    assert isinstance(heard[-1], RunFinished)
    ended = [event.node for event in heard if isinstance(event, NodeFinished)]
    assert sorted(ended) == ["after", "beside", "clean", "sales"]


def test_a_broken_observer_costs_no_run(project: Build) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("display gone")

    with pytest.warns(UserWarning, match="an observer failed"):
        assert project(CLEAN).run(observers=[broken]).state == "done"


def test_independent_nodes_run_side_by_side(project: Build) -> None:
    together = threading.Barrier(2, timeout=30)

    @transform(name="meet")
    def meet(df):  # type: ignore[no-untyped-def]
        together.wait()
        return df

    result = project(
        """
        - {name: sales, read: {connection: lake, path: raw/sales.csv}}
        - {name: one, depends_on: [sales], transform: {steps: [{function: meet}]}}
        - {name: two, depends_on: [sales], transform: {steps: [{function: meet}]}}
        """
    ).run()
    assert result.state == "done"


def test_what_several_nodes_read_is_computed_once(project: Build) -> None:
    calls: list[int] = []

    @transform(name="counted")
    def counted(df):  # type: ignore[no-untyped-def]
        calls.append(len(df))
        return df

    project(
        """
        - {name: sales, read: {connection: lake, path: raw/sales.csv}, transform: {steps: [{function: counted}]}}
        - {name: one, depends_on: [sales], write: {connection: lake, path: one}}
        - {name: two, depends_on: [sales], write: {connection: lake, path: two}}
        """
    ).run()
    assert calls == [4]


def test_an_error_in_a_users_function_keeps_its_place(project: Build) -> None:
    @transform(name="breaks")
    def breaks(df):  # type: ignore[no-untyped-def]
        return df["nowhere"]

    with pytest.raises(NodeFailed) as caught:
        project(
            "- {name: sales, read: {connection: lake, path: raw/sales.csv}, transform: {steps: [{function: breaks}]}}"
        ).run()
    error = caught.value.result.node("sales").error
    assert "breaks" in error
    assert "test_run.py" in error
    assert "nowhere" in error


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


ODD = [
    SystemExit(3), KeyboardInterrupt(), GeneratorExit(), StopIteration(), asyncio.CancelledError(), MemoryError(),
    ExceptionGroup("several", [ValueError("one")]),
]  # fmt: skip


@pytest.mark.parametrize("error", [*ODD, Mute()], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("streams", [False, True])
def test_whatever_a_function_raises_fails_its_node_and_no_other(
    project: Build, lake: Path, error: BaseException, streams: bool
) -> None:
    def batches(schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([{"id": 1}], schema)
        raise error

    @transform(name="odd")
    def odd(df: pa.RecordBatchReader):  # type: ignore[no-untyped-def]
        if not streams:
            raise error
        schema = pa.schema([("id", pa.int64())])
        return pa.RecordBatchReader.from_batches(schema, batches(schema))

    with pytest.raises(NodeFailed) as caught:
        project(
            """
            - {name: sales, read: {connection: lake, path: raw/sales.csv}}
            - name: clean
              depends_on: [sales]
              transform: {steps: [{function: odd}]}
              write: {connection: lake, path: clean}
            - {name: after, depends_on: [clean], write: {connection: lake, path: after}}
            - {name: beside, depends_on: [sales], write: {connection: lake, path: beside}}
            """
        ).run()
    result = caught.value.result
    states = {node.name: node.state for node in result.nodes}
    assert states == {"sales": "done", "clean": "failed", "after": "skipped", "beside": "done"}
    # What a stream raises comes through others, of whom two say it in their own way.
    odd_one = streams and isinstance(error, StopIteration | Mute)
    name = "RuntimeError" if odd_one else type(error).__name__
    assert re.match(rf"odd\(\) failed(, line \d+ of test_run.py)?: {name}", result.node("clean").error)
    assert str(caught.value).startswith(
        f"run {result.run_id} failed: clean, 1 skipped\n  clean: odd() failed"
    )
    assert not DeltaTable.is_deltatable(str(lake / "clean"))


def test_stop_ends_the_run_and_writes_nothing_more(project: Build, lake: Path) -> None:
    started = threading.Event()
    heard: list[Event] = []

    @transform(name="slow")
    def slow(df):  # type: ignore[no-untyped-def]
        started.wait(5)
        return df

    def stop(event: Event) -> None:
        heard.append(event)
        if isinstance(event, NodeStarted) and event.node == "sales":
            threading.Timer(0.3, _thread.interrupt_main).start()
            threading.Timer(0.8, started.set).start()

    with pytest.raises(Cancelled) as caught:
        project(
            """
            - {name: sales, read: {connection: lake, path: raw/sales.csv}, transform: {steps: [{function: slow}]}}
            - {name: clean, depends_on: [sales], write: {connection: lake, path: clean}}
            """
        ).run(observers=[stop])
    result = caught.value.result
    assert result.state == "stopped"
    assert (result.node("clean").state, result.node("clean").reason) == ("stopped", "before it began")
    assert any(isinstance(event, Stopping) for event in heard)
    assert isinstance(heard[-1], RunFinished)
    assert not (lake / "clean").exists() or not DeltaTable.is_deltatable(str(lake / "clean"))


def test_stop_waits_for_no_function_and_drops_what_it_returns(project: Build, lake: Path) -> None:
    release, ended = threading.Event(), threading.Event()

    @transform(name="endless")
    def endless(df):  # type: ignore[no-untyped-def]
        _thread.interrupt_main()
        release.wait(60)
        threading.Timer(0.5, ended.set).start()
        return df

    with pytest.raises(Cancelled, match="stopped: clean not written") as caught:
        project(
            """
            - name: clean
              read: {connection: lake, path: raw/sales.csv}
              transform: {steps: [{function: endless}]}
              write: {connection: lake, path: clean}
            """
        ).run()
    assert not release.is_set()
    assert caught.value.result.node("clean").reason == "its function goes on, and what it returns is dropped"
    assert replace(caught.value.result, nodes=()).in_words() == "stopped: clean not written", (
        "before any began"
    )
    release.set()
    assert ended.wait(10)
    assert not DeltaTable.is_deltatable(str(lake / "clean"))


def test_a_second_stop_does_not_cut_off_what_is_being_written(
    project: Build, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report must never say "not written" of a commit that lands."""
    from odibi_magics.engines.pandas import delta_write

    commit, written = delta_write.__dict__["commit"], threading.Event()

    def slow(*args: Any) -> int:
        for i in range(3):
            threading.Timer(0.1 * i, _thread.interrupt_main).start()
        time.sleep(1.5)
        version: int = commit(*args)
        written.set()
        return version

    built = project(CLEAN)
    built.run()
    monkeypatch.setattr(delta_write, "commit", slow)
    with pytest.raises(Cancelled) as caught:
        built.run(again=True)
    assert written.is_set()
    assert caught.value.result.node("clean").state == "done"
    assert "clean written, version 1" in str(caught.value)


OTHER = pa.table({"id": [9], "city": ["Oslo"], "amount": [1.0]})


def in_between(lake: Path, times: int) -> Callable[[Event], None]:
    """An observer that, while the node's rows are on their way, makes the table another one; once a try, so often."""
    made: list[int] = []
    tries: list[int] = []

    def watch(event: Event) -> None:
        if isinstance(event, NodeStarted) and event.node == "clean":
            tries.append(1)
        if isinstance(event, NodeProgress) and len(made) < min(times, len(tries)):
            made.append(1)
            parts = ["city"] if len(made) % 2 else []
            write_deltalake(
                lake / "clean", OTHER, mode="overwrite", schema_mode="overwrite", partition_by=parts
            )

    return watch


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    from odibi_magics.pipeline import runner

    monkeypatch.setattr(runner, "_PAUSE", 0.01)


@pytest.mark.usefixtures("quick")
def test_a_node_is_tried_again_after_an_error_that_may_pass(project: Build, lake: Path) -> None:
    built, heard = project(CLEAN), list[Event]()
    built.run()
    result = built.run(again=True, observers=[in_between(lake, times=1), heard.append])
    assert result.state == "done" and len(result["clean"]) == 4
    [failed] = result.node("clean").tries
    assert "other writers committed in between" in failed
    [retried] = [event for event in heard if isinstance(event, NodeRetried)]
    assert (retried.node, retried.tried, retried.most, retried.error) == ("clean", 1, 3, failed)
    assert [event.node for event in heard if isinstance(event, NodeStarted)].count("clean") == 2


@pytest.mark.usefixtures("quick")
def test_tries_end_with_max_attempts(project: Build, lake: Path) -> None:
    built = project(CLEAN, head="retry: {max_attempts: 2, backoff: constant}\n")
    built.run()
    with pytest.raises(NodeFailed) as caught:
        built.run(again=True, observers=[in_between(lake, times=9)])
    assert len(caught.value.result.node("clean").tries) == 1, "and the last one, which is its error"
    assert "other writers committed in between" in caught.value.result.node("clean").error


def test_a_failed_node_tells_its_schema_checks_too(project: Build) -> None:
    wrong = "{schema: {columns: {id: string}, on_fail: warn}, row_count: {min: 9}}"
    with pytest.raises(NodeFailed) as caught:
        project(FAILING.replace("{no_nulls: {columns: [city]}}", wrong)).run()
    told = [(check.label, check.failed, check.counts) for check in caught.value.result.node("clean").checks]
    assert told == [("schema", 1, "column"), ("row_count", 1, "")]


def test_what_will_fail_again_is_tried_once(project: Build) -> None:
    heard: list[Event] = []
    with pytest.raises(NodeFailed) as caught:
        project(FAILING).run(observers=[heard.append])
    assert [event.node for event in heard if isinstance(event, NodeStarted)].count("clean") == 1
    assert caught.value.result.node("clean").tries == ()


def test_stop_does_not_wait_for_the_next_try(
    project: Build, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odibi_magics.pipeline import runner

    monkeypatch.setattr(runner, "_PAUSE", 60)

    def stop(event: Event) -> None:
        if isinstance(event, NodeRetried):
            _thread.interrupt_main()

    built = project(CLEAN)
    built.run()
    began = time.monotonic()
    with pytest.raises(Cancelled) as caught:
        built.run(again=True, observers=[in_between(lake, times=1), stop])
    assert time.monotonic() - began < 10
    node = caught.value.result.node("clean")
    assert node.state == "stopped" and len(node.tries) == 1


def test_pauses_grow_and_end(project: Build) -> None:
    def pauses(backoff: str) -> list[float]:
        retry = Retry.model_validate({"max_attempts": 10, "backoff": backoff})
        run = Run(project(CLEAN).plan(), choose_engine("pandas"), "r", RENDER, retry=retry)
        return [run._pause(tried) for tried in range(1, 10)]

    assert all(0.75 <= pause <= 1.25 for pause in pauses("constant"))
    growing = pauses("exponential")
    assert growing[0] < growing[2] < growing[4] < max(growing) <= 75


def test_what_nothing_reads_is_not_evaluated_and_says_so(project: Build) -> None:
    """Its rows come when they are asked for."""
    result = project(
        """
        - {name: sales, read: {connection: lake, path: raw/sales.csv}}
        - {name: wrong, transform: {steps: [{sql: "SELECT CAST(city AS int) AS n FROM sales"}]}}
        - {name: kept, depends_on: [sales], write: {connection: lake, path: kept}}
        - {name: counted, depends_on: [kept], validation: {not_empty: true}}
        """
    ).run()
    assert result.state == "done"
    assert {node.name: (node.state, node.reason) for node in result.nodes} == {
        "sales": ("done", ""), "wrong": ("not evaluated", "nothing reads it"), "kept": ("done", ""), "counted": ("done", ""),
    }  # fmt: skip
    with pytest.raises(EngineError, match="'Oslo' cannot be cast to int"):
        result["wrong"].to_arrow()


def test_rows_that_fail_in_a_preview_name_their_node_and_line(project: Build) -> None:
    with pytest.raises(
        NodeFailed, match=r"^preview .* failed: wrong\n  wrong: .*'Oslo' cannot be cast"
    ) as caught:
        project(
            """
            - {name: sales, read: {connection: lake, path: raw/sales.csv}}
            - {name: wrong, transform: {steps: [{sql: "SELECT CAST(city AS int) AS n FROM sales"}]}}
            """
        ).preview()
    result = caught.value.result
    assert result.node("wrong").state == "failed" and not result.writes
    assert "line 6 of this text" in result.node("wrong").error


def test_an_error_names_the_nodes_that_were_computed_with_the_failed_one(project: Build) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(
            """
            - {name: sales, read: {connection: lake, path: raw/sales.csv}}
            - {name: wrong, transform: {steps: [{sql: "SELECT CAST(city AS int) AS n FROM sales"}]}}
            - name: fine
              transform: {steps: [{sql: SELECT CAST(CAST(n AS string) AS int) AS n FROM wrong}]}
              write: {connection: lake, path: fine}
            """
        ).run()
    error = caught.value.result.node("fine").error
    assert "computed with it, and perhaps at fault: wrong (line 6 of this text)" in error


def test_a_preview_shows_rows_and_writes_nothing(project: Build, lake: Path) -> None:
    result = project(CLEAN).preview("clean")
    assert result.preview is not None
    assert sorted(row[0] for row in result.preview.rows) == [1, 3, 4]
    assert result.preview.total == 3
    full = project(CLEAN).preview("clean", rows=3).preview
    assert full is not None and full.total is None, "there may be more"
    assert not (lake / "clean").exists()
    assert [node.name for node in result.nodes] == ["sales", "clean"]


def test_a_sample_reads_only_so_many_rows(project: Build) -> None:
    result = project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}").preview(sample=2)
    assert result.preview is not None
    assert len(result.preview.rows) == 2
    assert "a preview of at most 2 rows of each source: nothing was written" in str(result)


def test_a_preview_validates(project: Build) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(FAILING).preview("clean")
    assert "no_nulls city" in caught.value.result.node("clean").error


def test_only_takes_several_nodes(project: Build) -> None:
    assert [node.name for node in project(CLEAN).run(only=["clean", "sales"]).nodes] == ["sales", "clean"]


def test_only_and_from_node_choose(project: Build, lake: Path) -> None:
    built = project(
        CLEAN.replace('GROUP BY city"}]}', 'GROUP BY city"}]}\n  write: {connection: lake, path: cities}')
    )
    built.run()
    assert [node.name for node in built.run(from_node="clean", again=True).nodes] == ["clean", "cities"]
    assert DeltaTable(str(lake / "clean")).version() == 1
    assert [node.name for node in built.run(only="cities").nodes] == ["cities"]
    assert DeltaTable(str(lake / "clean")).version() == 1
    with pytest.raises(UsageError, match="did you mean 'clean'"):
        built.run(only="claen")


def test_pipelines_run_in_order(lake: Path) -> None:
    text = f"""
connections: {{lake: {{type: local, base_path: {lake}}}}}
pipelines:
  - pipeline: first
    nodes: [{{name: a, read: {{connection: lake, path: raw/sales.csv}}, write: {{connection: lake, path: t}}}}]
  - pipeline: second
    nodes: [{{name: b, read: {{connection: lake, path: t}}, write: {{connection: lake, path: u}}}}]
"""
    assert len(Project.from_yaml(text).run()["b"]) == 4
    assert [node.name for node in Project.from_yaml(text).run(pipelines=["second"]).nodes] == ["b"]


def test_a_story_keeps_the_report(project: Build, lake: Path) -> None:
    result = project(CLEAN, head="story: {connection: lake, path: runs}\n").run(run_id="r1")
    saved = json.loads((lake / "runs/r1.json").read_text())
    assert saved["run_id"] == result.run_id
    assert "<html" in (lake / "runs/r1.html").read_text()


def test_a_stopped_run_has_a_story_too(project: Build, lake: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node == "clean":
            _thread.interrupt_main()

    with pytest.raises(Cancelled):
        project(CLEAN, head="story: {connection: lake, path: runs}\n").run(run_id="r1", observers=[stop])
    assert json.loads((lake / "runs/r1.json").read_text())["state"] == "stopped"


def test_a_story_that_cannot_be_kept_costs_no_result(project: Build, lake: Path) -> None:
    (lake / "runs").write_text("a file")
    result = project(CLEAN, head="story: {connection: lake, path: runs}\n").run()
    [warned] = result.warnings
    assert result.state == "done" and warned.code == "story-not-kept"
    assert "the run's report was not kept: Connection 'lake'" in str(result)


def test_a_report_is_saved_as_html_or_json(project: Build, tmp_path: Path) -> None:
    result = project(CLEAN).run()
    assert "clean" in result.save(tmp_path / "r.html").read_text()
    assert json.loads(result.save(tmp_path / "r.json").read_text())["state"] == "done"
    with pytest.raises(UsageError, match=r"\.html or \.json"):
        result.save(tmp_path / "r.txt")


def test_a_failed_node_names_the_line_of_its_text(project: Build) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(
            """
            - {name: sales, read: {connection: lake, path: raw/sales.csv}}
            - name: by_city
              depends_on: [sales]
              write:
                connection: lake
                path: by_city
                mode: merge
                keys: [month]
            """
        ).run()
    error = caught.value.result.node("by_city").error
    assert "keys: [month]: 1 row has the same keys as an earlier one" in error
    assert "line 12 of this text" in error
    assert "     12 |           keys: [month]\n        |           ^^^^" in error


@pytest.mark.parametrize(
    ("check", "write", "line"),
    [
        ("unique: {columns: [month]}", "mode: append", "unique"),
        ("row_count: {min: 9}", "mode: append", "row_count"),
        ("not_empty: true", "replace_where: month < 2", "replace_where"),
    ],
)
def test_a_failed_check_names_its_own_line(project: Build, check: str, write: str, line: str) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(
            f"""
            - {{name: sales, read: {{connection: lake, path: raw/sales.csv}}}}
            - name: kept
              validation:
                no_nulls: {{columns: [month]}}
                {check}
              write:
                connection: lake
                path: kept
                {write}
            """
        ).run()
    excerpt = caught.value.result.node("kept").error.splitlines()
    assert excerpt[-1].strip(" |") == "^" * len(line)
    assert excerpt[-2].partition("|")[2].strip().startswith(f"{line}: ")


def test_a_write_that_cannot_be_opened_again_has_landed_all_the_same(
    project: Build, lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from odibi_magics.engines.pandas.engine import PandasRun
    from odibi_magics.errors import ConnectionFailed

    def gone(self: PandasRun, written: Any) -> Any:
        raise ConnectionFailed("the network is down", transient=True)

    monkeypatch.setattr(PandasRun, "written", gone)
    with pytest.raises(NodeFailed) as raised:
        project(CLEAN + "\n- {name: after, write: {connection: lake, path: after}}").run()
    clean, cities = raised.value.result.node("clean"), raised.value.result.node("cities")
    assert (clean.state, clean.tries, DeltaTable(str(lake / "clean")).version()) == ("done", (), 0)
    assert clean.warnings[-1].code == "not-read-back" and "the network is down" in clean.warnings[-1].message
    assert (cities.state, cities.reason) == ("skipped", "clean could not be opened again after its write")


@pytest.mark.parametrize("format_", ["csv", "json", "parquet", "delta"])
def test_the_data_of_a_run_goes_with_its_result(
    project: Build, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a look at Python's cycles, which comes seldom: what nodes share is all in memory."""
    copied = f"write: {{connection: lake, path: in, format: {format_}, mode: overwrite}}"
    project(
        f"- {{name: sales, read: {{connection: lake, path: raw/sales.csv}}}}\n- {{name: copied, {copied}}}"
    ).run()
    shared = "transform: {steps: [{sql: SELECT id FROM sales}]}"
    text = (
        f"- {{name: sales, read: {{connection: lake, path: in, format: {format_}}}}}\n"
        f"- {{name: one, {shared}, write: {{connection: lake, path: one}}}}\n"
        f"- {{name: two, {shared}, write: {{connection: lake, path: two}}}}"
    )
    sessions: list[weakref.ref[Session]] = []
    opened = Session.__init__

    def noted(self: Session, *given: Any, **more: Any) -> None:
        opened(self, *given, **more)
        sessions.append(weakref.ref(self))

    again = project(text)
    again.plan()
    monkeypatch.setattr(Session, "__init__", noted)
    gc.collect()
    gc.disable()
    try:
        assert again.run()["sales"].to_arrow().num_rows == 4
        assert sessions and not [session for session in sessions if session() is not None]
    finally:
        gc.enable()
