"""What the word under the cursor means, as a few lines of text."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from odibi_magics.completion.cell import Asker, is_sql
from odibi_magics.completion.keys import fields_at
from odibi_magics.completion.layout import Kind, Typed, typed
from odibi_magics.completion.sql import signature
from odibi_magics.config.explain import options
from odibi_magics.config.kinds import kind
from odibi_magics.config.marks import Path
from odibi_magics.options import Parser
from odibi_magics.sql.accepted import REFUSED, accepted, ways
from odibi_magics.sql.functions import Function, registered


def meaning_in_cell(text: str, at: int, kind: Kind, asker: Asker) -> str | None:
    """Of a key or of a value's key, a function, a node or a connection; None where there is nothing to say."""
    found = typed(text, at, kind)
    if found.spot is None:
        return None
    word = found.spot.word + found.spot.rest
    if found.spot.role != "key" and (said := _of_value(found, word, asker)):
        return said
    path = (*found.path, found.spot.name) if found.spot.role == "key" else found.path
    names = [i for i, part in enumerate(path) if isinstance(part, str)]
    return _of_key(found, path[: names[-1] + 1]) if names else None


def meaning_on_line(parser: Parser, line: str, behind: str) -> str:
    """Of the option under the cursor, else of the whole magic. line: up to the cursor."""
    word = (re.findall(r"\S*\Z", line)[0] + re.findall(r"\A\S*", behind)[0]).partition("=")[0]
    action = parser._option_string_actions.get(word)
    if action is None:
        return parser.format_help().rstrip()
    return f"{', '.join(action.option_strings)} {action.metavar or ''}".rstrip() + f"\n\n{action.help or ''}"


def _of_key(found: Typed, path: Path) -> str | None:
    name = str(path[-1])
    field = fields_at(found, path[:-1]).get(name)
    if field is None:
        return _of_parameter(found, path) if path[-2:-1] == ("params",) else None
    takes = kind(field.annotation).replace("`", "")
    parts = [f"{name}: {takes}{_default(field)}", "", (field.description or "").replace("`", "")]
    below = [option for option in _models(field.annotation) if option.__doc__]
    if below:
        parts += ["", *(" ".join((model.__doc__ or "").split()) for model in below)]
    return "\n".join(parts)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return ", required"
    plain = field.default not in (None, PydanticUndefined) and not isinstance(field.default, BaseModel)
    return (
        f", without it {str(field.default).lower() if isinstance(field.default, bool) else field.default}"
        if plain
        else ""
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    for option in options(annotation):
        if get_origin(option) in (list, dict):
            yield from _models(get_args(option)[-1])
        elif isinstance(option, type) and issubclass(option, BaseModel):
            yield option


def _of_parameter(found: Typed, path: Path) -> str | None:
    step = found.at(path[:-2])
    function = registered().get(str(step.get("function"))) if isinstance(step, dict) else None
    return _of_function(function) if function else None


def _of_function(function: Function) -> str:
    said = inspect.getdoc(function.call) or ""
    takes = ", ".join([*(name for name, _ in function.frames), *map(str, function.params)])
    return f"{function.name}({takes})\n{function.place}\n\n{said}".rstrip()


def _of_value(found: Typed, word: str, asker: Asker) -> str | None:
    assert found.spot is not None
    if is_sql(found):
        start = re.findall(r"\w*\Z", found.spot.word)[0]
        return _in_sql(start + re.findall(r"\A\w*", found.spot.rest)[0], found, asker)
    name = next((part for part in reversed(found.path) if isinstance(part, str)), "")
    if name == "function" and word in registered():
        return _of_function(registered()[word])
    if name == "connection":
        return _of_connection(word, found, asker)
    return _of_node(word, found, asker) if name == "depends_on" else None


def _in_sql(word: str, found: Typed, asker: Asker) -> str | None:
    name = word.lower()
    if name in accepted():
        return "\n".join([f"{name}{signature(name)}", *(f"  {_takes(row)}" for row in ways(name)[1:])])
    if name in REFUSED:
        return f"{name} is refused: {REFUSED[name]}"
    return _of_node(word, found, asker)


def _takes(row: str) -> str:
    takes, _, rest = row.partition("->")
    return f"({takes.strip()}) -> {rest.partition(':')[0].strip()}"


def _of_connection(name: str, found: Typed, asker: Asker) -> str | None:
    about = asker.facts.connections(found).get(name)
    return f"{name}: {about}" if about else None


def _of_node(name: str, found: Typed, asker: Asker) -> str | None:
    about = asker.facts.nodes(found).get(name)
    return f"{name}: {about}" if about else None
