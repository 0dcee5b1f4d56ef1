"""Commands to paste: as magics in a notebook, for a shell from the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace

from odibi_magics.engines.base import Warned
from odibi_magics.secret import redact


@dataclass(frozen=True)
class Commands:
    """How verbs are called here. shell: not as magics. project: the words that say which."""

    shell: bool = False
    project: tuple[str, ...] = ()

    def line(self, verb: str, *words: str) -> str:
        """`%odibi_preview lake:t@5`, or `odibi-magics preview lake:t@5 --file F`.

        Redacted word by word: within quotes a secret is not what it was.
        """
        name = f"odibi-magics {verb}" if self.shell else f"%odibi_{verb}"
        return " ".join([name, *(shlex.quote(redact(word)) for word in (*words, *self.project))])


def for_shell(warned: Iterable[Warned]) -> tuple[Warned, ...]:
    """Warnings whose remedies name magics, with the commands that do the same."""
    return tuple(replace(one, remedy=_MAGIC.sub(r"odibi-magics \1", one.remedy)) for one in warned)


_MAGIC = re.compile(r"%odibi_(\w+)")

NOTEBOOK = Commands()
