"""What the parts found: printed as Markdown, and kept as JSON that the plots are drawn from."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.measure import Sample, Spread, ratio

LIBRARIES = (
    "duckdb", "deltalake", "pyarrow", "polars", "pandas", "sqlglot", "pydantic", "pyspark", "delta-spark",
    "adlfs", "obstore", "azure-keyvault-secrets", "ipython", "jupyterlab",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """The machine as it is now, and the versions that are measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
    }


def _version(library: str) -> str | None:
    """None where it is not installed."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
        return next(names, platform.machine())


@dataclass
class Report:
    """The figures of one part. folder: where data and tables go; quick: on less data, in fewer rounds.

    keep: the JSON file, whose other parts stay as they are; None keeps nothing.
    """

    part: str
    folder: Path
    quick: bool
    keep: Path | None = None

    def __post_init__(self) -> None:
        self.on = machine()
        self.figures: list[dict[str, Any]] = []

    def say(self, text: str = "") -> None:
        print(text, flush=True)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table in Markdown."""
        self.say(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
        for row in rows:
            self.say(f"| {' | '.join(map(str, row))} |")

    def samples(
        self, taken: Mapping[str, Sequence[Sample]], peers: Sequence[str] = (), **case: object
    ) -> None:
        """What each way took, then ours over each peer, pair by pair. case: what tells this table from others."""
        wrote = any(one.files for found in taken.values() for one in found)
        heads = ["", "wall, s", "CPU, s", "peak, MiB", *(("files", "written, MB") if wrote else ())]
        ways = [[name, *_row(found, wrote)] for name, found in taken.items()]
        pairs = [[f"**ours / {peer}**", *_pairs(taken["ours"], taken[peer], wrote)] for peer in peers]
        self.table(heads, [*ways, *pairs])
        self.record(**case, samples={name: [_plain(one) for one in found] for name, found in taken.items()})

    def record(self, **figures: object) -> None:
        """Figures for the JSON."""
        self.figures.append(dict(figures))

    def save(self) -> None:
        """Puts the part into the JSON file, at once: a part may have taken an hour."""
        if self.keep is None:
            return
        there = json.loads(self.keep.read_text()) if self.keep.exists() else {}
        there[self.part] = {"machine": self.on, "quick": self.quick, "figures": self.figures}
        self.keep.parent.mkdir(parents=True, exist_ok=True)
        part = self.keep.with_suffix(".part")
        part.write_text(json.dumps(there, indent=1))
        part.rename(self.keep)


def _plain(sample: Sample) -> dict[str, Any]:
    return {name: value for name, value in asdict(sample).items() if name != "out"}


def _row(found: Sequence[Sample], wrote: bool) -> list[str]:
    wall, cpu = Spread.of([one.wall for one in found]), Spread.of([one.cpu for one in found])
    row = [f"{wall:.2f}", f"{cpu:.2f}", f"{Spread.of([one.peak / 2**20 for one in found]):.0f}"]
    left = [
        statistics.median(one.files for one in found),
        statistics.median(one.bytes for one in found) / 1e6,
    ]
    return [*row, *(f"{one:.0f}" for one in left if wrote)]


def _pairs(ours: Sequence[Sample], theirs: Sequence[Sample], wrote: bool) -> list[str]:
    found = [f"{ratio(ours, theirs, what):.2f}" for what in ("wall", "cpu", "peak")]
    return [*found, *(("", "") if wrote else ())]
