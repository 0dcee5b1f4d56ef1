"""What a connection is: a name that points at a place."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal, Protocol

from odibi_magics.errors import CannotOpen, ConnectionFailed
from odibi_magics.secret import redact

Kind = Literal["", "role", "policy", "firewall", "private"]


class NothingThere(ConnectionFailed):
    """A place that can be made and is not there yet."""


class Refused(Exception):
    """What a place is opened with cannot be had.

    said: what is wrong, as the end of a sentence that names the connection. remedy: a sentence, what to do.
    kind: for those who tell refusals apart; "role" and "policy" for a missing grant, "firewall", "private" for one that
    takes its private endpoint only. about: as of CannotOpen.
    """

    def __init__(
        self, said: str, remedy: str, *, transient: bool = False, kind: Kind = "", about: str = ""
    ) -> None:
        self.said, self.remedy, self.transient, self.kind, self.about = said, remedy, transient, kind, about
        super().__init__(f"{said}. {remedy}")

    def told(self, connection: str) -> CannotOpen:
        """The same, for people who know the connection by its name."""
        text = redact(f"Connection '{connection}': {self.said}. {self.remedy}")
        return CannotOpen(text, transient=self.transient, about=self.about)


class Need(Hashable, Protocol):
    """What has to be fetched before a place can be opened: a secret of a vault, a token.

    Several connections may have an equal one, which is fetched once.
    """

    @property
    def libraries(self) -> tuple[str, ...]:
        """The modules that `get` imports."""

    def get(self, deadline: float) -> Any:
        """The thing itself, from the cache of this process or fetched. deadline: as of time.monotonic().

        Raises Refused.
        """

    def __str__(self) -> str:
        """What it is, for people: "secret 'bronze-key' of vault 'company-kv'"."""


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

    def path(self, url: str) -> str:
        """What `url` would make a whole URL of, which lies in this place."""

    @property
    def only_spark(self) -> bool:
        """Whether nothing but a Spark session can open the place, because only that has the rights."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The modules of the extra `azure` that opening the place takes."""

    def needs(self) -> Sequence[Need]:
        """What has to be fetched before the place can be opened."""

    def storage_options(self, library: str) -> dict[str, Any]:
        """What `library` ("deltalake", "obstore", "fsspec", "spark") needs to open the place; may fetch secrets.

        Secrets are in it as plain text: it is made for one call, and not kept. Raises ConnectionFailed.
        """

    def put(self, path: str, data: bytes) -> None:
        """Writes a small file, whole or not at all. Raises ConnectionFailed."""

    def check(self) -> None:
        """Whether the place answers.

        Raises ConnectionFailed with what was tried and the remedy; NothingThere where a write would make the place.
        """

    def describe(self) -> str:
        """The place in a few words, for people; no secrets."""
