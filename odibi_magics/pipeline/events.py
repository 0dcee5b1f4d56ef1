"""What happens during a run, as frozen events. Progress bars, logs and test recorders are all observers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from odibi_magics.pipeline.plan import Plan
    from odibi_magics.pipeline.result import NodeResult, RunResult


@dataclass(frozen=True)
class RunStarted:
    """A run begins. plan: what will run; run_id: its id; at: UTC."""

    run_id: str
    plan: Plan
    at: datetime


@dataclass(frozen=True)
class NodeStarted:
    """A node begins. at: UTC."""

    node: str
    at: datetime


@dataclass(frozen=True)
class NodeProgress:
    """A node has written `rows` rows so far."""

    node: str
    rows: int


@dataclass(frozen=True)
class NodeRetried:
    """A try of a node failed with an error that may pass. tried: how many tries there were, of at most `most`.

    error: its text. pause: seconds until the next try.
    """

    node: str
    tried: int
    most: int
    error: str
    pause: float


@dataclass(frozen=True)
class NodeFinished:
    """A node is over, done or not; `result.state` says how."""

    node: str
    result: NodeResult


@dataclass(frozen=True)
class Stopping:
    """Stop was asked for. running: nodes that are still finishing what cannot be interrupted."""

    running: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class RunFinished:
    """The run is over, however it went; always the last event."""

    result: RunResult


Event = RunStarted | NodeStarted | NodeProgress | NodeRetried | NodeFinished | Stopping | RunFinished


class Observer(Protocol):
    """Receives each event, one at a time, from whichever thread it happens in."""

    def __call__(self, event: Event, /) -> None: ...
