"""Warnings that the text alone gives, and those of how its nodes are computed."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.config.load import Config
from odibi_magics.config.models import AdlsConnection
from odibi_magics.engines.base import Warned
from odibi_magics.pipeline.plan import PlannedNode


def plan_warnings(config: Config, nodes: Sequence[PlannedNode]) -> tuple[Warned, ...]:
    """Literal secrets, paths that begin with their own container's name."""
    literal = [
        Warned(
            f"{'.'.join(map(str, path[:-1]))}: the {path[-1]} stands in the text",
            "write ${NAME} and set NAME in the environment or in .env; with ODIBI_ENV=production it is refused",
            "literal-secret",
        )
        for path in config.literal_secrets
    ]
    return (*literal, *_containers(config))


def _containers(config: Config) -> list[Warned]:
    nodes = [node for pipeline in config.model.pipelines for node in pipeline.nodes]
    parts = [(node.name, part) for node in nodes for part in (node.read, node.write) if part and part.path]
    return [
        _doubled(name, str(part.path), connection.container)
        for name, part in parts
        if isinstance(connection := config.model.connections.get(part.connection), AdlsConnection)
        and connection.container == str(part.path).split("/", 1)[0]
    ]


def _doubled(node: str, path: str, container: str) -> Warned:
    return Warned(
        f"node '{node}': the path '{path}' begins with the name of its own container '{container}'",
        "leave the container out of the path",
        "doubled-container",
    )


def recomputed(readers: int) -> tuple[Warned, ...]:
    """Of a node whose rows the engine does not keep. readers: how many nodes take them."""
    return (
        Warned(
            f"its rows are computed anew for each of the {readers} nodes that read them: this Spark session keeps none",
            "give the node a write:, and the others read what it wrote",
            "recomputed",
        ),
    )
