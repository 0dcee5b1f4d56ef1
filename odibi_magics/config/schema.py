"""The language as a JSON Schema (draft 7), made from its models, for editors.

It refuses nothing that the language takes, and leaves to it what no schema can tell: names, files, columns, SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from odibi_magics.config.azure import AUTH, AUTH_KEYS
from odibi_magics.config.formats import FLAGS, READ_OPTIONS, WRITE_OPTIONS
from odibi_magics.config.model import listed
from odibi_magics.config.models import (
    AdlsConnection,
    LocalConnection,
    ProjectConfig,
    Read,
    Retry,
    Secrets,
    Story,
    UnityConnection,
    Write,
)
from odibi_magics.config.sqltext import ENVIRONMENT, VARIABLE
from odibi_magics.config.tree import PIPELINE_KEYS

Schema = dict[str, Any]

_HOME = "#/definitions/"
_TEMPLATE: Schema = {"type": "string", "pattern": f"{VARIABLE.pattern}|{ENVIRONMENT.pattern}"}


def language_schema() -> Schema:
    """The schema of a text: a project, `pipelines:` alone, one pipeline's `nodes:`, or a bare list of nodes."""
    project = ProjectConfig.model_json_schema(ref_template=_HOME + "{model}", schema_generator=_Generator)
    parts = {name: _mended(name, _plain(part)) for name, part in project.pop("$defs").items()}
    project = _plain(project)
    project["properties"]["environments"]["additionalProperties"] = _ref("Environment")
    overlays = {_over(name): _overlay(parts[name]) for name in (*_CONNECTIONS.values(), *_OVERLAID.values())}
    parts = {**parts, **overlays, "Environment": _environment(project, overlays)}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "odibi_magics",
        "if": {"type": "array"},
        "then": parts["Pipeline"]["properties"]["nodes"],
        "else": _with_nodes(project, parts["Pipeline"]),
        "definitions": dict(sorted(parts.items())),
    }


def schema_text() -> str:
    """The schema as JSON for a file."""
    return json.dumps(language_schema(), indent=2, ensure_ascii=False)


class _Generator(GenerateJsonSchema):
    """Knows that a check may be `true` or one mapping in place of a list."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        many = super().function_before_schema(schema)
        if schema["function"]["function"] is not listed:
            return many
        one = many["items"]
        needs = (self.get_schema_from_definitions(one["$ref"]) or {}).get("required")
        return {"anyOf": [*([] if needs else [{"const": True}]), one, many]}


# Any part of the language ---------------------------------------------------------------------------------------------


def _plain(schema: Any) -> Any:
    """Without what only pydantic and OpenAPI know; with templates where values may stand."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "discriminator" in schema:
        return _by_type(_CONNECTIONS, lambda name: name)
    found = {key: _inner(key, value) for key, value in _folded(schema).items() if key != "title"}
    if isinstance(found.get("default"), (dict, type(None))):
        found.pop("default", None)
    if "`" in str(found.get("description")):
        # VS Code's own: with backslashes it shows what it knows as plain text.
        found["markdownDescription"] = found["description"]
    if "anyOf" in found:
        found["anyOf"] = _flat(found["anyOf"])
    if "$ref" in found and len(found) > 1:  # draft 7 takes no notice of what stands beside a reference
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    return _fillable(found)


def _inner(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _plain(inner) for name, inner in value.items()}
    return _plain(value) if key in ("items", "additionalProperties", "anyOf", "oneOf") else value


def _folded(schema: Schema) -> Schema:
    """`anyOf` of plain types as one list of types: an editor says "expected string or null"."""
    options = schema.get("anyOf", [])
    types = [option["type"] for option in options if option.keys() == {"type"}]
    if len(types) < 2:
        return schema
    rest = [option for option in options if option.keys() != {"type"}]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others, "anyOf": [{"type": types}, *rest]} if rest else {**others, "type": types}


def _flat(options: list[Schema]) -> list[Schema]:
    """The options of options, each once."""
    inner = [
        one for option in options for one in (option["anyOf"] if option.keys() == {"anyOf"} else [option])
    ]
    return [one for i, one in enumerate(inner) if one not in inner[:i]]


def _fillable(schema: Schema) -> Schema:
    """The same, or a template that may become such a value: a scalar that is no free text, or a list of scalars."""
    if not _takes_template(schema):
        return schema
    told = {key: value for key, value in schema.items() if key in _TOLD}
    return {**told, "anyOf": [{key: value for key, value in schema.items() if key not in _TOLD}, _TEMPLATE]}


