"""The verbs that need no project: what one starts with."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from odibi_magics.cli.answer import Answer
from odibi_magics.cli.output import log
from odibi_magics.display.units import plural
from odibi_magics.errors import UsageError
from odibi_magics.options import Parser
from odibi_magics.secret import redact


def init(parser: Parser, words: Sequence[str]) -> Answer:
    """Files that are there stay as they are."""
    from odibi_magics.starter import lay_out

    found = parser.read(words)
    laid = lay_out(Path(found.folder), databricks=found.databricks)
    there = [] if laid.folder == Path() else [f"cd {shlex.quote(str(laid.folder))}"]
    commands = [*there, "odibi-magics run orders.odibi.yaml"]
    width = max(map(len, laid.made), default=0)
    lines = [
        f"{plural(len(laid.made), 'file')} made in {laid.folder.resolve()}",
        *(f"  {name:<{width}}  {about}" for name, about in laid.made.items()),
        *(f"  {name} was there, and stays as it is" for name in laid.kept),
        "\nNext",
        *(f"  {command}" for command in commands),
    ]
    data = {"folder": str(laid.folder.resolve()), "made": [*laid.made], "kept": laid.kept, "next": commands}
    return Answer("\n".join(lines), lambda: data)


def add_folder(parser: Parser) -> None:
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default=".",
        help="where; without it this folder. It need not be there",
    )
    parser.add_argument("--databricks", action="store_true", help="the bundle of a daily job, too")


def schema(parser: Parser, words: Sequence[str]) -> Answer:
    """JSON also without --json."""
    from odibi_magics.config.schema import language_schema, schema_text

    parser.read(words)
    return Answer(schema_text(), language_schema)


def before_dashes(words: Sequence[str]) -> Sequence[str]:
    """Those that are for us: what comes after `--` is another command's."""
    return words[: words.index("--")] if "--" in words else words


def sandbox(parser: Parser, words: Sequence[str]) -> Answer:
    """The words after `--` are the command's own, and its exit code is ours."""
    from odibi_magics.sandbox.wrap import run

    own = before_dashes(words)
    if own and not own[0].startswith("-"):
        raise UsageError(f"{parser.prog}: `--` stands before the command: {parser.prog} -- {shlex.join(own)}")
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
