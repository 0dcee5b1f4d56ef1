"""A text whose models failed, with guesses in place of what is wrong, so that the rest is checked in the same go.

Unknown keys and words are read as those they are nearest to. What is no guess at all (a default, a made-up name) is
noted by its path, and nothing is said of it, or of how it goes with others.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from odibi_magics.config.explain import (
    allowed_keys,
    annotation_at,
    explain,
    models_of,
    options,
    real_path,
    takes_texts,
)
from odibi_magics.config.hints import allowed_words, meant
from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import ProjectConfig
from odibi_magics.config.tree import Tree
from odibi_magics.config.variables import SQL_KEYS
from odibi_magics.errors import nearest

# Each round finds what the one before it hid; a text needs two or three.
_ROUNDS = 20


def guess(config: Config, known: Known) -> tuple[Config, Known] | None:
    """The config with a model, and the names of wrong nodes and connections among the known; None where none fits.

    What one mistake hid of another is added to the config's problems.
    """
    tree = Tree(config.tree.document, deepcopy(config.filled), dict(config.tree.origin))
    connections, nodes = _names(tree.value)
    known = replace(known, connections=known.connections | connections, nodes=known.nodes | nodes)
    noted: set[Path] = set(config.guessed)
    for round_ in range(_ROUNDS):
        try:
            model = ProjectConfig.model_validate(tree.value)
        except ValidationError as error:
            if round_:
                config.problems.extend(explain(error, ProjectConfig, tree, noted))
            noted |= _mended(tree, error)
        else:
            return replace(config, model=model, tree=tree, guessed=frozenset(noted)), known
    return None


def _names(value: Any) -> tuple[frozenset[str], frozenset[str]]:
    """Of connections and of nodes, as far as they are words."""
    connections = value.get("connections")
    pipelines = value.get("pipelines")
    nodes = [
        node.get("name")
        for pipeline in (pipelines if isinstance(pipelines, list) else ())
        if isinstance(pipeline, dict) and isinstance(pipeline.get("nodes"), list)
        for node in pipeline["nodes"]
        if isinstance(node, dict)
    ]
    return (
        frozenset(connections if isinstance(connections, dict) else ()),
        frozenset(name for name in nodes if isinstance(name, str)),
    )


def _mended(tree: Tree, error: ValidationError) -> set[Path]:
    """Changes what is wrong in the tree; returns the paths at which that was no good guess."""
    wrong: dict[Path, Any] = {}
    for found in error.errors(include_input=False, include_url=False):
        named = found["type"] in ("missing", "extra_forbidden")
        wrong.setdefault(real_path(found["loc"], tree.value, named), found)
    noted = set()
    unknown_first = sorted(wrong.items(), key=lambda item: item[1]["type"] != "extra_forbidden")
    for path, found in unknown_first:
        inside = tree.at(path[:-1])
        if found["type"] == "missing" and tree.at(path) is not None:  # it was misspelt
            continue
        if found["type"] == "extra_forbidden" and tree.at(path) is None and isinstance(inside, dict):
            noted |= {(*path[:-1], key) for key in inside.keys() & SQL_KEYS}  # which a comma cut
        if path and isinstance(inside, (dict, list)) and not _near(tree, inside, path, found):
            noted.add(path)
            _put(tree.value, inside, path)
    return noted


def _near(tree: Tree, inside: Any, path: Path, found: Mapping[str, Any]) -> bool:
    """Whether there is a good guess; it is made then."""
    last = path[-1]
    if found["type"] == "extra_forbidden":
        _respell(tree, inside, path)
        return True
    given = tree.at(path)
    if found["type"] == "list_type" and isinstance(given, str) and _texts(tree, path):
        inside[last] = [given]
        return True
    if found["type"] == "union_tag_invalid":
        inside, last, given = given, "type", given.get("type")
    elif found["type"] != "literal_error":
        return False
    close = nearest(str(given), allowed_words(found))
    if close is not None:
        inside[last] = close
    return close is not None


def _texts(tree: Tree, path: Path) -> bool:
    return takes_texts(annotation_at(ProjectConfig, tree.value, path))


def _respell(tree: Tree, inside: Any, path: Path) -> None:
    """Reads an unknown key as the one it is nearest to, or not at all."""
    written = tree.written(path)
    item = inside.pop(path[-1], None)
    close = meant(str(path[-1]), sorted(allowed_keys(ProjectConfig, tree.value, path[:-1])))
    if close is None or close in inside:
        return
    takes_mapping = models_of(annotation_at(ProjectConfig, tree.value, (*path[:-1], close)), {})
    if isinstance(item, (dict, list)) or not takes_mapping:
        inside[close] = item
        tree.origin[(*path[:-1], close)] = written


def _put(value: Any, inside: Any, path: Path) -> None:
    """Something that fits, or nothing where that will do."""
    owner = annotation_at(ProjectConfig, value, path[:-1])
    if isinstance(inside, list) or path[-1] in _required(owner, inside):
        inside[path[-1]] = _stand_in(annotation_at(ProjectConfig, value, path), path)
    else:
        inside.pop(path[-1], None)


def _required(annotation: Any, value: Any) -> dict[str, Any]:
    """The keys that a mapping must have, with what they take."""
    return {
        field.alias or name: field.annotation
        for model in models_of(annotation, value)
        for name, field in model.model_fields.items()
        if field.is_required()
    }


def _stand_in(annotation: Any, path: Path) -> Any:
    """The least that an annotation takes; text is a name that no other place has."""
    for option in options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return {key: _stand_in(inner, path) for key, inner in _required(option, {}).items()}
        if get_origin(option) is list:
            return [_stand_in(get_args(option)[0], (*path, 0))]
        if get_origin(option) is dict:
            return {"_": "string"}
        if get_origin(option) is Literal:
            return get_args(option)[0]
    return "_".join(["", *(str(part) for part in path if isinstance(part, int))]) or "_"