_TOLD = ("description", "markdownDescription", "default")


def _takes_template(schema: Schema) -> bool:
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if kinds == {"array"}:
        return "$ref" not in str(schema["items"])
    if not kinds or kinds <= {"object", "null"}:
        return False
    return "string" not in kinds or bool({"enum", "const", "pattern"} & schema.keys())


def _ref(name: str) -> Schema:
    return {"$ref": _HOME + name}


# Parts that are chosen by what stands in them -------------------------------------------------------------------------


def _by_type(names: Mapping[str, str], home: Callable[[str], str]) -> Schema:
    """A mapping whose `type` says which of the definitions it has to fit."""
    of_type = [
        {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": _ref(home(name))}
        for kind, name in names.items()
    ]
    kinds = {"anyOf": [{"enum": [*names]}, _TEMPLATE], "description": "The kind of place."}
    return {"type": "object", "required": ["type"], "properties": {"type": kinds}, "allOf": of_type}


# Each kind of connection by its `type`.
_CONNECTIONS = {
    model.model_fields["type"].annotation.__args__[0]: model.__name__  # type: ignore[union-attr]
    for model in (LocalConnection, AdlsConnection, UnityConnection)
}


def _mended(name: str, part: Schema) -> Schema:
    """A definition with what the models leave to the checks behind them, where a table says it."""
    if name in _CONNECTIONS.values():
        part["required"] = list(dict.fromkeys(["type", *part.get("required", [])]))
    if name == AdlsConnection.__name__:
        part["allOf"] = [_opened(mode, *keys) for mode, keys in AUTH.items()]
    if name in _OPTIONS:
        part["properties"]["options"].update(_options(_OPTIONS[name]))
        part["anyOf"] = [{"required": ["path"]}, {"required": ["table"]}]
    return part


def _opened(mode: str, needed: Collection[str], allowed: Collection[str]) -> Schema:
    """What goes with an auth_mode. The default one is meant where none is written: then `if` holds, too."""
    others = sorted(AUTH_KEYS - set(needed) - set(allowed))
    default = AdlsConnection.model_fields["auth_mode"].default
    condition: Schema = {"properties": {"auth_mode": {"const": mode}}}
    if mode != default:
        condition["required"] = ["auth_mode"]
    return {"if": condition, "then": {"required": sorted(needed), "properties": dict.fromkeys(others, False)}}


_OPTIONS = {Read.__name__: READ_OPTIONS, Write.__name__: WRITE_OPTIONS}


def _options(known: Mapping[str, Collection[str]]) -> Schema:
    names = sorted({name for of_format in known.values() for name in of_format})
    flag = _fillable({"type": "boolean"})
    properties = {name: flag if name in FLAGS else {"type": "string"} for name in names}
    return {"properties": properties, "additionalProperties": False}


def _with_nodes(project: Schema, pipeline: Schema) -> Schema:
    """A project, whose only pipeline's keys may stand in place of `pipelines:`."""
    short = {key: value for key, value in pipeline["properties"].items() if key in PIPELINE_KEYS}
    needs: Schema = {key: ["nodes"] for key in short if key != "nodes"}
    return {
        **project,
        "properties": {**short, **project["properties"]},
        "dependencies": {**needs, "nodes": {"properties": {"pipelines": False}}},
    }


# Environments ---------------------------------------------------------------------------------------------------------

# Mappings that an environment lays over the project's key by key. Lists it replaces whole.
_OVERLAID = {"story": Story.__name__, "secrets": Secrets.__name__, "retry": Retry.__name__}


def _over(name: str) -> str:
    return f"{name}Overlay"


def _overlay(part: Schema) -> Schema:
    """A mapping that need not say again what stands in the one that it is laid over."""
    return {key: value for key, value in part.items() if key not in ("required", "allOf", "anyOf")}


def _environment(project: Schema, overlays: Mapping[str, Schema]) -> Schema:
    over = {name: _ref(_over(of)) for name, of in _OVERLAID.items()}
    keys = {name: value for name, value in project["properties"].items() if name != "environments"}
    every: Schema = {}
    for name in _CONNECTIONS.values():
        every |= overlays[_over(name)]["properties"]
    untyped = {"type": "object", "properties": {**every, "type": {}}, "additionalProperties": False}
    typed = _by_type(_CONNECTIONS, _over)
    connection = {"if": {"required": ["type"]}, "then": typed, "else": untyped}
    return {
        **_overlay(project),
        "properties": {
            **keys,
            **over,
            "connections": {**keys["connections"], "additionalProperties": connection},
        },
    }
