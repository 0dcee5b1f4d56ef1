"""A YAML cell becomes a checked pipeline that writes Delta tables.

Nothing is imported before it is used: `%load_ext odibi_magics` costs a few milliseconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from odibi_magics.errors import Cancelled, ConfigErrors, NodeFailed, OdibiError, UsageError
    from odibi_magics.project import Project
    from odibi_magics.sql.functions import transform

    __version__: str

__all__ = [
    "Cancelled", "ConfigErrors", "NodeFailed", "OdibiError", "Project", "UsageError", "__version__",
    "load_ipython_extension", "transform", "unload_ipython_extension",
]  # fmt: skip

_HOMES = {
    "Project": "odibi_magics.project",
    "transform": "odibi_magics.sql.functions",
    **dict.fromkeys(
        ["Cancelled", "ConfigErrors", "NodeFailed", "OdibiError", "UsageError"], "odibi_magics.errors"
    ),
}


def load_ipython_extension(ipython: InteractiveShell) -> None:
    """For `%load_ext odibi_magics`. Loading twice changes nothing."""
    from odibi_magics.magics import load

    load(ipython)


def unload_ipython_extension(ipython: InteractiveShell) -> None:
    """For `%unload_ext odibi_magics`: puts back what was there before."""
    from odibi_magics.magics import unload

    unload(ipython)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from odibi_magics.garbage import uncollected

        with uncollected():
            value = getattr(import_module(_HOMES[name]), name)
    elif name == "__version__":
        # Reading the installed metadata takes 2-20 ms, more than all the rest of this module.
        from importlib.metadata import version

        value = version("odibi-magics")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
