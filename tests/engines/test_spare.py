from __future__ import annotations

import os
import subprocess
import sys

from odibi_magics.engines.pandas import spare


def test_one_is_started_ahead_and_taken_once() -> None:
    spare.take().close()  # what an earlier test began
    spare.begin()
    begun = spare._begun[os.getpid()]
    spare.begin()
    assert spare._begun[os.getpid()] is begun
    one, other = spare.take(), spare.take()
    assert one is begun.result()
    one.execute("CREATE TABLE mine AS SELECT 1")
    assert other.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)
    one.close()
    other.close()


def test_a_process_that_takes_none_ends_without_a_word() -> None:
    assert _told("spare.begin()") == ""


def test_a_fork_does_not_wait_for_its_parent_s() -> None:
    code = (
        "spare.begin(); child = os.fork()\n"
        "if not child: spare.take().execute('SELECT 1'); os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert _told(code) == "7"


def _told(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", f"import os\nfrom odibi_magics.engines.pandas import spare\n{code}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return (done.stdout + done.stderr).strip()
