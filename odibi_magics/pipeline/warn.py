"""Warnings that the text alone gives, and those of how its nodes are computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.config.load import Config
from odibi_magics.engines.base import Warned
from odibi_magics.pipeline.plan import PlannedNode


def plan_warnings(configs: Sequence[Config], nodes: Sequence[PlannedNode]) -> tuple[Warned, ...]:
    """Literal secrets of the texts; paths that begin with their own container's name, of the nodes that run."""
    literal = [
        Warned(
            f"{'.'.join(map(str, path[:-1]))}: the {path[-1]} stands in the text",
            "write ${NAME} and set NAME in the environment or in .env; with ODIBI_ENV=production it is refused",
            "literal-secret",
        )
        for config in configs
        for path in config.literal_secrets
    ]
    return (*literal, *(warned for node in nodes if node.runs for warned in _doubled(node)))


def _doubled(node: PlannedNode) -> Iterator[Warned]:
    for place in (part.place for part in (node.source, node.sink) if part):
        container = getattr(place.connection, "container", None)
        if container == place.path.split("/", 1)[0]:
            yield Warned(
                f"node '{node.name}': the path '{place.path}' begins with the name of its own container '{container}'",
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
