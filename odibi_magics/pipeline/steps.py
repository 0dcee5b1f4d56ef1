"""A node's steps, checked: SQL against the language, functions against their signatures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from odibi_magics.config.marks import Path, render_path
from odibi_magics.config.models import FunctionStep, SqlStep
from odibi_magics.config.sqltext import line_comments
from odibi_magics.config.types import Column
from odibi_magics.engines.base import Call, Query, Step
from odibi_magics.errors import Problem, suggest
from odibi_magics.pipeline.definitions import DefinedNode
from odibi_magics.sql.check import Predicate, check_predicate, check_query
from odibi_magics.sql.fill import Filled, fill
from odibi_magics.sql.functions import check_call, registered
from odibi_magics.sql.problems import SqlErrors, SqlProblem
from odibi_magics.sql.transpile import check_condition

_SWALLOWED = (
    "this comment swallows the lines below: YAML joins them in folded (>), plain and quoted text; "
    "write sql: | for lines that stay"
)


@dataclass(frozen=True)
class Text:
    """SQL of the user, and where it stands. filled: with its variables as literals."""

    defined: DefinedNode
    path: Path
    raw: str
    filled: Filled

    @classmethod
    def unfilled(cls, defined: DefinedNode, path: Path, raw: str) -> Text:
        """The text as it was written."""
        return cls(defined, path, raw, Filled(raw))

    def with_values(self, dialect: str) -> Text:
        """The text with its variables filled in. Raises SqlErrors for a value that cannot stand where it is asked."""
        return replace(self, filled=fill(self.raw, self.defined.config.values.in_sql(), dialect))

    def check_comments(self, dialect: str) -> None:
        """Raises SqlErrors where YAML joined lines, so that a comment swallows what followed it."""
        for start, end in line_comments(self.raw, dialect):
            if self.defined.config.tree.joined(self.path, self.raw, start, end):
                raise SqlErrors([SqlProblem(_SWALLOWED, start, start + 2)])

    def problem(self, found: SqlProblem) -> Problem:
        """A problem of the SQL layer, with its line in the user's text."""
        tree = self.defined.config.tree
        hint = f"did you mean '{found.suggestion}'?" if found.suggestion else ""
        if found.start < 0:
            return self.defined.config.problem(self.path, found.message, hint)
        start, end = self.filled.origin(found.start), self.filled.origin(found.end)
        place = tree.place_in(self.path, self.raw, start, max(end, start + 1))
        return Problem(found.message, render_path(tree.written(self.path)), place, hint)


@dataclass(frozen=True)
class CheckedStep:
    """A step ready for an engine. text: None for functions. tables: upstream tables it names, `df` among them."""

    step: Step
    path: Path
    text: Text | None = None
    tables: tuple[str, ...] = ()


