"""What stands where a Delta table is to come to be: as our own client tells, or Spark where only it has the rights."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from odibi_magics.engines.base import Place, Sink
from odibi_magics.engines.pandas import free
from odibi_magics.engines.pandas.storage import open_store
from odibi_magics.engines.refusals import refuse_strangers
from odibi_magics.engines.spark.failures import no_such_place
from odibi_magics.engines.spark.names import as_named, is_named, table
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError


def check_free(work: Work, sink: Sink) -> None:
    """Raises EngineError where something else than a Delta table stands in the way of a new one, ConnectionFailed."""
    place = sink.place
    if is_named(place):
        if is_known(work, place):
            raise EngineError(
                f"{place.address} is a view, or a table of another format than Delta: name another table"
            )
    elif place.connection.only_spark:
        files = _files(work, place)
        if any(file.endswith(place.url) for file in files):
            raise EngineError(f"{place.address} is a file, not a folder for a table: write to another path")
        refuse_strangers(sink, [file.rpartition("/")[2] for file in files])
    else:
        free.check_free(open_store(place), sink)


def check_apart(sink: Sink) -> None:
    """Raises EngineError where a new table would lie in the folder of another one, ConnectionFailed."""
    if not (is_named(sink.place) or sink.place.connection.only_spark):
        free.check_apart(open_store(sink.place), sink)


def is_known(work: Work, place: Place) -> bool:
    """Whether the catalog knows a table or view of this name, of whatever format."""
    return bool(work.spark.catalog.tableExists(table(place)))


def _files(work: Work, place: Place) -> Sequence[str]:
    """The files below a path, without those whose names are hidden; Spark lists them, and starts no job for it."""
    reader = work.spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    try:
        return [unquote(file) for file in reader.load(as_named(place.url)).inputFiles()]
    except Exception as error:
        if no_such_place(error):
            return ()
        raise
