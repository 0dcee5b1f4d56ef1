"""Values as people read them: redacted, nothing invisible, NULL unlike any text."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from odibi_magics.secret import redact

# Control characters (ANSI codes begin with one), what reorders or hides text, and lone surrogates, which
# UTF-8 cannot hold. Joiners (U+200C, U+200D) stay: scripts and emoji are written with them.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_INVISIBLE_IN_BLOCK = re.compile(_INVISIBLE.pattern.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f"))

# Characters of a value in a table; more make rows that no eye follows.
WIDEST = 60


def line(text: object) -> str:
    """Text on one line: redacted; control and direction characters as their escapes (`\\n`, `\\u202e`)."""
    return _INVISIBLE.sub(_escape, redact(str(text)))


def block(text: object) -> str:
    """The same for text of several lines: line ends and tabs stay."""
    return _INVISIBLE_IN_BLOCK.sub(_escape, redact(str(text)).replace("\r\n", "\n"))


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


@dataclass(frozen=True)
class Shown:
    """A value as text, whole, and whether it is a NULL, which looks like no text."""

    text: str
    null: bool = False


def shown(value: Any, type_: str = "") -> Shown:
    """A value of a column of this type, for people."""
    if value is None:
        return Shown("NULL", null=True)
    if isinstance(value, str):
        return Shown(_text(_start(value)))
    return Shown(_start(_plain(value, type_)))


# Characters of a value that are looked at: redacting takes 0.1 s per million. At the end of the cut there may be
# the first part of a secret, so that as much as a secret is long is dropped there.
_LONGEST, _SECRET = 20_000, 5_000


def _start(text: str) -> str:
    if len(text) <= _LONGEST:
        return line(text)
    return line(text[:_LONGEST])[:-_SECRET] + "…"


def _text(text: str) -> str:
    """Text whose outer spaces, or being empty, would not be seen stands in quotes, its spaces visible."""
    if text and text == text.strip():
        return text
    inner = text.strip()
    if not inner:
        return f"'{'␣' * len(text)}'"
    before, after = text.split(inner, 1)[0], text.rsplit(inner, 1)[1]
    return f"'{'␣' * len(before)}{inner}{'␣' * len(after)}'"


def _plain(value: Any, type_: str = "") -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value, type_)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat(sep=" ").replace("+00:00", "Z")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "0x" + bytes(value[:_LONGEST]).hex()
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(_nested(value), ensure_ascii=False, separators=(",", ":"), default=_plain)
    return str(value)


def _nested(value: Any) -> Any:
    """JSON's keys are text; a secret in it is told by its own type."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else _plain(key): _nested(item) for key, item in value.items()}
    return [_nested(item) for item in value] if isinstance(value, (list, tuple)) else value


def _float(value: float, type_: str) -> str:
    """The shortest digits that give the same number again; for a `float` those of its 32 bits."""
    if type_ != "float" or value != value or value in (float("inf"), float("-inf")):
        return repr(value)
    for digits in range(6, 9):
        shorter = float(f"{value:.{digits}g}")
        if struct.pack("f", shorter) == struct.pack("f", value):
            return repr(shorter)
    return repr(float(f"{value:.9g}"))


def cut(text: str, widest: int = WIDEST) -> str:
    """At most `widest` characters, with an ellipsis where some are missing."""
    return text if len(text) <= widest else text[: widest - 1] + "…"
