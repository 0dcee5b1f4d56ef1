"""A Delta table as it stands at one version."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from odibi_magics.config.types import Column, canonical
from odibi_magics.delta.damage import EMPTY_COMMIT, find_damage
from odibi_magics.delta.features import unsupported
from odibi_magics.delta.log import commit_name
from odibi_magics.delta.misread import MISREAD
from odibi_magics.engines.pandas.datafiles import DataFile, partition_text
from odibi_magics.engines.pandas.log import StoreLog
from odibi_magics.engines.pandas.recent import being_opened, opened_ahead, remember, remembered, stamps
from odibi_magics.engines.pandas.stats import INDEXED
from odibi_magics.engines.pandas.storage import Stamp, Store
from odibi_magics.engines.waiting import awaited
from odibi_magics.errors import ConnectionFailed, DamagedLog, EngineError
from odibi_magics.secret import redact

if TYPE_CHECKING:
    from deltalake import DeltaTable


@dataclass(frozen=True)
class Changed:
    """The version that a commit made, and all files that are in the table since."""

    version: int
    files: tuple[DataFile, ...]


@dataclass(frozen=True)
class Snapshot:
    """One version of a table.

    delta: held at `version`, never updated. changed: where this is what a commit of ours left, which changed files
    alone, and `delta` is still of the version before: to be read, and not to commit upon.
    """

    store: Store
    delta: DeltaTable
    changed: Changed | None = None

    @cached_property
    def version(self) -> int:
        return self.changed.version if self.changed else self.delta.version()

    @cached_property
    def fields(self) -> tuple[Mapping[str, Any], ...]:
        """The schema's fields as the log writes them."""
        return tuple(json.loads(self.delta.schema().to_json())["fields"])

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Raises EngineError for a type that the language lacks, as Spark's void."""
        return tuple(Column(field["name"], self._type(field)) for field in self.fields)

    def _type(self, field: Mapping[str, Any]) -> str:
        try:
            return language_type(field["type"])
        except ValueError:
            raise EngineError(
                f"the table {self.store.url} has the column '{field['name']}' of a type that this engine cannot read: "
                f"{told_type(field['type'])}. Read and write it with Spark"
            ) from None

    @cached_property
    def not_null(self) -> tuple[str, ...]:
        return tuple(field["name"] for field in self.fields if not field["nullable"])

    @cached_property
    def partition_by(self) -> tuple[str, ...]:
        return tuple(self.delta.metadata().partition_columns)

    @cached_property
    def reader_features(self) -> frozenset[str]:
        """Those in use."""
        protocol = self.delta.protocol()
        named = {*(protocol.reader_features or ())}
        if protocol.min_reader_version == 2:
            named.add("columnMapping")
        if self.configuration.get("delta.columnMapping.mode", "none") == "none":
            named.discard("columnMapping")
        return frozenset(named)

    @property
    def configuration(self) -> dict[str, str]:
        return dict(self.delta.metadata().configuration)

    @property
    def indexed(self) -> int:
        """How many columns the table wants statistics for; -1 for all."""
        return int(self.configuration.get("delta.dataSkippingNumIndexedCols", INDEXED))

    @cached_property
    def files(self) -> tuple[DataFile, ...]:
        """The table's files, with what the log knows of them. Raises EngineError for one outside of its folder."""
        if self.changed:
            return self.changed.files
        # By deltalake's own Arrow: pyarrow would import pandas for a column of times, 0.4 s.
        # deltalake does not say how many of a file's rows are deleted, so that they are not counted at all.
        counted = "deletionVectors" not in (self.delta.protocol().reader_features or ())
        found = tuple(
            _file(row, counted) for row in self.delta.get_add_actions().to_struct_array().to_pylist()
        )
        if outside := next((file.path for file in found if ".." in file.path.split("/")), None):
            raise EngineError(
                f"the log of the Delta table {self.store.url} names a file outside of its folder: {outside}. No "
                "writer does that, and it is not read: restore the log from a copy of the storage"
            )
        return found

    def blockers(self, *, reads: bool, removes: bool) -> dict[str, str]:
        """Features in use that keep us from writing; by name, with why."""
        protocol = self.delta.protocol()
        named = {*(protocol.writer_features or ()), *(protocol.reader_features or ())}
        found = unsupported(
            protocol.min_writer_version, named, self.configuration, self.fields, reads=reads, removes=removes
        )
        # Looked at for an append too: behind its commit, where files are counted, nothing may fail any more.
        if any(is_elsewhere(file.path) for file in self.files) and (reads or removes):
            found["shallow clones"] = "its files belong to another table; write it with Spark"
        return found


