"""What names mean inside one SELECT: the tables of its FROM, its aliases, and the query round it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from odibi_magics.sql.types import UNKNOWN, quoted

# A column that a query inside gives no name has none: it can be counted, not named.
Columns = Sequence[tuple[str | None, str]]


@dataclass
class Source:
    """A table in FROM. columns: None where its schema is not known."""

    alias: str
    columns: Columns | None
    by_name: dict[str, tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.by_name = {name.lower(): (name, type_) for name, type_ in self.columns or () if name}

    @property
    def named(self) -> list[tuple[str, str]]:
        """The columns that have a name."""
        return [(name, type_) for name, type_ in self.columns or () if name]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.named]

    def find(self, name: str) -> str | None:
        """A column's type; None where there is none of that name."""
        found = self.by_name.get(name.lower())
        return found[1] if found else UNKNOWN if self.columns is None else None


@dataclass
class Scope:
    """aliases: of the SELECT list so far, with their types; plain: those that are the column of that name itself.
    merged: columns of USING. clause: where we are."""

    sources: list[Source] = field(default_factory=list)
    hidden: list[Source] = field(default_factory=list)  # right sides of semi and anti joins: seen by ON alone
    aliases: dict[str, str] = field(default_factory=dict)
    plain: set[str] = field(default_factory=set)
    merged: dict[str, str] = field(default_factory=dict)
    windows: dict[str, str] = field(default_factory=dict)
    clause: str = "from"
    outer: Scope | None = None

    def table(self, alias: str) -> Source | None:
        for source in (*self.sources, *self.hidden):
            if source.alias.lower() == alias.lower():
                return source
        return self.outer.table(alias) if self.outer else None

    def holding(self, name: str) -> list[Source]:
        """The tables of this SELECT's own FROM that have (or may have) the column."""
        return [source for source in (*self.sources, *self.hidden) if source.find(name) is not None]

    def names(self) -> Iterator[str]:
        """All names a column may have here, for the nearest spelling."""
        for source in self.sources:
            yield from source.names
        yield from self.aliases
        if self.outer:
            yield from self.outer.names()

    def unknown(self) -> bool:
        """Whether some table's columns are not known, so that nothing can be said of a name."""
        return any(source.columns is None for source in self.sources) or bool(
            self.outer and self.outer.unknown()
        )


def dotted(*names: str) -> str:
    return ".".join(map(quoted, names))
