"""What the models refuse, in our words: path, line, what is allowed, the nearest spelling; never the input itself."""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from odibi_magics.config.cover import cover
from odibi_magics.config.hints import OF_ODIBI, hint, homes_hint, meant
from odibi_magics.config.marks import Path, render_path
from odibi_magics.config.tree import PIPELINE_KEYS, Tree, item_at
from odibi_magics.config.variables import SQL_KEYS
from odibi_magics.errors import Problem, suggest
from odibi_magics.secret import names_secret

_KINDS = {
    "string_type": "text", "int_type": "a whole number", "int_from_float": "a whole number",
    "int_parsing": "a whole number", "float_type": "a number", "float_parsing": "a number",
    "bool_type": "true or false", "list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping",
    "model_attributes_type": "a mapping", "none_required": "nothing",
}  # fmt: skip


Found = Mapping[str, Any]


def explain(
    error: ValidationError, root: type[BaseModel], tree: Tree, but: Collection[Path] = ()
) -> list[Problem]:
    """The validation error as problems, one for each place. but: paths of which nothing is said."""
    grouped = _grouped(error, tree)
    unknown = [path for path, found in grouped.items() if found[0]["type"] == "extra_forbidden"]
    silent = {one for path in unknown for one in _meant(path, root, tree)}.union(but)
    return [
        _problem(path, found, root, tree)
        for path, found in grouped.items()
        if not any(path[: len(one)] == one for one in silent)
    ]


def explain_unknown(root: type[BaseModel], tree: Tree, below: Path) -> list[Problem]:
    """Unknown keys that stand below a path of the text; of values nothing is said."""
    try:
        root.model_validate(tree.value)
    except ValidationError as error:
        return [
            _problem(path, found, root, tree)
            for path, found in _grouped(error, tree).items()
            if found[0]["type"] == "extra_forbidden" and tree.written(path)[: len(below)] == below
        ]
    return []


def _grouped(error: ValidationError, tree: Tree) -> dict[Path, list[Found]]:
    grouped: dict[Path, list[Found]] = {}
    for found in error.errors(include_input=False, include_url=False):
        named = found["type"] in ("missing", "extra_forbidden")
        path = real_path(found["loc"], tree.value, named)
        emptied = found["type"] == "too_short" and item_at(tree.document.value, tree.written(path))
        if not emptied:  # what stands there was refused, each for itself
            grouped.setdefault(path, []).append(found)
    return grouped


def _meant(path: Path, root: type[BaseModel], tree: Tree) -> Iterable[Path]:
    """The key that a misspelt one stands for; that it is missing is no second problem."""
    close = meant(str(path[-1]), _free_keys(root, tree, path))
    keys = [close] if close else [home[0] for home in _homes(root, tree, path)]
    return [(*path[:-1], key) for key in keys if tree.at((*path[:-1], key)) is None]


def real_path(loc: tuple[str | int, ...], value: Any, named: bool) -> Path:
    """The loc without what is no key of the text: union tags, and indexes of lists that we made.

    named: the last part is a key that is missing or unknown, and so stands in no value.
    """
    path: list[str | int] = []
    for depth, part in enumerate(loc):
        inside = isinstance(value, dict) and part in value
        listed = isinstance(value, list) and isinstance(part, int) and part < len(value)
        if inside or listed:
            path.append(part)
            value = value[part]
        elif named and depth == len(loc) - 1 and isinstance(part, str):
            path.append(part)
    return tuple(path)


def _problem(path: Path, found: list[Found], root: type[BaseModel], tree: Tree) -> Problem:
    first = found[0]
    kind = first["type"]
    parent = render_path(tree.written(path)[:-1])
    name = path[-1] if path else ""
    if kind == "extra_forbidden":
        advice = _empty(tree, path) or _spelling(root, tree, path)
        shown = "" if advice == _COMMA.format("value") else f" '{cover(str(name))}'"
        return Problem(f"unknown key{shown}", parent, tree.key_place(path), advice)
    if kind == "missing":
        return Problem(f"missing key '{name}'", parent, tree.key_place(path[:-1]))
    place = tree.value_place((*path, "type") if kind == "union_tag_invalid" else path)
    if kind == "union_tag_not_found":
        place = tree.key_place(path)
    texts = takes_texts(annotation_at(root, tree.value, path))
    said = hint(first, path, tree.at(path), texts=texts)
    words = _CHECKS if path[-2:-1] == ("validation",) and kind == "list_type" else _words(found)
    return Problem(words, render_path(tree.written(path)), place, said)


_CHECKS = "expected true, a mapping or a list of mappings"


def _spelling(root: type[BaseModel], tree: Tree, path: Path) -> str:
    """The nearest key, else where this one would be known, else what is allowed."""
    free, name = _free_keys(root, tree, path), str(path[-1])
    if name in OF_ODIBI:
        return OF_ODIBI[name]
    close = meant(name, free)
    if close is not None:
        return f"did you mean '{close}'?"
    return homes_hint(_homes(root, tree, path)) or suggest(name, free)


