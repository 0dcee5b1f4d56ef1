"""A command that lives in a practice cloud of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from odibi_magics.errors import ConnectionFailed, UsageError
from odibi_magics.sandbox.launch import Launched, launch

_SIGNALLED = 128  # a shell's exit code for a command that a signal ended is this and the signal's number
_WALLS = "; nothing leaves the machine, --outside lets pip through"


def run(words: Sequence[str], say: Callable[[str], None], *, outside: bool = False) -> int:
    """The command's exit code. say: takes the line that tells what runs.

    Raises UsageError where there is no such command, ConnectionFailed where the cloud does not start, or ends first.
    """
    cloud = launch(outside=outside)
    try:
        walls = "" if outside else _WALLS
        say(f"practice cloud: account1, account2 and company-kv are up for: {' '.join(words)}{walls}")
        return _run_in(cloud, words)
    finally:
        cloud.stop()


def _run_in(cloud: Launched, words: Sequence[str]) -> int:
    command = _start(words, {**os.environ, **cloud.environment})
    cloud.watch(command.pid)
    cut = threading.Event()

    def end_with_the_cloud() -> None:
        cloud.wait()
        if command.poll() is None:
            cut.set()
            command.terminate()

    threading.Thread(target=end_with_the_cloud, daemon=True).start()
    with _signals_to(command):
        code = command.wait()
    if cut.is_set():
        raise ConnectionFailed("the practice cloud ended, so the command was ended too")
    cloud.watch(0)
    return code if code >= 0 else _SIGNALLED - code


def _start(words: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(words, env=environment)
    except OSError as error:
        raise UsageError(f"odibi-magics sandbox: cannot run '{words[0]}': {error.strerror}") from None


@contextmanager
def _signals_to(command: subprocess.Popen[bytes]) -> Iterator[None]:
    """Ctrl-C reaches the command from the terminal, and what it makes of it is its business; SIGTERM is passed on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            command.send_signal(number)

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
