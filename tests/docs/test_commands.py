"""Every magic, command and option stands in the docs."""

from __future__ import annotations

import re

import pytest

from tests.docs.makers import DOCS, maker

VERSIONS = re.compile(r"a path or a URL; [^.-]*")
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
        assert VERSIONS.findall(" ".join(help_.split())) == VERSIONS.findall(" ".join(parts[name].split())), (
            name
        )


@pytest.mark.parametrize("helps", ["magic_helps", "command_helps"])
def test_the_help_says_which_versions_a_verb_takes(helps: str) -> None:
    takes = {"history": "@5 the versions up to 5", "vacuum": "without @5: it is about the table as it is now"}
    takes |= {"optimize": takes["vacuum"], "restore": "@5 or @2026-11-20T18:00Z a version"}
    told = {
        re.split("[ _]", name)[-1]: " ".join(text.split())
        for name, text in getattr(maker("make_commands"), helps)()
    }
    assert all(words in told[verb] for verb, words in (takes | {"preview": takes["restore"]}).items())
