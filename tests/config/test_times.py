"""Instants, wherever people write them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from odibi_magics import Project, UsageError
from odibi_magics.config.times import NotAnInstant, instant, written
from odibi_magics.connections.address import parse_address


@pytest.mark.parametrize(
    "text", ["2026-11-20T18:00Z", "2026-11-20 18:00:00+00:00", "2026-11-20T19:00+01:00", "20261120T180000Z"]
)
def test_iso_8601_with_a_zone(text: str) -> None:
    assert instant(text) == datetime(2026, 11, 20, 18, 0, 0, 999_999, tzinfo=UTC), "all of that second"


@pytest.mark.parametrize("text", ["2026-11-20T18:00:00.000Z", "2026-11-20T19:00:00,0+01:00"])
def test_a_time_with_a_fraction_is_exact(text: str) -> None:
    assert instant(text) == datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-20T18:00:30+01:00", "2026-11-20T18:00:30.120000+00:00"])
def test_a_time_is_quoted_as_it_was_written(text: str) -> None:
    assert written(instant(text)) == text
    assert str(parse_address(f"lake:t@{text}")) == f"lake:t@{text}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "expected a date with a time and a zone (ISO 8601): write 2026-11-20T18:00Z"),
        ("20.11.2026", "expected a date"),
        ("2026-02-30T10:00Z", "expected a date"),
        ("2026-11-20", "a time without a zone: write 2026-11-20T00:00Z for UTC"),
        ("2026-11-20T18:00:30", "write 2026-11-20T18:00:30Z for UTC"),
        ("0001-01-01T00:00+14:00", "a time outside of the years 1 to 9999"),
        ("9999-12-31T23:59-14:00", "a time outside of the years 1 to 9999"),
    ],
)
def test_what_is_no_instant_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(NotAnInstant) as caught:
        instant(text)
    assert words in str(caught.value)


def test_the_remedy_is_an_instant() -> None:
    for text in ("2026-11-20", "2026-11-20T18:00:30.5"):
        with pytest.raises(NotAnInstant) as caught:
            instant(text)
        assert instant(caught.value.remedy.split()[1]).tzinfo is not None


def test_an_address_and_a_call_say_the_same(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'@2026-11-20' is neither a version \(@5\) nor a time: .*T00:00Z for UTC"
    ):
        parse_address("lake:t@2026-11-20")
    project = Project.from_yaml(f"connections: {{lake: {{type: local, base_path: {tmp_path}}}}}")
    for when in ("yesterday", "2026-11-20", datetime(2026, 11, 20)):
        with pytest.raises(UsageError, match="write 2026-11-20T"):
            project.engine.read_delta(connection="lake", path="t", timestamp=when)


@pytest.mark.parametrize("version", ["²", "１", "9" * 5000])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(UsageError, match=r"neither a version|no table has so many"):
        parse_address(f"lake:t@{version}")
