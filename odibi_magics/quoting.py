"""Texts that quote the user's data: whole for whoever asks, and without it for a notebook that may keep no data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

WITHHELD: Final = "[data]"


class Data(str):
    """Part of a text: values of the user's, or what a library or a user's function said, which may hold some."""


class Quoting(str):
    """A text in parts, some of them Data. It is its whole text, and keeps its parts when it is a part of another.

    An f-string makes plain text of it, which is for people who may see the data.
    """

    parts: tuple[str, ...]

    def __new__(cls, *parts: str) -> Quoting:
        flat = [one for part in parts for one in (part.parts if isinstance(part, Quoting) else (part,))]
        made = super().__new__(cls, "".join(flat))
        made.parts = tuple(flat)
        return made

    def __getnewargs__(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.parts


def each_part(text: str, change: Callable[[str], str]) -> str:
    """A text with its parts changed, of which those that are data stay data."""
    if isinstance(text, Quoting):
        return Quoting(*(each_part(part, change) for part in text.parts))
    return Data(change(text)) if isinstance(text, Data) else change(text)


def first_line(text: str) -> str:
    """A text up to the end of its first line."""
    if not isinstance(text, Quoting):
        return each_part(text, lambda part: part.partition("\n")[0])
    kept = []
    for part in text.parts:
        kept.append(first_line(part))
        if "\n" in part:
            break
    return Quoting(*kept)


def without_data(text: str) -> str:
    """A text with `[data]` in place of each part that is data."""
    if isinstance(text, Quoting):
        return "".join(map(without_data, text.parts))
    return WITHHELD if isinstance(text, Data) else text
