"""Whether rows can go to a sink as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from odibi_magics.config.types import Column
from odibi_magics.engines.align import layout, new_layout
from odibi_magics.engines.base import Sink, TargetState
from odibi_magics.engines.file_sinks import check_sink


def check_write(columns: Sequence[Column], sink: Sink, target: TargetState) -> None:
    """Raises EngineError where rows with these columns cannot."""
    if target.exists and sink.mode in ("ignore", "error"):  # which writes nothing there
        return
    if sink.place.format != "delta":
        check_sink(columns, sink)
    elif target.exists:
        layout(columns, sink, target)
    else:
        new_layout(columns, sink)
