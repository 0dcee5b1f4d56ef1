"""A table back to a version: as a new version, exactly upon what was looked at, with all that Spark brings back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from odibi_magics.delta.replay import State
from odibi_magics.delta.restore import Files, Restored, TableChange
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.put_commit import put_commit
from odibi_magics.engines.pandas.restore import empty, restore
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.pandas.upkeep import versions_of
from odibi_magics.errors import DamagedLog, EngineError, NoSuchTime, NoSuchVersion, OdibiError, WriteConflict
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake
from tests.engines.writing import lake as here

__all__ = ["here", "lake"]


def place(where: Lake, path: str = "t") -> Place:
    return Place(where.connection, path, "delta")


def newest(where: Lake, path: str = "t") -> dict[str, Any]:
    """The commitInfo of the newest version."""
    versions = versions_of(open_store(place(where, path)))
    return dict(versions.commit(versions.newest).info)


def state(where: Lake, version: int | None = None) -> State:
    versions = versions_of(open_store(place(where)))
    return versions.state(versions.newest if version is None else version)


def three_versions(lake: Lake) -> None:
    lake.write({"id": [1, 2, 3], "p": [0, 0, 1]}, partition_by=["p"])
    lake.write({"id": [4], "p": [1]}, mode="append")
    lake.write({"id": [9], "p": [0]}, mode="overwrite_partitions")


def test_a_preview_changes_nothing(lake: Lake) -> None:
    three_versions(lake)
    paths = lake.paths()
    told = restore(place(lake), 1, dry_run=True)
    assert (told.version, told.at, told.committed) == (1, 2, None)
    assert (told.back.files, told.back.rows, told.gone.files, told.gone.rows) == (1, 2, 1, 1)
    assert (told.before.rows, told.after.rows) == (3, 4)
    assert told.back.bytes > 0 and told.time is not None
    assert lake.paths() == paths


def test_the_table_is_what_it_was_as_a_new_version(lake: Lake) -> None:
    three_versions(lake)
    told = restore(place(lake), 1, at=2, mark='{"run":"r"}')
    assert told.committed == 3
    assert lake.rows() == [(1, 0), (2, 0), (3, 1), (4, 1)]
    assert state(lake).files.keys() == state(lake, 1).files.keys()
    info = newest(lake)
    assert (info["operation"], info["operationParameters"], info["userMetadata"]) == (
        "RESTORE",
        {"version": "1"},
        '{"run":"r"}',
    )
    assert info["operationMetrics"]["numRestoredFiles"] == "1"
    # What was undone is still there, and writers go on.
    assert restore(place(lake), 2).committed == 4
    assert lake.rows() == [(3, 1), (4, 1), (9, 0)]
    lake.write({"id": [7], "p": [5]}, mode="append")
    assert len(lake.rows()) == 4


def test_statistics_come_back_with_the_files(lake: Lake) -> None:
    three_versions(lake)
    before = state(lake, 0).files
    restore(place(lake), 0)
    after = state(lake).files
    assert {k: v["stats"] for k, v in after.items()} == {k: v["stats"] for k, v in before.items()}


def test_a_time_is_a_version_too(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    now = datetime.now(UTC)
    assert restore(place(lake), now, dry_run=True).version == 1
    with pytest.raises(NoSuchTime, match="was not there at"):
        restore(place(lake), now - timedelta(days=1))


def test_schema_partitioning_and_properties_come_back(lake: Lake) -> None:
    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    lake.table().alter.set_table_properties({"delta.logRetentionDuration": "interval 9 days"})
    lake.write({"id": ["a"], "z": [1.5]}, overwrite_schema=True, partition_by=["id"])
    told = restore(place(lake), 0)
    assert TableChange("column id", "string", "bigint") in told.changes
    assert TableChange("column y", "", "bigint") in told.changes
    assert TableChange("column z", "double", "") in told.changes
    assert TableChange("partitioned by", "id", "y") in told.changes
    assert TableChange("property delta.logRetentionDuration", "interval 9 days", "") in told.changes
    assert lake.rows() == [(1, 1)]
    assert lake.table().metadata().partition_columns == ["y"]
    assert "delta.logRetentionDuration" not in lake.table().metadata().configuration
    lake.write({"id": [2], "y": [2]}, mode="append")


def test_where_everything_is_so_already(lake: Lake) -> None:
    lake.write({"id": [1]})
    told = restore(place(lake), 0)
    assert told.changes_nothing and told.committed is None
    assert restore(place(lake), 0, mark="{}").committed == 1  # the mark must be found
    assert lake.rows() == [(1,)]


def test_data_committed_since_is_never_overwritten(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.write({"id": [3]}, mode="append")
    with pytest.raises(
        WriteConflict, match=r"at 2 now: version 2 \(.*\) changed it. Nothing was restored"
    ) as raised:
        restore(place(lake), 0, at=1)
    assert "was looked at when 1 was its newest version" in str(raised.value)
    assert lake.rows() == [(2,), (3,)]


def test_optimize_and_vacuum_since_do_not_count(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]}, mode="append")
    lake.table().optimize.compact()
    lake.table().vacuum(24 * 30, dry_run=False)
    told = restore(place(lake), 0, at=1)
    assert told.committed == told.at + 1 >= 3
    assert lake.rows() == [(1,)]


def test_properties_set_since_count(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.table().alter.set_table_properties({"delta.logRetentionDuration": "interval 9 days"})
    with pytest.raises(WriteConflict, match="version 2"):
        restore(place(lake), 0, at=1)


def test_a_version_whose_files_are_gone(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.write({"id": [3]}, mode="append")
    store = open_store(place(lake))
    (first,) = [path for path, _ in state(lake, 0).files]
    store.delete(store.at(first))
    for dry in (True, False):
        with pytest.raises(
            NoSuchVersion, match=r"1 of its 1 files went missing.*Versions that can still be read: 1 to 2$"
        ) as raised:
            restore(place(lake), 0, dry_run=dry)
        assert first in str(raised.value)
    assert restore(place(lake), 1).committed == 3


def test_an_emptied_table_keeps_its_columns(lake: Lake) -> None:
    three_versions(lake)
    gone = empty(place(lake), dry_run=True).gone
    assert (gone.files, gone.rows) == (3, 3)
    told = empty(place(lake), at=2, mark='{"run":"r"}')
    assert (told.version, told.committed, told.after) == (None, 3, Files(0, 0, 0))
    assert lake.rows() == []
    assert lake.table().metadata().partition_columns == ["p"]
    assert (newest(lake)["operation"], newest(lake)["userMetadata"]) == ("DELETE", '{"run":"r"}')
    lake.write({"id": [1], "p": [1]}, mode="append")
    assert lake.rows() == [(1, 1)]
    with pytest.raises(WriteConflict):
        empty(place(lake), at=3)


# Bad input ------------------------------------------------------------------------------------------------------------


def test_what_is_not_there(lake: Lake) -> None:
    with pytest.raises(EngineError, match="there is no Delta table at"):
        restore(place(lake), 0)
    lake.put("folder/x.txt", b"x")
    with pytest.raises(EngineError, match="is no Delta table: it has no _delta_log"):
        restore(place(lake, "folder"), 0)
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    with pytest.raises(NoSuchVersion, match=r"^lake:t has no version 7: its versions are 0 to 1"):
        restore(place(lake), 7)
    with pytest.raises(NoSuchVersion, match=r"^lake:t has no version 5: its newest is 1"):
        restore(place(lake), 0, at=5)


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff"])
def test_a_damaged_commit_is_named(lake: Lake, text: bytes) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.put(f"t/_delta_log/{1:020}.json", text)
    with pytest.raises(DamagedLog, match=r"00001\.json: its line 1 is no JSON object"):
        restore(place(lake), 0)


@pytest.mark.parametrize(
    "action",
    [
        {"add": {"size": 1}},
        {"add": 5},
        {"remove": {"deletionVector": {"x": 1}, "path": "x"}},
        {"metaData": {"schemaString": "{"}},
    ],
)
def test_an_action_that_lacks_something_is_damage(lake: Lake, action: dict[str, Any]) -> None:
    lake.write({"id": [1]})
    lake.put(f"t/_delta_log/{1:020}.json", json.dumps(action).encode())
    with pytest.raises(DamagedLog, match=r"00001\.json: what the protocol asks for is missing in it"):
        restore(place(lake), 0)


def test_a_missing_commit_is_named(lake: Lake) -> None:
    for i in range(4):
        lake.write({"id": [i]})
    store = open_store(place(lake))
    store.delete(store.at(f"_delta_log/{1:020}.json"))
    with pytest.raises(OdibiError, match=r"00001\.json: it is missing, and no checkpoint follows it"):
        restore(place(lake), 3)


def test_versions_before_a_missing_commit_are_gone_and_those_behind_a_checkpoint_stay(lake: Lake) -> None:
    for i in range(3):
        lake.write({"id": [i]}, mode="append")
    lake.table().create_checkpoint()
    lake.write({"id": [3]}, mode="append")
    lake.write({"id": [4]}, mode="append")
    store = open_store(place(lake))
    for gone in (0, 1, 2):
        store.delete(store.at(f"_delta_log/{gone:020}.json"))
    with pytest.raises(NoSuchVersion, match="has no version 1: its versions are 2 to 4"):
        restore(place(lake), 1)
    assert restore(place(lake), 2).gone.files == 2
    assert lake.rows() == [(0,), (1,), (2,)]


def test_a_damaged_checkpoint_is_named(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.table().create_checkpoint()
    lake.write({"id": [2]})
    lake.put(f"t/_delta_log/{0:020}.checkpoint.parquet", b"PAR1 no")
    with pytest.raises(DamagedLog, match=r"00000.checkpoint.parquet: it is no checkpoint: "):
        restore(place(lake), 0)


# Several at once, and a process that dies -----------------------------------------------------------------------------


def together(*calls: Callable[[], Restored]) -> list[Any]:
    gate = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def one(i: int) -> None:
        gate.wait()
        try:
            results[i] = calls[i]()
        except OdibiError as error:
            results[i] = error

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_two_restores_at_once_one_is_made(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    for version in (1, 3, 5):
        results = together(*[partial(restore, place(lake), 0, at=version, mark="{}")] * 3)
        made = [one.committed for one in results if isinstance(one, Restored)]
        refused = [one for one in results if isinstance(one, WriteConflict)]
        assert (made, len(refused)) == ([version + 1], 2)
        assert lake.rows() == [(1,)]
        lake.write({"id": [2]})


def test_a_writer_in_between_is_not_overwritten(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})

    def overtaken(*args: Any) -> int:
        monkeypatch.undo()
        lake.write({"id": [3]}, mode="append")
        return put_commit(*args)

    monkeypatch.setattr("odibi_magics.engines.pandas.restore.put_commit", overtaken)
    with pytest.raises(WriteConflict, match="version 2"):
        restore(place(lake), 0)
    assert lake.rows() == [(2,), (3,)]


def test_a_commit_whose_answer_was_lost_is_ours(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    kind = type(open_store(place(lake)))
    create = kind.create

    def twice(self: Any, path: str, data: bytes) -> None:
        create(self, path, data)
        create(self, path, data)

    monkeypatch.setattr(kind, "create", twice)
    assert restore(place(lake), 0).committed == 2
    assert lake.rows() == [(1,)]


RESTORER = """
import sys
from pathlib import Path
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.put_commit import put_commit
from odibi_magics.engines.pandas.restore import restore
place = Place(LocalConnection("lake", Path(sys.argv[1])), "t", "delta")
print("begin", flush=True)
while True:
    restore(place, 0, mark="{}")
"""


def test_killed_in_the_middle_the_table_stays_whole(here: Lake) -> None:
    here.write({"id": list(range(1000))})
    here.write({"id": [2]})
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", RESTORER, str(here.folder)], stdout=subprocess.PIPE, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    threading.Event().wait(0.6)
    process.kill()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    log = here.folder / "t" / "_delta_log"
    for file in log.glob("*.json"):
        for text in file.read_text().splitlines():
            json.loads(text)
    assert len(here.rows()) in (1, 1000)
    here.write({"id": [5]})
    assert here.rows() == [(5,)]
