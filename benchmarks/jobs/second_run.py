"""The small job run again in one process, ours and by hand in turn; prints each way's milliseconds, a line a round.

Arguments: csv, target folder, rounds.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.jobs import small_documented, small_lean
from benchmarks.measure import rotated
from odibi_magics import Project

CSV, TARGET, ROUNDS = sys.argv[1:4]


def ours(csv: str, target: str) -> None:
    from benchmarks.jobs.small_ours import text

    Project.from_yaml(text(csv, target)).run()


def milliseconds(job: Callable[[str, str], None], target: str) -> float:
    start = time.perf_counter()
    job(CSV, target)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    jobs = {"ours": ours, "documented": small_documented.job, "lean": small_lean.job}
    targets = {name: f"{TARGET}/{name}" for name in jobs}
    for target in targets.values():
        Path(target).mkdir(exist_ok=True)
    for number in range(int(ROUNDS) + 1):
        took = {name: milliseconds(jobs[name], targets[name]) for name in rotated([*jobs], number)}
        if number:
            print(*(f"{took[name]:.1f}" for name in jobs))


if __name__ == "__main__":
    main()
