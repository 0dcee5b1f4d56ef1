"""Secrets stay inside the process: one type that never prints itself, one redactor that all text passes."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final
from urllib.parse import quote

_known: set[str] = set()

HIDDEN: Final = "[hidden]"

# Shapes of secrets we may never have held ourselves: they come back inside messages of services and drivers.
_SHAPES: Final = re.compile(
    r"(?P<key>\b(?:sig|AccountKey|SharedAccessKey|client_secret|account_key|sas_token|password)"
    r"(?:\s*=\s*['\"]?|['\"]\s*:\s*['\"]))(?!\$\{)[^&;,'\"\s}]+"
    r"|(?P<bearer>\bBearer\s+)[A-Za-z0-9._~+/-]+=*"
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}=="  # a storage account's key
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    re.IGNORECASE,
)

# The keys of the language that hold a secret itself, not the name of one.
SECRET_KEYS: Final = frozenset({"account_key", "sas_token", "connection_string", "client_secret"})

# Keys of storage libraries, and what people call a secret.
_SECRET_WORD: Final = re.compile(
    r"(account|access|storage|api|private)_?key|(^|_)sas(_?token)?$|client_?secret|secret_?value|passw(or)?d"
    r"|(^|_)(pwd|token|credential)$",
    re.IGNORECASE,
)
# How near to one of these a misspelling of it is; `account_name` is 0.78 from `account_key`.
_NAMES: Final = (*SECRET_KEYS, "password")
_NEAR: Final = 0.8

_REFERENCE: Final = re.compile(r"\s*\$\{\w+\}\s*")

# Shorter values are words of ordinary text; hiding them would tear holes into every message.
_SHORTEST: Final = 6


class Secret:
    """A value that only `reveal()` gives away; repr, str and pickling do not.

    Making one registers its text with the redactor for the life of the process, unless it is `${NAME}`: the name of a
    variable that is not set is what its error must tell.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if _REFERENCE.fullmatch(value) is None:
            _known.update(form for form in _forms(value) if len(form) >= _SHORTEST)

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


def _forms(value: str) -> set[str]:
    """The value as others may give it back: without the line break of a block of YAML, in a URL, in JSON."""
    plain = value.strip()
    return {plain, quote(plain, safe=""), quote(plain), json.dumps(plain)[1:-1]}


@cache
def names_secret(key: str) -> bool:
    """Whether a secret itself may stand behind a key: one of SECRET_KEYS, a misspelling of it, or `password`."""
    from difflib import get_close_matches  # 3 ms, only when a text is looked through

    return bool(_SECRET_WORD.search(key) or get_close_matches(key.lower(), _NAMES, n=1, cutoff=_NEAR))


def redact(text: str) -> str:
    """`text` with every known secret, and everything shaped like one, replaced by `[hidden]`."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return _SHAPES.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    return (match["key"] or match["bearer"] or "") + HIDDEN
