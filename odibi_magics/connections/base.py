"""What a connection is: a name that points at a place."""

from __future__ import annotations

from typing import Protocol

from odibi_magics.errors import ConnectionFailed


class NothingThere(ConnectionFailed):
    """A place that can be made and is not there yet."""


class Connection(Protocol):
    """A place under a name.

    name: as the text calls it.
    """

    @property
    def name(self) -> str: ...

    def url(self, path: str) -> str:
        """The full URL of a path in this place, without secrets.

        Raises ConnectionFailed where the path leaves the place.
        """

    def storage_options(self, library: str) -> dict[str, str]:
        """What `library` ("deltalake", "fsspec", "spark") needs to open the place; may fetch secrets.

        Raises ConnectionFailed.
        """

    def put(self, path: str, data: bytes) -> None:
        """Writes a small file, whole or not at all. Raises ConnectionFailed."""

    def check(self) -> None:
        """Whether the place answers.

        Raises ConnectionFailed with what was tried and the remedy; NothingThere where a write would make the place.
        """

    def describe(self) -> str:
        """The place in a few words, for people; no secrets."""
