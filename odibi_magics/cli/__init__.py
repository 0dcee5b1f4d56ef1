"""The command `odibi-magics`: the verbs of the notebook, headless.

Data goes to stdout, everything else to stderr. Exit codes: 0 it worked, 1 it failed, 2 the text or the call
is wrong, 130 it was stopped. A reader that leaves early (`| head`) changes none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the words of a command line, those of the process without `argv`.

    Returns where it worked, so that a job that calls it goes on; raises SystemExit with the code otherwise.
    """
    words = sys.argv[1:] if argv is None else argv
    try:
        from odibi_magics.cli.command import execute

        code = execute(words)
    except KeyboardInterrupt:
        code = 130
    if code:
        raise SystemExit(code)
