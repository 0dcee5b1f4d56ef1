"""Vacuum: what it shows is what goes, and the versions it says stay can be read afterwards, all others not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from odibi_magics.delta.vacuum import Vacuumed, still_running
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.restore import restore
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.pandas.upkeep import versions_of
from odibi_magics.engines.pandas.vacuum import vacuum
from odibi_magics.errors import (
    Cancelled,
    ConnectionFailed,
    DamagedLog,
    EngineError,
    UsageError,
    WriteConflict,
)
from odibi_magics.sandbox import Cloud
from tests.engines import delta_tables, logs
from tests.engines.test_restore import newest, place
from tests.engines.writing import Lake, adls
from tests.engines.writing import anywhere as lake
from tests.engines.writing import lake as here

__all__ = ["here", "lake"]


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the vacuum run in the future, as if all files were so many days older."""

    def by(**more: float) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.now(UTC) + timedelta(**more)

        monkeypatch.setattr("odibi_magics.engines.pandas.vacuum.datetime", Clock)

    return by


def readable(lake: Lake, versions: range) -> list[int]:
    """The versions whose rows can be read, by deltalake alone."""
    found = []
    for version in versions:
        try:
            pa.table(lake.table(version=version).to_pyarrow_table())
        except Exception:
            continue
        found.append(version)
    return found


def at_once(lake: Lake, **more: Any) -> Vacuumed:
    """Without any retention; what was written within this millisecond is no older than now."""
    time.sleep(0.01)
    return vacuum(place(lake), retention_hours=0, force=True, **more)


def spelled(spans: Any) -> list[int]:
    return [version for low, high in spans for version in range(low, high + 1)]


def data(lake: Lake) -> list[str]:
    return [path for path in lake.paths() if not path.startswith("_delta_log")]


def test_the_preview_is_what_happens(lake: Lake, later: Any) -> None:
    lake.write({"id": [1, 2]})
    lake.write({"id": [3]}, mode="append")
    lake.write({"id": [4]})
    lake.write({"id": [5]}, mode="append")
    lake.put("t/part-0-0-" + "a" * 32 + ".parquet", b"left behind")
    later(days=8)
    before = data(lake)
    shown = vacuum(place(lake), dry_run=True)
    assert (shown.files, shown.orphans, shown.orphan_bytes, shown.version) == (3, 1, 11, 3)
    assert (shown.lost, shown.kept, shown.deleted, shown.committed) == (((0, 1),), ((2, 3),), None, None)
    assert data(lake) == before
    done = vacuum(place(lake))
    assert (done.files, done.bytes, done.lost, done.kept) == (
        shown.files,
        shown.bytes,
        shown.lost,
        shown.kept,
    )
    assert (done.deleted, done.freed) == (shown.files, shown.bytes)
    assert len(data(lake)) == len(before) - 3
    assert readable(lake, range(4)) == spelled(done.kept)
    assert lake.rows() == [(4,), (5,)]


def test_what_was_written_or_removed_within_the_retention_stays(lake: Lake, later: Any) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.put("t/part-0-0-" + "a" * 32 + ".parquet", b"staged")
    before = lake.paths()
    for days in (0, 6.9):
        later(days=days)
        done = vacuum(place(lake))
        assert (done.files, done.deleted, done.lost, done.kept) == (0, 0, (), ((0, 1),))
    assert lake.paths() == before  # not even a commit


def test_files_already_gone_are_not_counted(lake: Lake, later: Any) -> None:
    for i in range(3):
        lake.write({"id": [i]})
    later(days=8)
    assert vacuum(place(lake)).deleted == 2
    again = vacuum(place(lake), dry_run=True)
    assert (again.files, again.bytes, again.lost) == (0, 0, ())
    assert spelled(again.kept) == [2, 3, 4]  # the two of the vacuum itself are like the one before


def test_each_run_of_versions_is_told(lake: Lake, later: Any) -> None:
    """A file added at 1 and removed at 3 makes 1 and 2 unreadable, and a version that needs none of those stays."""
    lake.write({"id": [0]})
    lake.write({"id": [1]}, mode="append")
    lake.write({"id": [2]}, mode="append")
    restore(place(lake), 0)
    later(days=8)
    done = vacuum(place(lake))
    assert (done.lost, done.kept) == (((1, 2),), ((0, 0), (3, 3)))
    assert readable(lake, range(4)) == [0, 3]


