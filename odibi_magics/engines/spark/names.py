"""Names, texts and places inside Spark's SQL, quoted by sqlglot."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlglot import exp

from odibi_magics.connections.unity import UnityConnection
from odibi_magics.engines.base import Place


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


_PATTERN = re.compile(r"[\\*?\[\]{}]")


def as_named(path: str) -> str:
    """A path for a reader of Spark's that takes paths for patterns; its own option against that is lost on Connect."""
    return _PATTERN.sub(r"\\\g<0>", path)


def table(place: Place) -> str:
    """A Delta table: of a catalog by its name, else by its path."""
    if isinstance(place.connection, UnityConnection):
        return ".".join(map(quoted, place.connection.parts(place.path)))
    return f"delta.{quoted(place.url)}"


def is_named(place: Place) -> bool:
    """Whether a place is a table's name, and not a path."""
    return isinstance(place.connection, UnityConnection)
