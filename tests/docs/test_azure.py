"""What the page on Azure shows is checked: its texts are right, and every way to open an account has one."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from odibi_magics import Project
from odibi_magics.config.models import AuthMode
from tests.docs.makers import DOCS

PAGE = (DOCS / "azure.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.M | re.S)
NAMES = sorted(set(re.findall(r"\$\{(\w+)\}", PAGE)))


@pytest.fixture
def projects(monkeypatch: pytest.MonkeyPatch) -> list[Project]:
    for name in NAMES:
        text = (
            "AccountName=account1;AccountKey=a2V5a2V5;EndpointSuffix=core.windows.net"
            if name == "BRONZE_STRING"
            else f"the-{name}"
        )
        monkeypatch.setenv(name, text)
    return [Project.from_yaml(block) for block in BLOCKS]


def test_every_text_on_the_page_is_right(projects: list[Project]) -> None:
    assert len(projects) > 5
    for project in projects:
        for info in project.connections():
            project.connection(info.name)


def test_every_way_to_open_an_account_has_its_text(projects: list[Project]) -> None:
    shown = {info.auth for project in projects for info in project.connections()}
    assert shown == set(get_args(AuthMode))
    assert all(f"`{mode}`" in PAGE or f"`auth_mode: {mode}`" in PAGE for mode in get_args(AuthMode))
