"""Calls by the rows of accepted.py."""

from __future__ import annotations

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
    takes = " or ".join(f"({row.partition('->')[0].strip()})" for row in ways(name))
    return self.refuse(node, f"function '{name}' takes {takes}, and this is ({given}): CAST it")


def refused(node: exp.Expr) -> Typed:
    return Typed("NULL", UNKNOWN, node)
