"""Starts the practice cloud's process, and holds the pipe by which it knows that it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from odibi_magics.errors import ConnectionFailed, MissingExtra
from odibi_magics.sandbox.azurite import install

_NEEDED = ("aiohttp", "certifi", "cryptography", "platformdirs", "azure.storage.blob")


class Launched:
    """environment: what its children are to live in."""

    def __init__(self, process: subprocess.Popen[str], environment: Mapping[str, str]) -> None:
        self._process, self.environment = process, environment

    @property
    def pid(self) -> int:
        return self._process.pid

    def watch(self, pid: int) -> None:
        """From now on it ends that process, should we be killed; 0 for none."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which `wait` tells
            self._process.stdin.write(f"{pid}\n")
            self._process.stdin.flush()

    def wait(self) -> None:
        """Until it has ended, in whatever way."""
        self._process.wait()

    def stop(self) -> None:
        self._process.communicate()


def launch(*, outside: bool = False) -> Launched:
    """outside: hosts that are not Azure's are let through.

    Raises MissingExtra, and ConnectionFailed where it does not start.
    """
    for library in _NEEDED:
        if not _installed(library):
            raise MissingExtra(library, "sandbox", "the practice cloud")
    install()  # here and not there: it may take a minute, and Ctrl-C ends it
    # A session of its own: Ctrl-C is for the command that lives in the cloud.
    process = subprocess.Popen(
        [sys.executable, "-m", "odibi_magics.sandbox.serve", *(["--outside"] if outside else [])],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline() or '{"error": "the practice cloud did not start, see the lines above"}'
    told: dict[str, Any] = json.loads(line)
    if "error" in told:
        process.communicate()
        raise ConnectionFailed(told["error"])
    return Launched(process, told["environment"])


def _installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:  # a parent of it
        return False
