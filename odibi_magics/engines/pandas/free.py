"""Whether a place is free for a new table."""

from __future__ import annotations

import re

from odibi_magics.engines.base import Sink
from odibi_magics.engines.pandas.no_table import table_above
from odibi_magics.engines.pandas.stage import OUR_FILE
from odibi_magics.engines.pandas.storage import Store
from odibi_magics.engines.pandas.trees import is_hidden
from odibi_magics.engines.refusals import refuse_inside, refuse_strangers
from odibi_magics.errors import EngineError

# Another table's log is one of the files that do not belong here.
_HIDDEN = re.compile(r"^[_.]|/(?!_delta_log/)[_.]")


def _is_strange(path: str) -> bool:
    return not _HIDDEN.search(path) and not OUR_FILE.search(path)


def check_free(store: Store, sink: Sink) -> None:
    """A folder of other files does not become a table: their rows would be in it for some readers only.

    Parts of a table that is being made beside us, or was by a process that was killed, are none; nor is what stands
    beside a log without commits, as Spark leaves it. One listing tells: between two of them that table may come to be.
    Raises EngineError, ConnectionFailed.
    """
    if store.is_file():
        raise EngineError(f"{sink.place.address} is a file, not a folder for a table: write to another path")
    if store.is_table():
        return
    below = (info.path.removeprefix(store.root).lstrip("/") for info in store.files())
    refuse_strangers(sink, sorted(filter(_is_strange, below)))


def check_apart(store: Store, sink: Sink) -> None:
    """Nor does a folder inside of a table become one, but for hidden ones, which no VACUUM looks into.

    Costs a request for each folder above; asked when a run is planned. Raises EngineError, ConnectionFailed.
    """
    if not is_hidden(sink.place.path):
        refuse_inside(sink, table_above(store.tree, store.url.rstrip("/"), sink.place.address))
