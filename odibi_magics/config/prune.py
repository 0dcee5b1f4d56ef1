"""What is left of a text whose models failed: whole, valid nodes and connections, to check the rest of it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from odibi_magics.config.explain import allowed_keys, real_path
from odibi_magics.config.load import Config, Known
from odibi_magics.config.marks import Path
from odibi_magics.config.models import ConnectionConfig, Node, Pipeline, ProjectConfig
from odibi_magics.errors import nearest


def prune(config: Config, known: Known) -> tuple[Config, Known]:
    """The config with only its valid nodes and connections, at their old places; the names of the others are known.

    A misspelt key alone does not make a node invalid: it is read as the key it is nearest to. Nodes at fault leave an
    empty slot behind, so that the paths of the rest stay true.
    """
    value = config.filled if isinstance(config.filled, dict) else {}
    connections, broken = _connections(value.get("connections"))
    pipelines, names = _pipelines(value.get("pipelines"))
    model = ProjectConfig.model_construct(
        connections=connections,
        pipelines=pipelines,
        key_vault_name=value.get("key_vault_name"),
        functions=[name for name in value.get("functions") or () if isinstance(name, str)],
        story=None,
    )
    known = replace(known, connections=known.connections | broken, nodes=known.nodes | names)
    return replace(config, model=model, pruned=True), known


def _connections(value: Any) -> tuple[dict[str, Any], frozenset[str]]:
    adapter: TypeAdapter[Any] = TypeAdapter(ConnectionConfig)
    items = value.items() if isinstance(value, dict) else ()
    checked = {name: _valid(adapter, item) for name, item in items}
    whole = {name: model for name, model in checked.items() if model is not None}
    return whole, frozenset(checked) - frozenset(whole)


def _pipelines(value: Any) -> tuple[list[Pipeline], frozenset[str]]:
    adapter = TypeAdapter(Node)
    pipelines, names = [], set()
    for item in value if isinstance(value, list) else ():
        item = item if isinstance(item, dict) else {}
        listed = item.get("nodes")
        nodes: list[Any] = listed if isinstance(listed, list) else []
        names |= {
            node["name"] for node in nodes if isinstance(node, dict) and isinstance(node.get("name"), str)
        }
        checked = [_valid(adapter, _respelt(node)) for node in nodes]
        slots: dict[str, Any] = {"pipeline": item.get("pipeline"), "nodes": checked}
        pipelines.append(Pipeline.model_construct(None, **slots))
    return pipelines, frozenset(names)


def _valid(adapter: TypeAdapter[Any], value: Any) -> BaseModel | None:
    try:
        return adapter.validate_python(value)  # type: ignore[no-any-return]
    except ValidationError:
        return None


def _respelt(node: Any) -> Any:
    """A node's values with unknown keys under their nearest spelling, or left out where nothing is near."""
    try:
        Node.model_validate(node)
    except ValidationError as error:
        unknown = [
            found["loc"] for found in error.errors(include_input=False) if found["type"] == "extra_forbidden"
        ]
        node = deepcopy(node)
        for loc in unknown:
            _respell(node, real_path(loc, node, named=True))
    return node


def _respell(node: Any, path: Path) -> None:
    inside = node
    for part in path[:-1]:
        inside = inside[part]
    value = inside.pop(path[-1])
    allowed = allowed_keys(Node, node, path[:-1])
    close = nearest(str(path[-1]), sorted(allowed - set(inside)))
    if close is not None:
        inside[close] = value
