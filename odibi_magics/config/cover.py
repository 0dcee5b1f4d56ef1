"""What may be a secret in a project's text is covered before any line of it is shown.

The text is looked at as characters, since malformed YAML shows its lines too; where it parses, the parser's own spans
are covered besides, which anchors and escaped keys need. What is covered keeps its width: columns stay true.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from odibi_magics.secret import names_secret

Stretch = tuple[int, int]

# A slip of the finger may stand between a key and its colon.
_TOKEN = re.compile(
    r"(?<![\w.-])(?P<key>[\w.-]++)['\"]?[^\w\s:,{}\[\]]{0,2}[ \t]*:"
    r"|(?P<bare>\b(?i:account_?key|sas_?token|connection_?string|client_?secret|password)['\"]?[ \t=]+(?=[^\s:=]))"
    r"|[\[\]{}]"
)
# The name of a secret, which may be read; what follows is looked at so that `${A}b` is none.
_NAME = re.compile(r"[ \t]*(['\"]?)(?:\$\{\w+\}|\{\{\s*\w+\s*\}\})\1(?=\s*(?:[,}\]#]|$))", re.MULTILINE)
_QUOTED = re.compile(r"\s*(?:[&!]\S*\s+)*(?:'(?:[^']|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z))", re.DOTALL)
# What may follow a closed quote, in a block and inside brackets; else the value goes on behind a quote of its own.
_AFTER_BLOCK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_AFTER_FLOW = re.compile(r"\s*(?:,\s*(?:['\"]?[\w.-]+['\"]?\s*:|[}\]]|\n|\Z)|[}\]]|#|\Z)")
_BRACKET = re.compile(r"[\[\]{}]")
# Up to the next key of the same mapping, a comma or closing brackets at a line's end, or the line's end.
_FLOW_LINE = re.compile(
    r"\s*+[^\n]*?(?=[ \t]{0,9}(?:,[ \t]{0,9}['\"]?[\w.-]++['\"]?[ \t]{0,9}:|,?[ \t]{0,9}$|[}\]][}\],\s]{0,99}$))",
    re.MULTILINE,
)
_OPENING = re.compile(r"\s*+[\[{]")
_LINE = re.compile(r"\n(?P<indent>[ \t]*)(?P<rest>[^\n]*)")
_NEXT_ITEM = re.compile(r"['\"]?[\w.-]+['\"]?\s*:|[-#}\]]|\Z")


def cover(text: str, more: Iterable[Stretch] = ()) -> str:
    """The text with what stands behind secrets' keys, and `more` of it, as asterisks."""
    stretches = [*_secrets(text), *more]
    if not stretches:
        return text
    shown = list(text)
    for start, end in stretches:
        shown[start:end] = ["\n" if char == "\n" else "*" for char in shown[start:end]]
    return "".join(shown)


def _secrets(text: str) -> Iterator[Stretch]:
    depth = done = 0
    for token in _TOKEN.finditer(text):
        if token.start() < done:
            continue
        if token[0] in ("[", "{", "]", "}"):
            depth += 1 if token[0] in "[{" else -1
        elif (token["bare"] or names_secret(token["key"])) and not _NAME.match(text, token.end()):
            indent = token.start() - (text.rfind("\n", 0, token.start()) + 1)
            done = _end(text, token.end(), indent, flow=depth > 0)
            start = token.end() + len(text[token.end() : done]) - len(text[token.end() : done].lstrip())
            yield start, done


def _end(text: str, start: int, indent: int, *, flow: bool) -> int:
    """One past the value that begins behind `start`: rather too much than too little where the text is malformed."""
    if quoted := _QUOTED.match(text, start):
        start = quoted.end()
        if (_AFTER_FLOW if flow else _AFTER_BLOCK).match(text, start):
            return start
    if flow:
        return _flow_end(text, start)
    line = text.find("\n", start)
    at = line if line >= 0 else len(text)
    while (below := _LINE.match(text, at)) and _continues(below, indent):
        at = below.end()
    return at


def _continues(line: re.Match[str], indent: int) -> bool:
    deeper = not line["rest"].strip() or len(line["indent"]) > indent
    return deeper or not _NEXT_ITEM.match(line["rest"])


def _flow_end(text: str, start: int) -> int:
    if _OPENING.match(text, start):
        return _closed(text, start)
    at = start
    while (found := _FLOW_LINE.match(text, at)) and found.end() > at:
        at = found.end()
        if not re.match(r"[ \t]*(?:\n|\Z)", text[at : at + 200]):
            return at
    return at


def _closed(text: str, start: int) -> int:
    depth = 0
    for bracket in _BRACKET.finditer(text, start):
        depth += 1 if bracket[0] in "[{" else -1
        if depth <= 0:
            return bracket.end()
    return len(text)
