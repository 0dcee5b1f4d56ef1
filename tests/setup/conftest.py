from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

import pytest

from odibi_magics.connections.prepare import forget
from odibi_magics.sandbox import Cloud
from odibi_magics.session import Session
from odibi_magics.setup.drafts import Draft
from odibi_magics.setup.rows import Row
from odibi_magics.setup.wizard import Wizard


@pytest.fixture
def signing_in(cloud: Cloud) -> Iterator[None]:
    """In the practice cloud, which every wizard asks who we are; its answer is awaited before another test begins."""
    forget()
    yield
    until(lambda: not any(thread.name == "odibi caller" for thread in threading.enumerate()))
    forget()


@pytest.fixture
def folder(signing_in: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the wizard is."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def wizard(folder: Path) -> Wizard:
    """That of an empty notebook."""
    return Wizard(Session())


def fill(wizard: Wizard, name: str, **values: str) -> Draft:
    """A connection with these fields; the first one takes the place of the empty one."""
    if wizard.drafts[-1].values or wizard.drafts[-1].type != "azure_adls":
        wizard.add()
    draft = wizard.drafts[-1]
    for key, value in {"name": name, **values}.items():
        wizard.set(draft.id, key, value)
    return draft


def until(holds: Callable[[], object]) -> None:
    """Waits for what threads bring about; that it never comes, pytest's own limit says."""
    while not holds():
        sleep(0.01)


def row(wizard: Wizard, name: str) -> Row:
    return next(each for each in wizard.rows.rows if each.name == name)


def checked(wizard: Wizard) -> dict[str, str]:
    """The state of each row once all are over."""
    until(lambda: wizard.rows.over)
    return {each.name: each.state for each in wizard.rows.rows}
