"""One command: its verb is found, done, and answered for with an exit code."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout

import odibi_magics
from odibi_magics.cli.answer import WRONG, Answer, failure
from odibi_magics.cli.output import Output
from odibi_magics.cli.start import before_dashes
from odibi_magics.cli.verbs import VERBS
from odibi_magics.errors import UsageError, suggest


def execute(words: Sequence[str]) -> int:
    """The exit code; whatever there is to say was said."""
    output = Output(json="--json" in before_dashes(words))
    try:
        with terminated_as_interrupted(), redirect_stdout(sys.stderr):  # a user's print is no data
            answer = _answer(words)
        output.give(answer)
    except (Exception, KeyboardInterrupt) as error:
        output.give(failure(error))
    return output.code


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM, with which schedulers end a job, stops a run as Ctrl-C does: what is being written is awaited."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def _answer(words: Sequence[str]) -> Answer:
    if not words:
        return Answer(said=_usage(), code=WRONG)
    first, *rest = words
    if first in ("-h", "--help"):
        return Answer(_usage())
    if first == "--version":
        return Answer(f"odibi-magics {odibi_magics.__version__}")
    verb = VERBS.get(first)
    if verb is None:
        raise UsageError(f"odibi-magics: unknown command '{first}' ({suggest(first, list(VERBS))})")
    parser = verb.parser()
    return (
        Answer(parser.format_help().rstrip())
        if {"-h", "--help"} & set(before_dashes(rest))
        else verb.do(parser, rest)
    )


def _usage() -> str:
    verbs = "\n".join(f"  {verb.name:<13}{verb.summary}" for verb in VERBS.values())
    return f"usage: odibi-magics COMMAND ... [--json] [--help]\n\n{verbs}\n\n{_CODES}"


_CODES = """\
exit codes: 0 it worked, 1 it failed, 2 the text or the call is wrong, 130 it was stopped (Ctrl-C or SIGTERM)
--json, where it failed: {"error": {"kind", "message"}}, or the run's report; of validate the same as where it worked"""
