"""What each file format can do stands on its page."""

from __future__ import annotations

import re

from odibi_magics.config import formats
from tests.docs.makers import DOCS

PAGE = (DOCS / "FILE_FORMATS.md").read_text(encoding="utf-8")


def row(format_: str) -> list[str]:
    """The cells of a format's row."""
    line = re.search(rf"^\| `{format_}` \|.*$", PAGE, re.MULTILINE)
    assert line
    return line[0].split("|")


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_every_format_has_its_endings_and_options() -> None:
    for format_, options in formats.READ_OPTIONS.items():
        _, _, _, _, endings, told, _ = row(format_)
        assert named(endings) == {end for end, of in formats._ENDINGS.items() if of == format_}
        assert named(told) == options


def test_what_is_written() -> None:
    assert named(row("csv")[3]) == formats.FILE_MODES
    written = re.search(r"Of a csv that is written there are (.*?)\.", PAGE, re.DOTALL)
    assert written
    assert named(written[1]) == formats.WRITE_OPTIONS["csv"]
