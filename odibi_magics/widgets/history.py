"""A table's history that answers: sort, filter, scroll, load the rest, and go on from a version.

The page is sent what it shows and nothing else, in messages: a widget's state, which front ends may save, holds only
the code beside this file. Loading goes on in short steps that the page asks for one by one, so that the kernel is free
between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import anywidget

from odibi_magics.delta.history import History, HistoryEntry
from odibi_magics.display.commands import NOTEBOOK
from odibi_magics.display.document import Block
from odibi_magics.display.history import COLUMNS, operation, rows_changed, time_exact
from odibi_magics.display.units import count, size
from odibi_magics.display.values import block, cut, line
from odibi_magics.errors import Cancelled, OdibiError, Unexpected, UsageError
from odibi_magics.widgets.blocks import blocks_json
from odibi_magics.widgets.sources import place, together, view_of
from odibi_magics.widgets.versions import Order, Versions

# Versions read in one step, which is made larger or smaller until it takes about so many seconds.
_STEP, _SMALLEST, _LARGEST, _SECONDS = 200, 20, 5000, 0.4

# Characters of a parameter: a schema may be among them.
_LONGEST = 2000


class Verbs(Protocol):
    """What can be done with the table. All raise OdibiError and Cancelled."""

    def older(self, before: int, limit: int) -> History:
        """The next versions below one."""

    def preview(self, version: int) -> Sequence[Block]:
        """The first rows as they were."""

    def diff(self, before: int, after: int, keys: Sequence[str]) -> Sequence[Block]:
        """What differs between two versions, whose rows the keys tell apart."""


class LiveHistory(anywidget.AnyWidget):
    """The widget of one history. Each message of the page is a question with an id, and gets one answer."""

    _esm = together("page.js", "history.js")
    _css = together("page.css", "history.css")

    def __init__(self, history: History, verbs: Verbs) -> None:
        super().__init__()
        self._versions = Versions(history)
        self._verbs = verbs
        self._step = _STEP
        self.on_msg(self._answer)

    def in_place(self, static: str) -> str:
        """HTML of a display, which the widget takes the place of where a page runs it: the HTML alone is saved."""
        return place("odibi-history", self.model_id, static)

    def view(self) -> dict[str, Any]:
        """The widget's own mime type, for front ends that keep each output apart from the page."""
        return view_of(self.model_id)

    def _answer(self, widget: object, question: Mapping[str, Any], buffers: object) -> None:
        self.send({"id": question.get("id"), **self._told(question)})

    def _told(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer, or an error in our words."""
        try:
            return _ANSWERS[question["ask"]](self, question)
        except (OdibiError, Cancelled) as error:
            return {"error": block(error)}
        except KeyboardInterrupt:
            return {"error": "stopped"}
        except Exception as error:
            return {"error": block(Unexpected(error))}

    def _table(self, question: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "model": self.model_id,
            "address": line(self._versions.address),
            "columns": COLUMNS,
            **self._rows(question),
        }

    def _rows(self, question: Mapping[str, Any]) -> dict[str, Any]:
        order = Order(
            column=int(question["column"]) % len(COLUMNS),
            descending=bool(question["descending"]),
            words=str(question["words"]),
        )
        return self._versions.window(order, int(question["first"]), int(question["length"]))

    def _more(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The next step of loading the rest."""
        if self._versions.more:
            begun = time.monotonic()
            self._versions.add(self._verbs.older(self._versions.entries[-1].version, self._step))
            self._pace(time.monotonic() - begun)
        return {"loaded": len(self._versions.entries), "more": self._versions.more}

    def _pace(self, seconds: float) -> None:
        if seconds < _SECONDS / 2:
            self._step = min(_LARGEST, self._step * 2)
        elif seconds > _SECONDS * 2:
            self._step = max(_SMALLEST, self._step // 2)

    def _version(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """All that is known of a version, and the commands that go on from it."""
        version = int(question["version"])
        entry = self._versions.entry(version)
        if entry is None:
            raise UsageError(f"version {version} is not loaded")
        address = f"{self._versions.address}@{version}"
        return {
            "facts": [[line(name), cut(line(text), _LONGEST)] for name, text in _facts(entry) if text],
            "preview": line(NOTEBOOK.line("preview", address)),
            "restore": line(NOTEBOOK.line("restore", address)),
        }

    def _preview(self, question: Mapping[str, Any]) -> dict[str, Any]:
        return {"blocks": blocks_json(self._verbs.preview(int(question["version"])))}

    def _diff(self, question: Mapping[str, Any]) -> dict[str, Any]:
        before, after = sorted((int(question["version"]), int(question["other"])))
        keys = [name for part in str(question["keys"]).split(",") if (name := part.strip())]
        sides = [f"{self._versions.address}@{version}" for version in (before, after)]
        options = ["--keys", ",".join(keys)] if keys else []
        return {
            "command": line(NOTEBOOK.line("diff", *sides, *options)),
            "blocks": blocks_json(self._verbs.diff(before, after, keys)),
        }


_ANSWERS: dict[str, Callable[[LiveHistory, Mapping[str, Any]], dict[str, Any]]] = {
    "table": LiveHistory._table,
    "rows": LiveHistory._rows,
    "more": LiveHistory._more,
    "version": LiveHistory._version,
    "preview": LiveHistory._preview,
    "diff": LiveHistory._diff,
}


def _facts(entry: HistoryEntry) -> list[tuple[str, str]]:
    """What a row has no room for."""
    removed = "" if entry.bytes_removed is None else size(entry.bytes_removed)
    return [
        ("time", time_exact(entry.time)),
        ("operation", operation(entry)),
        ("user", entry.user or ""),
        ("written by", entry.engine or ""),
        ("run", entry.run or ""),
        ("pipeline", entry.pipeline or ""),
        ("node", entry.node or ""),
        ("rows", rows_changed(entry)),
        ("files added", _with(count(entry.files_added), size(entry.bytes_added))),
        ("files removed", "?" if entry.files_removed is None else _with(count(entry.files_removed), removed)),
        ("changes data", "yes" if entry.changes_data else "no"),
        *entry.parameters.items(),
    ]


def _with(number: str, bytes_: str) -> str:
    return f"{number}, {bytes_}" if bytes_ and number != "0" else number
