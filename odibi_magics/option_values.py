"""The values of options, out of the words that were typed. All raise UsageError, with what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from odibi_magics.errors import UsageError, suggest

ENGINES = ("auto", "pandas", "spark")


@dataclass(frozen=True)
class SaveAs:
    """`--as name` or `--as name=node`. node: None for the last one."""

    name: str
    node: str | None


def rows(text: str) -> int:
    """A number of rows, at least 1."""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text)):
        raise UsageError(f"a number of rows, at least 1, is wanted, not '{text}'")
    return int(text)


def versions(text: str) -> int | None:
    """A number of versions, at least 1; None for `all`."""
    if text == "all":
        return None
    if not (text.isascii() and text.isdigit() and int(text[:18]) > 0 and len(text) < 19):
        raise UsageError(f"a number of versions, at least 1, or all is wanted, not '{text}'")
    return int(text)


def names(text: str) -> list[str]:
    """Names between commas."""
    found = [name.strip() for name in text.split(",")]
    if not all(found):
        raise UsageError(f"names with commas and no spaces between them are wanted, as id,day, not '{text}'")
    return found


def minutes(text: str) -> float:
    """A number of minutes, more than 0."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 24 * 60:
        raise UsageError(f"a number of minutes is wanted, not '{text}'")
    return found


def version(text: str) -> int:
    """A version of a table."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError(f"a version of the table, a number from 0 on, is wanted, not '{text}'")
    return int(text)


def hours(text: str) -> float:
    """A number of hours from 0 on."""
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found < float("inf"):
        raise UsageError(f"a number of hours from 0 on is wanted, not '{text}'")
    return found


def at(text: str) -> tuple[str, int]:
    table, equals, version = text.rpartition("=")
    if not (equals and table and version.isascii() and version.isdigit() and len(version) < 19):
        raise UsageError(f"--at takes TABLE=VERSION, as in --at lake:clean=9, not '{text}'")
    return table, int(version)


def engine(text: str) -> str:
    if text not in ENGINES:
        raise UsageError(f"unknown engine '{text}' ({suggest(text, ENGINES)})")
    return text


def setting(text: str) -> tuple[str, Any]:
    from odibi_magics.config.marks import scalar

    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise UsageError(f"--set takes NAME=VALUE, as in --set region=EU, not '{text}'")
    if not value:
        raise UsageError(
            f"--set {name}= is empty: {name}=null is for no value, '{name}=\"\"' for an empty text"
        )
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return name, scalar(value[1:-1], value[0]) if quoted else scalar(value, None)


def save_as(text: str) -> SaveAs:
    from keyword import iskeyword

    name, equals, node = text.partition("=")
    if not name.isidentifier() or iskeyword(name) or (equals and not node):
        raise UsageError(f"--as takes NAME or NAME=NODE, as in --as daily=summary, not '{text}'")
    return SaveAs(name, node or None)
