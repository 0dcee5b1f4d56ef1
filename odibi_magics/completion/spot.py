"""Where the cursor stands in a text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from odibi_magics.config.marks import Path

Role = Literal["key", "value", "either"]


@dataclass(frozen=True)
class Spot:
    """What is typed at the cursor.

    path: of the mapping that a key stands in, else of the value; as the text has it. role: "either" where a word may
    become a key or stay a value. word: the token from its start up to the cursor; rest: what stands behind the cursor.
    name: the whole key of the mapping, "" for a value. style: as YAML's scalars have it ("'", '"', "|"), "" for plain.
    colon: whether a key has its colon already. flow: between { } or [ ].
    """

    path: Path
    role: Role
    word: str = ""
    rest: str = ""
    name: str = ""
    style: str = ""
    colon: bool = False
    flow: bool = False


class Cursor:
    """A text and an offset in it; what the readers pass over is marked, and what holds the offset is the spot."""

    def __init__(self, text: str, at: int) -> None:
        self.text, self.at = text, at
        self.spot: Spot | None = None

    def within(self, start: int, end: int) -> bool:
        return start <= self.at <= end

    def key(self, path: Path, start: int, end: int, *, colon: bool = False, flow: bool = False) -> None:
        """Marks a key, or the place of one."""
        if self.within(start, end):
            name = self.text[start:end].strip("'\" ")
            self.spot = Spot(path, "key", *self._halves(start, end), name=name, colon=colon, flow=flow)

    def value(
        self, path: Path, start: int, end: int, *, role: Role = "value", style: str = "", flow: bool = False
    ) -> None:
        """Marks a value, or the place of one."""
        if self.within(start, end):
            self.spot = Spot(path, role, *self._halves(start, end), style=style, flow=flow)

    def gap(self, path: Path, start: int, end: int, role: Role, *, flow: bool = False) -> None:
        """Marks white space in which a key or value may begin."""
        if self.within(start, end):
            self.spot = Spot(path, role, flow=flow)

    def _halves(self, start: int, end: int) -> tuple[str, str]:
        return self.text[start : self.at], self.text[self.at : end]
