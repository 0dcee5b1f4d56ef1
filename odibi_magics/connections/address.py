"""TABLE addresses: `conn:path`, a node's name, a local path or a URL, each with `@5` or `@2026-11-20T18:00Z`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from odibi_magics.config.times import NotAnInstant, instant, written
from odibi_magics.errors import UsageError

_CONNECTION = re.compile(r"([A-Za-z_][\w-]*):(?!//)(.+)", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][\w-]*")

_DAY, _CLOCK = re.compile(r"@\d{4}-?\d\d-?\d\d$"), re.compile(r"\d\d:?\d\d\S*")

_DRIVE = re.compile(r"[A-Za-z]:[\\/].*", re.DOTALL)

_DIGITS = 20
"""A version's name in the log has so many."""


@dataclass(frozen=True)
class Address:
    """A table, taken apart. connection: None for a node's name, a path or a URL, which stand in `path`."""

    connection: str | None
    path: str
    version: int | None = None
    timestamp: datetime | None = None

    def __str__(self) -> str:
        place = f"{self.connection}:{self.path}" if self.connection else self.path
        if self.version is not None:
            return f"{place}@{self.version}"
        return f"{place}@{written(self.timestamp)}" if self.timestamp else place


def parse_address(text: str, *more: str) -> Address:
    """One word `conn:path@5`, or two words `conn path@5`.

    Raises UsageError for more words, words that are one with a space in it, an empty address, or a time without a zone.
    """
    refuse_split_times([text, *more])
    if len(more) > 1:
        raise UsageError(
            f"one TABLE is one word, conn:path@5, or two, CONN PATH@5; not {1 + len(more)}. One with a space in it "
            "stands in quotes"
        )
    if more and not _NAME.fullmatch(text):
        raise _split(text, more[0])
    whole = f"{text}:{more[0]}" if more else text
    if not whole.strip():
        raise UsageError("a TABLE is missing: conn:path, a node's name, a local path or a URL")
    place, version, timestamp = _at(whole)
    match = _CONNECTION.fullmatch(place)
    if match and not _DRIVE.fullmatch(place):
        return Address(match[1], match[2], version, timestamp)
    return Address(None, place, version, timestamp)


def refuse_split_times(words: Sequence[str]) -> None:
    """Raises UsageError where a version's date and its time of day are words of their own."""
    for word, following in pairwise(words):
        if _DAY.search(word) and _CLOCK.fullmatch(following):
            raise _split(word, following)


def _split(*words: str) -> UsageError:
    whole = " ".join(words)
    return UsageError(f"{whole}: a TABLE with a space in it stands in quotes: {shlex.quote(whole)}")


def is_path(word: str) -> bool:
    """Whether a TABLE of one word can only be a path of this machine: no node, no connection's path, no URL."""
    place = _at(word)[0]
    alone = not _CONNECTION.fullmatch(place) or bool(_DRIVE.fullmatch(place))
    return alone and "://" not in place and (place.startswith((".", "~")) or "/" in place or "\\" in place)


def _at(text: str) -> tuple[str, int | None, datetime | None]:
    """Splits off `@version`; an `@` inside a URL's authority (abfss://container@account) is none."""
    place, at, tail = text.rpartition("@")
    if not at or "/" in tail or ("://" in place and "/" not in place.split("://", 1)[1]):
        return text, None, None
    if tail.isascii() and tail.isdigit():
        if len(tail) > _DIGITS:
            raise UsageError(f"'@{tail[:_DIGITS]}…' is no version: no table has so many")
        return place, int(tail), None
    try:
        return place, None, instant(tail)
    except NotAnInstant as error:
        raise UsageError(
            f"'@{tail}' is neither a version (@5) nor a time: {error.words}, {error.remedy}"
        ) from None
