"""What the YAML parser says of malformed text, in the words of those who wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml


@dataclass(frozen=True)
class Malformed:
    """line and column count from 0; None where the parser names no place."""

    words: str
    line: int | None = None
    column: int = 0


@dataclass(frozen=True)
class _Words:
    """The parser speaks of tokens; people see tabs, missing spaces and open quotes.

    at_start: the fault is where the thing that is not finished begins. opens: its line is worth telling.
    """

    theirs: str
    ours: str
    while_: str = ""
    at_start: bool = False
    opens: bool = False


_WORDS = (
    _Words("found character that cannot start any token", "no text begins with this character: put quotes round it"),
    _Words("found a tab character", "a tab: YAML is indented with spaces"),
    _Words("mapping values are not allowed in this context", "a ':' where none can stand: is a key indented wrongly, "
           "is the line above without its ': ', or is a text with ': ' in it not quoted?"),
    _Words("could not find expected ':'", "a key without ': ' behind it (the space belongs to it), or a line that is "
           "indented too little for the text above", at_start=True),
    _Words("did not find expected key", "the indentation does not fit the lines above, or something stands behind "
           "a closed quote or bracket", "block mapping"),
    _Words("did not find expected ',' or '}'", "a '{' is not closed, or a ',' is missing", opens=True),
    _Words("did not find expected ',' or ']'", "a '[' is not closed, or a ',' is missing", opens=True),
    _Words("did not find expected", "a text that begins with * is an alias in YAML: put quotes round it",
           "scanning an alias", at_start=True),
    _Words("did not find expected", "a text that begins with & is an anchor in YAML: put quotes round it",
           "scanning an anchor", at_start=True),
    _Words("did not find expected", "a text that begins with ! is a tag in YAML: put quotes round it",
           "scanning a tag", at_start=True),
    _Words("did not find expected node content", "no text begins with this character: put quotes round it"),
    _Words("did not find expected '-' indicator", "a list item without its '-', or the indentation does not fit"),
    _Words("found undefined alias", "an alias (*name) of an anchor that is not defined above it"),
    _Words("second occurrence", "a second anchor (&name) of this name", "duplicate anchor"),
    _Words("but found another document", "a second document ('---'): a cell holds one"),
    _Words("found unexpected end of stream", "a quote is not closed", "quoted scalar", at_start=True),
    _Words("invalid Unicode character escape code", "this escape is half a character: write the character itself"),
    _Words("found unknown escape character", 'a \\ that begins no escape of "...": write \\\\, or put the text in '
           "'...'"),
)  # fmt: skip


def malformed(error: yaml.YAMLError, lines: Sequence[str], first_line: int) -> Malformed:
    """The error in our words. first_line: the number of the text's first line, for other lines in the words."""
    said = str(getattr(error, "problem", None) or error)
    context = str(getattr(error, "context", None) or "")
    found = next((words for words in _WORDS if words.theirs in said and words.while_ in context), None)
    began, at = getattr(error, "context_mark", None), getattr(error, "problem_mark", None)
    mark = began if at is None or (found and found.at_start and began is not None) else at
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    char, before = (
        (line[mark.column : mark.column + 1], line[: mark.column].rstrip()[-1:]) if mark else ("", "")
    )
    words = found.ours if found else f"{said} ({context})" if context else said
    if char == "\t":
        words = "a tab: YAML is indented with spaces"
    elif char == "-" and found and found.theirs == "did not find expected key":
        words = (
            "a list item where a key is wanted: nodes that stand beside other keys are listed under nodes:"
        )
    elif char in _BLOCKS and found and found.theirs.startswith("found character"):
        words = (
            f"'{char}' begins a text over several lines, which cannot stand inside {{ }} or [ ]: use quotes"
        )
    elif before in _QUOTES and found and found.theirs.startswith("did not find expected"):
        words = f"something follows a closed quote; inside {before}...{before} a quote is {_QUOTES[before]}"
    elif found and char in _CLOSING and found.theirs.startswith("did not find expected"):
        words = f"a '{char}' that closes nothing"
    elif found and found.opens and began is not None and mark is not None and began.line != mark.line:
        words += f"; it opens on line {began.line + first_line}"
    return Malformed(f"malformed YAML: {words}", mark.line if mark else None, mark.column if mark else 0)


_CLOSING = ("}", "]")
_BLOCKS = ("|", ">")
_QUOTES = {"'": "''", '"': '\\"'}
