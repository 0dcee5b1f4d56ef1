"""Runs: what is written, what is read back, what a failure and a stop leave."""

from __future__ import annotations

import _thread
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from odibi_magics import Cancelled, NodeFailed, Project, UsageError, transform
from odibi_magics.pipeline.events import Event, NodeFinished, NodeStarted, RunFinished, RunStarted, Stopping
from odibi_magics.pipeline.result import RunResult
from odibi_magics.pipeline.runmark import read_mark
from tests.pipeline.conftest import Build

ROADMAP = """
connections:
  bronze: {{type: local, base_path: {lake}}}
  silver: {{type: local, base_path: {lake}/silver}}

pipelines:
  - pipeline: etl
    nodes:
      - name: read_data
        read:
          connection: bronze
          path: raw/sales.csv
          format: csv

      - name: write_data
        write:
          connection: silver
          path: clean/sales.parquet
          format: parquet

      - name: write_delta
        write:
          connection: silver
          path: clean/sales.delta  # ← Delta table!
          # format: delta (default)
          partition_by: [year, month]
          mode: append
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
    result = Project.from_yaml(ROADMAP.format(lake=lake)).run()
    assert [node.state for node in result.nodes] == ["done"] * 3
    table = DeltaTable(str(lake / "silver/clean/sales.delta"))
    assert table.metadata().partition_columns == ["year", "month"]
    assert sorted(row["id"] for row in rows(result, "write_delta")) == [1, 2, 3, 4]
    assert sorted(row["id"] for row in rows(result, "write_data")) == [1, 2, 3, 4]


def test_a_node_that_writes_is_its_table_for_those_after_it(project: Build) -> None:
    built = project(CLEAN)
    built.run()
    result = built.run()
    assert result.node("clean").rows == 3
    assert sorted(row["n"] for row in rows(result, "cities")) == [2, 4]


def test_a_result_keeps_the_version_it_wrote(project: Build) -> None:
    built = project(CLEAN)
    first = built.run()
    built.run()
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
        project(nodes).run()
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
    assert result.node("clean").state == "stopped"
    assert any(isinstance(event, Stopping) for event in heard)
    assert isinstance(heard[-1], RunFinished)
    assert not (lake / "clean").exists() or not DeltaTable.is_deltatable(str(lake / "clean"))


def test_a_preview_shows_rows_and_writes_nothing(project: Build, lake: Path) -> None:
    result = project(CLEAN).preview("clean")
    assert result.preview is not None
    assert sorted(row[0] for row in result.preview.rows) == [1, 3, 4]
    assert not (lake / "clean").exists()
    assert [node.name for node in result.nodes] == ["sales", "clean"]


def test_a_sample_reads_only_so_many_rows(project: Build) -> None:
    result = project("- {name: sales, read: {connection: lake, path: raw/sales.csv}}").preview(sample=2)
    assert result.preview is not None
    assert len(result.preview.rows) == 2


def test_a_preview_validates(project: Build) -> None:
    with pytest.raises(NodeFailed) as caught:
        project(FAILING).preview("clean")
    assert "no_nulls city" in caught.value.result.node("clean").error


def test_only_and_from_node_choose(project: Build, lake: Path) -> None:
    built = project(
        CLEAN.replace('GROUP BY city"}]}', 'GROUP BY city"}]}\n  write: {connection: lake, path: cities}')
    )
    built.run()
    assert [node.name for node in built.run(from_node="clean").nodes] == ["clean", "cities"]
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
