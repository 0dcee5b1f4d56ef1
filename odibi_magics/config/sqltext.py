"""Where variables stand in SQL text: in comments, in one of the kinds of quotes, or in none."""

from __future__ import annotations

import re
from collections.abc import Iterator

VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
ENVIRONMENT = re.compile(r"\$\{([A-Za-z_]\w*)\}")
# odd: what was meant as one of both, and is none.
TEMPLATE = re.compile(
    r"\{\{\s*(?P<variable>[A-Za-z_]\w*)\s*\}\}|\$\{(?P<environment>[A-Za-z_]\w*)\}"
    r"|(?P<odd>\{\{[^{}\n]*\}\}|\$\{[^{}\n]*\})"
)

# Stretches that hide what stands in them. A comment between /* and */ may hold others, and its end is looked for.
_STRETCHES = {
    "spark": re.compile(
        r"""(?P<comment>--[^\n]*|/\*)
          | (?P<raw>\b[rR](?:'[^']*'|"[^"]*"))
          | (?P<single>'(?:[^'\\]|\\.)*(?:'|\Z)) | (?P<double>"(?:[^"\\]|\\.)*(?:"|\Z))
          | (?P<name>`[^`]*(?:`|\Z))""",
        re.VERBOSE | re.DOTALL,
    ),
    "duckdb": re.compile(
        r"""(?P<comment>--[^\n]*|/\*)
          | (?P<escaped>\b[eE]'(?:[^'\\]|\\.)*(?:'|\Z)) | (?P<dollars>\$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z))
          | (?P<single>'[^']*(?:'|\Z)) | (?P<double>"[^"]*(?:"|\Z))""",
        re.VERBOSE | re.DOTALL,
    ),
}  # fmt: skip
_KINDS = ("raw", "single", "double", "name", "escaped", "dollars")
_COMMENT = re.compile(r"/\*|\*/")


def templates(text: str, dialect: str = "spark") -> Iterator[tuple[re.Match[str], str]]:
    """Each `{{ name }}`, `${NAME}` and odd one outside comments, with the kind of quotes it stands in, "" for none.

    kinds: raw, single, double, name; of duckdb also escaped (E'..') and dollars ($$..$$).
    """
    at = 0
    stretch = _STRETCHES[dialect].search(text)
    while (found := TEMPLATE.search(text, at)) is not None:
        if stretch is not None and stretch.start() < at:
            stretch = _STRETCHES[dialect].search(text, at)
        if stretch is None or found.start() < stretch.start():
            yield found, ""
            at = found.end()
        elif stretch["comment"]:
            at = _comment_end(text, stretch)
        else:
            kind = next(name for name in _KINDS if stretch.groupdict().get(name))
            yield from ((inside, kind) for inside in TEMPLATE.finditer(text, stretch.start(), stretch.end()))
            at = stretch.end()


def line_comments(text: str, dialect: str = "spark") -> Iterator[tuple[int, int]]:
    """Start and end of each comment that `--` begins."""
    at = 0
    while (stretch := _STRETCHES[dialect].search(text, at)) is not None:
        if stretch["comment"] and stretch["comment"].startswith("--"):
            yield stretch.span()
        at = _comment_end(text, stretch) if stretch["comment"] else stretch.end()


def _comment_end(text: str, comment: re.Match[str]) -> int:
    if comment["comment"].startswith("--"):
        return comment.end()
    depth = 0
    for mark in _COMMENT.finditer(text, comment.start()):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)
