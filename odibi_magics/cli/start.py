"""The verbs that need no project: what one starts with."""

from __future__ import annotations

import json
from collections.abc import Sequence

from odibi_magics.cli.answer import Answer
from odibi_magics.cli.output import log
from odibi_magics.errors import UsageError
from odibi_magics.options import Parser
from odibi_magics.secret import redact


def schema(parser: Parser, words: Sequence[str]) -> Answer:
    """JSON also without --json."""
    from odibi_magics.config.schema import language_schema

    parser.read(words)
    made = language_schema()
    return Answer(json.dumps(made, indent=2, ensure_ascii=False), lambda: made)


def before_dashes(words: Sequence[str]) -> Sequence[str]:
    """Those that are for us: what comes after `--` is another command's."""
    return words[: words.index("--")] if "--" in words else words


def sandbox(parser: Parser, words: Sequence[str]) -> Answer:
    """The words after `--` are the command's own, and its exit code is ours."""
    from odibi_magics.sandbox.wrap import run

    own = before_dashes(words)
    found, command = parser.read(own), words[len(own) + 1 :]
    if not command:
        raise UsageError(f"{parser.prog}: which command? As in: {parser.prog} -- jupyter lab")
    return Answer(code=run(command, lambda line: log(redact(line) + "\n"), outside=found.outside))


def add_outside(parser: Parser) -> None:
    parser.usage = f"{parser.prog} [-h] [--outside] -- COMMAND ..."
    parser.add_argument(
        "--outside", action="store_true",
        help="let hosts through that are not Azure's, as for pip; without it nothing leaves the machine",
    )  # fmt: skip
