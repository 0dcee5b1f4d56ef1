"""Calls by the rows of accepted.py."""

from __future__ import annotations

import re

from sqlglot import exp

from odibi_magics.sql.accepted import ways
from odibi_magics.sql.operators import Operators
from odibi_magics.sql.signatures import signature
from odibi_magics.sql.typed import Typed
from odibi_magics.sql.types import UNKNOWN, VOID

Arguments = tuple[Typed, ...]


def listed(
    self: Operators, node: exp.Anonymous, name: str, arguments: Arguments, over: str, first: str = ""
) -> Typed:
    for exact in (True, False):
        for row in ways(name):
            found = signature(row).call(arguments, exact, first, over=over)
            if found is not None:
                return Typed(found.sql, found.type, node, tight=found.tight)
    given = ", ".join("NULL" if a.type == VOID else a.type for a in arguments)
    if any(_alike(row) for row in ways(name)) and len({a.type for a in arguments}) > 1:
        return self.refuse(
            node, f"function '{name}' takes values of one type, and these are {given}: CAST one"
        )
    takes = " or ".join(f"({_takes(row)})" for row in ways(name))
    return self.refuse(node, f"function '{name}' takes {takes}, and this is ({given}): CAST it")


def _alike(row: str) -> bool:
    """Whether all arguments are of one type, whichever."""
    return set(re.findall(r"\w+", row.partition("->")[0])) in ({"T"}, {"O"}, {"N"}, {"K"})


_KINDS = {
    "T": "any",
    "K": "any",
    "V": "any",
    "O": "any",
    "N": "number",
    "I": "whole number",
    "X": "decimal",
    "F": "double",
}


def _takes(row: str) -> str:
    return re.sub(r"\b[A-Z]\b", lambda match: _KINDS.get(match[0], match[0]), row.partition("->")[0].strip())


def refused(node: exp.Expr) -> Typed:
    return Typed("NULL", UNKNOWN, node)
