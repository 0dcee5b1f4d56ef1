"""What a reader of one format gives: SQL over pinned files or a table's version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.session import Opener


@dataclass(frozen=True)
class Scan:
    """A source as it stands, opened.

    sql: one SELECT whose columns are `columns`; tables and pins as DuckFrame has them.
    plain: whether reading it again costs no more than reading a copy of it would.
    """

    sql: str
    columns: tuple[Column, ...]
    pins: dict[str, Any]
    tables: Mapping[str, Opener] = field(default_factory=dict)
    plain: bool = False
