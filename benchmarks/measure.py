"""Whole processes timed in turn: wall and CPU seconds and peak memory as the operating system counts them."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Without it every process would compile every module anew, on both sides: not what a user waits for.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Sample:
    """One finished process. wall, cpu: seconds; peak: bytes of resident memory; files, bytes: of data it left."""

    wall: float
    cpu: float
    peak: int
    out: str
    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Spread:
    """A figure over the counted runs."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(min(values), statistics.median(values), max(values))

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} [{self.low:{spec}} – {self.high:{spec}}]"


def run(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None, python: str = sys.executable
) -> Sample:
    """Runs a Python script with this interpreter or another. Raises RuntimeError with its output where it fails, or
    where its peak is no more than ours, which the kernel hands down to it."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [python, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_ENVIRONMENT | dict(environment or {}),
    )
    assert process.stdout is not None and process.stderr is not None
    out = process.stdout.read()
    err = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{out}{err}")
    if usage.ru_maxrss <= resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        raise RuntimeError(f"{' '.join(arguments)}: its peak memory cannot be told from ours")
    return Sample(
        time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.strip()
    )


def apart(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """What `work` returns, in a process of its own: a process that `run` starts counts from the peak of this one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *arguments, **named).result()


def in_turn(
    commands: Mapping[str, Sequence[str]],
    runs: int,
    warmup: int = 1,
    environment: Mapping[str, str] | None = None,
    targets: Mapping[str, Path] | None = None,
    before: Callable[[Path], None] = lambda target: None,
    pythons: Mapping[str, str] | None = None,
) -> dict[str, list[Sample]]:
    """Every command `runs` times, one after the other in each round, beginning with the next in each: A B C B C A …

    targets: the folder that a command writes to, emptied before each run of it; then `before` may put in it what the
    command changes. What it leaves there beyond that is counted. pythons: the interpreter of a command that has one of
    its own.
    """
    targets, pythons = targets or {}, pythons or {}

    def once(name: str) -> Sample:
        python = pythons.get(name, sys.executable)
        if name not in targets:
            return run(commands[name], environment, python)
        target = targets[name]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        before(target)
        os.sync()  # or it would wait for what the one before it wrote
        there = _data(target)
        sample = run(commands[name], environment, python)
        new = [size for path, size in _data(target).items() if path not in there]
        return replace(sample, files=len(new), bytes=sum(new))

    for _ in range(warmup):
        for name in commands:
            once(name)
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(runs):
        for name in rotated([*commands], number):
            samples[name].append(once(name))
    return samples


def rotated(names: Sequence[T], number: int) -> Sequence[T]:
    """Those of a round in its order: none always follows the same one."""
    at = number % len(names)
    return [*names[at:], *names[:at]]


def asked_in_turn(
    commands: Mapping[str, Sequence[str]], runs: int, warmup: int, pythons: Mapping[str, str]
) -> dict[str, list[list[float]]]:
    """The same in one process each, which stay: each gets a line for a round and answers with the word `took` and its
    figures."""
    asked = {
        name: subprocess.Popen(
            [pythons.get(name, sys.executable), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_ENVIRONMENT,
        )
        for name, arguments in commands.items()
    }
    took: dict[str, list[list[float]]] = {name: [] for name in commands}
    try:
        for number in range(warmup + runs):
            for name in rotated([*asked], number):
                took[name].append(_asked(name, asked[name]))
    finally:
        for process in asked.values():
            process.communicate()
    return {name: found[warmup:] for name, found in took.items()}


def _asked(name: str, process: subprocess.Popen[str]) -> list[float]:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    for line in process.stdout:
        if line.startswith("took "):
            return [float(one) for one in line.split()[1:]]
    raise RuntimeError(f"{name} ended")


def _data(folder: Path) -> dict[str, int]:
    """Bytes of each file of data below a folder."""
    return {
        str(file): file.stat().st_size for file in folder.rglob("*.parquet") if "_delta_log" not in file.parts
    }


def ratio(ours: Sequence[Sample], theirs: Sequence[Sample], what: str = "wall") -> Spread:
    """A figure of ours over theirs of the same round. what: a field of Sample."""
    return Spread.of([getattr(a, what) / getattr(b, what) for a, b in zip(ours, theirs, strict=True)])
