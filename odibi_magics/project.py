"""Project: the one object behind magics, command line and Python."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from odibi_magics.config.load import Config, Known, load
from odibi_magics.config.models import Retry, Secrets
from odibi_magics.config.source import Source as Text
from odibi_magics.connections.base import Connection
from odibi_magics.connections.info import ConnectionInfo, connection_info
from odibi_magics.connections.prepare import forget, prepare
from odibi_magics.connections.registry import connect
from odibi_magics.engines.base import Engine, Frame
from odibi_magics.engines.registry import choose_engine
from odibi_magics.errors import (
    Cancelled,
    CannotOpen,
    ConfigErrors,
    ConnectionsFailed,
    UsageError,
    suggest,
    unknown_connection,
)
from odibi_magics.garbage import uncollected
from odibi_magics.pipeline.build import Builder
from odibi_magics.pipeline.definitions import Definitions, definitions
from odibi_magics.pipeline.edges import downstream, up_to
from odibi_magics.pipeline.events import Observer
from odibi_magics.pipeline.guard import with_held
from odibi_magics.pipeline.plan import Plan
from odibi_magics.pipeline.problems import unopened, with_sql_problems
from odibi_magics.pipeline.repeated import refuse
from odibi_magics.pipeline.result import RunResult, whole
from odibi_magics.pipeline.resume import Resumption, resumption
from odibi_magics.pipeline.runmark import new_run_id
from odibi_magics.pipeline.runner import Peek, Run
from odibi_magics.pipeline.story import with_story
from odibi_magics.pipeline.warn import plan_warnings
from odibi_magics.rendering import RENDER, later
from odibi_magics.sql.modules import load_functions

if TYPE_CHECKING:
    from odibi_magics.connections.status import ConnectionStatus
    from odibi_magics.delta.undo import Undone
    from odibi_magics.doctor.diagnosis import Diagnosis
    from odibi_magics.pipeline.undo import Undo
    from odibi_magics.tables import Tables


class Project:
    """A checked text, ready to plan and run.

    definitions: all it knows. own: the names of the nodes that are its to run; the others belong to earlier cells.
    """

    def __init__(
        self, known: Definitions, own: Sequence[str], text: Text, environment: str | None = None
    ) -> None:
        self.definitions = known
        self.own = tuple(own)
        self.text = text
        self.environment = environment

    @classmethod
    def from_yaml(
        cls,
        text: str,
        *,
        env: str | None = None,
        variables: Mapping[str, Any] | None = None,
        name: str = "this text",
        folder: str | os.PathLike[str] | None = None,
    ) -> Project:
        """A project from YAML. folder: what its relative paths are relative to, the working folder without it.

        Raises ConfigErrors.
        """
        source = Text(text, name, Path(folder) if folder else Path.cwd())
        return cls.from_source(source, env=env, variables=variables)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        env: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> Project:
        """A project from a YAML file. Raises UsageError where it cannot be read, ConfigErrors where it is wrong."""
        return cls.from_source(read_text(path), env=env, variables=variables)

    @classmethod
    @uncollected()
    def from_source(
        cls,
        source: Text,
        *,
        env: str | None = None,
        variables: Mapping[str, Any] | None = None,
        notebook: Mapping[str, Any] | None = None,
        earlier: Definitions | None = None,
        defined: str = "",
    ) -> Project:
        """A project from a text that comes after `earlier` ones. Raises ConfigErrors."""
        known = earlier.known if earlier else Known()
        try:
            config = load(source, environment=env, variables=variables, notebook=notebook, known=known)
        except ConfigErrors as error:
            raise with_sql_problems(error, earlier or Definitions()) from None
        return cls.from_config(config, earlier=earlier, defined=defined)

    @classmethod
    def from_config(cls, config: Config, *, earlier: Definitions | None = None, defined: str = "") -> Project:
        """A project from a checked config. Raises ConfigErrors where its functions cannot be loaded."""
        if problems := load_functions(config):
            raise ConfigErrors(problems, config.source.name)
        new = definitions(config, defined)
        return cls((earlier or Definitions()).add(new), list(new.nodes), config.source, config.environment)

    # Plan and run ------------------------------------------------------------------------------------------------

    def plan(
        self,
        *,
        pipelines: Sequence[str] | None = None,
        only: str | Sequence[str] | None = None,
        from_node: str | None = None,
        engine: str | None = None,
        replace: bool = False,
    ) -> Plan:
        """What a run would do, frozen. only: nodes that run alone. from_node: with all that come from it. replace: of a
        run with it, with a warning for each run that it would undo first: tables, versions, rows.

        Raises ConfigErrors with all that is wrong, UsageError for a node or pipeline that is not there.
        """
        chosen, plan = self._engine(engine), self._plan(self._own(pipelines, only, from_node), engine)
        held = with_held(plan, chosen)
        if not replace:
            return held
        from odibi_magics.pipeline.replacing import replaced_ahead  # here, with all that undoes

        return replaced_ahead(held, self._begin, lambda runs: with_held(plan, chosen, without=runs))

    def run(
        self,
        *,
        engine: str | None = None,
        pipelines: Sequence[str] | None = None,
        only: str | Sequence[str] | None = None,
        from_node: str | None = None,
        run_id: str | None = None,
        again: bool = False,
        replace: bool = False,
        resume: bool = False,
        observers: Sequence[Observer] = (),
    ) -> RunResult:
        """Runs the project's nodes; which ones as in `plan`.

        An append that its table holds already is refused; again: it is made once more; replace: every run that made it
        is undone first, and put back where this run fails, in tables that nobody has written to since. resume: goes on
        with the run of `run_id`, or with the newest that the tables tell of.

        Raises NodeFailed or Cancelled, each with `.result`; before anything runs ConfigErrors, UsageError,
        AppendRefused, ResumeRefused, UndoRefused; and UndoFailed.
        """
        if again + replace + resume > 1:
            raise UsageError("again, replace and resume exclude one another")
        chosen, own = self._engine(engine), self._own(pipelines, only, from_node)
        with chosen.remembering():
            plan = self._plan(own, engine)
            resumed = resumption(plan, chosen, run_id) if resume else Resumption(run_id or new_run_id())
            if not again:
                plan = with_held(plan, chosen, resumed.kept)
            replacing = None
            if replace:
                from odibi_magics.pipeline.replacing import Replacing  # here, with all that undoes

                replacing = Replacing(self._begin)
                plan = replacing.without_held(plan, lambda: with_held(self._plan(own, engine), chosen))
            refuse(plan, chosen, resumed if resume else None)
            run = Run(
                plan,
                chosen,
                resumed.run,
                RENDER,
                observers,
                retry=self._retry,
                again=again,
                kept=resumed.kept,
                before=resumed.before,
            )
            try:
                return whole(self._kept(replacing.execute(run) if replacing else run.execute()))
            except Cancelled as stopped:
                stopped.result = self._kept(stopped.result)
                raise

    def _begin(self, run: str, passing: Collection[str]) -> Undo:
        from odibi_magics.undoing import begin

        return begin(self, run, passing=passing)

    def preview(
        self,
        node: str | None = None,
        *,
        sample: int | None = None,
        rows: int = 20,
        engine: str | None = None,
        observers: Sequence[Observer] = (),
    ) -> RunResult:
        """Evaluates and validates up to `node` (the last one) and shows its first rows; writes nothing.

        sample: reads only so many rows of each source. rows: 0 shows none, but how many there are. Raises as `run`.
        """
        name = self._known(node) if node else self._last()
        chosen = self._engine(engine)
        with chosen.remembering():
            plan = up_to(self._plan(self.own, engine), name)
            peek = Peek(name, rows)
            run = Run(plan, chosen, new_run_id(), RENDER, observers, peek, sample, retry=self._retry)
            return whole(run.execute())

    def graph(self) -> Plan:
        """The plan of everything, for drawing it. Raises as `plan`."""
        return self._plan(self.own, None)

    def undo(
        self,
        run_id: str | None = None,
        *,
        table: str | Sequence[str] | None = None,
        at: Mapping[str, int] | None = None,
        dry_run: bool = False,
        force: bool = False,
    ) -> Undone:
        """Undoes a run in every table it wrote; without a run id the last one that its tables tell of, undone or not.

        table: a TABLE that the run wrote, or several, to find it and its other tables from; with no run id, their
        newest run that was not undone. at: the version that each TABLE must have, as a preview shows it. force: takes
        away what others wrote behind the run, too. Raises
        UsageError where nothing tells of the run, UndoRefused before any table is touched, UndoFailed and Cancelled,
        each with `.result`.
        """
        from odibi_magics.undoing import undo

        return undo(self, run_id, table=table, at=at, dry_run=dry_run, force=force)

    @uncollected()
    def _plan(self, own: Sequence[str], engine: str | None) -> Plan:
        chosen = self._engine(engine)
        configs = list({id(config): config for config in self._own_configs(own)}.values())
        builder = Builder(self.definitions, own, chosen, self.prepare)
        nodes = builder.build()
        if builder.problems:
            raise ConfigErrors(builder.problems, self.text.name)
        return Plan(
            nodes=nodes,
            engine=chosen.name,
            engine_title=chosen.title,
            project=self.definitions.settings.get("project"),
            environment=self.environment,
            variables=tuple(used for config in configs for used in config.values.used.values()),
            warnings=plan_warnings(configs, nodes),
            text=self.text.text,
            render_text=later("plan", "plan_text"),
            render_html=later("plan", "plan_html"),
        )

    def prepare(self, connections: Sequence[Connection]) -> Mapping[str, CannotOpen]:
        """Fetches what connections need, in parallel; gives those that cannot be opened, with why."""
        try:
            prepare(connections, self.secrets_timeout)
        except ConnectionsFailed as error:
            return error.failures
        return {}

    def _own_configs(self, own: Sequence[str]) -> Iterator[Config]:
        """The texts of these nodes; with none, of what was defined last."""
        yield from (self.definitions.nodes[name].config for name in own)
        if not own:
            yield from self.definitions.configs[-1:]

    @property
    def secrets_timeout(self) -> float:
        """Seconds for all secrets of a run together."""
        found: Secrets = self.definitions.settings.get("secrets") or Secrets()
        return found.timeout

    @property
    def _retry(self) -> Retry:
        return self.definitions.settings.get("retry") or Retry()

    def _engine(self, name: str | None) -> Engine:
        return choose_engine(name or str(self.definitions.settings.get("engine", "auto")))

    def _own(
        self, pipelines: Sequence[str] | None, only: str | Sequence[str] | None, from_node: str | None
    ) -> list[str]:
        if only and from_node:
            raise UsageError("--only and --from-node exclude each other")
        if only:
            asked = {self._known(name) for name in ([only] if isinstance(only, str) else only)}
            return [name for name in self.own if name in asked]
        chosen = self._of_pipelines(pipelines) if pipelines else list(self.own)
        if from_node is None:
            return chosen
        start = self._known(from_node)
        builder = Builder(self.definitions, list(self.own), self._engine(None), unopened)
        builder.build()
        return [name for name in chosen if name in downstream(builder.edges, [start])]

    def _of_pipelines(self, pipelines: Sequence[str]) -> list[str]:
        there = list(dict.fromkeys(self.definitions.nodes[name].pipeline for name in self.own))
        for pipeline in pipelines:
            if pipeline not in there:
                raise UsageError(f"unknown pipeline '{pipeline}' ({suggest(pipeline, there)})")
        return [name for name in self.own if self.definitions.nodes[name].pipeline in pipelines]

    def _known(self, node: str) -> str:
        if node not in self.own:
            near = suggest(node, self.own) or "no nodes are defined here"
            raise UsageError(f"unknown node '{node}' ({near})")
        return node

    def _last(self) -> str:
        if not self.own:
            raise UsageError("no nodes are defined here")
        return self.own[-1]

    def _kept(self, result: RunResult) -> RunResult:
        """The result, its report kept where `story:` says."""
        story = self.definitions.settings.get("story")
        return result if story is None else with_story(result, self.connection, story)

    # Places ------------------------------------------------------------------------------------------------------

    def connection(self, name: str) -> Connection:
        """A connection by name. Raises UsageError, ConnectionFailed."""
        if (defined := self.definitions.connections.get(name)) is None:
            raise unknown_connection(name, list(self.definitions.connections))
        return connect(name, defined.model, defined.config.source.folder)

    def connections(self) -> tuple[ConnectionInfo, ...]:
        """All connections, without their secrets; nothing is opened."""
        return tuple(
            connection_info(name, found.model, found.defined, found.written)
            for name, found in self.definitions.connections.items()
        )

    def check_connections(self, *, refresh: bool = False) -> tuple[ConnectionStatus, ...]:
        """How all places answer, asked in parallel. refresh: secrets and tokens are fetched anew."""
        from odibi_magics.checks import follow_statuses, last

        if refresh:
            forget()
        return last(follow_statuses(self))

    def doctor(self, *names: str, wait: float = 0.0) -> tuple[Diagnosis, ...]:
        """Where connections break, layer by layer, each failure with what mends it; all of them without names.

        Secrets and tokens are fetched anew; a file of its own is written and deleted again. wait: seconds in which a
        role that is missing is asked for again, for it may have been granted just now. Raises UsageError.
        """
        from odibi_magics.checks import follow_diagnoses, last

        return last(follow_diagnoses(self, names, wait))

    @cached_property
    def engine(self) -> Tables:
        """The engine's verbs on tables, as `engine.read_delta(connection="silver", path="clean/sales.delta")`."""
        from odibi_magics.tables import Tables

        return Tables(self)

    def evaluate(self, node: str) -> Frame:
        """A node's rows, evaluated and validated afresh; nothing is written. Raises as `run`."""
        alone = Project(self.definitions, [node], self.text, self.environment)
        return alone.preview(node, rows=1)[node].frame

    def table(self, address: str, *more: str) -> Frame:
        """The rows at a TABLE address. Raises UsageError, EngineError, ConnectionFailed."""
        return self.engine.read(address, *more)


def read_text(path: str | os.PathLike[str]) -> Text:
    """A file's text. Raises UsageError where it cannot be read, or is a notebook."""
    try:
        return Text.from_file(path)
    except UnicodeDecodeError:
        raise UsageError(f"'{os.fspath(path)}' is not UTF-8 text") from None
    except OSError as error:
        there = ", ".join(sorted(file.name for file in Path(path).parent.glob("*.odibi.yaml"))[:5])
        told = f"{error.strerror}; there: {there}" if there else error.strerror
        raise UsageError(f"'{os.fspath(path)}' cannot be read: {told}") from None
