"""Whether Parquet files hold the same columns. A footer is looked into once: it stays as long as its file does."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from odibi_magics.config.types import Column
from odibi_magics.engines.pandas.files import escaped
from odibi_magics.engines.pandas.names import literal
from odibi_magics.engines.pandas.read_parquet import READ, stored_type
from odibi_magics.engines.pandas.session import Session
from odibi_magics.engines.pandas.storage import stamp
from odibi_magics.errors import EngineError

# Answers that are remembered; of a hundred files each has some 20 kilobytes of paths.
_KEPT = 64

_lock = threading.Lock()
_known: OrderedDict[object, bool] = OrderedDict()


def are_alike(session: Session, columns: Sequence[Column], paths: Sequence[str]) -> bool:
    """Whether each of these files of this machine holds all of these columns, in the type that they are read as."""
    key = (tuple(columns), tuple((path, stamp(path)) for path in paths))
    with _lock:
        known = _known.get(key)
    if known is None:
        known = _looked(session, columns, paths)
        with _lock:
            _known[key] = known
            while len(_known) > _KEPT:
                _known.popitem(last=False)
    return known


def _looked(session: Session, columns: Sequence[Column], paths: Sequence[str]) -> bool:
    """Opens all footers, a millisecond and more for each table."""
    names = literal([escaped(path) for path in paths])
    element = "(name, coalesce(duckdb_type, ''), coalesce(num_children, 0))"
    each = f"SELECT list_sort(list({element})) AS elements FROM parquet_schema({names}) GROUP BY file_name"
    try:
        if len(paths) > 1 and session.run(f"SELECT count(DISTINCT elements) FROM ({each})") != [(1,)]:
            return False
        found = dict(session.describe(f"SELECT * FROM read_parquet({literal([escaped(paths[0])])}, {READ})"))
    except EngineError:  # told when the rows are wanted
        return False
    return all(found.get(column.name) == stored_type(column) for column in columns)
