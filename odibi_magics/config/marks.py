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

from odibi_magics.config.source import Place, Source
from odibi_magics.errors import Problem

Path = tuple[str | int, ...]

# A cell larger than this is data, not a pipeline; parsing it would freeze the kernel for seconds.
MAX_TEXT_BYTES = 1_000_000
# Followed aliases may make at most this many values: "billion laughs" would otherwise fill the memory.
MAX_VALUES = 100_000
MAX_DEPTH = 100

# `{{ name }}` is a flow mapping to YAML, and the brace of `${NAME}` ends one. Braces of both travel through the parser
# as private-use characters of the same width, so that they work unquoted anywhere and every column stays true.
_TEMPLATE = re.compile(r"\{\{\s*[A-Za-z_]\w*\s*\}\}|\$\{[A-Za-z_]\w*\}")
_OPEN, _CLOSE = "\ue000", "\ue001"

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
    value: Any = None
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
_DASHES = re.compile(rf"^ *(?:- +){{{MAX_DEPTH},}}", re.MULTILINE)


def _too_deep(text: str) -> bool:
    depth = deepest = 0
    for match in _BRACKET.finditer(text):
        depth = max(0, depth + (1 if match[0] in "[{" else -1))
        deepest = max(deepest, depth)
    return deepest > 10 * MAX_DEPTH or _DASHES.search(text) is not None


def _compose(document: Document) -> yaml.Node | None:
    text = document.source.text
    if _too_deep(text):
        document.problems.append(Problem(f"the YAML is nested more than {MAX_DEPTH} levels deep"))
        return None
    if _OPEN in text or _CLOSE in text:
        document.problems.append(Problem("the private-use characters U+E000 and U+E001 are not allowed here"))
        return None
    shielded = _TEMPLATE.sub(lambda match: match[0].replace("{", _OPEN).replace("}", _CLOSE), text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        stream = loader(shielded)
        try:
            return stream.get_single_node()
        finally:
            stream.dispose()
    except yaml.YAMLError as error:
        document.problems.append(_malformed(document, error))
    except RecursionError:
        document.problems.append(Problem(f"the YAML is nested more than {MAX_DEPTH} levels deep"))
    return None


def _malformed(document: Document, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = _plain_words(error)
    if mark is None or mark.line >= len(document.source.lines):
        line = len(document.source.lines) - 1
        return Problem(words, place=document.place(Span(line, 0, line, 0)) if mark else None)
    return Problem(words, place=document.place(Span(mark.line, mark.column, mark.line, mark.column + 1)))


# The parser speaks of tokens; people see tabs, missing spaces and open quotes.
_PARSER_WORDS = {
    "found character that cannot start any token": "a tab or a reserved character stands where YAML expects text",
    "mapping values are not allowed in this context": "a ':' where none can stand: is a key indented wrongly, "
    "or a text with ': ' in it not quoted?",
    "could not find expected ':'": "a key without its ':'",
    "did not find expected key": "the indentation does not fit the lines above, or a quote or bracket is left open",
    "did not find expected ',' or '}'": "a '{' is not closed, or a ',' is missing",
    "did not find expected ',' or ']'": "a '[' is not closed, or a ',' is missing",
    "did not find expected '-' indicator": "a list item without its '-', or the indentation does not fit",
    "found undefined alias": "an alias (*name) of an anchor that is not defined above it",
    "but found another document": "a second document ('---'): a cell holds one",
}


def _plain_words(error: yaml.YAMLError) -> str:
    said = str(getattr(error, "problem", None) or error).replace(_OPEN, "{").replace(_CLOSE, "}")
    context = str(getattr(error, "context", None) or "")
    for theirs, ours in _PARSER_WORDS.items():
        if theirs in said:
            return f"malformed YAML: {ours}"
    return f"malformed YAML: {said}" + (f" ({context})" if context else "")


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
            self._problem(f"YAML tags are not allowed: {tag}", node, path)
            return None
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
            key = unshield(key_node.value)
            if key == "<<" and not key_node.style:
                self._problem(
                    "merge keys ('<<') are not allowed: repeat the keys, or use vars", key_node, path
                )
            elif key in values:
                first = self.document.keys[(*path, key)].line + self.document.source.first_line
                self._problem(f"duplicate key '{key}', first on line {first}", key_node, path)
            else:
                self.document.keys[(*path, key)] = _span(key_node)
                values[key] = self._value(value_node, (*path, key))
        return values

    def _tag(self, node: yaml.Node) -> str:
        start = node.start_mark
        lines = self.document.source.lines
        match = _TAG.match(lines[start.line], start.column) if start.line < len(lines) else None
        return match[1] if match else ""

    def _problem(self, message: str, node: yaml.Node, path: Path) -> None:
        self.document.problems.append(Problem(message, render_path(path), self.document.place(_span(node))))


class _TooMuch(Exception):
    """The value tree passes a limit."""


# A node that carries a tag begins with it, or with its anchor; nothing plain can begin with '!'.
_TAG = re.compile(r"(?:&\S+\s+)?(!\S*)")


def _span(node: yaml.Node) -> Span:
    start, end = node.start_mark, node.end_mark
    return Span(start.line, start.column, end.line, end.column, getattr(node, "style", None))


def unshield(text: str) -> str:
    """Gives templates their braces back."""
    return text.replace(_OPEN, "{").replace(_CLOSE, "}")


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
