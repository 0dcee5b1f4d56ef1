"""The version at a time, and which versions still read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from odibi_magics.config.times import instant
from odibi_magics.delta.travel import spans, version_at
from odibi_magics.display.history import time_exact
from odibi_magics.errors import DamagedLog, NoSuchTime
from tests.engines.logs import START, STEP, CountedLog, commit, log_of, name


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
        NoSuchTime,
        match=r"^lake:t was not there at 2025-12-31T23:59:00.000Z; its first commit is of 2026-01-01T0",
    ):
        version_at(log, at(-1))
    with pytest.raises(NoSuchTime, match="of version 4: older ones were cleaned up"):
        version_at(log_of(range(4, 9), [4]), at(3))
    with pytest.raises(NoSuchTime, match="lies in the future"):
        version_at(log, datetime.now(UTC) + timedelta(hours=1))
    assert version_at(CountedLog({}), at(0)) is None


def test_a_time_as_a_history_shows_it_leads_to_the_version_beside_it() -> None:
    """Three commits in one second, and one in the next."""
    times = [START, START + 20, START + 999, START + 1000]
    log = CountedLog({name(v): commit(v, timestamp=time) for v, time in enumerate(times)})
    for version, seen in ((2, "2026-01-01T00:00:00Z"), (3, "2026-01-01T00:00:01Z"), (3, "2026-01-01T00:01Z")):
        assert version_at(log, instant(seen)) == version
    for version, milliseconds in enumerate(times):
        assert version_at(log, instant(time_exact(at((milliseconds - START) / STEP)))) == version
    with pytest.raises(NoSuchTime, match="was not there at 2001-01-01T00:00:00Z; its first"):
        version_at(log, instant("2001-01-01T00:00Z"))


def test_the_second_that_is_running_is_no_future() -> None:
    now = datetime.now(UTC)
    log = CountedLog({name(0): commit(0, timestamp=int(now.timestamp() * 1000))})
    assert version_at(log, instant(f"{now:%Y-%m-%dT%H:%M:%SZ}")) == 0


def test_a_gap_that_the_search_meets_is_named() -> None:
    with pytest.raises(DamagedLog, match=name(50)):
        version_at(log_of([v for v in range(100) if v != 50]), at(50))


def test_versions_in_words() -> None:
    assert spans([0, 1, 2, 7, 9, 10]) == "0 to 2, 7, 9 to 10"
    assert spans(range(0, 40, 2)) == "…, 28, 30, 32, 34, 36, 38"
