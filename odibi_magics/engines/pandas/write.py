"""Writes of the pandas engine, by the format of the place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from odibi_magics.engines.base import Check, Guard, Progress, Sink, Written
from odibi_magics.engines.pandas.delta_write import write_delta
from odibi_magics.engines.pandas.files_write import write_file
from odibi_magics.engines.pandas.frame import DuckFrame
from odibi_magics.engines.pandas.session import Session


def write(
    session: Session,
    frame: DuckFrame,
    sink: Sink,
    *,
    checks: Sequence[Check] = (),
    mark: str = "",
    progress: Progress = lambda rows: None,
    cancelled: Callable[[], bool] = lambda: False,
    guard: Guard | None = None,
) -> Written:
    """Writes a frame, checking on the way.

    mark: JSON for the commit. progress: told the rows so far, some times a second. cancelled: asked for each batch.
    guard: asked before a Delta table is written; files have no history to ask.
    Raises ValidationFailed, WriteConflict, EngineError, ConnectionFailed, Cancelled; then nothing was committed.
    """
    if sink.place.format == "delta":
        return write_delta(
            session,
            frame,
            sink,
            checks=checks,
            mark=mark,
            progress=progress,
            cancelled=cancelled,
            guard=guard,
        )
    return write_file(session, frame, sink, checks=checks, progress=progress, cancelled=cancelled)
