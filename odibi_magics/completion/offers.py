"""What is offered for the word at the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Offer:
    """A word that may stand here. about: what it is, in a few words, for people."""

    text: str
    about: str = ""


@dataclass(frozen=True)
class Offers:
    """What may stand in place of `replaced`, the characters right before the cursor."""

    replaced: str = ""
    offers: tuple[Offer, ...] = field(default=())


NOTHING = Offers()

# More than a menu shows; front ends narrow them down by what is typed on.
MOST = 500


def fitting(word: str, offers: Iterable[Offer]) -> Offers:
    """Those that begin as the word does, in any case; each once."""
    start = word.lower()
    found = {offer.text: offer for offer in reversed([*offers]) if offer.text.lower().startswith(start)}
    return Offers(word, tuple(reversed(found.values()))[:MOST])


def brief(text: str, width: int = 60) -> str:
    """The first sentence of a description, cut where it is long."""
    first = text.split("; ")[0].split(". ")[0].rstrip(".")
    return first if len(first) <= width else f"{first[: width - 1].rstrip()}…"
