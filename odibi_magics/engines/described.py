"""A frame in a line: what it is, never what is in it."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.config.types import Column
from odibi_magics.secret import redact

_COLUMNS = 8


def described(engine: str, columns: Sequence[Column], reads: str) -> str:
    """`<rows of the pandas engine: id bigint, city string; reads /lake/orders at version 3>`. reads: "" for unknown."""
    more = len(columns) - _COLUMNS
    named = ", ".join(map(str, columns[:_COLUMNS])) + (f" and {more:,} more columns" if more > 0 else "")
    return redact(f"<rows of the {engine} engine: {named}{f'; reads {reads}' if reads else ''}>")
