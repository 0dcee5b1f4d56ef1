"""The layers of a local connection: its folder, and what may be done in it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from odibi_magics.connections.base import NothingThere
from odibi_magics.connections.local import LocalConnection
from odibi_magics.doctor.diagnosis import Layer, failed, ok, warning
from odibi_magics.doctor.steps import Step
from odibi_magics.errors import ConnectionFailed


class Folder:
    """What is looked at of a folder. read_first: whether a node reads there what no node writes."""

    def __init__(self, connection: LocalConnection, *, read_first: bool) -> None:
        self._connection, self._read_first = connection, read_first
        self._folder: Path = connection.base

    def steps(self) -> Iterator[Step]:
        yield Step("folder", self._there)
        yield Step("read", self._read, ("folder",))
        yield Step("write", self._write, ("folder",))

    def _there(self) -> Layer:
        try:
            self._connection.check()
        except NothingThere as error:
            said, _, remedy = _without_name(error, self._connection.name).partition("; ")
            if self._read_first:
                return failed(said, f"{remedy}. Or make it", f"mkdir -p {quote(str(self._folder))}")
            return warning(f"{said}; the first run that writes makes it", remedy)
        except ConnectionFailed as error:
            said = _without_name(error, self._connection.name)
            return failed(said, "Mend base_path, or the folder's permissions", self._permit("rx"))
        return ok(f"{self._folder} is there")

    def _read(self) -> Layer:
        try:
            count = sum(1 for _ in os.scandir(self._folder))
        except OSError as error:
            return failed(
                f"{self._folder} cannot be listed: {error.strerror}", "Permit it", self._permit("rx")
            )
        return ok(f"may list: {count} in it")

    def _write(self) -> Layer:
        """Makes a file of a name that nobody else has, and takes it away again."""
        probe = self._folder / f"_odibi_doctor_{secrets.token_hex(8)}"
        try:
            probe.write_bytes(b"odibi_magics doctor: may be deleted\n")
            probe.unlink()
        except OSError as error:
            said = f"{self._folder} cannot be written to: {error.strerror}"
            return failed(said, "Permit it, or write to another folder", self._permit("rwx"))
        return ok("may write and delete (tried with a file of its own)")

    def _permit(self, what: str) -> str:
        return f"chmod u+{what} {quote(str(self._folder))}" if self._folder.is_dir() else ""


def _without_name(error: ConnectionFailed, name: str) -> str:
    return str(error).removeprefix(f"Connection '{name}': ")
