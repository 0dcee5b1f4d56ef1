"""How connections answer, as people see it in lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from odibi_magics.connections.info import ConnectionInfo


@dataclass(frozen=True)
class ConnectionStatus:
    """A connection and how it answers.

    state: "checking" until it is known; "will be made" of a place that the first run which writes there makes;
    "skipped" of a place that only Spark's session opens: nobody else can ask there.
    seconds: how long the answer took. error: why it failed, what was tried and the remedy; "" where it did not.
    """

    info: ConnectionInfo
    state: Literal["checking", "ok", "will be made", "skipped", "failed"]
    seconds: float = 0.0
    error: str = ""

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.info.name
