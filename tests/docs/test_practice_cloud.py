"""What the page on the practice cloud shows for tests is what works."""

from __future__ import annotations

import re

from odibi_magics.sandbox import Cloud
from tests.docs.makers import DOCS


def test_the_calls_on_the_page_work(cloud: Cloud) -> None:
    page = (DOCS / "practice_cloud.md").read_text(encoding="utf-8")
    shown = re.search(r"^```python\n.*?^(?=cloud\.clear)(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert shown
    exec(shown[1], {"cloud": cloud})


def test_the_page_names_the_demo_data(cloud: Cloud) -> None:
    page = (DOCS / "practice_cloud.md").read_text(encoding="utf-8")
    blob = cloud.storage("account1").client().get_blob_client("raw", "sales.csv")
    head, *rows = blob.download_blob().readall().decode().splitlines()
    assert ", ".join(f"`{column}`" for column in head.split(",")) in page
    assert f"{len(rows):,} rows" in page
