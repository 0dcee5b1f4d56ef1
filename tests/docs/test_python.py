"""Everything that Python code may use stands in the docs, with what can be raised."""

from __future__ import annotations

import inspect

import odibi_magics
from tests.docs.makers import DOCS, maker

PAGE = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
ERRORS = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_docstrings_make() -> None:
    assert maker("make_python").page() == PAGE, "run: python docs/make_python.py"


def test_every_public_name_is_on_a_page() -> None:
    told = [name for name in odibi_magics.__all__ if f"`{name}`" in PAGE + ERRORS or f"`@{name}`" in PAGE]
    assert set(told) >= {
        name for name in odibi_magics.__all__ if not name.startswith(("_", "load_", "unload_"))
    }


def test_every_member_says_what_it_gives() -> None:
    make = maker("make_python")
    silent = [
        f"{found.__name__}.{name}"
        for found in make.CLASSES
        for name in make.members(found)
        if not make._described(inspect.getattr_static(found, name))
    ]
    assert not silent


def test_every_error_is_on_the_page_and_says_what_it_is() -> None:
    own = maker("make_python").error_types()
    assert len(own) > 20
    assert [error.__name__ for error in own if f"`{error.__name__}`" not in ERRORS] == []
    assert [error.__name__ for error in own if not error.__doc__] == []
