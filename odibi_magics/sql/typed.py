"""A piece of DuckDB SQL with the type that Spark gives it, and templates that take such pieces."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace

from sqlglot import exp

from odibi_magics.sql.types import UNKNOWN

_PLACEHOLDER = re.compile(r"\{(\d)(?::p)?\}")


@dataclass(frozen=True, slots=True)
class Typed:
    """sql: its DuckDB type is that of `type`, but for bare number literals, which DuckDB fits to what they meet.

    tight: stands as an operand without parentheses. simple: a column or literal, cheap to name twice.
    """

    sql: str
    type: str
    node: exp.Expr
    tight: bool = True
    simple: bool = False

    @property
    def known(self) -> bool:
        return self.type != UNKNOWN

    @property
    def literal(self) -> str | None:
        """The text of a string literal, else None."""
        node = self.node.this if isinstance(self.node, exp.Paren) else self.node
        if isinstance(node, exp.RawString):
            return str(node.this)
        return node.name if isinstance(node, exp.Literal) and node.is_string else None

    @property
    def number(self) -> int | None:
        """The value of a whole number literal, else None."""
        text = self.sql.strip("()").replace(" ", "")
        return int(text) if self.simple and re.fullmatch(r"-?\d+", text) else None

    @property
    def constant(self) -> bool:
        """Whether it is a literal, the same in every row."""
        return self.simple and self.node.find(exp.Column) is None

    def as_type(self, type_: str) -> Typed:
        return replace(self, type=type_)

    def __format__(self, spec: str) -> str:
        return f"({self.sql})" if spec == "p" and not self.tight else self.sql


def render(template: str, arguments: tuple[Typed, ...], **words: str) -> str:
    """The template with its arguments in {0} {1} ... ({0:p} with parentheses where needed).

    What is named several times and costs something is computed once, as a one-element list's variable.
    """
    counts = Counter(map(int, _PLACEHOLDER.findall(template)))
    for at, argument in enumerate(arguments):
        if counts[at] > 1 and not argument.simple:
            variable = Typed(f"v{at}", argument.type, argument.node, simple=True)
            inner = render(template, (*arguments[:at], variable, *arguments[at + 1 :]), **words)
            return f"list_transform([{argument}], LAMBDA v{at}: {inner})[1]"
    return template.format(*arguments, all=", ".join(a.sql for a in arguments), **words)
