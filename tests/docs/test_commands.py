"""Every magic, command and option stands in the docs."""

from __future__ import annotations

import re

import pytest

from tests.docs.makers import DOCS, maker

OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


@pytest.mark.parametrize(("page", "helps"), [("magics.md", "magic_helps"), ("cli.md", "command_helps")])
def test_every_name_and_option_is_on_its_page(page: str, helps: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    parts = dict(
        zip(re.findall(r"^## `(.*)`$", text, re.M), re.split(r"^## `.*`$", text, flags=re.M)[1:], strict=True)
    )
    told = dict(getattr(maker("make_commands"), helps)())
    assert set(parts) == set(told), "run: python docs/make_commands.py"
    for name, help_ in told.items():
        assert set(OPTION.findall(help_)) == set(OPTION.findall(parts[name])), (
            f"{name}: run python docs/make_commands.py"
        )
