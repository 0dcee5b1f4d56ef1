"""Keys where they are allowed, as the models have them."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from odibi_magics.completion.facts import Facts, formats_of, known_variables
from odibi_magics.completion.layout import Typed
from odibi_magics.completion.offers import Offer, brief
from odibi_magics.config.explain import annotation_at, models_of, options
from odibi_magics.config.formats import READ_OPTIONS, WRITE_OPTIONS
from odibi_magics.config.kinds import kind
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Pipeline, ProjectConfig
from odibi_magics.config.tree import PIPELINE_KEYS
from odibi_magics.sql.functions import registered

if TYPE_CHECKING:
    from odibi_magics.completion.columns import Describes


def keys(typed: Typed, path: Path, facts: Facts, describes: Describes) -> Iterator[Offer]:
    """The keys that the mapping at a path of the project may still take, with their colons."""
    assert typed.spot is not None
    there = set(typed.there if isinstance(typed.there, dict) and path == typed.path else ()) - {
        typed.spot.name
    }
    for name, about, ending in _named(typed, path, facts, describes):
        if name not in there:
            yield Offer(name if typed.spot.colon else f"{name}{ending}", about)


def _named(typed: Typed, path: Path, facts: Facts, describes: Describes) -> Iterator[tuple[str, str, str]]:
    """Each key with what it is, and what is typed behind it."""
    for name, field in fields_at(typed, path).items():
        yield name, brief(field.description or ""), _ending(field)
    annotation = annotation_at(ProjectConfig, typed.project, path)
    if any(get_origin(one) is dict for one in options(annotation)):
        yield from _free(typed, path, facts, describes)


def fields_at(typed: Typed, path: Path) -> dict[str, FieldInfo]:
    """The keys that the language has for the mapping at a path of the project."""
    if typed.environment is not None and path == ():
        return {name: field for name, field in fields_of(ProjectConfig).items() if name != "environments"}
    if typed.kind == "connections" and path == ():
        names = ("connections", "key_vault_name", "secrets", "vars")
        return {name: fields_of(ProjectConfig)[name] for name in names}
    annotation = annotation_at(ProjectConfig, typed.project, path)
    if any(get_origin(one) is list for one in options(annotation)) and path[-2:-1] != ("validation",):
        return {}
    models = models_of(annotation, typed.at(path))
    found: dict[str, FieldInfo] = {}
    for model in models:
        for name, field in fields_of(model).items():
            # Of a step it is not known yet which keys go with it, of a connection `type` says so wherever it stands.
            if len(models) == 1 or "type" in fields_of(model) or field.is_required():
                found.setdefault(name, field)
    return _of_shape(typed, found) if path == () else found


def _of_shape(typed: Typed, whole: dict[str, FieldInfo]) -> dict[str, FieldInfo]:
    """The keys of a project, or of one whose single pipeline's keys stand in their place."""
    there = typed.written if isinstance(typed.written, dict) else {}
    own = typed.spot.name if typed.spot is not None and typed.spot.path == () else ""
    written = there.keys() - {own}
    if "pipelines" in written:
        return whole
    names = PIPELINE_KEYS if "nodes" in written or not written - PIPELINE_KEYS else {"nodes"}
    short = {name: field for name, field in fields_of(Pipeline).items() if name in names}
    long = {
        name: field for name, field in whole.items() if name != "pipelines" or not written & PIPELINE_KEYS
    }
    return {**long, **short}


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's keys as they are written."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _ending(field: FieldInfo) -> str:
    """A value goes on behind the colon, a mapping or a list of mappings below it."""
    return ":" if is_below(field.annotation) else ": "


def is_below(annotation: Any) -> bool:
    """Whether a value of this type is written on the lines below its key."""
    return bool(models_of(annotation, {})) or any(
        get_origin(one) is dict and models_of(get_args(one)[1], {}) for one in options(annotation)
    )


def _free(typed: Typed, path: Path, facts: Facts, describes: Describes) -> Iterator[tuple[str, str, str]]:
    """Keys that no model has: parameters of functions, options of formats, columns, names known elsewhere."""
    last, above = path[-1], path[:-1]
    if last == "params":
        yield from _parameters(typed.at(above))
    elif last == "options" and path[-2] in ("read", "write"):
        known = READ_OPTIONS if path[-2] == "read" else WRITE_OPTIONS
        for name in sorted(set().union(*(known.get(one, ()) for one in formats_of(typed.at(above))))):
            yield name, "option of csv", ": "
    elif last in ("schema", "returns", "columns"):
        for column in describes.columns(typed, path):
            yield column.name, column.type, ": "
    elif last == "vars":
        for name in known_variables(typed, facts):
            yield name, "variable", ": "
    elif path == ("connections",) and typed.environment is not None:
        for name in facts.connections(typed):
            yield name, "connection", ":"


def _parameters(step: Any) -> Iterator[tuple[str, str, str]]:
    function = registered().get(str(step.get("function"))) if isinstance(step, dict) else None
    for parameter in function.params if function else ():
        if parameter.kind is not parameter.VAR_KEYWORD:
            yield parameter.name, brief(f"parameter, {_takes(parameter.annotation)}"), ": "


def _takes(annotation: Any) -> str:
    if annotation is Parameter.empty:
        return "any"
    found = kind(annotation).replace("`", "")
    return getattr(annotation, "__name__", str(annotation)) if found == "any" else found
