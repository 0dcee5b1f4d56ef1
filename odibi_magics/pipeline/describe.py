"""Which columns come out of each node: from samples, footers and logs alone, checked against what the text names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from odibi_magics.config.formats import FILE_MODES
from odibi_magics.config.marks import Path
from odibi_magics.config.models import Read, Write
from odibi_magics.config.source import Place
from odibi_magics.config.types import Column
from odibi_magics.delta.schema import SchemaChange
from odibi_magics.engines.base import Call, Engine, Sink, Source, TargetState
from odibi_magics.engines.sinks import check_write
from odibi_magics.errors import CannotOpen, ConnectionFailed, EngineError, NotDelta, Problem, suggest
from odibi_magics.pipeline.definitions import DefinedNode
from odibi_magics.pipeline.faults import Site, places
from odibi_magics.pipeline.plan import LazySql, PlannedNode
from odibi_magics.pipeline.steps import CheckedNode, CheckedStep, Condition, condition
from odibi_magics.pipeline.validation import checks, misfits, named_columns, schema_misfits
from odibi_magics.quoting import Quoting
from odibi_magics.sql.problems import SqlErrors

Columns = tuple[Column, ...]


class Describer:
    """Describes nodes one after the other, in the order of the plan; None stands for "known when run"."""

    def __init__(self, engine: Engine, problems: list[Problem]) -> None:
        self.engine, self.problems = engine, problems
        # What a node gives to those after it: for one that writes, its table's columns.
        self.given: dict[str, Columns | None] = {}
        self.written: dict[str, Columns | None] = {}
        # The SQL of the node at hand: that of its steps, and its conditions.
        self.steps: list[Site] = []
        self.conditions: list[tuple[Condition, Columns]] = []

    def describe(self, node: PlannedNode, checked: CheckedNode) -> PlannedNode:
        """The node with its columns, its checks, and how they differ from its table's."""
        self.steps, self.conditions = [], []
        columns = self._columns(node, checked)
        self.given[node.name] = table_columns(columns, node.sink, node.target)
        if node.sink:
            self.written[node.sink.place.url.rstrip("/")] = self.given[node.name]
        if not node.runs:
            # Problems of an earlier cell's text have been told there, but what cannot be read stops this one too.
            return replace(node, columns=columns, faults=self._faults())
        conditions = self._conditions(checked.defined)
        unfit: list[Problem] = []
        if columns is not None:
            unfit = list(self._unfit(node, checked.defined, columns, conditions))
            self.problems.extend(unfit)
            if not unfit:
                self._check_write(node, checked.defined, columns)
        texts = {i: condition.sql for i, condition in conditions.items()}
        return replace(
            node,
            columns=columns,
            expressions=tuple(texts.values()),
            checks=checks(node.config.validation, columns or (), texts)
            if node.config.validation and not unfit
            else (),
            changes=tuple(changes(columns, node.sink, node.target)),
            sql=LazySql(partial(self._sql, tuple(self.steps))),
            faults=self._faults(),
        )

    def _faults(self) -> Callable[[EngineError], list[Place]]:
        """The places in the node's SQL in which something that fails may have arisen."""
        return partial(places, self.engine, tuple(self.steps), tuple(self.conditions))

    def _columns(self, node: PlannedNode, checked: CheckedNode) -> Columns | None:
        inputs: dict[str, Columns | None] = {name: self.given.get(name) for name in node.inputs}
        if node.source:
            current = self._source(node, checked.defined)
        elif node.config.read and node.runs:  # from a place that is wrong, as was told
            return None
        else:
            current = inputs[node.inputs[0]] if len(node.inputs) == 1 else None
        if not checked.complete:
            return None
        if not node.source and not node.steps and len(node.inputs) > 1:
            self.problems.append(_no_join(node, checked.defined))
        if not node.source and not node.inputs and isinstance(node.steps[0] if node.steps else None, Call):
            self.problems.append(_no_input(checked.defined))
        for step in checked.steps if node.steps else ():  # a node that is read from its table has none
            current = self._step({**inputs, "df": current}, step, checked.defined)
        return current

    def _source(self, node: PlannedNode, defined: DefinedNode) -> Columns | None:
        assert node.source is not None
        url = node.source.place.url.rstrip("/")
        before = any(not edge.carries and edge.why == "reads what it writes" for edge in node.edges)
        try:
            if before and url in self.written:
                whole = self.written[url]
            else:
                whole = self.engine.describe_source(
                    replace(node.source, columns=None, filter=None, newer_than=None)
                )
        except CannotOpen:
            raise
        except (EngineError, ConnectionFailed) as error:
            self.problems.append(_unreadable(node, defined, error))
            return None
        if whole is None:
            return None
        self.problems.extend(_source_names(node.source, defined, whole))
        self.problems.extend(self._unfit_condition(defined, ("read", "filter"), node.config.read, whole))
        return _selected(node.source, whole)

    def _step(
        self, inputs: Mapping[str, Columns | None], step: CheckedStep, defined: DefinedNode
    ) -> Columns | None:
        if isinstance(step.step, Call):
            return self._call(step.step, step.path, defined)
        assert step.text is not None
        site = Site(
            step.text, step.step, {name: found for name, found in inputs.items() if found is not None}
        )
        self.steps.append(site)
        if not site.is_known:
            return None
        try:
            return self.engine.describe_step(site.inputs, step.step)
        except SqlErrors as error:
            self.problems.extend(map(step.text.problem, error.problems))
            return None

    def _call(self, call: Call, path: Path, defined: DefinedNode) -> Columns | None:
        try:
            return self.engine.describe_step({}, call)
        except EngineError as error:
            self.problems.append(
                defined.config.problem((*path, "function"), f"function '{call.function.name}': {error.text}")
            )
            return None

    def _sql(self, steps: Sequence[Site]) -> tuple[str, ...]:
        """What the engine gets for each SQL step; a step behind a function without `returns:` is left out."""
        return tuple(self.engine.sql(step.query, step.inputs) for step in steps if step.is_known)

    def _check_write(self, node: PlannedNode, defined: DefinedNode, columns: Columns) -> None:
        """Whether the rows fit the table as it stands, unless another node of this run changes it first."""
        if node.sink is None or node.target is None or self._written_before(node):
            return
        if node.sink.place.format != "delta" and node.sink.mode not in FILE_MODES:  # which was told
            return
        try:
            check_write(columns, node.sink, node.target)
        except EngineError as error:
            self.problems.append(unwritable(defined, error))

    @staticmethod
    def _written_before(node: PlannedNode) -> bool:
        return any(edge.why == "writes the same table" for edge in node.edges)

    def _conditions(self, defined: DefinedNode) -> dict[int, Condition]:
        """The conditions of `expression` checks by their number."""
        found = {}
        for i, check in enumerate(defined.node.validation.expression if defined.node.validation else ()):
            path = _listed(defined, (*defined.path, "validation", "expression", i, "sql"))
            made = condition(defined, path, check.sql, self.problems)
            if made is not None:
                found[i] = made
        return found

    def _unfit(
        self, node: PlannedNode, defined: DefinedNode, columns: Columns, conditions: Mapping[int, Condition]
    ) -> Iterator[Problem]:
        """What validation and write say of columns that do not come out, or that have another type."""
        path = (*defined.path, "validation")
        if node.config.validation:
            for below, name in named_columns(node.config.validation):
                yield from _missing(defined, (*path, *below), name, columns)
            found = (
                misfits(node.config.validation, columns),
                schema_misfits(node.config.validation, columns),
            )
            for misfit in chain(*found):
                here = (*path, *misfit.path)
                yield from _problem(defined, here, misfit.message, misfit.hint, at_key=misfit.at_key)
        for made in conditions.values():
            yield from self._unfit_rows(made, columns)
        if node.sink:
            for key in ("keys", "partition_by"):
                for i, name in enumerate(getattr(node.sink, key)):
                    yield from _missing(defined, (*defined.path, "write", key, i), name, columns)
            yield from self._unfit_condition(defined, ("write", "replace_where"), node.config.write, columns)

    def _unfit_condition(
        self, defined: DefinedNode, key: tuple[str, str], part: Read | Write | None, columns: Columns
    ) -> list[Problem]:
        """What of a filter or replace_where does not fit the columns it looks at; what it is otherwise was told."""
        raw = getattr(part, key[1], None)
        made = condition(defined, (*defined.path, *key), raw, []) if raw else None
        return self._unfit_rows(made, columns) if made else []

    def _unfit_rows(self, made: Condition, columns: Columns) -> list[Problem]:
        """What of a condition does not fit the columns of the rows it is asked of."""
        self.conditions.append((made, columns))
        return made.problems(columns)


