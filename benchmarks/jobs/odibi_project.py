"""A project of odibi, the framework on PyPI: its settings and its run, by its own interpreter, which has none of ours.

The settings are those that its documentation names for speed, each at its quickest: no story, no lineage, no samples,
no profile of nulls, and of the system catalog, which a project must have, only what cannot be turned off.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TUNED = """\
story: {connection: project, path: stories, auto_generate: false, generate_lineage: false, max_sample_rows: 0}
performance: {use_arrow: true, skip_null_profiling: true, skip_catalog_writes: true, skip_run_logging: true}
retry: {enabled: false}
logging: {level: ERROR}
"""
PLAIN = "story: {connection: project, path: stories}\n"
# What its performance guide has "for 90% of users".
GUIDED = f"{PLAIN}performance: {{use_arrow: true}}\n"
SETTINGS = {"tuned": TUNED, "guided": GUIDED, "plain": PLAIN}

# Its default leaves the catalog's last tables to a thread, which a process that ends kills: most ended in an abort,
# after the tables of the job were written.
WHOLE = "system: {connection: project, path: system, async_derived_updates: false}\n"
BEHIND = "system: {connection: project, path: system, async_derived_updates: true}\n"


def project(
    folder: Path,
    connections: Mapping[str, Path],
    nodes: str,
    engine: str = "pandas",
    settings: str = TUNED + WHOLE,
) -> Path:
    """Writes the project's file into its folder, which also holds its catalog; nodes: the YAML of one pipeline's."""
    folder.mkdir(parents=True, exist_ok=True)
    places = "\n".join(
        f"  {name}: {{type: local, base_path: {path}}}"
        for name, path in {**connections, "project": folder}.items()
    )
    path = folder / "odibi.yaml"
    path.write_text(
        f"project: bench\nengine: {engine}\nconnections:\n{places}\n{settings}"
        f"pipelines:\n  - pipeline: bench\n    nodes:\n{nodes}"
    )
    return path


def opened(path: Path) -> Any:
    """Its manager, as its documentation has it in Python."""
    from odibi.pipeline import PipelineManager

    return PipelineManager.from_yaml(str(path))


def ran(manager: Any) -> None:
    """Runs its pipeline. Raises RuntimeError where a node fails."""
    result = manager.run()
    if errors := [str(node.error) for node in result.node_results.values() if node.error]:
        raise RuntimeError("\n".join(errors))


def wait() -> None:
    """Until its threads have brought the catalog up to date."""
    for thread in threading.enumerate():
        if thread.name == "DerivedUpdater":
            thread.join()
