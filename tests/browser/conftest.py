"""One JupyterLab and one browser for all tests, a page of its own for each notebook."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.browser.jupyter import Lab, Opened, launched, running_lab

# Milliseconds for what a page is waited for: a machine may be busy.
PATIENCE = 60_000


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = launched(playwright)
    yield started
    started.close()


@pytest.fixture(scope="session")
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts, each with its own cookies and clipboard rights."""
    made: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
        context.set_default_timeout(PATIENCE)
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()


@pytest.fixture(scope="session")
def open_notebook(lab: Lab, open_context: Callable[..., BrowserContext]) -> Callable[..., Opened]:
    """Opens a notebook of these cells in a page of its own."""

    def make(name: str, *cells: str) -> Opened:
        context = open_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        opened = Opened(lab, lab.write(name, *cells), page)
        page.on("request", lambda request: opened.hosts.add(urlsplit(request.url).netloc))
        page.on("websocket", lambda socket: opened.watch(socket))
        opened.open()
        return opened

    return make
