"""Names, texts and places inside Spark's SQL, quoted by sqlglot."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlglot import exp


@lru_cache(10_000)
def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return exp.to_identifier(name, quoted=True).sql(dialect="spark")


def listed(names: Iterable[str], of: str = "") -> str:
    """Names behind commas, each of a table where one is given."""
    return ", ".join(f"{of}.{quoted(name)}" if of else quoted(name) for name in names)


def literal(value: Any) -> str:
    """A Python value (text, number, boolean) as a literal."""
    return exp.convert(value).sql(dialect="spark")


def table(url: str) -> str:
    """A Delta table by its place."""
    return f"delta.{quoted(url)}"
