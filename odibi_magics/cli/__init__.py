"""The command `odibi-magics`: the verbs of the notebook, headless.

Data goes to stdout, everything else to stderr. Exit codes: 0 it worked, 1 it failed, 2 the text or the call
is wrong, 130 it was stopped. A reader that leaves early (`| head`) changes none of them.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

_STOPPED = 130


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the words of a command line, those of the process without `argv`.

    Returns where it worked, so that a job that calls it goes on; raises SystemExit with the code otherwise.
    """
    words = sys.argv[1:] if argv is None else argv
    try:
        from odibi_magics.cli.command import execute

        code = execute(words)
    except KeyboardInterrupt:
        code = _STOPPED
    if code == _STOPPED and argv is None and _left_running():
        _leave(code)
    if code:
        raise SystemExit(code)


def _left_running() -> bool:
    return any(thread.name.startswith("odibi-node") for thread in threading.enumerate())


def _leave(code: int) -> NoReturn:
    """Ends the process while a function that a stop did not wait for still runs: Python's own end would take the
    libraries down under it, and they complain at length."""
    atexit._run_exitfuncs()  # temporary folders go
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, AttributeError):
            stream.flush()
    os._exit(code)
