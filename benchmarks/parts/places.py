"""Where jobs are and tables go."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

JOBS = Path(__file__).parents[1] / "jobs"


def fresh(folder: Path, names: Iterable[str]) -> dict[str, Path]:
    """An empty folder for the tables of each."""
    targets = {name: folder / "tables" / name for name in names}
    for target in targets.values():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    return targets
