"""The plan: frozen, checked, in order. What `--plan` shows is what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, overload

from odibi_magics.config.models import Node
from odibi_magics.config.source import Place as TextPlace
from odibi_magics.config.types import Column
from odibi_magics.config.variables import UsedVariable
from odibi_magics.delta.held import Held
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.engines.base import Check, Sink, Source, Step, TargetState, Warned
from odibi_magics.errors import EngineError

Action = Literal["create", "append", "overwrite", "replace", "merge", "insert new", "keep", "refuse"]


@dataclass(frozen=True)
class Edge:
    """Why a node comes after another: "depends_on", "named in SQL", "the node before it", "reads what it writes".

    carries: whether the node takes the other's data; else only the order counts.
    """

    source: str
    why: str
    carries: bool = True


class LazySql(Sequence[str]):
    """What an engine gets for a node's SQL steps, made when it is looked at: a run of 1,000 nodes never does."""

    def __init__(self, make: Callable[[], Sequence[str]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Sequence[str]:
        return self._make()

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._made[index]

    def __len__(self) -> int:
        return len(self._made)


def _nowhere(about: tuple[str, ...]) -> TextPlace | None:
    return None


def _none(error: EngineError) -> Sequence[TextPlace]:
    return ()


@dataclass(frozen=True)
class PlannedNode:
    """A node ready to run.

    expressions: the conditions of its `expression` checks, variables filled in. sql: what the engine gets, by step.
    columns: that will come out; None: known when run.
    action: what the write will do to its target; None without a write. held: of an append, the commit it would repeat.
    defined: where it was defined ("cell [3]", "etl.odibi.yaml"). where: the line of one of its keys. faults: the places
      in its SQL in which what failed in a run may have arisen.
    """

    name: str
    pipeline: str
    config: Node
    edges: tuple[Edge, ...] = ()
    source: Source | None = None
    steps: tuple[Step, ...] = ()
    checks: tuple[Check, ...] = ()
    sink: Sink | None = None
    target: TargetState | None = None
    action: Action | None = None
    held: Held | None = None
    columns: tuple[Column, ...] | None = None
    changes: tuple[SchemaChange, ...] = ()
    warnings: tuple[Warned, ...] = ()
    sql: Sequence[str] = ()
    expressions: tuple[str, ...] = ()
    defined: str = ""
    runs: bool = True
    where: Callable[[tuple[str, ...]], TextPlace | None] = field(default=_nowhere, repr=False, compare=False)
    faults: Callable[[EngineError], Sequence[TextPlace]] = field(default=_none, repr=False, compare=False)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The nodes whose data it takes."""
        return tuple(edge.source for edge in self.edges if edge.carries)


@dataclass(frozen=True)
class Plan:
    """Everything a run will do.

    nodes: in the order they may run; `runs` is False for nodes of earlier cells that are only read or evaluated.
    engine: "pandas" or "spark"; engine_title as reports say it.
    """

    nodes: tuple[PlannedNode, ...]
    engine: str
    engine_title: str
    project: str | None = None
    environment: str | None = None
    variables: tuple[UsedVariable, ...] = ()
    warnings: tuple[Warned, ...] = ()
    text: str = field(default="", repr=False)
    render_text: Any = field(default=None, repr=False, compare=False)
    render_html: Any = field(default=None, repr=False, compare=False)

    def __getitem__(self, name: str) -> PlannedNode:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> Mapping[str, PlannedNode]:
        """The nodes by their names."""
        return {node.name: node for node in self.nodes}

    def __str__(self) -> str:
        return str(self.render_text(self)) if self.render_text else repr(self)

    def _repr_html_(self) -> str | None:
        return str(self.render_html(self)) if self.render_html else None
