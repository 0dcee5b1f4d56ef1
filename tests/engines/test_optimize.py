"""Small files joined: the same rows in fewer files, in a commit that changes none of them, and only once."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from odibi_magics.delta.optimize import TAG, bins
from odibi_magics.delta.replay import State
from odibi_magics.engines.pandas.optimize import optimize
from odibi_magics.engines.pandas.restore import restore
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.pandas.upkeep import versions_of
from odibi_magics.errors import Cancelled, DamagedLog, EngineError, WriteConflict
from tests.engines import delta_tables
from tests.engines.test_restore import newest, place, state
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake
from tests.engines.writing import lake as here

__all__ = ["here", "lake"]


def small_files(lake: Lake, count: int = 4) -> None:
    for i in range(count):
        lake.write({"id": [i, i + 100], "p": ["a b", None]}, mode="append", partition_by=["p"])


def test_the_preview_is_what_happens_and_then_there_is_nothing_to_do(lake: Lake) -> None:
    small_files(lake)
    rows, paths = lake.rows(), lake.paths()
    shown = optimize(place(lake), dry_run=True)
    assert (shown.files, shown.into, shown.into_bytes, shown.committed, shown.checkpoint) == (
        8,
        2,
        None,
        None,
        False,
    )
    assert [(one.partition, one.files, one.into) for one in shown.parts] == [
        ("p=NULL", 4, 1),
        ("p=a b", 4, 1),
    ]
    assert lake.paths() == paths
    done = optimize(place(lake), mark='{"run":"r"}')
    assert (done.files, done.bytes, done.into, done.committed) == (8, shown.bytes, 2, 4)
    assert lake.rows() == rows
    assert sum(one["size"] for one in state(lake).files.values()) == done.into_bytes
    again = optimize(place(lake))
    assert again.changes_nothing and again.committed is None
    assert lake.table().version() == 4


def test_the_commit_changes_no_data(lake: Lake) -> None:
    small_files(lake)
    optimize(place(lake), mark='{"run":"r"}')
    versions = versions_of(open_store(place(lake)))
    commit = versions.commit(4)
    assert not commit.changes_data
    assert (commit.info["operation"], commit.info["userMetadata"]) == ("OPTIMIZE", '{"run":"r"}')
    assert commit.info["operationMetrics"]["numRemovedFiles"] == "8"
    stats = [json.loads(one["stats"]) for one in commit.each("add")]
    assert sorted((one["numRecords"], one["minValues"]["id"], one["maxValues"]["id"]) for one in stats) == [
        (4, 0, 3),
        (4, 100, 103),
    ]
    # Nothing of it counts as a change that a restore would refuse for.
    assert restore(place(lake), 1, at=3).committed == 5
    assert len(lake.rows()) == 4


def test_a_new_small_file_is_joined_to_what_was_joined(lake: Lake) -> None:
    small_files(lake)
    optimize(place(lake))
    lake.write({"id": [7], "p": ["a b"]}, mode="append")
    shown = optimize(place(lake), dry_run=True)
    assert (shown.files, shown.into, [one.partition for one in shown.parts]) == (2, 1, ["p=a b"])


def file(size: int, tagged: bool = False, **more: Any) -> dict[str, Any]:
    path = more.pop("path", f"part-{size}-{len(more)}.parquet")
    return {"path": path, "size": size, "partitionValues": {}, "tags": {TAG: "1"} if tagged else None, **more}


def joined(*files: dict[str, Any]) -> list[list[int]]:
    made = State(files={(f"{i}", ""): {**one, "path": f"{i}"} for i, one in enumerate(files)})
    return [[one["size"] for one in part] for part in bins(made, "/t", target=100)]


def test_which_files_are_joined() -> None:
    assert joined(file(60), file(40), file(30), file(30)) == [[60, 40], [30, 30]]
    assert joined(file(80), file(90), file(20)) == []  # one small file alone stays
    assert joined(file(60), file(60)) == []
    assert joined(file(10, tagged=True), file(20, tagged=True)) == []
    assert joined(file(10, tagged=True), file(20)) == [[10, 20]]
    assert joined(file(10, deletionVector={"storageType": "i"}), file(20), file(20)) == [[20, 20]]
    assert joined() == []


def test_every_type_and_what_is_out_of_the_ordinary(lake: Lake) -> None:
    rows = {
        "id": [1, 2],
        "t": pa.array([datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "d": pa.array([date(1, 1, 1), date(2024, 2, 29)]),
        "x": [float("nan"), -0.0],
        "n": pa.array([{"a": [1, None]}, None], pa.struct([("a", pa.list_(pa.int64()))])),
        "ts": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("us", tz="UTC")),
        "p": ["x/y%20=z", "ü"],
    }
    for _ in range(2):
        lake.write(rows, mode="append", partition_by=["p", "ts"])
    before = lake.rows()
    assert optimize(place(lake)).into == 2
    assert repr(lake.rows()) == repr(before)


def test_times_that_spark_wrote_long_ago(here: Lake) -> None:
    """INT96, which deltalake's own compaction turns into other times."""
    far = pa.table({"t": pa.array([datetime(9999, 12, 31, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))})
    delta_tables.table(here.folder / "t", far, use_deprecated_int96_timestamps=True)
    here.write({"t": pa.array([datetime(1, 1, 1, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))}, mode="append")
    assert optimize(place(here)).into == 1
    (made,) = [path for path, _ in state(here).files]
    times = pq.read_table(here.folder / "t" / made)["t"].to_pylist()
    assert sorted(times) == [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]


def test_columns_that_older_files_lack(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2], "new": ["x"]}, mode="append", merge_schema=True)
    assert optimize(place(lake)).into == 1
    assert lake.rows() == [(1, None), (2, "x")]


