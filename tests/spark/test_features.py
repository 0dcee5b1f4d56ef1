"""The documentation's table of features says what the tests prove."""

from __future__ import annotations

import re

from tests.spark.sessions import ROOT
from tests.spark.tables import TABLES

PAGE = (ROOT / "docs" / "delta_features.md").read_text(encoding="utf-8")


def test_each_row_is_a_table_of_the_tests() -> None:
    said = {
        feature.strip(): (read.strip(), add.strip(), change.strip())
        for feature, read, add, change in re.findall(
            r"^\| ([^|]+)\| (yes|no) \| (yes|no) \| (yes|no) \|", PAGE, re.MULTILINE
        )
    }
    proved: dict[str, set[tuple[str, str, str]]] = {}
    for made in TABLES:
        if made.feature:
            found = (
                "no" if made.unread else "yes",
                "no" if made.adds else "yes",
                "no" if made.changes else "yes",
            )
            proved.setdefault(made.feature, set()).add(found)
    assert sorted(said) == sorted(proved)
    for feature, row in said.items():
        assert row in proved[feature], feature
