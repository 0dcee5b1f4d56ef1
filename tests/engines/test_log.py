"""The log of a table on storage: its newest commits are read without opening the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from odibi_magics.delta.log import commits, newest_version, oldest_version
from odibi_magics.delta.mark import RunMark, Target
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.storage import open_store
from tests.engines.writing import Lake
from tests.engines.writing import anywhere as lake

__all__ = ["lake"]

MARK = RunMark(
    "r1", "etl", "clean", "append", "f", ({"url": "x", "version": 3},), (Target("clean", "t", "delta", 0),)
)


def log_of(where: Lake, path: str = "t") -> StoreLog:
    return StoreLog(open_store(Place(where.connection, path, "delta")))


def test_where_nothing_is_there_is_no_version(lake: Lake) -> None:
    log = log_of(lake)
    assert (newest_version(log), oldest_version(log)) == (None, None)
    assert commits(log, [0, 1]) == []


def test_commits_tell_what_they_did(lake: Lake) -> None:
    lake.write({"id": [1, 2]})
    lake.write({"id": [3]}, mode="append", mark=MARK.to_json())
    log = log_of(lake)
    assert (oldest_version(log), newest_version(log)) == (0, 1)
    newest, first = commits(log, [1, 0, 7])
    assert (newest.version, newest.mark, first.version) == (1, MARK, 0)
    assert [one["stats"] is not None for one in newest.each("add")] == [True]
    assert newest.changes_data and first.changes_data
    assert abs(newest.time - datetime.now(UTC)) < timedelta(minutes=5)


def test_names_start_after_the_one_given(lake: Lake) -> None:
    for _ in range(3):
        lake.write({"id": [1]})
    log = log_of(lake)
    lake.put("t/_delta_log/_sidecars/deep.json", b"{}")
    everything = list(log.names())
    assert [name for name in everything if name[0] == "0"] == [f"{v:020}.json" for v in range(3)]
    assert list(log.names(f"{0:020}.json")) == [name for name in everything if name > f"{0:020}.json"]


def test_a_hint_that_is_wrong_hides_nothing(lake: Lake) -> None:
    lake.write({"id": [1]})
    for hint in (b"", b"{", b"[]", b'{"version": 900}', b'{"version": "1"}'):
        lake.put("t/_delta_log/_last_checkpoint", hint)
        assert newest_version(log_of(lake)) == 0, hint
