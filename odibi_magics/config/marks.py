"""YAML into plain values, with the place of every key and value.

PyYAML's C parser gives the node tree; this module turns it into values by the scalars of YAML 1.2's core schema,
made stricter: `no`, `on`, `1:30`, dates and integers with leading zeros are strings. Tags, merge keys, second
documents, duplicate keys and texts that grow when aliases are followed are problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from odibi_magics.config.cover import cover
from odibi_magics.config.source import Place, Source
from odibi_magics.config.sqltext import TEMPLATE
from odibi_magics.errors import Problem
from odibi_magics.secret import names_secret

Path = tuple[str | int, ...]

# A cell larger than this is data, not a pipeline; parsing it would freeze the kernel for seconds.
MAX_TEXT_BYTES = 1_000_000
# Followed aliases may make at most this many values: "billion laughs" would otherwise fill the memory.
MAX_VALUES = 100_000
MAX_DEPTH = 100

# `{{ name }}` is a flow mapping to YAML, and the brace of `${NAME}` ends one. Braces of both travel through the parser
# as private-use characters of the same width, so that they work unquoted anywhere and every column stays true.
_OPEN, _CLOSE = "\ue000", "\ue001"
# What ends a line in YAML 1.1 alone travels so too: editors, and YAML 1.2, count it as a character like others.
_BREAKS = {"\x85": "\ue002", "\u2028": "\ue003", "\u2029": "\ue004"}
_SHIELD = str.maketrans(_BREAKS)
_UNSHIELD = str.maketrans({_OPEN: "{", _CLOSE: "}", **{ours: theirs for theirs, ours in _BREAKS.items()}})

# Characters that YAML has no place for: controls, halves of characters (surrogates), and the ones we travel with.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ue000-\ue004\ufffe\uffff]"
)

_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_BASED_INT = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, object] = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"], float("inf")),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], float("-inf")),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], float("nan")),
}


@dataclass(frozen=True)
class Span:
    """Where a value stands: lines and columns from 0, as the parser counts. `style` is YAML's scalar style."""

    line: int
    column: int
    end_line: int
    end_column: int
    style: str | None = None


@dataclass
class Document:
    """Parsed YAML: plain values, and the spans of keys and values by path.

    keys: the span of the key that leads to a path; list items have none.
    problems: what is wrong with the YAML itself.
    """

    source: Source
    value: Any = field(default=None, repr=False)
    keys: dict[Path, Span] = field(default_factory=dict)
    values: dict[Path, Span] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def key_place(self, path: Path) -> Place | None:
        """The key at `path`, else the value there (a list item), else the nearest enclosing one."""
        span = self.keys.get(path) or self.values.get(path)
        if span is None:
            return self.key_place(path[:-1]) if path else None
        return self.place(span)

    def value_place(self, path: Path) -> Place | None:
        """The value at `path`, else the nearest enclosing key."""
        span = self.values.get(path)
        return self.place(span) if span else self.key_place(path)

    def place(self, span: Span) -> Place:
        """A span as a place: its first line; a caret only where it ends on that line."""
        one_line = span.end_line == span.line
        end = span.end_column if one_line else span.column
        return Place(self.source, span.line + self.source.first_line, span.column, end)

    def place_in(self, path: Path, text: str, start: int, end: int) -> Place | None:
        """The place of `text[start:end]`, where `text` is the scalar at `path`.

        The words are found again in the raw lines by counting how often they occurred before, which holds for
        every scalar style: folding and indentation change white space only.
        """
        span = self.values.get(path)
        word = text[start:end].strip()
        if span is None or not word or "\n" in word:
            return self.value_place(path)
        found = _nth(self._raw(span), word, text[:start].count(word))
        if found is None:
            return self.value_place(path)
        line, column = found
        return Place(self.source, line + self.source.first_line, column, column + len(word))

    def joined(self, path: Path, text: str, start: int, end: int) -> bool:
        """Whether text[start:end] holds more of the source than the rest of the line it begins on, because YAML joined
        lines of the scalar at `path`."""
        place = self.place_in(path, text, start, start + 2)
        if place is None or place.end != place.column + 2:
            return False
        rest = self.source.lines[place.line - self.source.first_line][place.column :]
        return len(text[start:end].split()) > len(rest.split())

    def _raw(self, span: Span) -> Iterator[tuple[int, int, str]]:
        """The raw lines under a span: number, column of the first character given, text."""
        for line in range(span.line, min(span.end_line + 1, len(self.source.lines))):
            first = span.column if line == span.line else 0
            last = span.end_column if line == span.end_line else None
            yield line, first, self.source.lines[line][first:last]


