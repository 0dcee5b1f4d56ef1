"""What an engine is. The pandas and spark engines are folders beside this file; nothing above imports into them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from odibi_magics.config.types import Column
from odibi_magics.connections.base import Connection
from odibi_magics.delta.log import Log
from odibi_magics.delta.told import Told
from odibi_magics.errors import CannotOpen

if TYPE_CHECKING:
    from odibi_magics.delta.detail import Detail
    from odibi_magics.delta.diff import Diff
    from odibi_magics.delta.history import History
    from odibi_magics.delta.optimize import Optimized
    from odibi_magics.delta.restore import Restored
    from odibi_magics.delta.vacuum import Vacuumed


@dataclass(frozen=True)
class Place:
    """A path in a connection, with the format of what is there.

    path: relative to the connection, variables filled in; of a catalog the table's name.
    given: the path or URL that people typed, where it is in no connection that they know.
    """

    connection: Connection
    path: str
    format: str
    given: str | None = None

    @cached_property
    def root(self) -> str:
        """The URL of all that its connection holds: what opening it lets a run open."""
        return self.connection.url("")

    @cached_property
    def url(self) -> str:
        """Looked up once: on this machine links are followed, folder by folder."""
        return self.connection.url(self.path)

    @property
    def address(self) -> str:
        """`conn:path`, or what was typed; ready to paste behind a magic."""
        return self.given or f"{self.connection.name}:{self.path}"


@dataclass(frozen=True)
class Source:
    """What a node reads, resolved. Fields as in the language's `read:`.

    newer_than: the column, and the place whose maximum of it is the watermark (None: read all).
    """

    place: Place
    options: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] | None = None
    filter: str | None = None
    version: int | None = None
    timestamp: datetime | None = None
    newer_than: str | None = None
    watermark: Place | None = None
    lag: timedelta | None = None
    schema: tuple[Column, ...] | None = None
    infer: bool = True


@dataclass(frozen=True)
class Query:
    """A checked `sql:` step.

    checked: odibi_magics.sql.check.Query.
    """

    checked: Any
    number: int = 1


@dataclass(frozen=True)
class Call:
    """A `function:` step whose parameters fit its signature.

    function: odibi_magics.sql.functions.Function.
    returns: the columns that come out, or None where only running tells.
    """

    function: Any
    params: Mapping[str, Any]
    returns: tuple[Column, ...] | None = None
    number: int = 1


Step = Query | Call


@dataclass(frozen=True)
class RowCheck:
    """A check that one row alone can fail; `condition` is SQL that is FALSE for a bad row (NULL passes).

    label: as people read it: "no_nulls id".
    """

    label: str
    condition: str
    on_fail: str = "error"
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableCheck:
    """A check over all rows: kind is "not_empty", "unique" or "row_count"."""

    label: str
    kind: str
    on_fail: str = "error"
    columns: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None


Check = RowCheck | TableCheck


@dataclass(frozen=True)
class CheckResult:
    """How a check went.

    failed: how many `counts` failed it ("row", of schema "column"; 1 where counts is ""), 0 where it held.
    `at_least` where counting stopped. examples: a few failing rows, as mappings.
    """

    label: str
    on_fail: str
    failed: int
    message: str = ""
    at_least: bool = False
    examples: tuple[Mapping[str, Any], ...] = ()
    counts: str = "row"


@dataclass(frozen=True)
class Sink:
    """Where a node's rows go, resolved. Fields as in the language's `write:`; `upsert` is `merge` here."""

    place: Place
    mode: str = "overwrite"
    keys: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    replace_where: str | None = None
    merge_schema: bool = False
    overwrite_schema: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetState:
    """What stands at a sink before a write.

    version: of a Delta table; None for files, and where nothing is there.
    rows, files, bytes: from the log's statistics; None where unknown. not_null: columns that refuse NULL.
    """

    exists: bool
    version: int | None = None
    columns: tuple[Column, ...] = ()
    partition_by: tuple[str, ...] = ()
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    not_null: tuple[str, ...] = ()


@dataclass(frozen=True)
class Warned:
    """A warning that measured something: the words with the number in them, and the remedy."""

    message: str
    remedy: str = ""
    code: str = ""


@dataclass(frozen=True)
class Written:
    """What a write did.

    rows: that came out of the node and were offered to the write; for append_once and merge, rows_inserted/rows_updated
      say what became of them. files, bytes: added by it, in bytes on storage. skipped: why it wrote nothing, else "".
    """

    place: Place
    rows: int = 0
    files: int = 0
    bytes: int = 0
    version_before: int | None = None
    version_after: int | None = None
    rows_inserted: int | None = None
    rows_updated: int | None = None
    rows_deleted: int | None = None
    skipped: str = ""
    checks: tuple[CheckResult, ...] = ()
    warnings: tuple[Warned, ...] = ()


Progress = Callable[[int], None]
"""Called now and then with the number of rows written so far."""

Guard = Callable[[int], None]
"""Called with the version of a Delta table that a commit is to follow; raises where it must not be made."""


class Frame(Protocol):
    """Rows that belong to an engine: a schema, and a reader that opens anew each time."""

    @property
    def columns(self) -> tuple[Column, ...]: ...

    @property
    def inputs(self) -> tuple[dict[str, Any], ...]:
        """What it reads, pinned: `{url, version}` of Delta tables, `{url, files: [[name, bytes, mtime_ns], ...]}`."""

    @property
    def bare(self) -> bool:
        """Whether reading it costs no more than reading its rows: they are kept, or lie in a table or Parquet files."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...

    def to_arrow(self) -> Any:
        """All rows as a pyarrow.Table."""

    def to_pandas(self) -> Any:
        """All rows as a pandas.DataFrame."""

    def to_polars(self) -> Any:
        """All rows as a polars.DataFrame."""

    def preview(self, rows: int = 20) -> Preview: ...

    def count(self) -> int: ...


