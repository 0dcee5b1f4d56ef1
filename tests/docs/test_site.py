"""The site builds with no warning, asks no other host for anything, and all links lead somewhere, README's too."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymdownx.slugs import slugify

from tests.docs.blocks import PAGES, ROOT
from tests.docs.makers import DOCS

_FENCED = re.compile(r"^```.*?^```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Wrong links, anchors, and pages left out of the navigation fail it, but not with `--quiet`: mkdocs
    counts the warnings that it logs."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class Asked(HTMLParser):
    """What a page asks for by itself: everything but the links that a reader follows."""

    def __init__(self) -> None:
        super().__init__()
        self.hosts: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            told = [value for name, value in attrs if name in ("href", "src", "srcset", "data") and value]
            self.hosts |= {urlsplit(value).netloc for value in told}


def test_no_page_asks_another_host(site: Path) -> None:
    asked = Asked()
    for page in site.rglob("*.html"):
        asked.feed(page.read_text(encoding="utf-8"))
    assert asked.hosts == {""}
    styles = "".join(style.read_text(encoding="utf-8") for style in site.rglob("*.css"))
    assert [
        url
        for url in re.findall(r"url\(([^)]*)\)|@import", styles)
        if url.strip("\"'").startswith(("http", "//"))
    ] == []


def test_every_page_is_there_and_can_be_searched(site: Path) -> None:
    made = {page.relative_to(site).with_suffix(".md") for page in site.rglob("*.html")}
    assert {page.relative_to(DOCS) for page in DOCS.rglob("*.md")} <= made
    assert "moode" in (site / "search" / "search_index.json").read_text(encoding="utf-8")


def links(page: Path) -> Iterator[str]:
    yield from _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    headings = re.findall(
        r"^#+ (.+)$", _FENCED_BLOCKS.sub("", page.read_text(encoding="utf-8")), re.MULTILINE
    )
    slug = slugify(case="lower")
    return {slug(re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading), "-") for heading in headings}


_FENCED_BLOCKS = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_links_of_the_files_beside_the_docs_lead_somewhere(name: str) -> None:
    for link in links(ROOT / name):
        target, _, anchor = link.partition("#")
        if not urlsplit(link).scheme:
            path = ROOT / (target or name)
            assert path.exists(), link
            assert not anchor or anchor in anchors(path), link


def test_links_to_other_hosts_have_an_addresss_form() -> None:
    told = [link for page in PAGES for link in links(page) if urlsplit(link).scheme]
    assert [
        link for link in told if not re.fullmatch(r"https://[\w.-]+\.[a-z]{2,}(/[\w./%#&=?~-]*)?", link)
    ] == []
