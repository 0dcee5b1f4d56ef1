"""The extension inside IPython: what `%load_ext` adds and `%unload_ext` takes away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_NAME = "OdibiMagics"


def load(ipython: InteractiveShell) -> None:
    """Registers the magics, their settings and how results show themselves; loading twice changes nothing."""
    if _NAME in ipython.magics_manager.registry:
        return
    from odibi_magics.magics.extension import OdibiMagics

    OdibiMagics.enter(ipython)


def unload(ipython: InteractiveShell) -> None:
    """Takes out all that `load` put in, and puts back magics of the same names that were there before.

    Variables made by `--as` stay: they are the user's.
    """
    if _NAME in ipython.magics_manager.registry:
        ipython.magics_manager.registry[_NAME].leave()
