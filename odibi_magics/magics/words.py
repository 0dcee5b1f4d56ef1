"""A magic's line as words."""

from __future__ import annotations

import shlex

from odibi_magics.errors import UsageError


def words(magic: str, line: str) -> list[str]:
    """Split at spaces outside quotes; a backslash is one, as in Windows paths. Raises UsageError."""
    lexer = shlex.shlex(line, posix=True)
    lexer.whitespace_split, lexer.escape, lexer.commenters = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        raise UsageError(f"{magic}: a quote is not closed in: {line.strip()}") from None
