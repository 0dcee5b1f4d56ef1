"""The user's text with its origin, and places in it: line, columns and the excerpt that errors show."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from odibi_magics.config.cover import cover
from odibi_magics.errors import UsageError

# Lines shown above the one at fault; more pushes the next problem off the screen.
_CONTEXT = 1


@dataclass(frozen=True)
class Source:
    """Where a text came from.

    name: how people know it: "this cell", or the file's path as they wrote it.
    folder: what relative paths in it are relative to.
    first_line: the number of the text's first line as its reader sees it (2 in a cell: `%%magic` is line 1).
    later: what it is called from outside it, "cell [3]"; its name without that.
    hidden: where the parser found secrets: line, column, end line, end column, from 0.
    """

    text: str = field(repr=False)
    name: str = "this cell"
    folder: Path = field(default_factory=Path.cwd)
    first_line: int = 1
    later: str = ""
    hidden: list[tuple[int, int, int, int]] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A byte order mark takes no column.
        object.__setattr__(self, "text", self.text.removeprefix("\ufeff"))

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Source:
        """Raises OSError, UnicodeDecodeError where the file is not UTF-8, and UsageError for a notebook."""
        file = Path(path)
        if file.suffix == ".ipynb":
            raise UsageError(f"'{file}' is a notebook: %odibi_save FILE in it writes the file that runs")
        return cls(file.read_text(encoding="utf-8-sig"), os.fspath(path), file.resolve().parent)

    @cached_property
    def lines(self) -> list[str]:
        """The lines as YAML and editors count them."""
        return re.split(r"\r\n|\r|\n", self.text)

    @cached_property
    def shown(self) -> list[str]:
        """The lines with what may be a secret covered."""
        starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))
        more = [
            (starts[line] + column, starts[end_line] + end)
            for line, column, end_line, end in self.hidden
            if end_line < len(starts)
        ]
        return cover("\n".join(self.lines), more).split("\n")


@dataclass(frozen=True)
class Place:
    """A stretch of one line of a source. `line` counts from the source's first_line, columns from 0.

    end: one past the last column; equal to `column` where only the line is known (then no caret is drawn).
    """

    source: Source
    line: int
    column: int
    end: int

    def excerpt(self, hint: str = "") -> str:
        """The line with the one before it, a caret under the words, and the hint beside the caret."""
        index = self.line - self.source.first_line
        first = max(0, index - _CONTEXT)
        shown = self.source.shown[first : index + 1]
        width = len(str(self.line))
        start = self._start(shown[-1])
        rows = [
            f"     {self.source.first_line + first + i:>{width}} | {_window(text, start)}"
            for i, text in enumerate(shown)
        ]
        caret = self._caret(shown[-1], hint, start)
        return "\n".join([*rows, f"     {'':>{width}} | {caret}"] if caret else rows)

    def _start(self, line: str) -> int:
        """The first column shown: a long line is cut on both sides of the words."""
        return max(0, self.column - _WIDEST // 2) if len(line) > _WIDEST else 0

    def _caret(self, line: str, hint: str, start: int) -> str:
        width = max(0, min(self.end - start, _WIDEST) - (self.column - start))
        if not width:
            return f"      {hint}" if hint else ""
        before, under = line[start : self.column], line[self.column : self.column + width]
        carets = "^" * (_cells(under) + width - len(under))  # one may stand behind the line's end
        return f"{' ' * _cells(before)}{carets}{'  ' + hint if hint else ''}"


_WIDEST = 160


def _window(text: str, start: int) -> str:
    text = _UNPRINTABLE.sub("\ufffd", text.replace("\t", " "))
    cut = text[start : start + _WIDEST]
    before, after = "…" if start and cut else "", "…" if len(text) > start + _WIDEST else ""
    return f"{before}{cut[len(before) : len(cut) - len(after)]}{after}"


# Controls, halves of characters, and marks that turn the direction of a line.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")


def _cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)
