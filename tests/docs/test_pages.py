"""What the pages show is done: each cell, call and command in its turn, in a folder with what the page speaks of.

Outputs that tutorials show are those that come, but for ids, times and sizes. What is not run says why, for readers too.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from odibi_magics import Project
from odibi_magics.sandbox import Cloud
from tests.docs.blocks import PAGES, ROOT, Block, blocks
from tests.docs.makers import DOCS
from tests.docs.reader import Reader
from tests.magics.conftest import shell as shell

LANGUAGES = {"bash", "csv", "ini", "json", "python", "sh", "sql", "text", "yaml"}
# Of help, which other tests look at; and the calls that test_practice_cloud makes.
ELSEWHERE = {DOCS / "reference" / "cli.md", DOCS / "reference" / "magics.md", DOCS / "practice_cloud.md"}
LESSONS = {ROOT / "README.md", DOCS / "start.md", *DOCS.glob("tutorials/*.md")}
IN_THE_CLOUD = {DOCS / "tutorials" / "azure.md"}
WITH_SPARK = {DOCS / "tutorials" / "spark.md"}
# What a block needs that no test can give, as its title says it.
MOST_LEFT_OUT = 6

ORDERS = "id,day,city,qty,price\n1,2026-01-01,Oslo,2,10.0\n2,2026-01-01,Rome,0,5.0\n3,2026-01-02,Oslo,3,7.5\n"
ETL = """\
vars: {region: EU}
connections:
  lake: {type: local, base_path: data}
pipelines:
  - pipeline: etl
    nodes:
      - name: orders
        read: {connection: lake, path: raw/orders.csv}
      - name: clean
        transform: {steps: [{sql: "SELECT *, qty * price AS amount, {{ region }} AS region FROM orders"}]}
        write: {connection: lake, path: clean/orders}
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what pages speak of that are no lessons: a project, and its table in ten versions."""
    folder = tmp_path_factory.mktemp("lake")
    (folder / "data" / "raw").mkdir(parents=True)
    (folder / "data" / "raw" / "orders.csv").write_text(ORDERS)
    (folder / "etl.odibi.yaml").write_text(ETL)
    project = Project.from_file(folder / "etl.odibi.yaml")
    for _ in range(10):
        project.run()
    return folder


Read = Callable[[Path], None]


@pytest.fixture
def read(shell: InteractiveShell, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Does all that a page shows."""
    monkeypatch.setenv("ODIBI_PROGRESS", "off")

    def page(path: Path) -> None:
        reader = Reader(shell, tmp_path, path in LESSONS)
        if path not in LESSONS:
            shutil.copytree(lake, tmp_path, dirs_exist_ok=True)
            shell.run_cell("%load_ext odibi_magics")
            assert reader.cell(f"%%odibi_pipeline --plan\n{ETL}"), reader.said
            shell.user_ns["project"] = Project.from_file("etl.odibi.yaml")
        for block in blocks(path):
            reader.does(block)
        assert not reader.failed, reader.failed

    return page


def named(paths: set[Path]) -> list[Any]:
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(paths)]


@pytest.mark.parametrize("page", named(set(PAGES) - ELSEWHERE - IN_THE_CLOUD - WITH_SPARK))
def test_what_a_page_shows_works(page: Path, read: Read) -> None:
    read(page)


@pytest.mark.parametrize("page", named(IN_THE_CLOUD))
def test_what_a_page_on_azure_shows_works(page: Path, cloud: Cloud, read: Read) -> None:
    read(page)


@pytest.mark.classic
@pytest.mark.parametrize("page", named(WITH_SPARK))
def test_what_a_page_on_spark_shows_works(page: Path, spark: Any, read: Read) -> None:
    read(page)


def every_block() -> list[Block]:
    return [block for page in PAGES for block in blocks(page)]


def test_every_block_says_what_it_is() -> None:
    assert [str(block) for block in every_block() if block.language not in LANGUAGES] == []


def test_what_is_not_run_says_why_and_is_little() -> None:
    left = [block for block in every_block() if block.reason]
    assert [str(block) for block in left if not re.fullmatch(r"\w.{9,}", block.reason)] == []
    assert len(left) <= MOST_LEFT_OUT, [str(block) for block in left]