def _nth(lines: Iterator[tuple[int, int, str]], word: str, skip: int) -> tuple[int, int] | None:
    for line, first, text in lines:
        at = text.find(word)
        while at >= 0:
            if not skip:
                return line, first + at
            skip -= 1
            at = text.find(word, at + len(word))
    return None


def parse(source: Source) -> Document:
    """Reads YAML from a source; what is wrong stands in the document's `problems`."""
    document = Document(source)
    if len(source.text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES:
        document.problems.append(Problem(_TOO_LONG))
        return document
    root = _compose(document)
    if root is not None:
        document.value = _Builder(document).build(root)
    return document


_TOO_LONG = (
    f"the text is over {MAX_TEXT_BYTES // 1_000_000} MB, too long for a pipeline; data belongs in files"
)


# The C parser recurses for each level and ends the process where its stack does: depth is looked at before it.
_BRACKET = re.compile(r"[\[\]{}]")
_INDICATORS = re.compile(rf"(?<!\S)(?:(?:[-?:]|[&!]\S*)[ \t]+){{{MAX_DEPTH},}}")


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for match in _BRACKET.finditer(text):
        depth = max(0, depth + (1 if match[0] in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest > 10 * MAX_DEPTH or _INDICATORS.search(text) is not None


def _compose(document: Document) -> yaml.Node | None:
    text = document.source.text
    if forbidden := _FORBIDDEN.search(text):
        document.problems.append(_at_character(document, forbidden))
        return None
    if _too_deep(text):
        document.problems.append(Problem(f"the YAML is nested more than {MAX_DEPTH} levels deep"))
        return None
    shielded = TEMPLATE.sub(lambda match: match[0].replace("{", _OPEN).replace("}", _CLOSE), text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        stream = loader(shielded.translate(_SHIELD))
        try:
            return stream.get_single_node()
        finally:
            stream.dispose()
    except yaml.YAMLError as error:
        document.problems.append(_malformed(document, error))
    except RecursionError:
        document.problems.append(Problem(f"the YAML is nested more than {MAX_DEPTH} levels deep"))
    return None


def _at_character(document: Document, found: re.Match[str]) -> Problem:
    lines = re.split(r"\r\n|\r|\n", document.source.text[: found.start()])
    span = Span(len(lines) - 1, len(lines[-1]), len(lines) - 1, len(lines[-1]) + 1)
    kind = "half a character" if "\ud800" <= found[0] <= "\udfff" else "a character"
    return Problem(f"{kind} that cannot stand here: U+{ord(found[0]):04X}", place=document.place(span))


def _malformed(document: Document, error: yaml.YAMLError) -> Problem:
    from odibi_magics.config.malformed import malformed

    source = document.source
    found = malformed(error, source.lines, source.first_line)
    if found.line is None:
        return Problem(found.words)
    last = len(source.lines) - 1
    if found.line > last:
        return Problem(found.words, place=document.place(Span(last, 0, last, 0)))
    return Problem(
        found.words, place=document.place(Span(found.line, found.column, found.line, found.column + 1))
    )


class _Builder:
    """Turns the node tree into values and spans, once, noting every problem."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left = MAX_VALUES

    def build(self, root: yaml.Node) -> Any:
        try:
            return self._value(root, ())
        except _TooMuch as refusal:
            self._problem(str(refusal), root, ())
            return None

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _TooMuch(
                f"aliases repeat values until there are more than {MAX_VALUES:,}: write them out or use vars"
            )
        if len(path) > MAX_DEPTH:
            raise _TooMuch(f"the YAML is nested more than {MAX_DEPTH} levels deep, or an alias holds itself")
        self.document.values[path] = _span(node)
        tag = self._tag(node)
        if tag:
            named = "" if any(isinstance(part, str) and names_secret(part) for part in path) else f": {tag}"
            self._problem(f"YAML tags are not allowed{named}", node, path)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, i)) for i, item in enumerate(node.value)]
        return scalar(unshield(node.value), getattr(node, "style", None))

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._problem("a key must be a word, not a list or mapping", key_node, path)
                continue
            key = self._visible(unshield(key_node.value), key_node, path)
            self._hide(key, value_node)
            if key == "<<" and not key_node.style:
                self._problem(
                    "merge keys ('<<') are not allowed: repeat the keys, or use vars", key_node, path
                )
                # Merged all the same, so that its keys are not told as missing.
                merged = self._value(value_node, (*path, key))
                values = {**merged, **values} if isinstance(merged, dict) else values
            elif key in values:
                first = self.document.keys[(*path, key)].line + self.document.source.first_line
                self._problem(f"duplicate key '{cover(key)}', first on line {first}", key_node, path)
            else:
                self.document.keys[(*path, key)] = _span(key_node)
                values[key] = self._value(value_node, (*path, key))
        return values

    def _visible(self, key: str, node: yaml.Node, path: Path) -> str:
        """The key without characters that nobody sees; each such key is a problem."""
        if found := _INVISIBLE.search(key):
            code = f"U+{ord(found[0]):04X}"
            self._problem(f"an invisible character ({code}) in a key: type the space anew", node, path)
        return _INVISIBLE.sub("", key)

    def _hide(self, key: str, value: yaml.Node) -> None:
        """Keeps a secret out of excerpts, also that of a duplicate key, which no value comes from."""
        named = TEMPLATE.fullmatch(unshield(value.value)) if isinstance(value, yaml.ScalarNode) else None
        if names_secret(key) and not (named and named["odd"] is None):
            span = _span(value)
            self.document.source.hidden.append((span.line, span.column, span.end_line, span.end_column))

    def _tag(self, node: yaml.Node) -> str:
        start = node.start_mark
        lines = self.document.source.lines
        match = _TAG.match(lines[start.line], start.column) if start.line < len(lines) else None
        return match[1] if match else ""

    def _problem(self, message: str, node: yaml.Node, path: Path) -> None:
        self.document.problems.append(Problem(message, render_path(path), self.document.place(_span(node))))


# Spaces of other widths, and marks of no width, as they come with text from web pages and chats.
_INVISIBLE = re.compile(r"[\u00a0\u00ad\u1680\u2000-\u200f\u202a-\u202f\u205f-\u206f\u3000\ufeff]")


class _TooMuch(Exception):
    """The value tree passes a limit."""


# A node that carries a tag begins with it, or with its anchor; nothing plain can begin with '!'.
_TAG = re.compile(r"(?:&\S+\s+)?(!\S*)")


def _span(node: yaml.Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line, start.column, end.line, end.column, getattr(node, "style", None))


def unshield(text: str) -> str:
    """Gives templates their braces back, and line separators what they were."""
    return text.translate(_UNSHIELD)


def scalar(text: str, style: str | None) -> object:
    """A scalar by YAML 1.2's core schema; quoted and block scalars are strings."""
    if style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) < 4000 else text
    if _BASED_INT.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) and not text.lstrip("+-").isdigit():
        return float(text)
    return text


def render_path(path: Path) -> str:
    """`pipelines[0].nodes[1].write`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
