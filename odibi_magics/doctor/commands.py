"""The one command in a sentence of advice."""

from __future__ import annotations

import re
from typing import Final

# A command begins after "text: ", and ends with its sentence or clause; there is none with such a sign inside.
_COMMAND: Final = re.compile(r"(?:^|[:,;] )((?:az|databricks) .+?)(?=\. [A-Z(]|[;,] [a-z]|\.?$)")


def command_in(remedy: str) -> str:
    """The first command that a remedy names; "" for none."""
    found = _COMMAND.search(remedy)
    return found[1] if found else ""
