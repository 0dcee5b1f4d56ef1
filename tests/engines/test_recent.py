"""A table's log is read once for a plan and the run that follows, and never taken for what it is no more."""

from __future__ import annotations

import shutil
import threading
from typing import Any

import pytest
from deltalake import write_deltalake

from odibi_magics import Project
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas import snapshot
from odibi_magics.engines.pandas.read_delta import open_whole, pins_of
from odibi_magics.engines.pandas.recent import being_opened, opened_ahead, remembering
from odibi_magics.engines.pandas.snapshot import Snapshot, open_snapshot, opening
from odibi_magics.engines.pandas.storage import Store, open_store
from odibi_magics.errors import DamagedLog, NoSuchVersion
from tests.engines.writing import Lake, anywhere, lake

__all__ = ["anywhere", "lake"]


def opened(lake: Lake) -> Snapshot:
    found = open_snapshot(open_store(Place(lake.connection, "t", "delta")))
    assert found is not None
    return found


def files(table: Snapshot) -> list[tuple[Any, ...]]:
    return sorted((file.path, file.size, file.rows, sorted(file.partition.items())) for file in table.files)


def test_a_log_that_has_not_grown_is_read_once(anywhere: Lake) -> None:
    anywhere.write({"id": [1, 2]})
    assert opened(anywhere) is not opened(anywhere)
    with remembering():
        first = opened(anywhere)
        with remembering():
            assert opened(anywhere) is first
        assert opened(anywhere) is first
    assert opened(anywhere) is not first


def test_what_others_commit_is_seen(anywhere: Lake) -> None:
    anywhere.write({"id": [1, 2]})
    with remembering():
        assert opened(anywhere).version == 0
        store = open_store(Place(anywhere.connection, "t", "delta"))
        write_deltalake(
            store.delta_url,
            anywhere.frame({"id": [3]}).to_arrow(),
            mode="append",
            storage_options=store.options,
        )
        assert opened(anywhere).version == 1
        assert sorted(anywhere.rows("t")) == [(1,), (2,), (3,)]


def test_a_table_that_was_made_anew_is_another_one(lake: Lake) -> None:
    lake.write({"id": [1, 2]})
    with remembering():
        first = opened(lake)
        shutil.rmtree(lake.folder / "t")
        lake.write({"id": [7, 8]})
        again = opened(lake)
        assert again.version == first.version == 0
        assert pins_of(again)["id"] != pins_of(first)["id"]
        assert lake.rows("t") == [(7,), (8,)]


def test_the_files_of_a_version_that_a_plan_opened_are_looked_for(lake: Lake) -> None:
    lake.write({"id": [1, 2]})
    place = Place(lake.connection, "t", "delta")
    with remembering():
        old = opened(lake)
        write_deltalake(str(lake.folder / "t"), lake.frame({"id": [3]}).to_arrow(), mode="overwrite")
        for file in old.files:
            (lake.folder / "t" / file.path).unlink()
        with pytest.raises(NoSuchVersion, match="1 of its 1 files went missing"):
            open_whole(place, old.version)


@pytest.mark.parametrize(
    "more",
    [
        {"mode": "append"},
        {"mode": "overwrite"},
        {"mode": "overwrite", "replace_where": "part = 1"},
        {"mode": "overwrite_partitions"},
        {"mode": "merge", "keys": ["id"]},
        {"mode": "append_once", "keys": ["id"]},
    ],
    ids=str,
)
def test_what_a_commit_left_is_what_its_log_says(anywhere: Lake, more: dict[str, Any]) -> None:
    anywhere.write({"id": [1, 2, 3], "part": [1, 1, 2]}, partition_by=["part"])
    place = Place(anywhere.connection, "t", "delta")
    with remembering():
        written = anywhere.write({"id": [2, 9], "part": [1, 1]}, **more, partition_by=["part"])
        left = open_whole(place, written.version_after)
        assert left.changed is not None
    afresh = open_whole(place, written.version_after)
    assert afresh.changed is None
    assert files(left) == files(afresh)
    assert pins_of(left) == pins_of(afresh)
    assert (left.columns, left.partition_by) == (afresh.columns, afresh.partition_by)


def test_nothing_is_committed_upon_what_was_not_opened(anywhere: Lake) -> None:
    anywhere.write({"id": [1]})
    with remembering():
        versions = [anywhere.write({"id": [n]}, mode="append").version_after for n in (2, 3, 4)]
    assert versions == [1, 2, 3]
    assert sorted(anywhere.rows("t")) == [(1,), (2,), (3,), (4,)]


def test_a_new_column_is_read_from_the_log(anywhere: Lake) -> None:
    anywhere.write({"id": [1]})
    with remembering():
        written = anywhere.write({"id": [2], "name": ["b"]}, mode="append", merge_schema=True)
        left = open_whole(Place(anywhere.connection, "t", "delta"), written.version_after)
        assert left.changed is None
        assert [column.name for column in left.columns] == ["id", "name"]


# Several at once -------------------------------------------------------------------------------------------------------


def test_tables_are_opened_at_once_each_for_the_first_who_asks(lake: Lake) -> None:
    for name in "abc":
        lake.write({"id": [1]}, path=name)
    stores = [open_store(Place(lake.connection, name, "delta")) for name in "abc"]
    together = threading.Barrier(3, timeout=60)

    def opened(store: Store) -> Snapshot | None:
        together.wait()
        return snapshot._opened(store)

    with opened_ahead(stores, opened):
        waits = [being_opened(store) for store in stores]
        found = [wait() for wait in waits if wait]
        assert [table.version for table in found if table] == [0, 0, 0]
        assert [being_opened(store) for store in stores] == [None, None, None]
    assert not any(being_opened(store) for store in stores)


def test_what_was_not_asked_for_is_not_kept(lake: Lake) -> None:
    stores = [open_store(Place(lake.connection, name, "delta")) for name in "ab"]
    with opened_ahead(stores, snapshot._opened):
        pass
    assert [being_opened(store) for store in stores] == [None, None]


def test_a_table_that_cannot_be_opened_is_told_by_who_asks(lake: Lake) -> None:
    for name in "ab":
        lake.write({"id": [1]}, path=name)
    (lake.folder / "a/_delta_log/00000000000000000000.json").write_text("")
    places = [Place(lake.connection, name, "delta") for name in "abc"]
    with opening(map(open_store, places)):
        with pytest.raises(DamagedLog):
            open_snapshot(open_store(places[0]))
        table = open_snapshot(open_store(places[1]))
        assert table is not None and table.version == 0
        assert open_snapshot(open_store(places[2])) is None


def test_a_plan_opens_its_tables_at_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        lake.write({"id": [1]}, path=name)
    threads: list[str] = []
    opened = snapshot._opened

    def noted(store: Store, version: int | None = None) -> Snapshot | None:
        threads.append(threading.current_thread().name)
        return opened(store, version)

    monkeypatch.setattr(snapshot, "_opened", noted)
    nodes = "".join(f"- {{name: {name}, read: {{connection: lake, path: {name}}}}}\n" for name in "abc")
    Project.from_yaml(
        f"connections: {{lake: {{type: local, base_path: {lake.folder}}}}}\nnodes:\n{nodes}"
    ).plan()
    assert threads == ["odibi-ahead"] * 3
