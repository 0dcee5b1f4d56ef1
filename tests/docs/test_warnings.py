"""Every warning's code stands in the docs, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.makers import DOCS

PACKAGE = Path(__file__).parents[2] / "odibi_magics"


def codes() -> Iterator[str]:
    """The third thing each `Warned(...)` in the package is given."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Warned":
                assert isinstance(node.args[2], ast.Constant), f"{path}: a code that cannot be read off"
                yield str(node.args[2].value)


def test_every_code_is_on_the_page_and_no_other() -> None:
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8").partition("## Warnings")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.M)) == set(codes())
