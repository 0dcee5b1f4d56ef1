"""Calls of Python functions: which frames they take, and what they raise in words."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from odibi_magics.engines.base import F
from odibi_magics.errors import EngineError, said
from odibi_magics.quoting import Data, Quoting
from odibi_magics.sql.functions import Function


def taken(function: Function, inputs: Mapping[str, F], params: Mapping[str, Any]) -> dict[str, tuple[F, str]]:
    """Each frame parameter's frame and kind: the node it is called like; the first one else `df`."""
    found: dict[str, tuple[F, str]] = {}
    for i, (name, kind) in enumerate(function.frames):
        frame = inputs.get(name) or (inputs.get("df") if i == 0 else None)
        if frame is None:
            there = ", ".join(inputs) or "none"
            raise EngineError(f"{function.name}(): '{name}' takes a frame, but the inputs are {there}")
        found[name] = (frame, kind)
    for parameter in function.params:
        if parameter.name in inputs and parameter.name not in params:
            found[parameter.name] = (inputs[parameter.name], "pandas")
    return found


def called(function: Function, arguments: Mapping[str, Any]) -> Any:
    """What a function returns. Raises whatever it raises."""
    bound = inspect.signature(function.call).bind_partial()
    named = {p.name: p for p in inspect.signature(function.call).parameters.values()}
    anything = next((p.name for p in named.values() if p.kind is p.VAR_KEYWORD), None)
    for name, value in arguments.items():
        if name in named:
            bound.arguments[name] = value
        else:
            bound.arguments.setdefault(str(anything), {})[name] = value
    return function.call(*bound.args, **bound.kwargs)


_HERE = str(Path(__file__).parent)


def failed(function: Function, error: BaseException) -> str:
    """What a function raised, with the lines of its own code."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith(_HERE)]
    at = next((frame for frame in reversed(own) if frame.filename == function.origin), None)
    where = f", line {at.lineno} of {function.place}" if at else ""
    lines = "".join(traceback.format_list(own)).rstrip()
    kind = type(error).__name__
    what = said(error)
    head = f"{function.name}() failed{where}: {kind}"
    return Quoting(head, ": " if what else "", Data(what), f"\n{lines}".rstrip())
