"""Which versions a log has, found without listing it, and what is damage and what is not."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from odibi_magics.delta.log import Commit, checkpoints, newest_version, oldest_version
from odibi_magics.errors import DamagedLog
from tests.engines.logs import CountedLog, add, commit, info, log_of, name, text


@pytest.mark.parametrize("lists_from", [False, True])
@pytest.mark.parametrize("count", [*range(1, 70), 511, 512, 513, 5000])
def test_the_newest_and_oldest_version_of_any_number(count: int, lists_from: bool) -> None:
    log = log_of(range(count), lists_from=lists_from)
    assert (newest_version(log), oldest_version(log)) == (count - 1, 0)
    first = count // 2
    log = log_of(range(first, count), [first], lists_from=lists_from)
    assert (newest_version(log), oldest_version(log)) == (count - 1, first)


def test_a_long_log_is_neither_read_nor_listed() -> None:
    log = log_of(range(20_000))
    assert (newest_version(log), log.listed, log.reads) == (19_999, 0, [])
    assert log.asked <= 8
    assert (oldest_version(log), log.listed) == (0, 0)


def test_an_empty_log_has_no_version() -> None:
    assert (newest_version(CountedLog({})), oldest_version(CountedLog({}))) == (None, None)


def test_files_of_other_kinds_are_no_versions() -> None:
    log = log_of([0, 1])
    uuid = "80a083e8-7026-4e79-81be-64bd76c43a11"
    others = [
        f"{7:020}.crc", f"{2:020}.{5:020}.compacted.json", f"{9:020}.checkpoint.{uuid}.json", f".{name(8)}.crc",
        f"{6:020}.checkpoint.parquet", f"{5:020}.json.tmp", "_commits", f"{4:020}.{uuid}.json",
    ]  # fmt: skip
    log.files |= dict.fromkeys(others, b"{}")
    assert newest_version(log) == 1


def test_checkpoints_of_all_kinds_but_only_whole_ones() -> None:
    uuid = "80a083e8-7026-4e79-81be-64bd76c43a11"
    parts = [f"{20:020}.checkpoint.{i:010}.{3:010}.parquet" for i in (1, 2, 3)]
    names = [
        f"{10:020}.checkpoint.parquet", *parts, f"{30:020}.checkpoint.{uuid}.json", f"{40:020}.checkpoint.{uuid}.parquet",
        f"{50:020}.checkpoint.{1:010}.{2:010}.parquet", f"{60:020}.json",
    ]  # fmt: skip
    assert checkpoints(names) == [10, 20, 30, 40]


# Damage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lists_from", [False, True])
def test_a_gap_never_hides_newer_versions(lists_from: bool) -> None:
    """Either the newest version is found all the same, or the missing one is named."""
    chance = random.Random(5)
    for _ in range(300):
        count = chance.randrange(3, 3000)
        gone = chance.randrange(1, count - 1)
        log = log_of([version for version in range(count) if version != gone], lists_from=lists_from)
        found = _newest_or_missing(log)
        assert found == count - 1 or f"{name(gone)}: it is missing, and version" in str(found)


def _newest_or_missing(log: CountedLog) -> int | str | None:
    try:
        return newest_version(log)
    except DamagedLog as error:
        return str(error)


def test_commits_cleaned_up_behind_a_checkpoint_are_no_damage() -> None:
    assert oldest_version(log_of(range(15, 30), [20])) == 15
    assert oldest_version(log_of(range(21, 30), [20])) == 21
    without_hint = log_of(range(15, 30), [20])
    del without_hint.files["_last_checkpoint"]
    assert (newest_version(without_hint), oldest_version(without_hint)) == (29, 15)
    assert (newest_version(log_of([], [20])), oldest_version(log_of([], [20]))) == (20, None)


def test_without_a_checkpoint_they_are() -> None:
    with pytest.raises(
        DamagedLog, match=f"{name(2)}: it is missing, the log begins at version 3, and no checkpoint"
    ):
        oldest_version(log_of(range(3, 9)))
    with pytest.raises(DamagedLog, match=name(4)):
        oldest_version(log_of(range(5, 9), [2]))


@pytest.mark.parametrize(
    ("bytes_", "says"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (commit(1)[:-9], "its line 2 is no JSON object"),
        (b"[1]\n", "its line 1 is no JSON object"),
        (b'{"commitInfo":{}}\n\xff\xfe', "its line 2 is no JSON object"),
        (b"[" * 100_000, "its line 1 is no JSON object"),
    ],
)
def test_a_damaged_commit_is_named(bytes_: bytes, says: str) -> None:
    with pytest.raises(DamagedLog, match=f"_delta_log/{name(1)}: {says}"):
        _ = Commit(log_of([0]), 1, bytes_).actions


def test_what_writers_may_write() -> None:
    """White space, actions that are null, times that are none."""
    spaced = b'{ "commitInfo" : {"timestamp": 1767225600000, "operation": "X"} }\r\n{"add": null}\n'
    made = Commit(log_of([0]), 0, spaced)
    assert (made.info["operation"], list(made.each("add"))) == ("X", [])
    assert made.time == datetime(2026, 1, 1, tzinfo=UTC)
    both = text({"commitInfo": {"inCommitTimestamp": 1767225600000, "timestamp": 5}}, add("a"))
    assert Commit(log_of([0]), 0, both).time == datetime(2026, 1, 1, tzinfo=UTC)
    assert Commit(log_of([0]), 0, text({"commitInfo": None}, add("a"))).info == {}
    assert not Commit(log_of([0]), 0, text(info(0), add("a", dataChange=False))).changes_data


@pytest.mark.parametrize("told", [10**30, -5, 0, True, "1767225600000", None, 1.5])
def test_a_time_that_is_none_is_storage_s(told: object) -> None:
    class Stored(CountedLog):
        def modified(self, name: str) -> datetime:
            return datetime(2020, 1, 1, tzinfo=UTC)

    made = Commit(Stored({}), 0, text({"commitInfo": {"timestamp": told}}))
    assert made.time == datetime(2020, 1, 1, tzinfo=UTC)