def open_snapshot(store: Store, version: int | None = None) -> Snapshot | None:
    """The table at a place, newest or at a version; None where there is no table.

    Raises EngineError where the log cannot be read, or deltalake would take the path for another one.
    """
    if version is None and (wait := being_opened(store)):
        return awaited(wait)
    return _opened(store, version)


def opening(stores: Iterable[Store]) -> AbstractContextManager[None]:
    """A time in which the newest versions of these tables are opened, several at once, for `open_snapshot`."""
    # Here: a thread that is cut off in an import of native code crashes the interpreter's end.
    import_module("deltalake")
    return opened_ahead(stores, _opened)


def _opened(store: Store, version: int | None = None) -> Snapshot | None:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    if bad := MISREAD.search(store.url):
        raise EngineError(
            redact(
                f"a Delta table cannot be opened at {store.url!r}: deltalake misreads {bad[0]!r} in a path. Rename it"
            )
        )
    try:
        if held := remembered(store, version):
            return held
        if not store.is_table():  # deltalake's own `is_deltatable` holds the GIL until storage answers
            _check_no_file(store)
            return None
        found = Snapshot(store, awaited(lambda: DeltaTable(store.delta_url, version, store.options)))
        stamp = _check_newest(store, found.version)
        if stamp and version is None:
            remember(found, stamp)
        return found
    except TableNotFoundError:
        return None
    except (DeltaError, OSError) as error:
        if store.is_file():
            return None
        raise store.explain(error, "reading") or _refusal(store, version, error) from None


def _check_no_file(store: Store) -> None:
    if store.filesystem.get_file_info(store.at("_delta_log")).is_file:
        raise EngineError(
            f"{store.url} is no Delta table and cannot become one: its _delta_log is a file, not a folder. Move it away"
        )


def _check_newest(store: Store, version: int) -> Stamp | None:
    """The newest commit's, of which a checkpoint may be all that is left. Costs one request.

    Raises DamagedLog for a commit of no bytes: it would pass for one that did nothing.
    """
    (found,) = stamps(store, version)
    if found and not found.size:
        raise DamagedLog(store.url, commit_name(version), EMPTY_COMMIT)
    return found


def _refusal(store: Store, version: int | None, error: BaseException) -> EngineError:
    """Why deltalake opens no table there: the feature or the file at fault. It tells of its own parts."""
    said = told(error)
    if unknown := _UNKNOWN.search(said):
        return EngineError(
            f"the Delta table {store.url} uses {next(filter(None, unknown.groups()))}, which this engine cannot read: "
            "read it with Spark"
        )
    unclear = EngineError(f"the Delta table {store.url} cannot be opened: {said}")
    try:
        find_damage(StoreLog(store), version)
    except DamagedLog as damage:
        return damage
    except (OSError, ConnectionFailed):
        return unclear
    return unclear


_UNKNOWN = re.compile(
    r"Feature '([^']+)' is not supported|(minimum reader version \d+)|Unknown\(\"([^\"]+)\"\)"
)


def is_elsewhere(path: str) -> bool:
    """Whether a file's path in the log is not relative to its table: shallow clones name another table's files."""
    return bool(re.match(r"/|[A-Za-z][A-Za-z0-9+.-]*:/", path))


def told(error: BaseException) -> str:
    """What deltalake says, in one line without its colours, arrows and backtrace, and without secrets."""
    lines = (line.strip() for line in re.sub(r"\x1b\[[\d;]*m|↳", "", str(error)).splitlines())
    said = takewhile(lambda line: not re.match(r"\d+: ", line), lines)
    return redact(": ".join(line.rstrip(":") for line in said if line))


def told_type(delta: Any) -> str:
    """The language's name of a type, or as the log writes one that the language lacks."""
    try:
        return language_type(delta)
    except ValueError:
        return delta if isinstance(delta, str) else json.dumps(delta)


def language_type(delta: Any) -> str:
    """The language's name of a type as the log writes it."""
    if isinstance(delta, str):
        return canonical(delta)
    if delta["type"] == "array":
        return f"array<{language_type(delta['elementType'])}>"
    if delta["type"] == "map":
        return f"map<{language_type(delta['keyType'])},{language_type(delta['valueType'])}>"
    fields = (f"{field['name']}:{language_type(field['type'])}" for field in delta["fields"])
    return f"struct<{','.join(fields)}>"


def _file(row: Mapping[str, Any], counted: bool) -> DataFile:
    partition = {name: partition_text(value) for name, value in (row.get("partition") or {}).items()}
    path = row["path"]
    # Spark leaves letters outside of ASCII as they are.
    removable = path.isascii() and not is_elsewhere(path)
    return DataFile(
        unquote(path),
        row["size_bytes"],
        row["num_records"] if counted else None,
        partition,
        "",
        row.get("min"),
        row.get("max"),
        removable,
    )
