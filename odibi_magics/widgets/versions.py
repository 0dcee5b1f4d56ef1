"""The versions that a live history has loaded: sorted, filtered, and a window of them at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.display.document import cell
from odibi_magics.display.history import COLUMNS, operation, row, time_shown
from odibi_magics.display.units import count, plural

# Rows that one answer holds at most: several screens.
WIDEST_WINDOW = 200


@dataclass(frozen=True)
class Order:
    """How a page wants to see them. column: of COLUMNS. words: each must stand in a version, in any case."""

    column: int = 0
    descending: bool = True
    words: str = ""


class Versions:
    """What is loaded, the newest first."""

    def __init__(self, history: History) -> None:
        self.address = history.address
        self.entries = list(history.entries)
        self.more = history.more
        self._texts: list[str] = []
        self._empty, self._looked_at = set(range(len(COLUMNS))), 0
        self._seen: tuple[Order, int] | None = None
        self._found: list[int] = []

    def add(self, older: History) -> None:
        """Those that come next."""
        self.entries += older.entries
        self.more = older.more if older.entries else 0

    def entry(self, version: int) -> HistoryEntry | None:
        """A loaded one."""
        return next((entry for entry in self.entries if entry.version == version), None)

    def window(self, order: Order, first: int, length: int) -> dict[str, Any]:
        """So many of the matching versions from `first` on, and how much there is, as JSON."""
        found = self._matching(order)
        first = max(0, min(first, len(found)))
        chosen = found[first : first + min(length, WIDEST_WINDOW)]
        return {
            "first": first,
            "rows": [_as_json(self.entries[i]) for i in chosen],
            "matches": len(found),
            "loaded": len(self.entries),
            "more": self.more,
            "empty": self._empty_columns(),
            "said": self._said(order, len(found)),
        }

    def _empty_columns(self) -> list[int]:
        """Those that tell nothing of any version that is loaded."""
        for entry in self.entries[self._looked_at :]:
            self._empty -= {column for column in self._empty if _KEYS[column](entry)}
        self._looked_at = len(self.entries)
        return sorted(self._empty - {0})

    def _said(self, order: Order, matches: int) -> str:
        there, total = len(self.entries), len(self.entries) + self.more
        loaded = f"{count(there)} of {plural(total, 'version')}" if self.more else plural(there, "version")
        return f"{loaded} loaded" + (f", {count(matches)} match" if order.words else "")

    def _matching(self, order: Order) -> list[int]:
        """Indices into `entries`, in the order that is asked for; computed once for each question."""
        if self._seen != (order, len(self.entries)):
            self._found = self._sorted(self._filtered(order.words.casefold().split()), order)
            self._seen = order, len(self.entries)
        return self._found

    def _filtered(self, words: list[str]) -> list[int]:
        if not words:
            return list(range(len(self.entries)))
        self._texts += map(_text, self.entries[len(self._texts) :])
        return [i for i, text in enumerate(self._texts) if all(word in text for word in words)]

    def _sorted(self, found: list[int], order: Order) -> list[int]:
        """What is not told comes last, in both directions; of equals the newer one first."""
        key = _KEYS[order.column]
        told = [(value, i) for i in found if (value := key(self.entries[i])) is not None]
        told.sort(key=lambda pair: pair[0], reverse=order.descending)
        ordered = [i for _, i in told]
        return ordered if len(ordered) == len(found) else ordered + sorted(set(found).difference(ordered))


_KEYS: tuple[Callable[[HistoryEntry], Any], ...] = (
    lambda entry: entry.version,
    lambda entry: entry.time,
    lambda entry: operation(entry).casefold() or None,
    lambda entry: entry.user and entry.user.casefold(),
    lambda entry: (entry.run or "", entry.node or "") if entry.run or entry.node else None,
    lambda entry: _rows(entry),
    lambda entry: entry.files_added + (entry.files_removed or 0),
    lambda entry: entry.bytes_added + (entry.bytes_removed or 0),
    lambda entry: sorted(entry.parameters.items()) or None,
)


def _rows(entry: HistoryEntry) -> int | None:
    """As many as are told, of all kinds; None where nothing is."""
    told = [
        rows for rows in (entry.rows_inserted, entry.rows_changed, entry.rows_deleted) if rows is not None
    ]
    return sum(told) or (0 if len(told) == 3 and entry.changes_data else None)


assert len(_KEYS) == len(COLUMNS)


def _text(entry: HistoryEntry) -> str:
    """All that a filter looks at."""
    parameters = (part for pair in entry.parameters.items() for part in pair)
    parts = (operation(entry), entry.user, entry.run, entry.pipeline, entry.node, entry.engine, *parameters)
    said = [str(entry.version), time_shown(entry.time), *(part for part in parts if part)]
    return "\n".join(said).casefold()


def _as_json(entry: HistoryEntry) -> dict[str, Any]:
    """A row: its cells as text and what shows on hover; redacted, as every display."""
    return {"version": entry.version, "cells": [[one.text, one.hover] for one in map(cell, row(entry))]}
