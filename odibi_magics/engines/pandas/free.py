"""Whether a place is free for a new table."""

from __future__ import annotations

from odibi_magics.engines.base import Sink
from odibi_magics.engines.pandas.no_table import table_above
from odibi_magics.engines.pandas.stage import OUR_FILE
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.refusals import is_hidden, refuse_inside, refuse_strangers


def check_free(store: Store, sink: Sink) -> None:
    """A folder of other files does not become a table: their rows would be in it for some readers only. Nor does one
    inside of a table, but for hidden ones, which no VACUUM looks into.

    Parts of a table that is being made beside us, or was by a process that was killed, are none; nor is what stands
    beside a log without commits, as Spark leaves it. One listing tells: between two of them that table may come to be.
    Raises EngineError, ConnectionFailed.
    """
    if store.is_table():
        return
    below = (info.path.removeprefix(store.root).lstrip("/") for info in store.files())
    strangers = sorted(
        path for path in below if not path.startswith(("_", ".")) and not OUR_FILE.search(path)
    )
    refuse_strangers(sink, strangers)
    if not is_hidden(sink):
        refuse_inside(sink, table_above(store.tree, store.url.rstrip("/"), sink.place.address))
