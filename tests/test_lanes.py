"""All tests run, each in one lane; what failed is told last, in a line that reads as one of pytest's."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lanes import LANES, ROOT, Lane, Result, main, summary

PASSES = "def test_one(): print('said')\ndef test_two(): pass\n"
FAILS = "import pytest\ndef test_right(): pass\ndef test_wrong(): assert 1 == 2\n@pytest.mark.skip\ndef test_not(): pass\n"
ENDS = "import os\ndef test_ends(): os._exit(3)\n"
WAITS = (
    "import time, pathlib\n"
    "def test_waits():\n"
    "    pathlib.Path('{folder}/began').touch()\n"
    "    try: time.sleep(600)\n"
    "    finally: pathlib.Path('{folder}/ended').touch()\n"
)


def lane(folder: Path, name: str, text: str) -> Lane:
    file = folder / f"test_{name}.py"
    file.write_text(text)
    return Lane(name, (str(file), "--rootdir", str(folder), "-p", "no:nbval"))


def test_every_lane_s_output_and_then_the_sum(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lanes = [lane(tmp_path, name, text) for name, text in (("a", PASSES), ("b", FAILS), ("c", ENDS))]
    assert main(lanes, tmp_path / "logs") == 1
    said = capsys.readouterr().out
    for name, words in (("a", "2 passed in"), ("b", "assert 1 == 2"), ("c", "test_c.py")):
        text = (tmp_path / "logs" / f"{name}.log").read_text()
        assert words in text and text in said
    *_, broken, last = said.splitlines()
    assert re.search(
        r"^b: 1 failed, .*\nc: ended with exit code 3\nFAILED .*test_b\.py::test_wrong", said, re.MULTILINE
    )
    assert broken == "ERROR c ended with exit code 3"
    assert re.fullmatch(r"=+ 1 failed, 3 passed, 1 skipped, 1 error in \d+\.\d\ds =+", last)
    assert main(lanes[:1], tmp_path / "logs") == 0
    assert re.fullmatch(r"=+ 2 passed in \d+\.\d\ds =+", capsys.readouterr().out.splitlines()[-1])


def test_no_tests_are_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([lane(tmp_path, "none", "")], tmp_path / "logs") == 1
    assert " 1 error in " in capsys.readouterr().out.splitlines()[-1]


def test_the_sum_is_pytest_s_line() -> None:
    one = Result("a", 1, "= 1 failed, 20 passed, 7 deselected, 2 warnings, 3 errors in 61.20s (0:01:01) =")
    other = Result("b", 0, "====== 22 passed, 1 xfailed in 0.50s ======\n")
    assert summary([one, other], 3725.5).strip("=") == (
        " 1 failed, 42 passed, 1 xfailed, 3 errors in 3725.50s (1:02:05) "
    )


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_every_lane_as_it_would_end_pytest(tmp_path: Path, sent: signal.Signals) -> None:
    given = repr(lane(tmp_path, "waits", WAITS.format(folder=tmp_path)))
    code = f"import sys\nfrom pathlib import Path\nfrom tests.lanes import Lane, main\nsys.exit(main([{given}], Path({str(tmp_path)!r})))"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / "began").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(sent)
        said, _ = process.communicate()
    assert process.returncode == 130
    assert (tmp_path / "ended").exists()
    assert "KeyboardInterrupt" in said and said.endswith("stopped\n")


def test_every_test_has_its_lane() -> None:
    """The one without Spark for all others leaves out what has a lane of its own, and nothing else."""
    lanes = {one.name: one.arguments for one in LANES}
    without = [
        one for name, given in lanes.items() if name != "others" and "not spark" in given for one in given
    ]
    folders = [one for one in without if one.startswith("tests/")]
    assert lanes["others"] == ("tests", *(f"--ignore={one}" for one in folders), "-m", "not spark")
    assert all((ROOT / folder).is_dir() for folder in folders)
    assert lanes["spark"] == ("tests", "-m", "spark") and lanes["connect"] == (*lanes["spark"], "--connect")


def test_a_lane_s_own_python_runs_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = tmp_path / "python"
    said.write_text(f'#!/bin/sh\necho "own: $*"\nexec {sys.executable} "$@"\n')
    said.chmod(0o755)
    assert main([replace(lane(tmp_path, "a", PASSES), python=str(said))], tmp_path / "logs") == 0
    assert "own: -u -m pytest" in capsys.readouterr().out
    [databricks] = [one for one in LANES if one.name == "databricks"]
    assert all((ROOT / one).exists() for one in databricks.arguments if one.startswith("tests/"))
