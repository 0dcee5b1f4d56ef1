"""Steps: queries folded into one another, and Python functions whose result is kept once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from odibi_magics.config.types import Column
from odibi_magics.engines.base import Call, Query
from odibi_magics.engines.calls import called, failed, taken
from odibi_magics.engines.pandas.handover import check_kind, give, take
from odibi_magics.engines.spark.failures import is_sparks
from odibi_magics.engines.spark.frame import Look, Pin, SparkFrame
from odibi_magics.engines.spark.names import quoted
from odibi_magics.engines.spark.queries import empty, over, spark_sql
from odibi_magics.engines.spark.types import columns_of, in_sql, in_utc
from odibi_magics.engines.spark.work import Work
from odibi_magics.errors import EngineError, OdibiError
from odibi_magics.quoting import Data, Quoting
from odibi_magics.sql.functions import Function
from odibi_magics.sql.problems import SqlErrors, SqlProblem

# Queries folded into one; a longer chain is computed and kept, because Spark's analyzer goes over the whole of it.
DEEPEST = 32
# Through Connect a query comes back as nested messages, and no answer nested more than 100 deep is read.
_DEEPEST_THERE = 10


def describe_query(work: Work, query: Query, inputs: Mapping[str, Sequence[Column]]) -> tuple[Column, ...]:
    """The columns a step will give, by Spark's own analyzer over empty frames. Raises SqlErrors."""
    sql = spark_sql(query, inputs)
    try:
        with work.running():
            return _columns(
                over(work.spark, sql, {n: empty(work.spark, inputs[n]) for n in query.checked.tables})
            )
    except EngineError as error:
        raise SqlErrors([SqlProblem(str(error))]) from None


def run_query(work: Work, inputs: Mapping[str, SparkFrame], query: Query) -> SparkFrame:
    """A step's rows, lazily. Raises EngineError."""
    named = {name: inputs[name] for name in query.checked.tables}
    if sum(frame.depth for frame in named.values()) >= (_DEEPEST_THERE if work.connect else DEEPEST):
        named = {name: keep(frame) for name, frame in named.items()}
    try:
        sql = spark_sql(query, {name: frame.columns for name, frame in named.items()})
    except SqlErrors as error:
        raise EngineError(f"step {query.number}: {error}") from None
    with work.running():
        found = in_utc(over(work.spark, sql, {name: frame.spark for name, frame in named.items()}))
        columns = _columns(found)
    depth = 1 + sum(frame.depth for frame in named.values())
    return SparkFrame(work, found, columns, pins(named.values()), looks(named.values()), depth)


def _columns(frame: Any) -> tuple[Column, ...]:
    try:
        columns = columns_of(in_utc(frame))
    except ValueError as error:
        raise EngineError(str(error)) from None
    lowered = [column.name.lower() for column in columns]
    if twice := next((c.name for c in columns if lowered.count(c.name.lower()) > 1), None):
        raise EngineError(f"two columns are called '{twice}': give one another name with AS")
    return columns


def pins(frames: Iterable[SparkFrame]) -> tuple[Pin, ...]:
    """What they read, each once."""
    return tuple(dict.fromkeys(pin for frame in frames for pin in frame.pins))


def looks(frames: Iterable[SparkFrame]) -> tuple[Look, ...]:
    """What is looked at before they are read, each once."""
    return tuple(dict.fromkeys(look for frame in frames for look in frame.looks))


def keep(frame: SparkFrame) -> SparkFrame:
    """The same rows computed once and kept, where the session keeps any. Raises EngineError, Cancelled."""
    with frame.reading() as spark:
        kept = frame.work.keep(spark)
    return frame if kept is None else SparkFrame(frame.work, kept, frame.columns, frame.pins, bare=True)


# Functions ------------------------------------------------------------------------------------------------------------


def check_frames(function: Function) -> None:
    """Raises EngineError for frames whose library is not installed."""
    for _, kind in function.frames:
        if kind != "spark":
            check_kind(kind)


def run_call(work: Work, inputs: Mapping[str, SparkFrame], call: Call) -> SparkFrame:
    """What a function makes of its inputs. Raises Cancelled, EngineError with the function's traceback."""
    function: Function = call.function
    given = taken(function, inputs, call.params)
    arguments = {name: _given(frame, kind) for name, (frame, kind) in given.items()}
    with work.running():
        with _told(work, function):
            result = called(function, {**arguments, **call.params})
        frames = [frame for frame, _ in given.values()]
        if is_spark_frame(result):
            return _lazy(work, result, frames, function, call.returns)
        return _kept(work, result, frames, function, call.returns)


def _given(frame: SparkFrame, kind: str) -> Any:
    if kind != "spark":
        return give(frame, kind)
    with frame.reading() as spark:
        return spark


def is_spark_frame(thing: Any) -> bool:
    """Whether it is a DataFrame of Spark, classic or of Connect."""
    return type(thing).__module__.startswith("pyspark.sql.") and type(thing).__name__ == "DataFrame"


def _lazy(
    work: Work,
    result: Any,
    frames: Sequence[SparkFrame],
    function: Function,
    returns: Sequence[Column] | None,
) -> SparkFrame:
    """A DataFrame that a function made: computed with what comes behind it."""
    try:
        made = in_utc(result)
        found = _columns(made)
    except Exception as error:
        if not is_sparks(error):
            raise
        work.check_stopped()
        # Through Connect a DataFrame is a mere plan until now, and no line of the function's code is told any more.
        head = f"{function.name}() failed: Spark cannot compute the frame that it returned: "
        raise EngineError(Quoting(head, Data(str(work.failures.error(error))))) from None
    if returns is not None:
        made = _declared(made, found, returns, function)
        found = tuple(returns)
    return SparkFrame(work, made, found, pins(frames), looks(frames))


def _declared(made: Any, found: Sequence[Column], returns: Sequence[Column], function: Function) -> Any:
    names, wanted = {c.name for c in found}, {c.name for c in returns}
    if names != wanted:
        told = [f"lacks {', '.join(sorted(wanted - names))}"] * bool(wanted - names)
        told += [f"has also {', '.join(sorted(names - wanted))}"] * bool(names - wanted)
        raise EngineError(
            f"{function.name}() returned a frame that {' and '.join(told)}, other than its returns: says"
        )
    return made.selectExpr(
        *(f"CAST({quoted(c.name)} AS {in_sql(c.type)}) AS {quoted(c.name)}" for c in returns)
    )


def _kept(
    work: Work,
    result: Any,
    frames: Sequence[SparkFrame],
    function: Function,
    returns: Sequence[Column] | None,
) -> SparkFrame:
    """What lies in this process, given to Spark once."""
    with _told(work, function):
        columns, reader = take(result, function.name, returns)
        table = reader.read_all()
    made = work.spark.createDataFrame(table)
    items = (f"CAST({quoted(c.name)} AS {in_sql(c.type)}) AS {quoted(c.name)}" for c in columns)
    return SparkFrame(work, made.selectExpr(*items), columns, pins(frames), bare=True)


@contextmanager
def _told(work: Work, function: Function) -> Iterator[None]:
    """What a user's function raises becomes one error with the lines of their code."""
    try:
        yield
    except OdibiError:
        raise
    except BaseException as error:  # user code may raise anything: sys.exit() ends its node, not the process
        work.check_stopped()
        if isinstance(error, Exception) and is_sparks(error):
            error = work.failures.error(error).with_traceback(error.__traceback__)
        raise EngineError(failed(function, error)) from None
