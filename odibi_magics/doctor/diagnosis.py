"""What the doctor finds: of each connection, layer by layer, what holds and where it breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "running", "ok", "warning", "failed", "skipped"]


@dataclass(frozen=True)
class Layer:
    """One thing that has to hold before a connection works.

    name: what it is, as "vault TLS". state: "skipped" where a layer that it stands on failed, or there is nothing to
    look at; "warning" where only some of what the connection is for will fail. said: what was found, in words.
    seconds: how long looking took. remedy: what to do. command: the line for a shell that mends it, "" for none.
    may_pass: whether a role that was granted minutes ago looks just like this.
    """

    name: str
    state: State
    said: str = ""
    seconds: float = 0.0
    remedy: str = ""
    command: str = ""
    may_pass: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """What was found of one connection.

    place: where it points, without secrets. layers: in the order they were looked at. seconds: for all of them.
    """

    connection: str
    place: str
    layers: tuple[Layer, ...] = ()
    seconds: float = 0.0

    @property
    def failure(self) -> Layer | None:
        """Where it breaks: the first layer that failed; None where none did."""
        return next((layer for layer in self.layers if layer.state == "failed"), None)

    @property
    def state(self) -> State:
        """ "failed", "warning" or "ok" by its worst layer; "running" before the last one is done."""
        states = {layer.state for layer in self.layers}
        if not states or states & {"queued", "running"}:
            return "running"
        return "failed" if "failed" in states else "warning" if "warning" in states else "ok"

    def __getitem__(self, layer: str) -> Layer:
        """A layer by name. Raises KeyError."""
        return {each.name: each for each in self.layers}[layer]


def ok(said: str) -> Layer:
    """A layer that holds, still without its name."""
    return Layer("", "ok", said)


def failed(said: str, remedy: str, command: str = "", *, may_pass: bool = False) -> Layer:
    """A layer that does not, still without its name."""
    return Layer("", "failed", said, remedy=remedy, command=command, may_pass=may_pass)


def warning(said: str, remedy: str, command: str = "") -> Layer:
    """A layer that holds in part, still without its name."""
    return Layer("", "warning", said, remedy=remedy, command=command)


def skipped(said: str) -> Layer:
    """A layer with nothing to look at, still without its name."""
    return Layer("", "skipped", said)
