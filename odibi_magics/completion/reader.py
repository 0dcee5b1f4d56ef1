"""YAML that is being typed: its values as far as they can be told, and what stands at the cursor.

Indentation alone says what belongs to what, so that a bracket or quote that is not closed yet spoils no more than the
lines that are indented below it. Of a text that is right the values are those of `config.marks`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from odibi_magics.completion.flow import Flow, inside, quoted
from odibi_magics.completion.spot import Cursor, Role, Spot
from odibi_magics.config.marks import Path, scalar
from odibi_magics.config.sqltext import TEMPLATE

_KEY = re.compile(
    r"""(?P<key>"(?:[^"\\\n]|\\.)*"|'(?:[^'\n]|'')*'|(?!-[ \n]|\{\{)[^\s:,\[\]{}\#&*!|>'"%@`?][^\n]*?)
        [ ]*:(?=[ \t\r\n]|\Z)""",
    re.VERBOSE,
)
_DASH = re.compile(r"-(?=[ \t\r\n]|\Z)")
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_BLOCK = re.compile(r"[|>][-+0-9]*[ \t]*(?:#.*)?\r?$")


@dataclass(frozen=True)
class Read:
    """value: mappings, lists and scalars. spot: None where nothing can be said: in a comment, between tokens."""

    value: Any
    spot: Spot | None


@dataclass
class _Frame:
    """An open mapping or list. slot: the key or index that what is indented deeper belongs to."""

    indent: int
    value: Any
    path: Path
    slot: str | int | None = None


def read(text: str, at: int) -> Read:
    """The text's value, and its spot at offset `at`."""
    return _Reader(text, at).read()


class _Reader:
    def __init__(self, text: str, at: int) -> None:
        self.text, self.cursor = text, Cursor(text, at)
        rows = text.split("\n")
        self.starts = [0, *accumulate(len(row) + 1 for row in rows[:-1])]
        self.ends = [
            start + len(row) - row.endswith("\r") for start, row in zip(self.starts, rows, strict=True)
        ]
        # Spaces before a line's first word; None where it has none.
        self.indents = list(map(_indent, rows))
        self.frames: list[_Frame] = []
        self.root: Any = None
        self.typed: tuple[dict[str, Any], str] | None = None

    def read(self) -> Read:
        line = 0
        while line < len(self.starts):
            line = self._line(line)
        if self.typed is not None and self.typed[0].get(self.typed[1], 0) is None:
            del self.typed[0][self.typed[1]]  # half a key is none yet
        return Read(self.root, self.cursor.spot)

    def _line(self, line: int) -> int:
        """Reads what begins on a line, and gives the line behind it."""
        start, end = self.starts[line], self.ends[line]
        indent = self.indents[line]
        if indent is not None:
            if self.text.startswith(("---", "..."), start):
                return line + 1
            return self._entry(line, start + indent, indent)
        if self.cursor.within(start, end) and "#" not in self.text[start : self.cursor.at]:
            self._blank(self.cursor.at - start)
        return line + 1

    def _entry(self, line: int, at: int, column: int) -> int:
        end = self.ends[line]
        if _DASH.match(self.text, at, end):
            return self._item(line, at, column)
        if match := _KEY.match(self.text, at, end):
            frame = self._mapping_at(column)
            key = match["key"]
            key = key[1:-1] if key[0] in "'\"" else key
            self.cursor.key(frame.path, at, match.end("key"), colon=True)
            frame.value[key], frame.slot = None, key
            path = (*frame.path, key)
            value, after = self._value(line, match.end(), path, frame.indent)
            frame.value[key] = value
            return after
        return self._word(line, at, column)

    def _item(self, line: int, at: int, column: int) -> int:
        frame, end = self._list_at(column), self.ends[line]
        index = len(frame.value)
        frame.value.append(None)
        frame.slot = index
        path = (*frame.path, index)
        begin = at + 1 + len(self.text[at + 1 : end]) - len(self.text[at + 1 : end].lstrip(" "))
        if begin >= end or self.text[begin] == "#":
            self.cursor.gap(path, at + 2, min(begin, end), "either")
            return line + 1
        if _DASH.match(self.text, begin, end) or _KEY.match(self.text, begin, end):
            return self._entry(line, begin, column + begin - at)
        frame.value[index], after = self._value(line, begin, path, frame.indent, role="either")
        return after

    def _word(self, line: int, at: int, column: int) -> int:
        """What is no `key:` and no item: half a key, or the value of a key above."""
        frame = self._around(column)
        end = self.ends[line]
        if frame is None and self.root is None:
            self.root, after = self._value(line, at, (), -1, role="either")
            return after
        if frame is None or (frame.indent == column and isinstance(frame.value, dict)):
            frame = frame or self._mapping_at(column)
            word = _COMMENT.sub("", self.text[at:end]).rstrip()
            self.cursor.key(frame.path, at, at + len(word))
            if self.cursor.within(at, at + len(word)) and word not in frame.value:
                frame.value[word], self.typed = None, (frame.value, word)
                frame.slot = word
            return line + 1
        role: Role = "either" if _item_at(frame) is None else "value"
        path = (*frame.path, frame.slot) if frame.slot is not None else frame.path
        value, after = self._value(line, at, path, frame.indent, role=role)
        if role == "either" and frame.slot is not None:
            frame.value[frame.slot] = value
        return after

    # Values ---------------------------------------------------------------------------------------------------------

    def _value(self, line: int, at: int, path: Path, indent: int, *, role: Role = "value") -> tuple[Any, int]:
        """What stands behind a key or dash, with the lines below that belong to it, and the line behind them.

        indent: of the mapping or list it is in.
        """
        end = self.ends[line]
        begin = at + len(self.text[at:end]) - len(self.text[at:end].lstrip(" \t"))
        if begin >= end or self.text[begin] == "#":
            self.cursor.gap(path, at + (self.text[at - 1 : at] == ":"), begin, role)
            return None, line + 1
        first = self.text[begin]
        if first in "|>" and _BLOCK.match(self.text[begin:end]):
            return self._block(line, path, indent, folded=first == ">")
        if first in "{[" and not TEMPLATE.match(self.text, begin):
            return self._flow(line, begin, path, indent)
        if first in "'\"":
            return self._quoted(line, begin, path, indent, role)
        return self._plain(line, begin, path, indent, role)

    def _flow(self, line: int, at: int, path: Path, indent: int) -> tuple[Any, int]:
        before = self.cursor.spot
        value, end, closed = Flow(self.cursor, self.ends[line]).read(at, path)
        if closed:
            return value, line + 1
        self.cursor.spot = before
        value, end, _ = Flow(self.cursor, self._limit(line, indent)).read(at, path)
        return value, self._line_of(end) + 1

    def _quoted(self, line: int, at: int, path: Path, indent: int, role: Role) -> tuple[Any, int]:
        text, end, style = quoted(self.text, at, self.ends[line])
        if inside(self.text, at, end, style)[1] == end:  # not closed on its line
            text, end, style = quoted(self.text, at, self._limit(line, indent))
            text = _folded(text)
        self.cursor.value(path, *inside(self.text, at, end, style), role=role, style=style)
        return text, self._line_of(end) + 1

    def _plain(self, line: int, at: int, path: Path, indent: int, role: Role) -> tuple[Any, int]:
        last = line
        while last + 1 < len(self.starts) and self._goes_on(last + 1, indent):
            last += 1
        end = self.ends[last]
        text = " ".join(
            _COMMENT.sub("", part).strip() for part in self.text[at:end].splitlines() if part.strip()
        )
        shown = at + len(_COMMENT.sub("", self.text[at:end]).rstrip()) if last == line else end
        # Behind a space a value that is one word is done, and a text may go on.
        self.cursor.value(path, at, max(shown, end if "#" not in self.text[at:end] else shown), role=role)
        return scalar(text, None), last + 1

    def _goes_on(self, line: int, indent: int) -> bool:
        """Whether a line belongs to the plain scalar above it."""
        column = self.indents[line]
        if column is None or column <= indent:
            return False
        at, end = self.starts[line] + column, self.ends[line]
        return not (_DASH.match(self.text, at, end) or _KEY.match(self.text, at, end))

    def _block(self, line: int, path: Path, indent: int, *, folded: bool) -> tuple[str, int]:
        """Lines below `|` or `>`, as far as they are indented deeper than its key."""
        last, rows = line, []
        for below in range(line + 1, len(self.starts)):
            words = self.text[self.starts[below] : self.ends[below]]
            column = len(words) - len(words.lstrip(" "))
            if words.strip() and column <= indent:
                break
            rows.append(words)
            last = below
        if last > line:
            self._in_block(path, self.starts[line + 1], self.ends[last], indent)
        depth = min((len(row) - len(row.lstrip(" ")) for row in rows if row.strip()), default=0)
        lines = [row[depth:] for row in rows]
        return (" ".join(lines) if folded else "\n".join(lines)).strip("\n ") + "\n", last + 1

    def _in_block(self, path: Path, start: int, end: int, indent: int) -> None:
        """Marks the lines of a block scalar; an empty one may be left of it, where a key may begin."""
        at = self.cursor.at
        if not self.cursor.within(start, end):
            return
        line = self._line_of(at)
        column = at - self.starts[line]
        if column <= indent and not self.text[self.starts[line] : self.ends[line]].strip():
            self._blank(column)
        else:
            self.cursor.value(path, start, end, style="|")

    def _limit(self, line: int, indent: int) -> int:
        """Where a bracket or quote ends at the latest: at a line that is indented no deeper than its key."""
        for below in range(line + 1, len(self.starts)):
            column = self.indents[below]
            if column is not None and column <= indent and self.text[self.starts[below] + column] not in "]}":
                return self.starts[below] - 1
        return len(self.text)

    def _line_of(self, at: int) -> int:
        """The line an offset is on."""
        return bisect_right(self.starts, at) - 1

    # Indentation ----------------------------------------------------------------------------------------------------

    def _around(self, column: int) -> _Frame | None:
        """What a word at a column belongs to: the mapping of that column, or the innermost that begins before it."""
        while self.frames and _is_over(self.frames[-1], column):
            self.frames.pop()
        return self.frames[-1] if self.frames else None

    def _mapping_at(self, column: int) -> _Frame:
        frame = self._around(column)
        if frame is not None and frame.indent == column and isinstance(frame.value, dict):
            return frame
        return self._opened(frame, column, {})

    def _list_at(self, column: int) -> _Frame:
        while self.frames and self.frames[-1].indent > column:
            self.frames.pop()
        frame = self.frames[-1] if self.frames else None
        if frame is not None and frame.indent == column and isinstance(frame.value, list):
            return frame
        return self._opened(frame, column, [])

    def _opened(self, parent: _Frame | None, column: int, empty: Any) -> _Frame:
        """A new mapping or list below a frame; the one that stands there where indentation wavers."""
        path: Path
        if parent is None:
            there, path = self.root, ()
        else:
            there = _item_at(parent)
            path = (*parent.path, parent.slot) if parent.slot is not None else parent.path
        value = there if isinstance(there, type(empty)) else empty
        if parent is None:
            self.root = value
        elif parent.slot is not None:
            parent.value[parent.slot] = value
        self.frames.append(_Frame(column, value, path, _last(value)))
        return self.frames[-1]

    def _blank(self, column: int) -> None:
        """Marks an empty line: what may begin at the cursor's column."""
        frame = next((one for one in reversed(self.frames) if not _is_over(one, column)), None)
        spot = Spot((), "key" if isinstance(self.root, dict) else "either")
        if frame is not None:
            below = (*frame.path, frame.slot) if frame.slot is not None else frame.path
            if frame.indent == column:
                spot = Spot(frame.path, "key")
            elif frame.slot is None or isinstance(_item_at(frame), (dict, type(None))):
                spot = Spot(below, "either" if _item_at(frame) is None else "key")
            else:
                return
        self.cursor.spot = spot


def _indent(row: str) -> int | None:
    inner = row.lstrip(" ")
    return None if not inner.strip() or inner[0] == "#" else len(row) - len(inner)


def _is_over(frame: _Frame, column: int) -> bool:
    """Whether a word at a column cannot belong to a frame. Beside a list's dashes stand the keys of the mapping round
    it."""
    return frame.indent > column or (frame.indent == column and isinstance(frame.value, list))


def _item_at(frame: _Frame) -> Any:
    return frame.value[frame.slot] if frame.slot is not None else None


def _last(value: Any) -> str | int | None:
    if isinstance(value, list):
        return len(value) - 1 if value else None
    return next(reversed(value), None)


def _folded(text: str) -> str:
    """Lines of a quoted scalar, joined as YAML does."""
    parts = [part.strip(" \t") for part in text.split("\n")]
    return " ".join(part for part in parts if part) if len(parts) > 1 else text
