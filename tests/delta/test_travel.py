"""The version at a time, and which versions still read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from odibi_magics.delta.travel import readable, reconstructable, spans, version_at
from odibi_magics.errors import DamagedLog, NoSuchTime
from tests.engines.logs import START, STEP, CountedLog, add, commit, log_of, name, remove


def at(version: float) -> datetime:
    """When a version was committed."""
    return datetime.fromtimestamp((START + version * STEP) / 1000, UTC)


def test_a_time_of_20000_versions_takes_few_reads() -> None:
    log = log_of(range(20_000))
    for version in (0, 1, 9_999, 12_345, 19_998, 19_999):
        for when in (at(version), at(version + 0.5)):
            log.reads.clear()
            assert version_at(log, when) == version
            assert len(log.reads) <= 17


def test_every_time_of_a_short_log() -> None:
    log = log_of(range(3, 12), [5])
    for version in range(3, 12):
        assert version_at(log, at(version)) == version
        assert version_at(log, at(version + 1) - timedelta(milliseconds=1)) == version


def test_clocks_that_go_back() -> None:
    """Whatever the writers' clocks say: the version found is not later than the time, and the next one is."""
    minutes = [0, 5, 2, 9, 7, 8, 30, 20]
    log = CountedLog({name(v): commit(v, timestamp=START + m * STEP) for v, m in enumerate(minutes)})
    for tenths in range(300):
        found = version_at(log, at(tenths / 10))
        assert found is not None
        assert minutes[found] <= tenths / 10
        assert found == len(minutes) - 1 or minutes[found + 1] > tenths / 10


def test_times_at_which_there_was_no_table() -> None:
    log = log_of(range(3))
    with pytest.raises(
        NoSuchTime, match=r"was not there at 2025-12-31T23:59:00.000Z; its first commit is of 2026-01-01T0"
    ):
        version_at(log, at(-1))
    with pytest.raises(NoSuchTime, match="of version 4: older ones were cleaned up"):
        version_at(log_of(range(4, 9), [4]), at(3))
    with pytest.raises(NoSuchTime, match="lies in the future"):
        version_at(log, datetime.now(UTC) + timedelta(hours=1))
    assert version_at(CountedLog({}), at(0)) is None


def test_a_gap_that_the_search_meets_is_named() -> None:
    with pytest.raises(DamagedLog, match=name(50)):
        version_at(log_of([v for v in range(100) if v != 50]), at(50))


def test_versions_whose_state_the_log_tells() -> None:
    def names(versions: range | list[int], checkpoints: tuple[int, ...] = ()) -> list[str]:
        return list(log_of(versions, checkpoints).names())

    assert reconstructable(names(range(4))) == [0, 1, 2, 3]
    assert reconstructable(names(range(5, 9), (6,))) == [6, 7, 8]
    assert reconstructable(names([0, 1, 3, 4, 5], (4,))) == [0, 1, 4, 5]
    assert reconstructable(names(range(5, 9))) == []
    assert reconstructable(names([], (6,))) == [6]


def test_versions_whose_files_are_there() -> None:
    """A file added at 1 and removed at 4 is missed by 1 to 3, one of the newest version by all since it came."""
    log = CountedLog(
        {
            name(0): commit(0, add("a")), name(1): commit(1, add("b%20c")), name(2): commit(2, add("d")),
            name(3): commit(3, add("e")), name(4): commit(4, remove("b%20c"), remove("a")), name(5): commit(5, add("a")),
        }
    )  # fmt: skip
    everything = {"a", "b c", "d", "e"}
    assert readable(log, everything) == [0, 1, 2, 3, 4, 5]
    assert readable(log, everything - {"b c"}) == [0, 4, 5]
    assert readable(log, everything - {"a"}) == [4]
    assert readable(log, everything - {"e"}) == [0, 1, 2]
    assert readable(log, everything, alive=["old"]) == []
    behind = CountedLog(
        {name(5): commit(5), f"{5:020}.checkpoint.parquet": b"", name(6): commit(6, remove("old"))}
    )
    assert readable(behind, {"part-5.parquet"}) == [6]


def test_versions_in_words() -> None:
    assert spans([0, 1, 2, 7, 9, 10]) == "0 to 2, 7, 9 to 10"
    assert spans(range(0, 40, 2)) == "…, 28, 30, 32, 34, 36, 38"