def _homes(root: type[BaseModel], tree: Tree, path: Path) -> list[list[str]]:
    """The keys of the same mapping, or of those right below it, that take a mapping with such a key."""
    annotation = annotation_at(root, tree.value, path[:-1])
    near: list[list[str]] = []
    far: list[list[str]] = []
    for model in models_of(annotation, tree.at(path[:-1])):
        for key, inner in _fields(model).items():
            for below in models_of(inner, {}):
                if path[-1] in _fields(below):
                    near.append([key])
                far += [[key, one] for one, deep in _fields(below).items() if _has(deep, path[-1])]
    return near or far


def _has(annotation: Any, key: str | int) -> bool:
    return any(key in _fields(model) for model in models_of(annotation, {}))


def _free_keys(root: type[BaseModel], tree: Tree, path: Path) -> list[str]:
    """The keys that could stand where a key at `path` is unknown."""
    # An environment's mapping may say again what the project's says.
    written = item_at(tree.document.value, tree.written(path)[:-1])
    there = set(written if isinstance(written, dict) else tree.at(path[:-1]) or ())
    allowed = allowed_keys(root, tree.value, path[:-1])
    if len(path) == 1 and "pipelines" not in there:
        allowed |= PIPELINE_KEYS
    return sorted(allowed - there)


_COMMA = "inside {{ }} a comma ends the value: put quotes round the {}"


def _empty(tree: Tree, path: Path) -> str:
    """Why a key has no value: `{a:1}` has a key `a:1`, `{sql: SELECT a, b FROM t}` a key `b FROM t`."""
    if tree.at(path) is not None:
        return ""
    if ":" in str(path[-1]):
        return "a space belongs behind the ':' of a key"
    beside = [key for key in tree.at(path[:-1]) or () if key != path[-1]]
    if any(key in SQL_KEYS for key in beside):
        return _COMMA.format("SQL")
    return _COMMA.format("value") if any(map(names_secret, beside)) else ""


def _words(found: list[Found]) -> str:
    kinds = list(dict.fromkeys(_KINDS[f["type"]] for f in found if f["type"] in _KINDS))
    if "a number" in kinds and "a whole number" in kinds:
        kinds.remove("a whole number")
    if kinds:
        return f"expected {' or '.join(kinds)}"
    first = found[0]
    context = first.get("ctx", {})
    match first["type"]:
        case "literal_error":
            return "this value is not allowed"
        case "union_tag_invalid":
            return "this type is not allowed"
        case "union_tag_not_found":
            return f"missing key {context.get('discriminator', 'type')}"
        case "string_pattern_mismatch":
            return "a name has letters, digits and '_', and begins with no digit"
        case "too_short" | "string_too_short":
            return "must not be empty"
        case "value_error":
            return str(context.get("error", first["msg"]))
        case _:
            return str(first["msg"]).lower().replace("input should be", "must be")


def takes_texts(annotation: Any) -> bool:
    """Whether a list of texts would do."""
    lists = [get_args(option)[0] for option in options(annotation) if get_origin(option) is list]
    return any(str in options(item) for item in lists)


def allowed_keys(root: type[BaseModel], value: Any, path: Path) -> set[str]:
    """The keys that may stand in the mapping at `path`."""
    annotation = annotation_at(root, value, path)
    return {key for model in models_of(annotation, item_at(value, path)) for key in _fields(model)}


def annotation_at(root: type[BaseModel], value: Any, path: Path) -> Any:
    """What may stand at `path`, where the values above it choose."""
    annotation: Any = root
    for part in path:
        annotation = _descend(annotation, part, value)
        value = item_at(value, (part,))
    return annotation


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _descend(annotation: Any, part: str | int, value: Any) -> Any:
    if isinstance(part, str):
        for model in models_of(annotation, value):
            if part in _fields(model):
                return _fields(model)[part]
    wanted = list if isinstance(part, int) else dict
    inner = (get_args(option)[-1] for option in options(annotation) if get_origin(option) is wanted)
    return next(inner, Any)


def models_of(annotation: Any, value: Any) -> list[type[BaseModel]]:
    """The models a mapping may be read by, narrowed to the one its `type`, `sql` or `function` chooses."""
    flat = [inner for option in options(annotation) for inner in _unlisted(option)]
    models = [option for option in flat if isinstance(option, type) and issubclass(option, BaseModel)]
    keys = value if isinstance(value, dict) else {}
    chosen = [model for model in models if _chosen(model, keys)]
    return chosen or models


def _chosen(model: type[BaseModel], keys: Mapping[str, Any]) -> bool:
    if "type" in _fields(model):
        return keys.get("type") in get_args(_fields(model)["type"])
    return any(name in keys and name in ("sql", "function") for name in _fields(model))


def _unlisted(option: Any) -> Iterable[Any]:
    return options(get_args(option)[0]) if get_origin(option) is list else [option]


def options(annotation: Any) -> list[Any]:
    """The members of a union, else the annotation itself."""
    if get_origin(annotation) is Annotated:
        return options(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for option in get_args(annotation) for inner in options(option)]
    return [annotation]
