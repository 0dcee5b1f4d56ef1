"""`python -m benchmarks.plots [REPORT] [FOLDER]`: pictures of how the figures grow, from the JSON to docs/images/."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator

# Grey that can be read on white and on black, nothing behind it, and the page's own letters.
_GREY = "#7f868e"
_LOOK: Any = {
    "svg.fonttype": "none", "svg.hashsalt": "odibi", "font.family": "sans-serif", "font.size": 11,
    "text.color": _GREY, "axes.labelcolor": _GREY, "axes.edgecolor": _GREY, "xtick.color": _GREY,
    "ytick.color": _GREY, "legend.frameon": False, "legend.labelcolor": _GREY, "axes.grid": True,
    "grid.color": _GREY, "grid.alpha": 0.25, "axes.spines.top": False, "axes.spines.right": False,
    "savefig.transparent": True,
}  # fmt: skip
_COLORS = {
    "ours": "#2b8fd9", "duckdb": "#d9822b", "duckdb_dataset": "#b8963a", "polars": "#9a6fd0",
    "polars_sink": "#7c5ac2", "pandas": "#d0569a", "dataset": "#b8963a", "the YAML alone": "#2fa36b",
}  # fmt: skip

Figures = Sequence[Mapping[str, Any]]


def draw(report: Path, folder: Path) -> list[Path]:
    """Draws the parts that the report has; returns the files."""
    parts = json.loads(report.read_text())
    matplotlib.rcParams.update(_LOOK)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for part, picture in _PICTURES.items():
        if part in parts:
            picture(parts[part]["figures"])
            made.append(folder / f"bench_{part}.svg")
            plt.tight_layout()
            plt.savefig(made[-1], metadata={"Date": None})
            plt.close()
    return made


def csv(figures: Figures) -> None:
    """Seconds and memory over the size of the CSV, for rows in order and in none."""
    orders = list(dict.fromkeys(one["order"] for one in figures))
    _, axes = plt.subplots(2, len(orders), figsize=(9, 6.5), sharex=True, sharey="row", squeeze=False)
    for i, order in enumerate(orders):
        sizes = [one for one in figures if one["order"] == order]
        _over_sizes(axes[0][i], sizes, lambda one: float(one["wall"]))
        _over_sizes(axes[1][i], sizes, lambda one: float(one["peak"]) / 2**20)
        axes[0][i].set_title(order)
        axes[1][i].set_xlabel("CSV, GB")
    axes[0][0].set_ylabel("seconds")
    axes[1][0].set_ylabel("peak memory, MiB")
    axes[0][0].legend(fontsize=9)


def _over_sizes(axis: Axes, sizes: Figures, value: Callable[[Mapping[str, Any]], float]) -> None:
    for way in dict.fromkeys(way for one in sizes for way in one["samples"] if way in _COLORS):
        points = [
            (one["gigabytes"], statistics.median(map(value, one["samples"][way])))
            for one in sizes
            if way in one["samples"]
        ]
        _line(axis, way, points)
    axis.set_xticks(
        [round(one["gigabytes"], 2) for one in sizes], [f"{one['gigabytes']:.2f}" for one in sizes]
    )


def tpch(figures: Figures) -> None:
    """Each query's seconds over plain duckdb's, and the bound."""
    took = [one["seconds"] for one in figures if "seconds" in one][-1]  # of the largest scale
    _, axis = plt.subplots(figsize=(9, 3.6))
    for shift, way in ((-0.2, "ours"), (0.2, "polars")):
        able = [(i, name) for i, name in enumerate(took) if way in took[name]]
        heights = [
            statistics.median(a[0] / b[0] for a, b in zip(took[name][way], took[name]["duckdb"], strict=True))
            for _, name in able
        ]
        axis.bar([i + shift for i, _ in able], heights, 0.38, color=_COLORS[way], label=way)
    axis.axhline(1, color=_COLORS["duckdb"], label="duckdb")
    axis.axhline(1.1, color=_GREY, linestyle="--", label="1.1 × duckdb")
    axis.set_xticks(range(len(took)), list(took), rotation=60)
    axis.set_ylabel("seconds / duckdb's")
    axis.legend(fontsize=9, ncols=4, loc="lower right", bbox_to_anchor=(1, 1))  # above what it would hide


def plan(figures: Figures) -> None:
    """Seconds to check and plan over the number of nodes."""
    _, axis = plt.subplots(figsize=(6, 3.6))
    for at, way in ((0, "ours"), (2, "the YAML alone")):
        _line(
            axis,
            way,
            [(one["nodes"], statistics.median(took[at] for took in one["seconds"])) for one in figures],
        )
    axis.set_xlabel("nodes")
    axis.set_ylabel("seconds")
    axis.legend(fontsize=9)


def _line(axis: Axes, way: str, points: Sequence[tuple[float, float]]) -> None:
    width = 2.4 if way == "ours" else 1.4
    axis.loglog(*zip(*points, strict=True), marker="o", color=_COLORS[way], linewidth=width, label=way)
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()


_PICTURES: Mapping[str, Callable[[Figures], None]] = {"csv": csv, "tpch": tpch, "plan": plan}


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    defaults = (Path("build/bench/report.json"), Path("docs/images"))
    for file in draw(*(given + list(defaults)[len(given) :])):
        print(file)
