"""The notebook's variables, as far as `{{ name }}` may use them, and the names we put among them."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property
from itertools import chain
from typing import Any


class NotebookVariables(Mapping[str, Any]):
    """Text, numbers (of numpy too), booleans, dates, None, and lists of them; no underscored name and none of IPython's
    own. Behind them, on Databricks, the notebook's widgets, whose values are text.

    Looked at when asked for: a notebook may hold lists of millions.
    """

    def __init__(self, names: Mapping[str, Any], hidden: Mapping[str, Any]) -> None:
        self._names, self._hidden = names, hidden

    def __getitem__(self, name: str) -> Any:
        if self._is_users(name) and _usable(value := self._names[name]):
            return _plain(value)
        return self._widgets[name]

    def __iter__(self) -> Iterator[str]:
        users = [name for name in list(self._names) if self._is_users(name) and _usable(self._names[name])]
        return iter(dict.fromkeys(chain(users, self._widgets)))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _is_users(self, name: str) -> bool:
        # IPython hides what it put there itself, until the user gives the name another value.
        if name.startswith("_") or name not in self._names:
            return False
        return name not in self._hidden or self._names[name] is not self._hidden[name]

    @cached_property
    def _widgets(self) -> Mapping[str, str]:
        widgets = getattr(self._names.get("dbutils"), "widgets", None)
        return {} if widgets is None else Widgets(widgets)


class Widgets(Mapping[str, str]):
    """The values of `dbutils.widgets`, all asked for at once; runtimes without its `getAll()` tell only a name's value.

    `dbutils` raises what its transport does, py4j's errors or gRPC's, also for a name that is not there.
    """

    def __init__(self, widgets: Any) -> None:
        self._widgets = widgets

    def __getitem__(self, name: str) -> str:
        if self._all is not None:
            return self._all[name]
        try:
            value = self._widgets.get(name)
        except Exception:
            value = None
        if not isinstance(value, str):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all or ())

    def __len__(self) -> int:
        return len(self._all or ())

    @cached_property
    def _all(self) -> Mapping[str, str] | None:
        try:
            return {name: value for name, value in self._widgets.getAll().items() if isinstance(value, str)}
        except Exception:
            return None


_SCALARS = (str, int, float, bool, date, type(None))


def _usable(value: Any) -> bool:
    scalars = (*_SCALARS, *_of_numpy())
    return isinstance(value, scalars) or (
        isinstance(value, list) and all(isinstance(item, scalars) for item in value)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_plain, value))
    return value.item() if isinstance(value, _of_numpy()) else value


def _of_numpy() -> tuple[Any, ...]:
    """The kinds of its numbers that are not Python's too, as its floats are; none where nobody has imported it."""
    numpy = sys.modules.get("numpy")
    return (numpy.integer, numpy.bool_) if numpy else ()
