"""What a SAS token says of itself: until when it holds, and what it allows.

https://learn.microsoft.com/rest/api/storageservices/create-account-sas
"""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic
from typing import Final

from odibi_magics.connections.credentials import SasToken
from odibi_magics.doctor.diagnosis import Layer, failed, ok

_LETTERS: Final = {"r": "read", "w": "write", "d": "delete", "l": "list", "c": "create", "a": "add"}


def look_at_sas(sas: SasToken, account: str) -> Layer:
    """The signature itself only the account can judge. Raises Refused where it is no token."""
    sas.ready(monotonic())
    says = sas.says
    begins, ends = says.begins, says.ends
    now = datetime.now(UTC)
    if ends and ends <= now:
        return failed(
            f"the SAS token expired on {ends:%Y-%m-%d %H:%M} UTC", "Make a new one", _renew(account)
        )
    if begins and begins > now:
        return failed(
            f"the SAS token holds only from {begins:%Y-%m-%d %H:%M} UTC",
            "Wait, or make a new one",
            _renew(account),
        )
    allows = [word for letter, word in _LETTERS.items() if letter in says.fields.get("sp", "")]
    until = f"until {ends:%Y-%m-%d %H:%M} UTC" if ends else "as long as its stored policy says"
    return ok(f"allows {', '.join(allows) or 'what its stored policy says'}, {until}")


def _renew(account: str) -> str:
    return (
        f"az storage account generate-sas --account-name {account} --services b --resource-types co "
        "--permissions rwdlac --https-only --expiry $(date -u -d '+7 days' +%Y-%m-%dT%H:%MZ)"
    )
