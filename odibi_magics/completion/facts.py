"""What a half-typed text and the notebook round it know: connections, nodes, variables, environments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as Folder
from typing import Any

from odibi_magics.completion.layout import Typed
from odibi_magics.config.formats import READ_OPTIONS, infer_format
from odibi_magics.config.marks import Path
from odibi_magics.config.sqltext import VARIABLE
from odibi_magics.pipeline.definitions import Definitions

NONE = Definitions()


@dataclass(frozen=True)
class Facts:
    """definitions: of earlier cells. variables: of the notebook. folder: what relative paths are relative to."""

    definitions: Definitions = NONE
    variables: Mapping[str, Any] = field(default_factory=dict)
    folder: Folder = field(default_factory=Folder.cwd)

    def connections(self, typed: Typed | None = None) -> dict[str, str]:
        """All names, each with what it is; those of the text first."""
        own = _mapping(typed.project.get("connections")) if typed else {}
        here = {name: _kind(_mapping(model).get("type")) for name, model in own.items()}
        earlier = {
            name: f"{_kind(found.model.type)}, {found.defined}"
            for name, found in self.definitions.connections.items()
        }
        return {**here, **{name: about for name, about in earlier.items() if name not in here}}

    def nodes(self, typed: Typed | None = None) -> dict[str, str]:
        """All names, each with what it is; those of the text first."""
        here = (
            {str(node["name"]): "node" for _, node in nodes_of(typed.project) if node.get("name")}
            if typed
            else {}
        )
        earlier = {name: f"node, {found.defined}" for name, found in self.definitions.nodes.items()}
        return {**here, **{name: about for name, about in earlier.items() if name not in here}}


def _kind(type_: Any) -> str:
    return f"connection, {type_}" if isinstance(type_, str) else "connection"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def nodes_of(project: Mapping[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The nodes of a half-typed project with their paths, in the order of the text."""
    pipelines = project.get("pipelines")
    for i, pipeline in enumerate(pipelines if isinstance(pipelines, list) else ()):
        nodes = _mapping(pipeline).get("nodes")
        for j, node in enumerate(nodes if isinstance(nodes, list) else ()):
            if isinstance(node, dict):
                yield ("pipelines", i, "nodes", j), node


def node_at(typed: Typed, path: Path) -> Path | None:
    """The path of the node that a path of the project is in."""
    return path[:4] if len(path) >= 4 and path[0] == "pipelines" and path[2] == "nodes" else None


def formats_of(part: Any) -> tuple[str, ...]:
    """The format of a `read:` or `write:`; all of them where it is not said."""
    given = _mapping(part)
    if given.get("format") in READ_OPTIONS:
        return (str(given["format"]),)
    path = given.get("path")
    return (infer_format(path),) if isinstance(path, str) else tuple(READ_OPTIONS)


def known_variables(typed: Typed, facts: Facts) -> dict[str, str]:
    """Names that `{{ name }}` may take, each with where it comes from."""
    found = dict.fromkeys(map(str, _mapping(typed.project.get("vars"))), "variable")
    for environment, over in _mapping(typed.project.get("environments")).items():
        for name in _mapping(_mapping(over).get("vars")):
            found.setdefault(str(name), f"variable, environment {environment}")
    for name in facts.definitions.variables:
        found.setdefault(name, "variable of an earlier cell")
    for name in facts.variables:
        found.setdefault(name, "notebook variable")
    return found


def used_variables(value: Any) -> set[str]:
    """The names of all variables in a text's values."""
    if isinstance(value, (dict, list)):
        inner = value.values() if isinstance(value, dict) else value
        return set().union(*map(used_variables, inner))
    return {match[1] for match in VARIABLE.finditer(value)} if isinstance(value, str) else set()


def environments(typed: Typed) -> list[str]:
    """Their names, in the order of the text."""
    return list(map(str, _mapping(typed.project.get("environments"))))
