"""Several writers of one table: each write happens as if alone, or is refused; never half, never twice."""

from __future__ import annotations

import os
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from odibi_magics.engines.base import Written
from odibi_magics.errors import Cancelled, EngineError, OdibiError, WriteConflict
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake
from tests.engines.writing import lake as here

__all__ = ["here", "lake"]


def together(*writes: Callable[[], Written]) -> list[Any]:
    """What each gave or raised; all begin at once."""
    gate = threading.Barrier(len(writes))
    results: list[Any] = [None] * len(writes)

    def run(i: int) -> None:
        gate.wait()
        try:
            results[i] = writes[i]()
        except OdibiError as error:
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(writes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def landed(results: list[Any]) -> list[Written]:
    assert all(isinstance(one, Written | WriteConflict) for one in results), results
    return [one for one in results if isinstance(one, Written)]


def test_appends_all_land(lake: Lake) -> None:
    lake.write({"id": [-1]})
    results = together(*(lambda i=i: lake.write({"id": [i]}, mode="append") for i in range(6)))
    assert sorted(one.version_after or 0 for one in landed(results)) == list(range(1, 7))
    assert sorted(row[0] for row in lake.rows()) == list(range(-1, 6))


def test_the_first_writes_of_a_table(lake: Lake) -> None:
    results = together(*(lambda i=i: lake.write({"id": [i]}, mode="append") for i in range(4)))
    assert sorted(one.version_after or 0 for one in landed(results)) == list(range(4))
    assert sorted(row[0] for row in lake.rows()) == list(range(4))


def test_overwrites_leave_the_rows_of_one(lake: Lake) -> None:
    lake.write({"id": [0], "by": [9]})
    results = together(*(lambda i=i: lake.write({"id": [1, 2], "by": [i, i]}) for i in range(4)))
    last = max(landed(results), key=lambda one: one.version_after or 0)
    writer = results.index(last)
    assert lake.rows() == [(1, writer), (2, writer)]
    assert lake.stray() == []


def test_merges_never_double_a_key(lake: Lake) -> None:
    lake.write({"id": list(range(10)), "v": [0] * 10})
    results = together(
        *(
            lambda i=i: lake.write({"id": [1, 2, 100 + i], "v": [i, i, i]}, mode="merge", keys=["id"])
            for i in range(1, 5)
        )
    )
    done = landed(results)
    ids = [row[0] for row in lake.rows()]
    assert len(ids) == len(set(ids)) == 10 + len(done)
    assert lake.stray() == []


def test_append_once_adds_a_key_once(lake: Lake) -> None:
    lake.write({"id": [0]})
    landed(
        together(*(lambda: lake.write({"id": [1, 2, 3]}, mode="append_once", keys=["id"]) for _ in range(4)))
    )
    assert [row[0] for row in lake.rows()] == [0, 1, 2, 3]


class Meddler:
    """A cancelled() that lets another writer in, once the first batch is under way."""

    def __init__(self, lake: Lake, data: dict[str, Any], **how: Any) -> None:
        self.lake, self.data, self.how, self.done = lake, data, how, False

    def __call__(self) -> bool:
        if not self.done:
            self.done = True
            self.lake.write(self.data, **self.how)
        return False


def test_a_merge_is_made_again_upon_the_newer_version(lake: Lake) -> None:
    lake.write({"id": [1], "v": ["a"]})
    other = Meddler(lake, {"id": [2], "v": ["other"]}, mode="append")
    written = lake.write({"id": [1, 2], "v": ["n", "n"]}, mode="merge", keys=["id"], cancelled=other)
    assert (written.version_before, written.version_after, written.rows_updated) == (1, 2, 2)
    assert lake.rows() == [(1, "n"), (2, "n")]


def test_a_table_that_changed_its_columns_is_a_conflict(lake: Lake) -> None:
    lake.write({"id": [1]})
    other = Meddler(lake, {"id": ["text"]}, overwrite_schema=True)
    with pytest.raises(
        WriteConflict, match=r"lake:t was version 0 when this write began and is version 1 now.*run it again"
    ):
        lake.write({"id": [2]}, mode="append", cancelled=other)
    assert (lake.rows(), lake.stray()) == ([("text",)], [])


def test_a_table_that_came_to_be_meanwhile(lake: Lake) -> None:
    other = Meddler(lake, {"id": [1]})
    assert lake.write({"id": [2]}, mode="ignore", cancelled=other).skipped == "exists already"
    other = Meddler(lake, {"id": [1]}, path="u")
    with pytest.raises(EngineError, match="mode: error: the table lake:u is there already"):
        lake.write({"id": [2]}, path="u", mode="error", cancelled=other)
    assert (lake.stray(), lake.stray("u")) == ([], [])


def test_a_first_write_that_fails_leaves_the_folders_of_another(here: Lake) -> None:
    """The other one has staged a file, and is about to open one in p=1."""
    folder, batches = here.folder / "t", count()

    def stopped() -> bool:
        (folder / "p=1").mkdir(parents=True, exist_ok=True)
        (folder / "part-other.parquet").touch()
        return next(batches) > 4

    with pytest.raises(Cancelled):
        here.write(here.sql("SELECT i AS id FROM range(1000000) t(i)"), cancelled=stopped)
    assert sorted(path.name for path in folder.iterdir()) == ["p=1", "part-other.parquet"]


def test_folders_that_another_takes_away_are_made_again(here: Lake) -> None:
    """As a first write does that fails while this one begins; of folders, empty ones alone can be taken."""
    done = threading.Event()

    def prune() -> None:
        while not done.is_set():
            for folder in ["t/p=1", "t/p=2", "t/p=3", "t"]:
                with suppress(OSError):
                    (here.folder / folder).rmdir()
            time.sleep(0.001)

    pruner = threading.Thread(target=prune)
    pruner.start()
    try:
        for _ in range(20):
            here.write({"id": [1, 2, 3], "p": [1, 2, 3]}, partition_by=["p"])
            assert len(here.rows()) == 3
            shutil.rmtree(here.folder / "t", ignore_errors=True)
    finally:
        done.set()
        pruner.join()


def test_stop_leaves_nothing(lake: Lake) -> None:
    lake.write({"id": [1]})
    with pytest.raises(Cancelled):
        lake.write(
            lake.sql("SELECT i AS id FROM range(1000000) t(i)"),
            cancelled=lambda c=[0]: c.append(0) or len(c) > 4,
        )
    assert (lake.rows(), lake.stray()) == ([(1,)], [])


def test_a_commit_that_landed_is_never_called_failed(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails behind the commit, as a checkpoint that cannot be written, does not take its files away."""
    from deltalake import DeltaTable

    lake.write({"id": [1]})
    commit = DeltaTable.create_write_transaction

    def fails_behind(self: Any, *args: Any, **named: Any) -> None:
        commit(self, *args, **named)
        raise OSError("no space left for the checkpoint")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", fails_behind)
    assert lake.write({"id": [2]}, mode="append").version_after == 1
    assert lake.rows() == [(1,), (2,)]


def test_a_commit_that_landed_is_found_behind_a_newer_one(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for a conflict, it would be written a second time."""
    from deltalake import DeltaTable

    lake.write({"id": [1]})
    commit = DeltaTable.create_write_transaction

    def fails_behind(self: Any, *args: Any, **named: Any) -> None:
        monkeypatch.undo()
        commit(self, *args, **named)
        lake.write({"id": [3]}, mode="append")
        raise OSError("no space left for the checkpoint")

    monkeypatch.setattr(DeltaTable, "create_write_transaction", fails_behind)
    assert lake.write({"id": [2]}, mode="append").version_after == 1
    assert lake.rows() == [(1,), (2,), (3,)]


def test_a_version_is_never_called_ours_that_is_another_s(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CREATE OR REPLACE alone does not say which version it follows."""
    from deltalake import transaction

    replace = transaction.create_table_with_add_actions

    def overtaken(*args: Any, **named: Any) -> None:
        monkeypatch.undo()
        lake.write({"id": [2], "y": [2]}, mode="append")
        replace(*args, **named)

    lake.write({"id": [1], "y": [1]}, partition_by=["y"])
    monkeypatch.setattr(transaction, "create_table_with_add_actions", overtaken)
    with pytest.raises(
        EngineError, match=r"another writer committed to .*/t just before this one replaced it"
    ):
        lake.write({"id": [3], "y": [3]}, overwrite_schema=True, partition_by=["id"])
    assert lake.rows() == [(3, 3)]


def test_a_commit_that_fails_takes_its_files_away(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    from deltalake import DeltaTable

    def fails(self: Any, *args: Any, **named: Any) -> None:
        raise OSError("disk full")

    lake.write({"id": [1]})
    monkeypatch.setattr(DeltaTable, "create_write_transaction", fails)
    with pytest.raises(EngineError, match=r"the commit to .* failed: disk full"):
        lake.write({"id": [2]}, mode="append")
    assert (lake.rows(), lake.stray()) == ([(1,)], [])


def test_a_stop_at_the_very_commit_takes_no_file_of_it_away(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltalake import DeltaTable

    commit = DeltaTable.create_write_transaction

    def stopped_behind(self: Any, *args: Any, **named: Any) -> None:
        commit(self, *args, **named)
        raise KeyboardInterrupt

    lake.write({"id": [1]})
    monkeypatch.setattr(DeltaTable, "create_write_transaction", stopped_behind)
    with pytest.raises(KeyboardInterrupt):
        lake.write({"id": [2]}, mode="append")
    assert lake.rows() == [(1,), (2,)]


@pytest.fixture
def short_files() -> Iterator[None]:
    """Files that cannot grow above 200 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("short_files")
@pytest.mark.parametrize("partition_by", [[], ["p"]])
def test_a_full_disk_leaves_nothing_behind(here: Lake, partition_by: list[str]) -> None:
    here.write({"id": [1], "p": [1], "v": ["a"]}, partition_by=partition_by)
    before = len(os.listdir("/dev/fd"))
    rows = "SELECT i AS id, i % 2 AS p, md5(i::VARCHAR) AS v FROM range(400000) t(i)"
    for path in ("t", "new"):
        with pytest.raises(EngineError, match=r"cannot write to .*: .*File too large"):
            here.write(here.sql(rows), path=path, mode="append", partition_by=partition_by)
    assert (here.rows(), here.stray()) == ([(1, 1, "a")], [])
    assert not (here.folder / "new").exists()
    assert len(os.listdir("/dev/fd")) <= before  # an open file would still take its room on the disk


@pytest.mark.usefixtures("short_files")
def test_a_full_disk_at_the_commit(here: Lake) -> None:
    here.write({"id": [1]})
    with pytest.raises(EngineError) as raised:
        here.write({"id": [2]}, mode="append", mark="x" * 300_000)
    assert str(raised.value).startswith(f"the commit to {here.folder}/t failed: ")
    assert "File too large" in str(raised.value)
    assert "\n" not in str(raised.value) and "\x1b" not in str(raised.value)
    assert (here.rows(), here.stray()) == ([(1,)], [])


def test_a_file_is_no_place_for_a_table(lake: Lake) -> None:
    lake.put("file", b"x")
    with pytest.raises(EngineError, match="lake:file is a file, not a folder for a table"):
        lake.write({"id": [1]}, path="file")
