"""stdout and stderr, on which anything may go wrong."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from odibi_magics.cli.answer import DONE, FAILED, Answer
from odibi_magics.cli.data import to_json
from odibi_magics.secret import redact


class Output:
    """Gives answers and keeps the exit code. json: data instead of text on stdout."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self.code = DONE
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                # A console that knows no arrows shows a "?" instead; it does not fail.
                stream.reconfigure(errors="replace")

    def give(self, answer: Answer) -> None:
        """Says it all and takes its code over."""
        self.code = answer.code
        shown = to_json(answer.data()) if self._json and answer.data else redact(answer.text)
        if shown:
            self._write(sys.stdout, shown)
        if answer.said:
            self._write(sys.stderr, redact(answer.said))

    def _write(self, stream: TextIO | None, text: str) -> None:
        if stream is None:  # closed before we began, `>&-`
            return
        try:
            stream.write(text + "\n")
            stream.flush()
        except BrokenPipeError:
            _silence(stream)
        except OSError as error:
            _silence(stream)
            self.code = self.code or FAILED
            if stream is sys.stdout:
                self._write(sys.stderr, f"the output cannot be written: {error.strerror}")


def log(text: str) -> None:
    """A line of progress, to stderr; a reader that left misses it."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """Python flushes the stream again at exit, and would change the exit code to 120 where that fails."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
