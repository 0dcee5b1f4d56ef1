"""What is typed where a name belongs, and looks like a secret: it is refused, and not kept."""

from __future__ import annotations

import re
from typing import Final

from odibi_magics.config.sqltext import ENVIRONMENT, VARIABLE
from odibi_magics.secret import Secret, redact

# A run without separators that is as long as the shortest keys; names of people's own have words in them.
_RUN: Final = re.compile(r"[A-Za-z0-9+/=]{32,}")
# What Azure, Databricks and GitHub begin or mark their secrets with.
_MARKS: Final = re.compile(
    r"\w{3}\dQ~|\bdapi[0-9a-f]{32}|\bgh[pousr]_\w{30}|[?&]s[vprt]=|(?i:\b(?:AccountName|SharedAccessSignature)=)"
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_INSTEAD: Final = (
    "was not kept. Put it into a Key Vault and name the secret here, or set it as an environment variable "
    "(or in a .env file beside the notebook) and give the variable's name"
)


def refusal(text: str) -> str:
    """Why a text is not taken, as it looks like a secret itself; "" where it may be a name. Nothing shows the text
    once it was refused: the redactor knows it from then on."""
    for looks, what in _LOOKS.items():
        if looks(text):
            Secret(text)
            return f"That looks like {what}, and {_INSTEAD}"
    return ""


def variable_refusal(text: str) -> str:
    """The same for the name of an environment variable: what cannot be one may be the secret itself."""
    if not text or reference(text):
        return refusal(text)
    Secret(text)
    return f"The name of an environment variable is letters, digits and _; what was typed {_INSTEAD}"


def reference(text: str) -> str:
    """`${NAME}` of a variable's name, or what is one already, also `{{ name }}`; "" where it is no name."""
    if ENVIRONMENT.fullmatch(text) or VARIABLE.fullmatch(text):
        return text
    return f"${{{text}}}" if _NAME.fullmatch(text) else ""


def _is_known(text: str) -> bool:
    """Whether it is a secret of this process, or has the shape of one."""
    return redact(text) != text


def _is_random(text: str) -> bool:
    """Letters of both cases and digits in one long run, or nothing but hexadecimal digits."""
    return any(_has_all_kinds(run) or re.fullmatch(r"[0-9a-fA-F]+", run) for run in _RUN.findall(text))


def _has_all_kinds(run: str) -> bool:
    return all(re.search(kind, run) for kind in ("[a-z]", "[A-Z]", "[0-9]"))


_LOOKS: Final = {
    _is_known: "a secret",
    lambda text: bool(_MARKS.search(text)): "a token or a connection string",
    _is_random: "a key",
}
