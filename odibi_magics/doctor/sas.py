"""What a SAS token says of itself: until when it holds, and what it allows.

https://learn.microsoft.com/rest/api/storageservices/create-account-sas
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs

from odibi_magics.connections.credentials import SasToken
from odibi_magics.doctor.diagnosis import Layer, failed, ok

_LETTERS: Final = {"r": "read", "w": "write", "d": "delete", "l": "list", "c": "create", "a": "add"}


def look_at_sas(sas: SasToken, account: str) -> Layer:
    """The signature itself only the account can judge."""
    fields = {key: values[0] for key, values in parse_qs(sas.token.reveal().strip().lstrip("?")).items()}
    renew = (
        f"az storage account generate-sas --account-name {account} --services b --resource-types co "
        "--permissions rwdlac --expiry ..."
    )
    if "sig" not in fields:
        return failed("it has no signature (sig=), so it is no SAS token", "Take the whole of one", renew)
    begins, ends = _when(fields.get("st", "")), _when(fields.get("se", ""))
    now = datetime.now(UTC)
    if ends and ends <= now:
        return failed(f"the SAS token expired on {ends:%Y-%m-%d %H:%M} UTC", "Make a new one", renew)
    if begins and begins > now:
        return failed(
            f"the SAS token holds only from {begins:%Y-%m-%d %H:%M} UTC", "Wait, or make a new one", renew
        )
    allows = [word for letter, word in _LETTERS.items() if letter in fields.get("sp", "")]
    until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "as long as its stored policy says"
    return ok(f"allows {', '.join(allows) or 'what its stored policy says'}, {until}")


def _when(text: str) -> datetime | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
