"""Private folders for what spills, and the end of those whose process was killed before it could delete its own."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

_PREFIX, _LOCK = "odibi-", ".alive"


def private_folder() -> tuple[Path, IO[bytes]]:
    """A new folder for this process alone, and its lock, to be closed when the folder goes.

    The system lets go of a process's locks however it ends, so who gets the lock of a folder finds it left behind.
    Before the first one is made, those are deleted.
    """
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    making = folder / ".making"
    lock = making.open("wb")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    making.rename(folder / _LOCK)  # only now do others see it, and it is held
    return folder, lock


@cache
def _sweep() -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        # OSError: of a living process, of another user, or swept by another just now.
        with suppress(OSError), lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent)