def test_a_short_retention_takes_force(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    for hours in (0, 167.9):
        with pytest.raises(UsageError, match=r"below 168 \(a week\)\. Who reads .* --force"):
            vacuum(place(lake), retention_hours=hours, dry_run=True)
    for hours in (-1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="a number of hours from 0 on"):
            vacuum(place(lake), retention_hours=hours, force=True)
    assert at_once(lake).deleted == 1
    assert lake.rows() == [(2,)]


@pytest.mark.parametrize(
    ("own", "hours"),
    [
        ("interval 30 days", 720),
        ("interval 1 week", 168),
        ("INTERVAL 2 weeks 12 hours", 348),
        ("interval 1 hour", 168),
    ],
)
def test_the_table_s_own_retention_holds_where_it_is_longer(here: Lake, own: str, hours: int) -> None:
    here.write({"id": [1]})
    here.table().alter.set_table_properties({"delta.deletedFileRetentionDuration": own})
    shown = vacuum(place(here), dry_run=True)
    assert (shown.retention_hours, shown.asked_hours) == (hours, 168)
    forced = at_once(here, dry_run=True)
    assert forced.retention_hours == (1 if own == "interval 1 hour" else hours)


def test_a_retention_that_is_not_understood(here: Lake) -> None:
    delta_tables.table(
        here.folder / "t",
        pa.table({"id": [1, 2]}),
        configuration={"delta.deletedFileRetentionDuration": "interval 1 moon"},
    )
    with pytest.raises(EngineError, match=r"'interval 1 moon', which is no interval .* Nothing was deleted"):
        vacuum(place(here))


def test_both_commits_tell_of_it(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    done = at_once(lake, mark='{"run":"r"}')
    assert done.committed == 3
    versions = versions_of(open_store(place(lake)))
    start, end = (versions.commit(version).info for version in (2, 3))
    assert (start["operation"], start["operationMetrics"]["numFilesToDelete"]) == ("VACUUM START", "1")
    assert start["operationMetrics"]["sizeOfDataToDelete"] == str(done.bytes)
    assert (end["operation"], end["operationParameters"]) == ("VACUUM END", {"status": "COMPLETED"})
    assert end["userMetadata"] == start["userMetadata"] == '{"run":"r"}'
    assert [entry["operation"] for entry in lake.table().history()][:2] == ["VACUUM END", "VACUUM START"]


def test_hidden_things_stay_and_changes_of_the_feed_go(lake: Lake) -> None:
    lake.write({"id": [1], "_p": [1]}, partition_by=["_p"])
    stays = [
        "_delta_log/_sidecars/x.parquet", "_tmp/a.parquet", ".hidden.parquet", "sub/.x/b.parquet", "metadata/v1.json",
    ]  # fmt: skip
    goes = ["_change_data/cdc-1.parquet", "_p=1/orphan.parquet", "sub/orphan", "deletion_vector_x.bin"]
    for path in [*stays, *goes]:
        lake.put(f"t/{path}", b"x")
    assert at_once(lake).deleted == len(goes)
    assert set(stays) <= set(lake.paths())
    assert not set(goes) & set(lake.paths())


def test_empty_folders_go_on_this_machine(here: Lake) -> None:
    here.write({"id": [1, 2], "a": [1, 2], "b": [1, 1]}, partition_by=["a", "b"])
    here.write({"id": [3], "a": [2], "b": [1]})
    done = at_once(here)
    assert (done.deleted, done.folders) == (2, 2)
    assert sorted(path.name for path in (here.folder / "t").iterdir()) == ["_delta_log", "a=2"]


def test_deletion_vectors_go_with_the_last_version_that_needs_them(here: Lake) -> None:
    """A vector in a file of its own: what it belongs to is told by its name in the log."""
    vector = {
        "storageType": "u",
        "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^",
        "offset": 1,
        "sizeInBytes": 4,
        "cardinality": 1,
    }
    name = "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin"
    delta_tables.table(
        here.folder / "t",
        pa.table({"id": [1, 2]}),
        reader=3,
        features=["deletionVectors"],
        add={"deletionVector": vector},
    )
    here.put(f"t/{name}", b"bits")
    here.put("t/ab/deletion_vector_00000000-0000-0000-0000-000000000000.bin", b"stray")
    assert at_once(here).deleted == 1
    assert name in here.paths()
    remove = {"path": "part-0.parquet", "deletionVector": vector, "dataChange": True, "deletionTimestamp": 1}
    (here.folder / f"t/_delta_log/{3:020}.json").write_text(json.dumps({"remove": remove}))
    done = at_once(here)
    assert (done.deleted, done.orphans, done.lost) == (2, 0, ((0, 2),))


def test_a_link_leads_to_files_of_someone_else(here: Lake) -> None:
    here.write({"id": [1]})
    (here.folder / "other").mkdir()
    (here.folder / "other" / "theirs.parquet").write_bytes(b"x")
    (here.folder / "t" / "link").symlink_to(here.folder / "other")
    (here.folder / "t" / "circle").symlink_to(here.folder / "t")
    assert at_once(here).deleted == 0
    assert (here.folder / "other" / "theirs.parquet").exists()


def test_another_table_in_its_folder_keeps_its_files(lake: Lake) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.write({"id": [3]}, "t/inner")
    lake.write({"id": [4]}, "t/inner")
    assert at_once(lake).deleted == 1
    assert lake.rows("t/inner") == [(4,)]
    assert readable(lake, range(1)) == [] and lake.table("t/inner", 0).to_pyarrow_table().num_rows == 1


def test_a_whole_path_into_a_folder_with_a_sign_in_its_name(here: Lake) -> None:
    here.write({"id": [1]}, "a#b c/t")
    folder = here.folder / "a#b c" / "t"
    file = next(folder.glob("*.parquet"))
    log = folder / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace(f'"path":"{file.name}"', f'"path":"{file.as_uri()}"'))
    assert vacuum(Place(here.connection, "a#b c/t", "delta"), retention_hours=0, force=True).deleted == 0
    assert file.exists()


def test_names_with_all_sorts_of_letters(lake: Lake) -> None:
    rows = {"id": [1, 2, 3], "p": ["a b", "ä%20", "x=1/y"]}
    lake.write(rows, partition_by=["p"])
    lake.write(rows, partition_by=["p"])
    assert at_once(lake).deleted == 3
    assert len(lake.rows()) == 3


def test_behind_a_cleaned_up_log(lake: Lake) -> None:
    """The oldest versions are those of the first checkpoint; files of versions before it go without a word of them."""
    for i in range(3):
        lake.write({"id": [i]})
    lake.table().create_checkpoint()
    lake.write({"id": [9]}, mode="append")
    store = open_store(place(lake))
    for version in (0, 1):
        store.delete(store.at(f"_delta_log/{version:020}.json"))
    done = at_once(lake)
    assert (done.deleted, done.orphans, done.lost, done.kept) == (2, 0, (), ((2, 3),))
    assert lake.rows() == [(2,), (9,)]


# Bad input and faults -------------------------------------------------------------------------------------------------


def test_what_is_no_table_keeps_its_files(lake: Lake) -> None:
    with pytest.raises(EngineError, match="there is no Delta table at"):
        at_once(lake)
    lake.put("t/x.parquet", b"x")
    with pytest.raises(EngineError, match="is no Delta table: it has no _delta_log"):
        at_once(lake)
    lake.put("t/_delta_log/some.txt", b"x")
    with pytest.raises(EngineError):
        at_once(lake)
    assert "x.parquet" in lake.paths()


def test_a_damaged_log_deletes_nothing(lake: Lake) -> None:
    for i in range(3):
        lake.write({"id": [i]})
    lake.put(f"t/_delta_log/{1:020}.json", b"{")
    before = lake.paths()
    with pytest.raises(DamagedLog, match=r"00001\.json"):
        at_once(lake)
    assert lake.paths() == before


@pytest.mark.parametrize("feature", ["catalogManaged", "somethingNew"])
def test_unknown_features_are_refused_by_name(here: Lake, feature: str) -> None:
    delta_tables.table(here.folder / "t", pa.table({"id": [1, 2]}), reader=3, features=[feature])
    with pytest.raises(EngineError, match=f"uses {feature}, which this engine cannot write"):
        at_once(here)


def test_a_commit_since_the_look_is_looked_at(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore that brings back what is about to go."""
    from odibi_magics.engines.pandas.vacuum import _Work

    lake.write({"id": [1]})
    lake.write({"id": [2]})
    begin = _Work._begin

    def overtaken(self: Any) -> int:
        monkeypatch.undo()
        restore(place(lake), 0)
        return begin(self)

    monkeypatch.setattr(_Work, "_begin", overtaken)
    assert at_once(lake).deleted == 1
    assert lake.rows() == [(1,)]


def test_files_come_back_only_once_a_vacuum_has_ended(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """No commit calls back a deletion that is under way."""
    from odibi_magics.engines.pandas.vacuum import _Work

    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.write({"id": [2, 3]}, mode="append")
    begin = _Work._begin

    def followed(self: Any) -> int:
        found = begin(self)
        with pytest.raises(
            WriteConflict, match=r"version 3 .VACUUM START.* began it at 20.* counts as ended"
        ):
            restore(place(lake), 0)
        with pytest.raises(WriteConflict, match="a vacuum of"):
            restore(place(lake), 0, dry_run=True)
        restore(place(lake), 1)  # brings no file back
        return found

    monkeypatch.setattr(_Work, "_begin", followed)
    done = at_once(lake)
    assert (done.deleted, done.committed) == (1, 5)
    assert lake.rows() == [(2,)]
    assert restore(place(lake), 2).committed == 6


@pytest.mark.parametrize(
    ("log", "running"),
    [
        (["START"], 1), (["START", "END"], None), (["START", "WRITE", "END"], None), (["START", "WRITE"], 1),
        (["START", "START", "END"], 1), (["START", "END", "START"], 3), (["END"], None), ([], None),
    ],
)  # fmt: skip
def test_a_vacuum_without_an_end_runs_for_a_day(here: Lake, log: list[str], running: int | None) -> None:
    here.write({"id": [1]})
    for version, word in enumerate(log, 1):
        name = word if word == "WRITE" else f"VACUUM {word}"
        told = {"operation": name, "timestamp": int(time.time() * 1000)}
        here.put(f"t/_delta_log/{logs.name(version)}", logs.commit(version, {"txn": {}}, **told))
    newest = versions_of(open_store(place(here))).newest_first
    began = next(newest()).time
    found = still_running(newest(), began)
    assert (found.version if found else None) == running
    assert still_running(newest(), began + timedelta(hours=23)) == found
    assert still_running(newest(), began + timedelta(hours=25)) is None


def test_a_commit_while_files_go_brings_them_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that looked before the vacuum began, or of a program that does not look."""
    from odibi_magics.engines.pandas.vacuum import _Work

    lake.write({"id": [1]})
    lake.write({"id": [2]})
    begin = _Work._begin

    def followed(self: Any) -> int:
        found = begin(self)
        lake.table().restore(0)
        return found

    monkeypatch.setattr(_Work, "_begin", followed)
    done = at_once(lake)
    assert (done.files, done.deleted, done.committed) == (1, 0, 4)
    assert lake.rows() == [(1,)]


def test_writers_at_work_lose_nothing(lake: Lake, later: Any) -> None:
    lake.write({"id": [0]})
    stop, failures = threading.Event(), []

    def write() -> None:
        i = 0
        while not stop.is_set():
            i += 1
            try:
                lake.write({"id": [i]}, mode="append" if i % 3 else "overwrite")
            except Exception as error:
                failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            vacuum(place(lake))
    finally:
        stop.set()
        writer.join()
    assert not failures
    version = lake.table().version()
    assert readable(lake, range(version + 1)) == list(range(version + 1))


def test_a_delete_that_fails_says_how_many_went(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(4):
        lake.write({"id": [i]})
    kind = type(open_store(place(lake)))
    delete = kind.delete_files

    def breaks(self: Any, paths: Any) -> Any:
        yield from delete(self, paths[:2])
        raise OSError("the disk is on fire")

    monkeypatch.setattr(kind, "delete_files", breaks)
    with pytest.raises(
        EngineError, match=r"the disk is on fire\. 2 of 3 files \([\d,]+ bytes\) of .* The table is whole"
    ):
        at_once(lake)
    assert newest(lake)["operationParameters"] == {"status": "FAILED"}
    monkeypatch.undo()
    assert lake.rows() == [(3,)]
    assert at_once(lake).deleted == 1


def test_storage_that_refuses(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from odibi_magics.engines.pandas.vacuum import _Work

    delete = _Work._delete

    def refused(self: Any) -> None:
        cloud.storage("account2").refuse("AuthorizationPermissionMismatch", auth=["key"])
        delete(self)

    lake = Lake(None, adls(cloud))  # type: ignore[arg-type]
    for i in range(3):
        lake.write({"id": [i]})
    monkeypatch.setattr(_Work, "_delete", refused)
    with pytest.raises(ConnectionFailed, match=r"0 of 2 files \(0 bytes\) .* were deleted") as raised:
        at_once(lake)
    assert "Connection 'lake'" in str(raised.value)
    cloud.clear()
    assert lake.rows() == [(2,)]
    lake.session.close()


def test_stop_while_storage_hangs(cloud: Cloud) -> None:
    lake = Lake(None, adls(cloud))  # type: ignore[arg-type]
    lake.write({"id": [1]})
    cloud.storage("account2").hang()
    threading.Timer(1, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        vacuum(place(lake), dry_run=True)
    assert time.monotonic() - began < 5
    cloud.clear()
    lake.session.close()


def stop_at(work: Any) -> None:
    """Ctrl-C, and it was heard."""
    os.kill(os.getpid(), signal.SIGINT)
    assert work._stopped.wait(60)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The vacuums that began."""
    from odibi_magics.engines.pandas.vacuum import _Work

    found: list[Any] = []
    begin = _Work._begin

    def noted(self: Any) -> int:
        found.append(self)
        return begin(self)

    monkeypatch.setattr(_Work, "_begin", noted)
    return found


def test_a_stop_says_how_many_went(lake: Lake, works: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(4):
        lake.write({"id": [i]})
    monkeypatch.setattr("odibi_magics.engines.pandas.vacuum._UNSTOPPED", 2)
    kind = type(open_store(place(lake)))
    delete = kind.delete_files

    def stopped(self: Any, paths: Any) -> Any:
        stop_at(works[0])
        yield from delete(self, paths)

    monkeypatch.setattr(kind, "delete_files", stopped)
    with pytest.raises(Cancelled, match=r"stopped; 2 of 3 files.*vacuum again to go on$"):
        at_once(lake)
    monkeypatch.setattr(kind, "delete_files", delete)
    assert lake.rows() == [(3,)]
    (end,) = [one for one in lake.table().history() if one["operation"] == "VACUUM END"]
    assert end["operationParameters"]["status"] == "STOPPED"
    assert at_once(lake).deleted == 1


def test_a_stop_does_not_wait_for_a_deletion_that_hangs(
    lake: Lake, works: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write({"id": [1]})
    lake.write({"id": [2]})
    lake.write({"id": [3]})
    kind = type(open_store(place(lake)))
    delete, go = kind.delete_files, threading.Event()

    def hanging(self: Any, paths: Any) -> Any:
        stop_at(works[0])
        go.wait(60)
        yield from delete(self, paths)

    monkeypatch.setattr(kind, "delete_files", hanging)
    with pytest.raises(Cancelled, match=r"stopped; 0 of 2 files.*Files whose deletion is under way go too"):
        at_once(lake)
    with pytest.raises(WriteConflict, match="a vacuum of"):
        restore(place(lake), 0)
    go.set()
    for thread in [one for one in threading.enumerate() if one.name == "odibi-vacuum"]:
        thread.join()
    assert lake.table().history()[0]["operation"] == "VACUUM END"


VACUUMER = """
import sys
from pathlib import Path
from odibi_magics.connections.local import LocalConnection
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.vacuum import vacuum
place = Place(LocalConnection("lake", Path(sys.argv[1])), "t", "delta")
print("begin", flush=True)
vacuum(place, retention_hours=0, force=True)
sys.stdin.read()
"""


def test_killed_in_the_middle_the_table_can_be_read(here: Lake) -> None:
    here.write({"id": [1]})
    for i in range(4_000):
        (here.folder / "t" / f"orphan-{i}.parquet").write_bytes(b"x")
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", VACUUMER, str(here.folder)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    while not (here.folder / "t" / "_delta_log" / f"{1:020}.json").exists():
        assert process.poll() is None
        time.sleep(0.001)
    process.kill()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL
    assert here.rows() == [(1,)]
    done = at_once(here)
    assert done.files == done.deleted
    assert len(data(here)) == 1
