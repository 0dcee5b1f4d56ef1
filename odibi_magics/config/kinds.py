"""Types of the language in the words of people, for the reference and for help."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from odibi_magics.config import model


def kind(annotation: Any) -> str:
    """A type in the words of people."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _named(annotation) or kind(args[0])
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(kind(arg) for arg in args if arg is not type(None)))
    if origin is Literal:
        return ", ".join(f"`{arg}`" for arg in args)
    if origin is list:
        return f"list of {kind(args[0])}"
    if origin is dict:
        return f"mapping of names to {kind(args[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return {str: "text", int: "whole number", float: "number", bool: "true or false"}.get(annotation, "any")


def _named(annotation: Any) -> str:
    if annotation is model.SecretText:
        return "text, as `${NAME}`"
    if annotation is model.Duration:
        return "duration (`30s`, `2h`)"
    return "type of a column" if annotation is model.ColumnType else ""