@dataclass(frozen=True)
class Preview(Told):
    """The first rows of a frame.

    rows: values, one tuple a row, in the columns' order. total: how many there are; None where they were not counted.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    total: int | None = None
    title: str = ""


F = TypeVar("F", bound=Frame)
"""The engine's own frames."""


class EngineRun(Protocol[F]):
    """One run's hold on an engine: what it reads is pinned, and everything lives until `close`."""

    def read(self, source: Source, *, limit: int | None = None) -> F:
        """A lazy frame over a source, pinned as it stands now. `limit`: only that many rows (for samples).

        Raises EngineError (missing file or column, a value that does not fit, with file and line), ConnectionFailed.
        """

    def transform(self, inputs: Mapping[str, F], step: Step) -> F:
        """The step's result; `inputs` are by table name, `df` among them where there is one."""

    def share(self, frame: F) -> F:
        """The same rows computed once, for frames that several nodes read; bare, but where the engine keeps none."""

    def check(self, frame: F, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
        """Runs checks without writing (a preview, or a node with no sink). Raises ValidationFailed."""

    def write(
        self,
        frame: F,
        sink: Sink,
        *,
        checks: Sequence[Check],
        mark: str,
        progress: Progress,
        guard: Guard | None = None,
    ) -> Written:
        """Writes, checking on the way; commits once, with `mark` (JSON) as the commit's userMetadata.

        guard: asked before anything is written, and again before the commit where others committed in between.
        Raises what the guard raises, ValidationFailed, WriteConflict, EngineError, ConnectionFailed; then nothing was
        committed.
        """

    def written(self, written: Written) -> F:
        """What a write left at its place, at the version it wrote: the node's data for those that follow."""

    def cancel(self) -> None:
        """Stops what is running, from another thread; the calls above then raise Cancelled or finish."""

    def close(self) -> None: ...


class Engine(Protocol):
    """An engine: describes without reading data, and opens runs."""

    name: str
    title: str

    def cannot_open(self, connections: Sequence[Connection]) -> Mapping[str, CannotOpen]:
        """Those of a run's connections that this engine cannot open, by name, with why; what they need is at hand."""

    def remembering(self) -> AbstractContextManager[None]:
        """A time, in all threads, in which a log need not be read again that has not grown since it was read."""

    def looking_at(self, places: Iterable[Place]) -> AbstractContextManager[None]:
        """A time in which places, all to be looked at, may be looked at at once."""

    def describe_source(self, source: Source) -> tuple[Column, ...]:
        """The columns a source will give; only samples, footers and logs are read. Raises as `read`."""

    def describe_step(self, inputs: Mapping[str, Sequence[Column]], step: Step) -> tuple[Column, ...] | None:
        """The columns a step will give; None behind a function without `returns:`. Raises SqlErrors, with places."""

    def target(self, sink: Sink) -> TargetState:
        """What stands at a sink now; opens the table's log only."""

    def log(self, place: Place) -> Log:
        """The log of the Delta table at a place. Raises ConnectionFailed."""

    def pins(self, source: Source) -> dict[str, Any]:
        """What reading a source now would pin, as `Frame.inputs` has it; no data is read. Raises as `read`."""

    def sql(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> str:
        """The SQL this engine will get for a step, for `--plan --sql`."""

    def parts(self, step: Query, inputs: Mapping[str, Sequence[Column]]) -> Sequence[tuple[str, int, int]]:
        """Of a step that fits its inputs, the SQL that this engine gets for each expression, inner ones first, with
        the span of the user's words in their text. None where it is the user's own text that it gets."""

    def history(self, place: Place, *, limit: int | None = 20, before: int | None = None) -> History:
        """A Delta table's newest versions, at most `limit` (None: all), only those below `before`.

        The table is not opened. Raises EngineError (DamagedLog, no table there), ConnectionFailed.
        """

    def detail(self, place: Place) -> Detail:
        """A Delta table as it stands, from its log and one listing. Raises EngineError, ConnectionFailed."""

    def glance(self, place: Place) -> tuple[Warned, ...]:
        """What a Delta table's state asks for, as far as a look in passing tells. Raises nothing but Cancelled."""

    def restore(
        self,
        place: Place,
        version: int | datetime,
        *,
        at: int | None = None,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Restored:
        """Makes a new version of a Delta table that is like an older one, or like the one that stood at a time.

        at: the newest version that was looked at; None: as it is now. mark: the commit's userMetadata.
        Raises WriteConflict where anything but OPTIMIZE and VACUUM was committed after `at`, NoSuchVersion where the
        version or one of its files is gone, NoSuchTime, EngineError, ConnectionFailed, Cancelled.
        """

    def empty(
        self, place: Place, *, at: int | None = None, mark: str | None = None, dry_run: bool = False
    ) -> Restored:
        """Makes a new version of a Delta table without rows. Parameters and errors as of `restore`."""

    def diff(self, before: Source, after: Source, *, keys: Sequence[str] = (), rows: int = 20) -> Diff:
        """What differs from one version of a Delta table to another, or from one table to another.

        keys: columns that tell rows apart; with none they are compared as wholes, as often as they come. rows: of those
        that differ, so many are in the sample. Raises EngineError (KeysRefused for keys that are NULL or come twice,
        NoSuchVersion for a version that is gone), ConnectionFailed, Cancelled.
        """

    def vacuum(
        self,
        place: Place,
        *,
        retention_hours: float = 168,
        force: bool = False,
        mark: str | None = None,
        dry_run: bool = False,
    ) -> Vacuumed:
        """Deletes files of a Delta table's folder that no version within the retention needs.

        mark: userMetadata of the commits that tell of it. Raises UsageError for a retention below a week without
        `force`, EngineError, ConnectionFailed and Cancelled, which say how many files went, WriteConflict.
        """

    def optimize(self, place: Place, *, mark: str | None = None, dry_run: bool = False) -> Optimized:
        """Joins small files of a Delta table in a commit that changes no row, and writes a checkpoint where one is due.

        mark: userMetadata of the commit. Raises EngineError, WriteConflict, ConnectionFailed, Cancelled.
        """

    def open(self, places: Iterable[Place] = ()) -> EngineRun[Any]:
        """A run that may read and write these places alone; with none, those of its first source."""
