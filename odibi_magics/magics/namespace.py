"""The notebook's variables, as far as `{{ name }}` may use them, and the names we put among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any


class NotebookVariables(Mapping[str, Any]):
    """Text, numbers, booleans, dates, None, and lists of them; no underscored name and none of IPython's own.

    Looked at when asked for: a notebook may hold lists of millions.
    """

    def __init__(self, names: Mapping[str, Any], hidden: Mapping[str, Any]) -> None:
        self._names, self._hidden = names, hidden

    def __getitem__(self, name: str) -> Any:
        if self._is_users(name) and _usable(value := self._names[name]):
            return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in list(self._names) if self._is_users(name) and _usable(self._names[name]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _is_users(self, name: str) -> bool:
        # IPython hides what it put there itself, until the user gives the name another value.
        if name.startswith("_") or name not in self._names:
            return False
        return name not in self._hidden or self._names[name] is not self._hidden[name]


_SCALARS = (str, int, float, bool, date, type(None))


def _usable(value: Any) -> bool:
    return isinstance(value, _SCALARS) or (
        isinstance(value, list) and all(isinstance(item, _SCALARS) for item in value)
    )
