"""Engines by name, each loaded when it is first asked for."""

from __future__ import annotations

import weakref
from functools import cache
from typing import Any

from odibi_magics.engines.base import Engine
from odibi_magics.engines.spark.session import active, check_installed
from odibi_magics.errors import UsageError, suggest

ENGINES = ("pandas", "spark")


def choose_engine(name: str) -> Engine:
    """The engine a name asks for; "auto" is spark where a Spark session is already active, else pandas.

    Raises UsageError for an unknown name, MissingExtra for an engine whose library is not installed.
    """
    if name not in ("auto", *ENGINES):
        raise UsageError(f"unknown engine '{name}' ({suggest(name, ('auto', *ENGINES))})")
    if name == "pandas" or (name == "auto" and active() is None):
        return _pandas()
    check_installed()
    return _spark(active())


@cache
def _pandas() -> Engine:
    from odibi_magics.engines.pandas.engine import PandasEngine

    return PandasEngine()


_sparks: weakref.WeakKeyDictionary[Any, Engine] = weakref.WeakKeyDictionary()


def _spark(session: Any | None) -> Engine:
    """One engine for each session; without one, an engine that starts a session once it needs it."""
    from odibi_magics.engines.spark.engine import SparkEngine

    if session is None:
        return SparkEngine()
    if session not in _sparks:
        _sparks[session] = SparkEngine(session)
    return _sparks[session]