@dataclass
class CheckedNode:
    """A node whose own text is checked; problems of its steps are collected.

    complete: whether `steps` are all of them; else it is not known what comes out.
    """

    defined: DefinedNode
    steps: tuple[CheckedStep, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        transform = self.defined.node.transform
        return len(self.steps) == (len(transform.steps) if transform else 0) and not self.problems

    @property
    def tables(self) -> tuple[str, ...]:
        """Upstream nodes that its SQL names, each once."""
        named = (table for step in self.steps for table in step.tables if table != "df")
        return tuple(dict.fromkeys(named))


def check_node(defined: DefinedNode, names: Collection[str]) -> CheckedNode:
    """Checks the steps of a node; names: all nodes of the project."""
    checked = CheckedNode(defined)
    transform = defined.node.transform
    steps = [_step(checked, i, step, names) for i, step in enumerate(transform.steps if transform else ())]
    checked.steps = tuple(step for step in steps if step is not None)
    return checked


def _step(
    checked: CheckedNode, i: int, step: SqlStep | FunctionStep, names: Collection[str]
) -> CheckedStep | None:
    path = (*checked.defined.path, "transform", "steps", i)
    if not checked.defined.config.sure(path):
        return None
    if isinstance(step, SqlStep):
        return _sql(checked, (*path, "sql"), i + 1, step, names)
    return _call(checked, path, i + 1, step)


def _sql(
    checked: CheckedNode, path: Path, number: int, step: SqlStep, names: Collection[str]
) -> CheckedStep | None:
    text = Text.unfilled(checked.defined, path, step.sql)
    dialect = checked.defined.config.model.sql_dialect
    try:
        text.check_comments(dialect)
        text = text.with_values(dialect)
        query = check_query(text.filled.text, names, dialect)
    except SqlErrors as error:
        checked.problems.extend(map(text.problem, error.problems))
        return None
    return CheckedStep(Query(query, number), path, text, query.tables)


def _call(checked: CheckedNode, path: Path, number: int, step: FunctionStep) -> CheckedStep | None:
    config = checked.defined.config
    function = registered().get(step.function)
    if function is None:
        hint = (
            suggest(step.function, list(registered()))
            or "no functions are registered: @transform registers one"
        )
        checked.problems.append(
            config.problem((*path, "function"), f"unknown function '{step.function}'", hint)
        )
        return None
    wrong = check_call(function, step.params, checked.defined.node.depends_on)
    checked.problems.extend(
        config.key_problem((*path, "params", name) if name in step.params else (*path, "params"), message)
        for name, message in wrong
    )
    returns = tuple(Column(name, type_) for name, type_ in step.returns.items()) if step.returns else None
    return CheckedStep(Call(function, step.params, returns, number), path)


def check_df(checked: CheckedNode, inputs: tuple[str, ...]) -> Iterator[Problem]:
    """`df` is the single input or the step before: neither ambiguous nor forgotten."""
    if not checked.complete:
        return
    reads = checked.defined.node.read is not None
    for step in checked.steps:
        first = step.step.number == 1
        if step.text is None:
            continue
        uses = "df" in step.tables
        if not first and not uses:
            yield _at_df(
                step, f"step {step.step.number} does not use df, so step {step.step.number - 1} would be lost"
            )
        elif first and uses and not reads and len(inputs) != 1:
            given = f"the inputs are {', '.join(inputs)}: name one" if inputs else "this node has no input"
            yield _at_df(step, f"df stands for the single input, and {given}")


def _at_df(step: CheckedStep, message: str) -> Problem:
    import re

    assert step.text is not None
    found = re.search(r"\bdf\b", step.text.filled.text)
    start, end = found.span() if found else (-1, -1)
    return step.text.problem(SqlProblem(message, start, end))


@dataclass(frozen=True)
class Condition:
    """A filter, replace_where or `expression` check, which is right but for what the columns have to say."""

    text: Text
    predicate: Predicate

    @property
    def sql(self) -> str:
        """Spark SQL with its variables filled in."""
        return self.text.filled.text

    def problems(self, columns: Sequence[Column]) -> list[Problem]:
        """What does not fit these columns."""
        found = check_condition(self.predicate, [(column.name, column.type) for column in columns])
        return [self.text.problem(problem) for problem in found]


def condition(defined: DefinedNode, path: Path, raw: str, problems: list[Problem]) -> Condition | None:
    """A condition with its variables filled in; None where it is wrong."""
    if not defined.config.sure(path):
        return None
    text = Text.unfilled(defined, path, raw)
    try:
        text.check_comments("spark")
        text = text.with_values("spark")
        return Condition(text, check_predicate(text.filled.text))
    except SqlErrors as error:
        found = map(text.problem, error.problems)
        duckdb = defined.config.model.sql_dialect == "duckdb"
        problems.extend(replace(one, hint=one.hint or _SPARK) if duckdb else one for one in found)
        return None


_SPARK = "conditions are Spark SQL, also with sql_dialect: duckdb"
