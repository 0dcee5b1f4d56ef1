"""Every magic, command and option stands in the docs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_commands", DOCS / "make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("page", "helps"), [("magics.md", "magic_helps"), ("cli.md", "command_helps")])
def test_every_name_and_option_is_on_its_page(maker: ModuleType, page: str, helps: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    parts = dict(
        zip(re.findall(r"^## `(.*)`$", text, re.M), re.split(r"^## `.*`$", text, flags=re.M)[1:], strict=True)
    )
    told = dict(getattr(maker, helps)())
    assert set(parts) == set(told), "run: python docs/make_commands.py"
    for name, help_ in told.items():
        assert set(OPTION.findall(help_)) == set(OPTION.findall(parts[name])), (
            f"{name}: run python docs/make_commands.py"
        )