def _no_join(node: PlannedNode, defined: DefinedNode) -> Problem:
    names = ", ".join(node.inputs)
    return defined.config.problem(
        (*defined.path, "name"), f"several inputs ({names}) and no step that joins them"
    )


def _no_input(defined: DefinedNode) -> Problem:
    return defined.config.problem(
        (*defined.path, "name"), "the function has no input: no read, and no node before it"
    )


def spot(defined: DefinedNode, part: str, error: EngineError | ConnectionFailed) -> Path:
    """The key in a node's `read:` or `write:` that an error is about: its path, unless the error says another."""
    about = error.about if isinstance(error, EngineError) else ()
    if (
        about == ("read", "version")
        and defined.node.read is not None
        and defined.node.read.timestamp is not None
    ):
        about = ("read", "timestamp")
    there = about[:1] == (part,) and defined.config.tree.at((*defined.path, *about)) is not None
    return (*defined.path, *(about if there else (part, "path")))


def unwritable(defined: DefinedNode, error: EngineError | ConnectionFailed) -> Problem:
    """Why a node's table cannot be written; of the key that it is about the problem says the name already."""
    path = spot(defined, "write", error)
    return defined.config.problem(path, str(error).removeprefix(f"{path[-1]}: "))


def _unreadable(node: PlannedNode, defined: DefinedNode, error: EngineError | ConnectionFailed) -> Problem:
    message = error.text
    if not node.runs and node.config.write is not None:
        said = f"node '{node.name}' of {node.defined} is read from its table, which is not there yet: run it first"
        return Problem(Quoting(f"{said} (", message, ")"))
    if not node.runs:
        return Problem(Quoting(f"node '{node.name}' of {node.defined}: ", message))
    inferred = isinstance(error, NotDelta) and node.config.read is not None and not node.config.read.format
    remedy = (
        "files that are no Delta table are read with their format: csv, parquet or json" if inferred else ""
    )
    return defined.config.problem(spot(defined, "read", error), message, remedy)


