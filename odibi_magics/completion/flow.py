"""YAML between brackets, whole or half-typed: `{a: 1, b: [x, y` is a mapping, too."""

from __future__ import annotations

import json
import re
from typing import Any

from odibi_magics.completion.spot import Cursor
from odibi_magics.config.marks import MAX_DEPTH, Path, scalar
from odibi_magics.config.sqltext import TEMPLATE

_SPACE = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*")
_PLAIN = re.compile(
    r"(?:\{\{[^{}\n]*\}\}|\$\{[^{}\n]*\}|[^,\[\]{}\n#:]|:(?=[^\s,\[\]{}])|(?<=\S)#|\n(?!\s*[\w\"']+\s*:\s))+"
)
QUOTED = re.compile(r""""(?P<double>(?:[^"\\]|\\.)*)("|\\?\Z)|'(?P<single>(?:[^']|'')*)('|\Z)""", re.DOTALL)


class Flow:
    """Reads one bracketed value, which ends at `limit` where its brackets are not closed."""

    def __init__(self, cursor: Cursor, limit: int) -> None:
        self.cursor, self.text, self.limit = cursor, cursor.text, limit

    def read(self, at: int, path: Path) -> tuple[Any, int, bool]:
        """The value that begins at an opening bracket, where it ends, and whether its brackets are closed."""
        return self._mapping(at + 1, path) if self.text[at] == "{" else self._list(at + 1, path)

    def _mapping(self, at: int, path: Path) -> tuple[dict[str, Any], int, bool]:
        value: dict[str, Any] = {}
        fresh = True  # a key may begin here
        while True:
            gap, at = at, self._skip(at)
            if fresh:
                ends = at >= self.limit or self.text[at] in ",}]"
                self.cursor.gap(path, gap, at if ends else at - 1, "key", flow=True)
            if at >= self.limit:
                return value, self.limit, False
            if self.text[at] in "}]":
                return value, at + 1, True
            if self.text[at] == ",":
                at, fresh = at + 1, True
                continue
            fresh, start = False, at
            key, at, _ = self._token(at)
            after = self._skip(at)
            colon = after < self.limit and self.text[after] == ":"
            self.cursor.key(path, start, at, colon=colon, flow=True)
            if not colon:
                if not self.cursor.within(start, at):
                    value[key] = None
                continue
            value[key] = None
            value[key], at, closed = self._value(after + 1, (*path, key))
            if not closed:
                return value, self.limit, False

    def _list(self, at: int, path: Path) -> tuple[list[Any], int, bool]:
        value: list[Any] = []
        while True:
            item, at, closed = self._value(at, (*path, len(value)))
            if not closed:
                return [*value, item], self.limit, False
            at = self._skip(at)
            if at >= self.limit:
                return [*value, item], self.limit, False
            if self.text[at] in "]}":
                return ([*value, item] if item is not None or value else value), at + 1, True
            value.append(item)
            at += 1  # a comma, or what stands in its place

    def _value(self, at: int, path: Path) -> tuple[Any, int, bool]:
        """What stands behind a colon, or an item."""
        gap, at = at, self._skip(at)
        if at >= self.limit or self.text[at] in ",}]":
            # Right behind a key's colon a value needs a space first.
            start = gap + (self.text[gap - 1] == ":")
            self.cursor.gap(path, start, at, "either" if isinstance(path[-1], int) else "value", flow=True)
            return None, at, True
        if self.text[at] in "{[" and len(path) < MAX_DEPTH and not TEMPLATE.match(self.text, at):
            return self.read(at, path)
        text, end, style = self._token(at)
        self.cursor.value(path, *inside(self.text, at, end, style), style=style, flow=True)
        return scalar(text, style or None), end, True

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self.text, at, self.limit)
        return match.end() if match else at

    def _token(self, at: int) -> tuple[str, int, str]:
        """A scalar: its text, where it ends, its style. Goes on by a character at least."""
        if self.text[at] in "'\"":
            return quoted(self.text, at, self.limit)
        match = _PLAIN.match(self.text, at, self.limit)
        end = match.end() if match else at + 1
        return self.text[at:end].strip(), end, ""


def quoted(text: str, at: int, limit: int) -> tuple[str, int, str]:
    """A quoted scalar, which ends at the limit where its quotes are not closed: its text, its end, its style."""
    match = QUOTED.match(text, at, limit)
    assert match is not None
    style = text[at]
    if match["single"] is not None:
        return match["single"].replace("''", "'"), match.end(), style
    return unescaped(match["double"]), match.end(), style


def inside(text: str, at: int, end: int, style: str) -> tuple[int, int]:
    """Where a scalar's own text begins and ends, without its quotes."""
    closed = bool(style) and end > at + 1 and text[end - 1] == style
    return at + bool(style), end - closed


def unescaped(inner: str) -> str:
    """The text between double quotes; JSON's escapes are those that people use."""
    if "\\" not in inner:
        return inner
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner
