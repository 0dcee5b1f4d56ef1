"""Secrets stay inside the process: one type that never prints itself, one redactor that all text passes."""

from __future__ import annotations

import re
from typing import Final

_known: set[str] = set()

HIDDEN: Final = "[hidden]"

# Shapes of secrets we may never have held ourselves: they come back inside messages of services and drivers.
_SHAPES: Final = re.compile(
    r"(?P<key>\b(?:sig|AccountKey|SharedAccessKey|client_secret|account_key|sas_token|password)"
    r"(?:\s*=\s*['\"]?|['\"]\s*:\s*['\"]))(?!\$\{)[^&;,'\"\s}]+"
    r"|(?P<bearer>\bBearer\s+)[A-Za-z0-9._~+/-]+=*"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    re.IGNORECASE,
)

# Shorter values are words of ordinary text; hiding them would tear holes into every message.
_SHORTEST: Final = 6


class Secret:
    """A value that only `reveal()` gives away; repr, str and pickling do not.

    Making one registers its text with the redactor for the life of the process.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= _SHORTEST:
            _known.add(value)

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: it would leave the process as text")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def redact(text: str) -> str:
    """`text` with every known secret, and everything shaped like one, replaced by `[hidden]`."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _SHAPES.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    return (match["key"] or match["bearer"] or "") + HIDDEN
