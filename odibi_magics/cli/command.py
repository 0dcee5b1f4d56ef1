"""One command: its verb is found, done, and answered for with an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

import odibi_magics
from odibi_magics.cli.answer import WRONG, Answer, failure
from odibi_magics.cli.output import Output
from odibi_magics.cli.verbs import VERBS
from odibi_magics.errors import UsageError, suggest


def execute(words: Sequence[str]) -> int:
    """The exit code; whatever there is to say was said."""
    output = Output(json="--json" in words)
    try:
        with redirect_stdout(sys.stderr):  # what a user's function prints is no data
            answer = _answer(words)
        output.give(answer)
    except (Exception, KeyboardInterrupt) as error:
        output.give(failure(error))
    return output.code


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
    return Answer(parser.format_help().rstrip()) if {"-h", "--help"} & set(rest) else verb.do(parser, rest)


def _usage() -> str:
    verbs = "\n".join(f"  {verb.name:<13}{verb.summary}" for verb in VERBS.values())
    return f"usage: odibi-magics COMMAND ... [--json] [--help]\n\n{verbs}\n\n{_CODES}"


_CODES = "exit codes: 0 it worked, 1 it failed, 2 the text or the call is wrong, 130 it was stopped"
