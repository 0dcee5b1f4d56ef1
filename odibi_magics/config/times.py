"""Instants as people write them: ISO 8601, a date with a time and a zone.

A time in whole seconds means all of that second: people copy what they see, and displays leave out the fraction.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime


class NotAnInstant(ValueError):
    """words: what is wrong with the text. remedy: what to write."""

    def __init__(self, words: str, remedy: str) -> None:
        self.words, self.remedy = words, remedy
        super().__init__(f"{words}: {remedy}")


def instant(text: str) -> datetime:
    """`2026-11-20T18:00Z`, `2026-11-20 18:00:30+01:00`: the last microsecond of that second; with a fraction exactly.

    Raises NotAnInstant.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        words = "expected a date with a time and a zone (ISO 8601)"
        raise NotAnInstant(words, "write 2026-11-20T18:00Z, or 2026-11-20T18:00+01:00") from None
    found = zoned(when)
    return found if _FRACTION.search(text) else found.replace(microsecond=_LAST)


_FRACTION = re.compile(r"[.,]")

# Nobody's log holds it: its times are in milliseconds.
_LAST = 999_999


def written(when: datetime, fraction: str = "auto") -> str:
    """A time as it was written: 2026-11-20T18:00:30+01:00. fraction: of isoformat's timespec, where one was given."""
    return when.isoformat(timespec="seconds" if when.microsecond == _LAST else fraction)


def zoned(when: datetime) -> datetime:
    """The time itself, if it has a zone. Raises NotAnInstant."""
    if when.tzinfo is None:
        shown = when.isoformat(timespec="auto" if when.second or when.microsecond else "minutes")
        raise NotAnInstant("a time without a zone", f"write {shown}Z for UTC")
    try:
        when.astimezone(UTC)
    except OverflowError:
        raise NotAnInstant("a time outside of the years 1 to 9999 in UTC", "write another one") from None
    return when