def test_a_log_without_a_checkpoint_gets_one(lake: Lake) -> None:
    for i in range(10):
        lake.write({"id": [i]})
    shown = optimize(place(lake), dry_run=True)
    assert (shown.files, shown.behind, shown.checkpoint) == (0, 10, True)
    done = optimize(place(lake))
    assert (done.checkpoint, done.committed) == (True, None)
    assert any("checkpoint" in path for path in lake.paths())
    assert optimize(place(lake)).changes_nothing
    assert lake.rows() == [(9,)]
    assert restore(place(lake), 9, dry_run=True).changes_nothing


# Others at work, and what cannot be done ------------------------------------------------------------------------------


def overtaken(lake: Lake, monkeypatch: pytest.MonkeyPatch, work: Any) -> None:
    """Has something committed just before the optimize commits."""
    from odibi_magics.engines.pandas.put_commit import put_commit

    def first(*args: Any) -> int:
        monkeypatch.undo()
        work()
        return put_commit(*args)

    monkeypatch.setattr("odibi_magics.engines.pandas.optimize.put_commit", first)


def test_an_append_in_between_stays(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    small_files(lake)
    overtaken(lake, monkeypatch, lambda: lake.write({"id": [9], "p": ["b"]}, mode="append"))
    assert optimize(place(lake)).committed == 5
    assert len(lake.rows()) == 9
    assert lake.stray() == []


def test_a_file_that_another_took_is_not_brought_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    small_files(lake)
    overtaken(lake, monkeypatch, lambda: lake.write({"id": [9], "p": ["b"]}))
    with pytest.raises(WriteConflict, match="version 4, of another writer, took files"):
        optimize(place(lake))
    assert lake.rows() == [(9, "b")]
    assert lake.stray() == []


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_what_breaks_off_leaves_nothing(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    small_files(lake)

    def breaks(*args: Any) -> int:
        raise error

    monkeypatch.setattr("odibi_magics.engines.pandas.optimize.put_commit", breaks)
    with pytest.raises(type(error)):
        optimize(place(lake))
    assert lake.stray() == []
    assert len(lake.rows()) == 8


def test_a_stop_behind_the_commit_takes_no_file_away(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from odibi_magics.engines.pandas.put_commit import put_commit

    def stopped(*args: Any) -> int:
        put_commit(*args)
        raise Cancelled("stopped; version 4 was committed all the same")

    small_files(lake)
    monkeypatch.setattr("odibi_magics.engines.pandas.optimize.put_commit", stopped)
    with pytest.raises(Cancelled):
        optimize(place(lake))
    assert len(lake.rows()) == 8
    assert newest(lake)["operation"] == "OPTIMIZE"


@pytest.mark.parametrize(
    ("features", "configuration", "named"),
    [
        (["columnMapping"], {"delta.columnMapping.mode": "name"}, "columnMapping"),
        (["rowTracking"], {}, "rowTracking"),
        (["somethingNew"], {}, "somethingNew"),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(
    here: Lake, features: list[str], configuration: dict[str, str], named: str
) -> None:
    delta_tables.table(
        here.folder / "t", pa.table({"id": [1, 2]}), reader=3, features=features, configuration=configuration
    )
    with pytest.raises(EngineError, match=f"uses {named}, under which this engine cannot write files anew"):
        optimize(place(here), dry_run=True)


def test_change_feeds_and_append_only_tables_are_joined(here: Lake) -> None:
    """No row changes, so neither has a say in it."""
    small_files(here)
    here.table().alter.set_table_properties({"delta.appendOnly": "true"})
    assert optimize(place(here)).into == 2
    assert len(here.rows()) == 8


def test_what_is_not_there_or_damaged(lake: Lake) -> None:
    with pytest.raises(EngineError, match="there is no Delta table at"):
        optimize(place(lake))
    lake.write({"id": [1]})
    lake.put(f"t/_delta_log/{0:020}.json", b"{")
    with pytest.raises(DamagedLog, match=r"00000\.json: its line 1"):
        optimize(place(lake))


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        ({"id": [1], "v": ["a"]}, {"ID": [2], "v": ["b"]}, "'ID', which is 'id'"),
        ({"id": [1], "s": [{"a": 1}]}, {"id": [2], "s": [{"A": 2}]}, "'A', which is 'a'"),
        ({"id": [1], "s": [[{"a": 1}]]}, {"id": [2], "s": [[{"A": 2}]]}, "'A', which is 'a'"),
    ],
)
def test_names_in_another_case_are_not_taken_for_missing_ones(
    here: Lake, first: dict[str, Any], second: dict[str, Any], named: str
) -> None:
    """As in tables that were converted: Spark and our own reads find them, Arrow does not."""
    here.write(first)
    path = here.folder / "t" / "other.parquet"
    pq.write_table(pa.table(second), path)
    added = {"path": path.name, "partitionValues": {}, "size": path.stat().st_size, "modificationTime": 0}
    lines = [{"commitInfo": {"timestamp": 1}}, {"add": {**added, "dataChange": True}}]
    (here.folder / "t" / "_delta_log" / f"{1:020}.json").write_text("\n".join(map(json.dumps, lines)))
    with pytest.raises(EngineError, match=f"other.parquet of the Delta table .* names its column {named} in"):
        optimize(place(here))
    assert here.table().version() == 1


def test_a_damaged_file_is_named(here: Lake) -> None:
    here.write({"id": [1]})
    here.write({"id": [2]}, mode="append")
    file = next((here.folder / "t").glob("*.parquet"))
    file.write_bytes(b"PAR1xxxxPAR1")
    with pytest.raises(EngineError, match=f"the file {file.name} of the Delta table .* is not whole"):
        optimize(place(here))
    file.unlink()
    with pytest.raises(
        EngineError, match=f"the file {file.name} of the Delta table .* is not there any more"
    ):
        optimize(place(here))
