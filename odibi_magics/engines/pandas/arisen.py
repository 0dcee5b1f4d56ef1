"""Which of our SQL an error of DuckDB's may come from."""

from __future__ import annotations

import re
from functools import partial

from odibi_magics.errors import ANYWHERE, Arose

_LINE = re.compile(r"\n(LINE \d+: )(.*)\n( *)\^")
_RAISED = re.compile(r"^Invalid Input Error: (.*)", re.DOTALL)
_OVERFLOW = re.compile(r"^Out of Range Error: Overflow in (addition|subtraction|multiplication|negation)")
_OPERATORS = {"addition": "+", "subtraction": "-", "negation": "-", "multiplication": "*"}

# What SQL raises itself: up to the first value in the text, and from there to the next one. A text that is a value as a
# whole is left out: it could be any.
_SITE = re.compile(r"\berror\('((?:[^']|'')*)'(?: \|\| [^'|]+ \|\| '((?:[^']|'')*)'\))?")
_MANY_ROWS = "Invalid Input Error: More than one row returned by a subquery"


def arisen(text: str) -> Arose | None:
    """For DuckDB's text of an error: which SQL may have raised it; None where that is not told."""
    if line := _LINE.search(text):
        return partial(_in_line, line[2], line[2][len(line[3]) - len(line[1]) :])
    if overflow := _OVERFLOW.match(text):
        return lambda sql: ANYWHERE if _OPERATORS[overflow[1]] in sql.replace("(*)", "") else None
    if text.startswith(_MANY_ROWS):
        return lambda sql: ANYWHERE if "(SELECT" in sql else None
    if raised := _RAISED.match(text):
        return lambda sql: ANYWHERE if _can_raise(sql, raised[1]) else None
    return None


def _in_line(line: str, rest: str, sql: str) -> tuple[int, int] | None:
    """line: what DuckDB shows of its SQL, between dots where it goes on. rest: of it, from where the fault is."""
    whole = line.removeprefix("...").removesuffix("...").strip() in sql
    here = rest.startswith(sql) or (rest.endswith("...") and sql.startswith(rest.removesuffix("...")))
    return ANYWHERE if whole or here else None


def _can_raise(sql: str, text: str) -> bool:
    said = text.strip()
    return any(
        said.startswith(_plain(first)) and said.endswith(_plain(last)) for first, last in _SITE.findall(sql)
    )


def _plain(literal: str) -> str:
    return literal.replace("''", "'").strip()
