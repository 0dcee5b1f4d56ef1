"""A lake of small files, and projects over it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from odibi_magics import Project

SALES = """id,ts,year,month,city,qty,price
1,2025-12-30 10:00:00,2025,12,Oslo,2,10.0
2,2026-01-02 11:00:00,2026,1,Rome,0,5.0
3,2026-01-03 12:30:00,2026,1,Oslo,3,7.5
4,2026-02-01 09:00:00,2026,2,,1,100.0
"""


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A folder with raw/sales.csv and raw/cities.csv."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "sales.csv").write_text(SALES)
    (raw / "cities.csv").write_text("city,country\nOslo,NO\nRome,IT\n")
    return tmp_path


Build = Callable[..., Project]


@pytest.fixture
def project(lake: Path) -> Build:
    """Builds a project of one pipeline `etl` from the YAML of its nodes."""

    def build(nodes: str, head: str = "", **options: Any) -> Project:
        text = textwrap.indent(textwrap.dedent(nodes).strip(), "      ")
        return Project.from_yaml(
            f"{head}connections: {{lake: {{type: local, base_path: {lake}}}}}\n"
            f"pipelines:\n  - pipeline: etl\n    nodes:\n{text}\n",
            **options,
        )

    return build
