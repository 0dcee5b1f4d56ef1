"""Every accepted and every refused function stands in the docs."""

from __future__ import annotations

import re
from pathlib import Path

from odibi_magics.sql.accepted import REFUSED, accepted

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "sql.md"


def test_every_accepted_and_refused_function_is_on_the_page_and_no_other() -> None:
    accepts, _, refuses = PAGE.read_text(encoding="utf-8").partition("## Refused")
    lists = accepts.split("\n## ", 1)[1]
    assert set(re.findall(r"`(\w+)`", lists)) == set(accepted()), "run: python docs/make_functions.py"
    assert set(re.findall(r"`(\w+)`", refuses)) == set(REFUSED), "run: python docs/make_functions.py"
