"""The practice cloud ends with the process that it is for, whichever side is killed, and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from odibi_magics.sandbox import Cloud

# Tells its own pid and the folder of its cloud, then stays.
STAYS = "import os, time; print(os.getpid(), os.environ['SSL_CERT_FILE'], flush=True); time.sleep(600)"


class Wrapped:
    """`odibi-magics sandbox -- python -c STAYS`, and all the processes it consists of."""

    def __init__(self) -> None:
        self.wrapper = subprocess.Popen(
            [sys.executable, "-m", "odibi_magics.cli", "sandbox", "--", sys.executable, "-c", STAYS],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.wrapper.stdout is not None
        pid, bundle = self.wrapper.stdout.readline().split()
        self.folder = Path(bundle).parent
        self.command = psutil.Process(int(pid))
        (self.cloud,) = (
            one for one in psutil.Process(self.wrapper.pid).children() if one.pid != self.command.pid
        )
        (self.node,) = self.cloud.children()

    def all(self) -> list[psutil.Process]:
        return [psutil.Process(self.wrapper.pid), self.command, self.cloud, self.node]


@pytest.fixture
def wrapped() -> Iterator[Wrapped]:
    made = Wrapped()
    processes = made.all()
    yield made
    for process in processes:
        if process.is_running():
            process.kill()
    made.wrapper.communicate()


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(wrapped: Wrapped, *others: psutil.Process) -> Callable[[], bool]:
    return lambda: not any(map(alive, others)) and not wrapped.folder.exists()


def eventually(holds: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("side", ["wrapper", "command", "cloud", "node"])
def test_whichever_side_is_killed_all_end(wrapped: Wrapped, side: str) -> None:
    everyone = {
        "wrapper": psutil.Process(wrapped.wrapper.pid), "command": wrapped.command,
        "cloud": wrapped.cloud, "node": wrapped.node,
    }  # fmt: skip
    everyone[side].kill()
    assert eventually(gone(wrapped, *everyone.values()))
    if side == "command":
        assert wrapped.wrapper.wait() == 128 + signal.SIGKILL
    if side in ("cloud", "node"):
        assert wrapped.wrapper.wait() == 1
        assert wrapped.wrapper.stderr is not None
        assert "the practice cloud ended" in wrapped.wrapper.stderr.read()


def test_a_command_that_takes_no_hint_is_killed() -> None:
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAYS
    with subprocess.Popen(
        [sys.executable, "-m", "odibi_magics.cli", "sandbox", "--", sys.executable, "-c", stubborn],
        stdout=subprocess.PIPE, text=True,
    ) as wrapper:  # fmt: skip
        assert wrapper.stdout is not None
        command = psutil.Process(int(wrapper.stdout.readline().split()[0]))
        wrapper.kill()
        assert eventually(lambda: not alive(command))


def test_sigterm_is_passed_on(wrapped: Wrapped) -> None:
    wrapped.wrapper.terminate()
    assert wrapped.wrapper.wait() == 128 + signal.SIGTERM
    assert eventually(gone(wrapped, *(wrapped.command, wrapped.cloud, wrapped.node)))


def test_killed_while_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    wrapper = subprocess.Popen([sys.executable, "-m", "odibi_magics.cli", "sandbox", "--", "true"])
    assert eventually(lambda: any(tmp_path.iterdir()))
    (cloud,) = psutil.Process(wrapper.pid).children()
    wrapper.kill()
    wrapper.wait()
    assert eventually(lambda: not alive(cloud) and not any(tmp_path.iterdir()))


STUCK = """
import asyncio
from odibi_magics.sandbox import serve
serve._LONGEST = 0.5
serve.Azurite.stop = lambda self: asyncio.sleep(600)
serve.main()
"""


def test_servers_that_do_not_stop_are_killed(tmp_path: Path) -> None:
    cloud = subprocess.Popen(
        [sys.executable, "-c", STUCK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert cloud.stdin is not None
    assert cloud.stdout is not None
    assert b'"environment"' in cloud.stdout.readline()
    (node,) = psutil.Process(cloud.pid).children()
    cloud.stdin.close()
    assert cloud.wait() == -signal.SIGKILL
    assert eventually(lambda: not alive(node))
    assert not any(tmp_path.iterdir())
    cloud.stdout.close()


def test_the_folder_is_private(cloud: Cloud) -> None:
    folder = Path(cloud.environment["SSL_CERT_FILE"]).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.getuid()


def test_each_start_has_keys_of_its_own(cloud: Cloud) -> None:
    with Cloud.start() as other:
        folder = Path(other.environment["SSL_CERT_FILE"]).parent
        assert other.storage("account1").key != cloud.storage("account1").key
        assert other.identity("principal").client_secret != cloud.identity("principal").client_secret
        assert other.environment["ODIBI_SANDBOX"] != cloud.environment["ODIBI_SANDBOX"]
    assert not folder.exists()
