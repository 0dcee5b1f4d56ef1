"""The small job again and again in one process, once for each line that comes in; prints milliseconds of wall and CPU,
and of CPU that its threads took after it was done.

Arguments: csv, target folder, way. `odibi` reads its project anew each time, as `ours` does, `odibi_kept` does not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path


def ours(csv: str, target: str) -> Callable[[], None]:
    from benchmarks.jobs.small_ours import text
    from odibi_magics import Project

    return lambda: _done(Project.from_yaml(text(csv, target)).run().state)


def _done(state: str) -> None:
    assert state == "done", state


def odibi(csv: str, target: str) -> Callable[[], None]:
    from benchmarks.jobs.odibi_project import opened, ran

    path = _project(csv, target)
    return lambda: ran(opened(path))


def odibi_kept(csv: str, target: str) -> Callable[[], None]:
    from benchmarks.jobs.odibi_project import opened, ran

    manager = opened(_project(csv, target))
    return lambda: ran(manager)


def _project(csv: str, target: str) -> Path:
    from benchmarks.jobs.odibi_project import BEHIND, TUNED
    from benchmarks.jobs.odibi_small import small

    return small(Path(csv), Path(target), Path(target, "project"), "pandas", TUNED + BEHIND)


WAYS = {"ours": ours, "odibi": odibi, "odibi_kept": odibi_kept}


def main() -> None:
    csv, target, way = sys.argv[1:4]
    Path(target).mkdir(parents=True, exist_ok=True)
    job = WAYS[way](csv, target)
    for _ in sys.stdin:
        began = time.perf_counter(), time.process_time()
        job()
        ended = time.perf_counter(), time.process_time()
        if way != "ours":
            from benchmarks.jobs.odibi_project import wait

            wait()
        after = time.process_time() - ended[1]
        took = (*(b - a for a, b in zip(began, ended, strict=True)), after)
        print("took", *(f"{one * 1000:.1f}" for one in took), flush=True)


if __name__ == "__main__":
    main()