def _source_names(source: Source, defined: DefinedNode, whole: Columns) -> Iterator[Problem]:
    for i, name in enumerate(source.columns or ()):
        yield from _missing(defined, (*defined.path, "read", "columns", i), name, whole)
    if source.newer_than:
        yield from _missing(defined, (*defined.path, "read", "newer_than"), source.newer_than, whole)


def _selected(source: Source, whole: Columns) -> Columns:
    if source.columns is None:
        return whole
    by_name = {column.name.lower(): column for column in whole}
    names = dict.fromkeys(map(str.lower, source.columns))  # a column that stands there twice is told as such
    return tuple(by_name[name] for name in names if name in by_name)


def _missing(defined: DefinedNode, path: Path, name: str, columns: Sequence[Column]) -> Iterator[Problem]:
    names = [column.name for column in columns]
    if name.lower() not in {known.lower() for known in names}:
        yield from _problem(defined, path, f"unknown column '{name}'", suggest(name, names))


def _problem(
    defined: DefinedNode, path: Path, message: str, hint: str, *, at_key: bool = False
) -> Iterator[Problem]:
    path = _listed(defined, path)
    if defined.config.sure(path):
        told = defined.config.key_problem if at_key else defined.config.problem
        yield told(path, message, hint)


def _listed(defined: DefinedNode, path: Path) -> Path:
    """The path without the index of a list that the text wrote as a single mapping."""
    tree = defined.config.tree
    kept: list[str | int] = []
    for part in path:
        if tree.at((*kept, part)) is not None:
            kept.append(part)
    return tuple(kept)


def table_columns(columns: Columns | None, sink: Sink | None, target: TargetState | None) -> Columns | None:
    """The columns of the node's table after its write: its own, or the table's with those it adds."""
    if columns is None or sink is None or target is None or not target.exists or sink.overwrite_schema:
        return columns
    if sink.place.format != "delta" or not target.columns:
        return columns
    have = {column.name.lower() for column in target.columns}
    added = tuple(column for column in columns if column.name.lower() not in have)
    return (*target.columns, *(added if sink.merge_schema else ()))


def changes(columns: Columns | None, sink: Sink | None, target: TargetState | None) -> Iterator[SchemaChange]:
    """How the columns that come out differ from the existing table's."""
    if columns is None or sink is None or target is None or not target.columns:
        return
    have = {column.name.lower(): column for column in target.columns}
    come = {column.name.lower(): column for column in columns}
    for name, column in come.items():
        if name not in have:
            yield SchemaChange("new", column.name, column.type)
        elif have[name].type != column.type:
            yield SchemaChange(
                "type", column.name, f"{have[name].type} in the table, {column.type} comes out"
            )
    for name in have.keys() - come.keys():
        yield SchemaChange("missing", have[name].name, "stays NULL in new rows")
