"""All tests as `make test` runs them: processes of pytest side by side, since one of them knows one kind of Spark session.

Each one's output comes whole when it ends, and stays in build/test/. What failed and one line that sums up come last.
`python -m tests.lanes NAME ...` runs those lanes alone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build" / "test"

AT_ONCE = 2  # of the two cores that a small machine has
PATIENCE = 60  # seconds that a process gets to end what it started, once it is told to stop

# One of the notebooks starts a session. The pandas beside it is newer than pyspark likes, and it says so.
SPARK_IN_NOTEBOOKS = {
    "PYTHONWARNINGS": "ignore::FutureWarning:pyspark.testing.utils",
}

WITHOUT_SPARK = ("-m", "not spark")


@dataclass(frozen=True)
class Lane:
    """One process of pytest. arguments, environment: what it is given beside what all are. python: whose pytest it is."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable


def _folders(name: str, *folders: str) -> Lane:
    return Lane(name, (*(f"tests/{folder}" for folder in folders), *WITHOUT_SPARK))


_PARTS = (
    _folders("browser", "browser"),
    _folders("engines", "engines"),
    _folders("pipeline", "pipeline", "delta"),
    _folders("magics", "magics", "cli"),
)
# What reaches a notebook, and what stands on pandas and pyarrow, once more with the versions that Databricks has.
_ON_DATABRICKS = tuple(
    f"tests/{name}"
    for name in (
        "databricks/floors.py", "widgets", "display/test_tables.py", "display/test_values.py", "display/test_report.py",
        "display/test_history.py", "display/test_every_display.py", "magics/test_extension.py", "magics/test_pipeline.py",
        "magics/test_live_history.py", "magics/test_setup.py", "magics/test_keep_rows.py", "magics/test_kernel.py",
        "engines/test_transform_functions.py", "engines/test_read_parquet.py",
    )
)  # fmt: skip
_OF_PARTS = tuple(one for part in _PARTS for one in part.arguments if one not in WITHOUT_SPARK)

LANES = (
    Lane("spark", ("tests", "-m", "spark")),
    Lane("connect", ("tests", "-m", "spark", "--connect")),
    *_PARTS,
    Lane("others", ("tests", *(f"--ignore={folder}" for folder in _OF_PARTS), *WITHOUT_SPARK)),
    Lane(
        "notebooks",
        ("--nbval", "--nbval-current-env", "--nbval-cell-timeout", "280", "--nbval-sanitize-with",
         "notebooks/sanitize.cfg", "--ignore=build/notebooks/databricks_setup.ipynb", "build/notebooks"),
        {"ODIBI_PROGRESS": "off", **SPARK_IN_NOTEBOOKS},
    ),
    Lane(
        "databricks",
        (*_ON_DATABRICKS, "-m", "not spark and not classic"),  # there is no Spark in that environment
        python=str(ROOT / ".venv" / "databricks" / "bin" / "python"),
    ),
)  # fmt: skip


# Results --------------------------------------------------------------------------------------------------------------

_CLOSING = re.compile(r"^=+ (.+ in [\d.]+s.*?) =+$", re.MULTILINE)
_COUNT = re.compile(r"(\d+) (failed|passed|skipped|xfailed|xpassed|error)")
_ORDER = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")  # pytest's own
_FAILED = re.compile(r"^(?:FAILED|ERROR) .+$", re.MULTILINE)


@dataclass(frozen=True)
class Result:
    """How a lane ended. code: of its process. text: all that it said."""

    name: str
    code: int
    text: str

    @property
    def closing(self) -> str:
        """What pytest said last, without its frame; "" where it broke off."""
        found: list[str] = _CLOSING.findall(self.text)
        return found[-1] if found else ""

    @property
    def counts(self) -> Counter[str]:
        """How many tests passed, failed and so on. A process that broke off counts as an error."""
        found = Counter({kind: int(number) for number, kind in _COUNT.findall(self.closing)})
        if self.code and not found["failed"] + found["error"]:
            found["error"] = 1
        return found

    @property
    def failed(self) -> list[str]:
        """What pytest lists as failed, or that it broke off."""
        listed = _FAILED.findall(self.text)
        return listed or [f"ERROR {self.name} ended with exit code {self.code}"] * bool(self.code)


def summary(results: Iterable[Result], seconds: float) -> str:
    """A line of pytest's kind for all lanes together."""
    counts = sum((one.counts for one in results), Counter[str]())
    told = [f"{counts[kind]} {kind}" for kind in _ORDER if counts[kind]] or ["no tests ran"]
    told = [f"{text}s" if text.endswith(" error") and text != "1 error" else text for text in told]
    took = f"{seconds:.2f}s" + (f" ({timedelta(seconds=int(seconds))})" if seconds >= 60 else "")
    return f" {', '.join(told)} in {took} ".center(80, "=")


# Processes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Running:
    lane: Lane
    process: subprocess.Popen[bytes]
    log: Path
    first: bool

    def result(self) -> Result:
        return Result(
            self.lane.name, self.process.returncode, self.log.read_text(encoding="utf-8", errors="replace")
        )


def _start(lane: Lane, logs: Path, first: bool) -> _Running:
    """In a session of its own, so that Ctrl-C comes by us, and once."""
    log = logs / f"{lane.name}.log"
    cache = f"cache_dir={ROOT / '.cache' / 'pytest' / lane.name}"
    command = [lane.python, "-u", "-m", "pytest", "-o", cache, *lane.arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **lane.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _say(f"{lane.name}: started, its output goes to {log.relative_to(ROOT) if ROOT in log.parents else log}")
    return _Running(lane, process, log, first)


def run(lanes: Sequence[Lane], logs: Path, at_once: int = AT_ONCE) -> list[Result]:
    """Runs them all. One process takes from the front, where those with a JVM stand; the others from the back."""
    waiting, running, results = deque(lanes), list[_Running](), list[Result]()
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                first = not any(one.first for one in running)
                lane = waiting.popleft() if first else waiting.pop()
                running.append(_start(lane, logs, first))
            time.sleep(0.1)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                results.append(_shown(one))
    finally:
        for one in _stopped(running):
            _shown(one)
    names = [lane.name for lane in lanes]
    return sorted(results, key=lambda one: names.index(one.name))


def _stopped(running: Sequence[_Running]) -> Sequence[_Running]:
    """Ends them as Ctrl-C does, which lets pytest end what its tests started; after a while all the same."""
    for one in running:
        one.process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + PATIENCE
    for one in running:
        try:
            one.process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.wait()
    return running


def _shown(one: _Running) -> Result:
    result = one.result()
    _say(f"\n{f' {one.lane.name} '.center(80, '#')}\n\n{result.text}")
    return result


def _say(text: str) -> None:
    print(text, flush=True)


def main(lanes: Sequence[Lane] = LANES, logs: Path = LOGS) -> int:
    """Runs the lanes and tells how they went. Returns 0 where all passed, 130 where somebody stopped them."""
    logs.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        with _stoppable():
            results = run(lanes, logs)
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    _say("")
    for one in results:
        _say(f"{one.name}: {one.closing or f'ended with exit code {one.code}'}")
    for line in [line for one in results for line in one.failed]:
        _say(line)
    _say(summary(results, time.monotonic() - began))
    return int(any(one.code for one in results))


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM is as Ctrl-C, and that is heard where a shell started us in the background, too."""
    wanted = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in wanted.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    named = {one.name: one for one in LANES}
    sys.exit(main([named[name] for name in sys.argv[1:]] or LANES))
