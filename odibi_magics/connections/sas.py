"""What a SAS token says of itself: until when it holds, and how much it opens.

https://learn.microsoft.com/rest/api/storageservices/create-service-sas
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Signed:
    """What was signed; whether the signature holds only the account can judge. fields: as "se", "sp", without "sig"."""

    fields: Mapping[str, str]

    @property
    def begins(self) -> datetime | None:
        return _when(self.fields.get("st", ""))

    @property
    def ends(self) -> datetime | None:
        """None where a stored policy says it."""
        return _when(self.fields.get("se", ""))

    @property
    def opens_one_container(self) -> bool:
        """Whether it is of a container, a folder or a file: it signs for nothing else of the account."""
        return self.fields.get("sr") in ("c", "d", "b")


def signed(token: str) -> Signed:
    """Of a token's text, which is a query string."""
    fields = parse_qs(token.strip().lstrip("?"))
    return Signed({key: values[0] for key, values in fields.items() if key != "sig"})


def _when(text: str) -> datetime | None:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
