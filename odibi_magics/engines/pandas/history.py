"""What a Delta table went through, from its log alone."""

from __future__ import annotations

from odibi_magics.delta.history import History, read_history
from odibi_magics.engines.base import Place
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.no_table import no_table
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.errors import EngineError


def history(place: Place, *, limit: int | None, before: int | None) -> History:
    """The newest versions of a table. Raises EngineError where there is none, DamagedLog, ConnectionFailed."""
    store = open_store(place)
    try:
        found = read_history(StoreLog(store), place.address, limit=limit, before=before)
    except OSError as error:
        raise EngineError(f"the log of {store.url} cannot be read: {error.strerror or error}") from None
    if found is None:
        raise no_table(store)
    return found
