from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

PROJECT = """\
connections:
  lake: {type: local, base_path: .}
pipelines:
  - pipeline: etl
    nodes:
      - name: orders
        read: {connection: lake, path: orders.csv}
      - name: clean
        transform: {steps: [{sql: "SELECT id, qty FROM orders WHERE qty > 0"}]}
        write: {connection: lake, path: clean/orders}
"""


@dataclass(frozen=True)
class Command:
    """`odibi-magics` as a real process in a folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        # Unbuffered output hides what a buffer that cannot be emptied does to the exit code.
        buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        return {**buffered, "PYTHONPATH": str(ROOT)}

    def __call__(self, *words: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            **settings,
        )

    def start(self, *words: str, **settings: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.words(*words), cwd=self.folder, env=self.environment, text=True,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
        )  # fmt: skip

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "odibi_magics.cli", *words]

    def data(self, *words: str, code: int = 0) -> Any:
        """What --json says, with this exit code."""
        done = self(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def odibi(tmp_path: Path) -> Command:
    (tmp_path / "orders.csv").write_text("id,qty,day\n1,5,2026-01-01\n2,0,2026-01-01\n3,7,2026-01-02\n")
    (tmp_path / "etl.odibi.yaml").write_text(PROJECT)
    return Command(tmp_path)
