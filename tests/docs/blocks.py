"""The fenced blocks of the pages, and what has to be the same in an output that a page shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.makers import DOCS

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = "not run: "


@dataclass(frozen=True)
class Block:
    """What stands between two fences. line: of its first one. title: as readers see it above the block."""

    page: Path
    line: int
    language: str
    title: str
    text: str
    behind: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def reason(self) -> str:
        """Why it is not run, as the page says it; "" where it is."""
        return self.title.removeprefix(_NOT_RUN) if self.title.startswith(_NOT_RUN) else ""

    @property
    def file(self) -> str:
        """The file that the block is; "" for none."""
        return "" if self.reason else self.title

    @property
    def is_output(self) -> bool:
        """Whether it is what the block before it shows, with nothing between them."""
        return self.language == "text" and not self.behind


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, as they come."""
    text = page.read_text(encoding="utf-8")
    return list(_blocks(page, text))


def _blocks(page: Path, text: str) -> Iterator[Block]:
    end = 0
    for found in _FENCE.finditer(text):
        language, _, rest = found[1].partition(" ")
        title = _TITLE.search(rest)
        line = text.count("\n", 0, found.start()) + 1
        behind = text[end : found.start()].strip() if end else "the page's head"
        yield Block(page, line, language, title[1] if title else "", found[2], behind)
        end = found.end()


# Outputs --------------------------------------------------------------------------------------------------------------

RUN_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
# What is another one each time, or on another machine.
_CHANGES = (
    (RUN_ID, "RUN"),
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s)\b"), "SECONDS"),
    (re.compile(r"\b\d+(\.\d+)? [kM]?B\b"), "BYTES"),
    (re.compile(r"\(\S+, its first byte\)"), "FILE"),  # other tests use these accounts, too
)
_LEFT_OUT = "…"


@dataclass
class Ids:
    """Ids of runs, as pages show them, with those of the runs that were made instead."""

    known: dict[str, str] = field(default_factory=dict)

    def learn(self, shown: str, came: str) -> None:
        """Of two lines that say the same."""
        self.known.update(zip(RUN_ID.findall(shown), RUN_ID.findall(came), strict=True))

    def fill(self, text: str) -> str:
        """The text with the runs that were made."""
        return RUN_ID.sub(lambda found: self.known.get(found[0], found[0]), text)


def plain(line: str) -> str:
    """A line without what changes from run to run; columns are as wide as that."""
    for pattern, word in _CHANGES:
        line = pattern.sub(word, line)
    return re.sub(r"\s+", " ", line).strip()


def differs(shown: str, came: str, ids: Ids) -> str:
    """The first line of a page's output that does not come, "" where all do; a line `…` stands for any lines."""
    lines = [line for line in came.splitlines() if line.strip()]
    skipping = False
    for line in filter(str.strip, shown.splitlines()):
        if line.strip() == _LEFT_OUT:
            skipping = True
            continue
        while skipping and lines and plain(lines[0]) != plain(line):
            lines.pop(0)
        if not lines or plain(lines[0]) != plain(line):
            return line
        ids.learn(line, lines.pop(0))
        skipping = False
    return "" if skipping or not lines else f"(the end, but it goes on with: {lines[0]})"
