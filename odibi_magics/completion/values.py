"""Values where the language knows some: words of an enumeration, names, types, paths, columns."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from odibi_magics.completion.columns import Describes
from odibi_magics.completion.facts import Facts, node_at
from odibi_magics.completion.keys import fields_of
from odibi_magics.completion.layout import Typed
from odibi_magics.completion.offers import Offer, brief
from odibi_magics.completion.places import connection_named, files, paths
from odibi_magics.config.explain import annotation_at, models_of, options
from odibi_magics.config.marks import Path
from odibi_magics.config.models import ProjectConfig
from odibi_magics.config.types import ALIASES, SIMPLE
from odibi_magics.secret import SECRET_KEYS
from odibi_magics.sql.functions import Function, registered

_COLUMNS = ("columns", "keys", "partition_by", "newer_than", "column")
_TYPED = ("schema", "returns", "columns")
_NESTED = ("decimal(10,2)", "array<string>", "map<string,string>", "struct<name:string>")


def annotations_at(typed: Typed, path: Path) -> list[Any]:
    """What may stand at a path of the project, by each of the models that its mapping may be read by."""
    if not path or isinstance(path[-1], int):
        return [annotation_at(ProjectConfig, typed.project, path)]
    inside = typed.at(path[:-1])
    others = {key: one for key, one in inside.items() if key != path[-1]} if isinstance(inside, dict) else {}
    models = models_of(annotation_at(ProjectConfig, typed.project, path[:-1]), others)
    found = [fields_of(model)[path[-1]].annotation for model in models if path[-1] in fields_of(model)]
    return found or [annotation_at(ProjectConfig, typed.project, path)]


def values(typed: Typed, path: Path, facts: Facts, describes: Describes) -> Iterator[Offer]:
    """The values that may stand at a path of the project."""
    for annotation in annotations_at(typed, path):
        yield from enumerated(annotation)
    names = [part for part in path if isinstance(part, str)]
    name = names[-1] if names else ""
    inside = typed.at(path[:-1])
    yield from _by_name(typed, path, name, inside if isinstance(inside, dict) else {}, facts, describes)
    if name in SECRET_KEYS:
        yield from (Offer(f"${{{one}}}", "environment value") for one in sorted(os.environ))


def _by_name(
    typed: Typed, path: Path, name: str, inside: dict[str, Any], facts: Facts, describes: Describes
) -> Iterator[Offer]:
    assert typed.spot is not None
    word = typed.spot.word
    if len(path) > 1 and path[-2] == "params":
        yield from _argument(typed.at(path[:-2]), name)
    elif len(path) > 2 and path[-2] in _TYPED and isinstance(path[-1], str):
        yield from (Offer(one, "type") for one in (*SIMPLE, *_NESTED))
        yield from (Offer(alias, f"type, {one}") for alias, one in ALIASES.items())
    elif name == "connection":
        yield from (Offer(one, about) for one, about in facts.connections(typed).items())
    elif name == "path" and isinstance(inside.get("connection"), str):
        found = connection_named(inside["connection"], typed, facts)
        yield from paths(found, word, describes.answers, describes.patience)
    elif name == "depends_on":
        here = node_at(typed, path)
        own = typed.at((*here, "name")) if here else None
        yield from (Offer(one, about) for one, about in facts.nodes(typed).items() if one != own)
    elif name == "function":
        yield from (Offer(one.name, called(one)) for one in registered().values())
    elif name in _COLUMNS and node_at(typed, path):
        yield from (Offer(column.name, column.type) for column in describes.columns(typed, path))
    elif name == "functions":
        yield from files(facts.folder, word, (".py",))
    elif name == "base_path":
        yield from (one for one in files(facts.folder, word, ()) if one.about == "folder")
    elif name == "key_vault_name":
        yield from (Offer(one, "vault") for one in sorted(_vaults(typed, facts)))
    elif path[-2:-1] == ("options",) and name == "header":
        yield from enumerated(bool)


def enumerated(annotation: Any) -> Iterator[Offer]:
    """The words that a type lists."""
    for option in options(annotation):
        if get_origin(option) is Literal:
            yield from (Offer(str(one), "value") for one in get_args(option) if isinstance(one, str))
        elif option is bool:
            yield from (Offer("true", "value"), Offer("false", "value"))


def _argument(step: Any, name: str) -> Iterator[Offer]:
    function = registered().get(str(step.get("function"))) if isinstance(step, dict) else None
    for parameter in function.params if function else ():
        if parameter.name == name and not isinstance(parameter.annotation, str):
            yield from enumerated(parameter.annotation)


def called(function: Function) -> str:
    """A function as it is called, with the first line of what it says of itself."""
    said = inspect.getdoc(function.call) or ""
    parameters = ", ".join(str(one.name) for one in function.params)
    return brief(f"({parameters}) {said.splitlines()[0] if said else ''}".strip())


def _vaults(typed: Typed, facts: Facts) -> frozenset[str]:
    """Those that the text and earlier cells name."""
    connections = typed.project.get("connections")
    models = connections.values() if isinstance(connections, dict) else ()
    given = [
        typed.project.get("key_vault_name"),
        *(one.get("key_vault_name") for one in models if isinstance(one, dict)),
    ]
    return frozenset(one for one in given if isinstance(one, str)) | facts.definitions.known.vaults
