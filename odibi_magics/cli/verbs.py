"""The verbs: each takes the words after its name and gives an Answer, or raises what went wrong."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from odibi_magics.cli.answer import DONE, FAILED, STOPPED, WRONG, Answer, report
from odibi_magics.cli.output import log
from odibi_magics.cli.start import add_folder, add_outside, init, sandbox, schema
from odibi_magics.connections.address import is_path
from odibi_magics.errors import Cancelled, ConfigErrors, UndoFailed, UndoRefused, UsageError
from odibi_magics.option_values import rows
from odibi_magics.options import (
    Does,
    Parser,
    RunOptions,
    add_at,
    add_choice,
    add_diff,
    add_doctor,
    add_engine,
    add_limit,
    add_preview,
    add_refresh,
    add_repeat,
    add_replace,
    add_retention,
    add_run_id,
    add_sql,
    add_table,
    add_table_now,
    add_table_up_to,
    add_texts,
    add_undo,
    add_yes,
    run_options,
    two_tables,
)
from odibi_magics.retyped import project_words

if TYPE_CHECKING:
    from odibi_magics.delta.undo import Undone
    from odibi_magics.display.commands import Commands
    from odibi_magics.pipeline.events import Observer
    from odibi_magics.project import Project

PREVIEW_ROWS = 20


@dataclass(frozen=True)
class Verb:
    """summary: a sentence for its help. groups: its options."""

    name: str
    summary: str
    do: Callable[[Parser, Sequence[str]], Answer]
    groups: tuple[Callable[[Parser], object], ...]

    def parser(self) -> Parser:
        parser = Parser(f"odibi-magics {self.name}", self.summary, *self.groups)
        parser.add_argument("--json", action="store_true", help="JSON on stdout")
        return parser


# A project's file ----------------------------------------------------------------------------------------


def validate(parser: Parser, words: Sequence[str]) -> Answer:
    """The same checks, with the same words, as before a run. Wrong or not, the data has the same shape."""
    from odibi_magics.cli.data import validate_data

    options = run_options(parser, _with_file(parser, words), "plan")
    try:
        project = _of_file(options)
        plan = options.plan(project)
    except ConfigErrors as error:
        problems = error.problems
        return Answer("", lambda: validate_data(options.file, problems), str(error), WRONG)
    counts = {
        "connections": len(project.connections()),
        "pipelines": len({node.pipeline for node in plan.nodes}),
        "nodes": len(plan.nodes),
    }
    warned = (*plan.warnings, *(warning for node in plan.nodes for warning in node.warnings))
    text = f"{options.file}: no problems in {', '.join(_counted(n, noun) for noun, n in counts.items())}"
    lines = [text, *(f"  warning: {warning.message}" for warning in warned)]
    return Answer("\n".join(lines), lambda: validate_data(options.file, (), warned, counts))


def plan(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import plan_data
    from odibi_magics.display.plan import plan_sql_text, plan_text

    options, project = _project(parser, words, "plan")
    made = options.plan(project)
    text = plan_text(made) + ("\n\n" + plan_sql_text(made) if options.sql else "")
    return Answer(text, lambda: plan_data(made, sql=options.sql))


def run(parser: Parser, words: Sequence[str]) -> Answer:
    options, project = _project(parser, words)
    return report(options.start(project, _observers(), PREVIEW_ROWS))


def _project(parser: Parser, words: Sequence[str], does: Does | None = None) -> tuple[RunOptions, Project]:
    options = run_options(parser, _with_file(parser, words), does)
    return options, _of_file(options)


def _with_file(parser: Parser, words: Sequence[str]) -> Sequence[str]:
    """The words with the only project that is here, where they name none, so that what is told to type names it too."""
    if parser.read(words).file is not None:
        return words
    file = _only_file(Path.cwd())
    if file is None:
        raise UsageError(
            f"{parser.prog}: which project? There is no *.odibi.yaml here; `odibi-magics init` lays one out"
        )
    return [file, *words]


def _of_file(options: RunOptions) -> Project:
    from odibi_magics.project import Project

    return Project.from_file(options.file, env=options.env, variables=options.variables)


def _observers() -> tuple[Observer, ...]:
    from odibi_magics.display.progress import PlainLog

    return () if os.environ.get("ODIBI_PROGRESS", "").lower() == "off" else (PlainLog(log),)


def _counted(count: int, plural: str) -> str:
    return f"{count} {plural.removesuffix('s') if count == 1 else plural}"


# Tables and connections ----------------------------------------------------------------------------------


def preview(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import preview_data
    from odibi_magics.display.tables import preview_text

    found = parser.read(words)
    frame = _project_here(found, found.table).table(*found.table)
    shown = replace(frame.preview(found.rows), title=" ".join(found.table))
    return Answer(preview_text(shown), lambda: preview_data(shown))


def history(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import history_data
    from odibi_magics.display.commands import for_shell
    from odibi_magics.display.history import history_shown

    found = parser.read(words)
    tables = _project_here(found, found.table).engine
    told = tables.history(*found.table, limit=found.limit)
    warned = for_shell(tables.glance(*found.table))
    shown = history_shown(told, warned, _commands(words))
    return Answer(shown.text, lambda: history_data(told, warned))


def diff(parser: Parser, words: Sequence[str]) -> Answer:
    """Tables that differ are no failure."""
    from odibi_magics.cli.data import diff_data
    from odibi_magics.display.diff import diff_text

    found = parser.read(words)
    project = _project_here(found, found.tables)
    tables = two_tables(found.tables, project.definitions.connections)
    made = project.engine.diff(*tables, keys=found.keys, rows=found.rows)
    return Answer(diff_text(made, _commands(words)), lambda: diff_data(made))


def restore(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import restored_data
    from odibi_magics.display.upkeep import restored_shown

    found = parser.read(words)
    told = _project_here(found, found.table).engine.restore(
        *found.table, at=found.at, dry_run=found.at is None
    )
    return Answer(restored_shown(told, _commands(words)).text, lambda: restored_data(told))


def vacuum(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import vacuumed_data
    from odibi_magics.display.upkeep import vacuumed_shown

    found = parser.read(words)
    told = _project_here(found, found.table).engine.vacuum(
        *found.table, retention_hours=found.retention_hours, force=found.force, dry_run=not found.yes
    )
    return Answer(vacuumed_shown(told, _commands(words)).text, lambda: vacuumed_data(told))


def optimize(parser: Parser, words: Sequence[str]) -> Answer:
    from odibi_magics.cli.data import optimized_data
    from odibi_magics.display.upkeep import optimized_shown

    found = parser.read(words)
    told = _project_here(found, found.table).engine.optimize(*found.table, dry_run=not found.yes)
    return Answer(optimized_shown(told, _commands(words)).text, lambda: optimized_data(told))


def _commands(words: Sequence[str]) -> Commands:
    from odibi_magics.display.commands import Commands

    return Commands(shell=True, project=project_words(words))


def undo(parser: Parser, words: Sequence[str]) -> Answer:
    """Without --at it shows what it would do."""
    from odibi_magics.cli.data import undone_data
    from odibi_magics.display.undo import undone_shown
    from odibi_magics.pipeline.undo_words import refused_words
    from odibi_magics.pipeline.ways import Ways
    from odibi_magics.undoing import named_by

    found = parser.read(words)
    project = _project_here(found)
    run, tables = named_by(project, found.run)
    ways = Ways(undoing=("odibi-magics undo", *project_words(words)))

    def answer(done: Undone, said: str = "", code: int = DONE) -> Answer:
        return Answer(undone_shown(done, ways).text, lambda: undone_data(done), said, code)

    try:
        return answer(
            project.undo(
                run,
                table=tables,
                at=dict(found.at) or None,
                dry_run=not found.at,
                force=found.force,
            )
        )
    except UndoRefused as error:
        raise UndoRefused(refused_words(error.result, ways), error.result) from None
    except UndoFailed as error:
        return answer(error.result, str(error), FAILED)
    except Cancelled as error:
        if error.result is None:
            raise
        return answer(error.result, str(error), STOPPED)


def connections(parser: Parser, words: Sequence[str]) -> Answer:
    """Fails where one of them does not answer."""
    from odibi_magics.cli.data import status_data
    from odibi_magics.display.connections import statuses_shown

    found = parser.read(words)
    statuses = _connected(found).check_connections(refresh=found.refresh)
    failures = [status.error for status in statuses if status.error]
    return Answer(
        statuses_shown(statuses).text,
        lambda: [status_data(status) for status in statuses],
        "\n".join(failures),
        FAILED if failures else DONE,
    )


def doctor(parser: Parser, words: Sequence[str]) -> Answer:
    """Fails where a connection breaks."""
    from odibi_magics.cli.data import diagnosis_data
    from odibi_magics.display.connections import diagnoses_shown, failed_words

    found = parser.read(words)
    diagnoses = _connected(found).doctor(*found.names, wait=found.wait * 60)
    failures = failed_words(diagnoses)
    return Answer(
        diagnoses_shown(diagnoses).text,
        lambda: [diagnosis_data(diagnosis) for diagnosis in diagnoses],
        failures,
        FAILED if failures else DONE,
    )


def _connected(found: Namespace) -> Project:
    """A project with connections. Raises UsageError."""
    project = _project_here(found)
    if not project.connections():
        raise UsageError(
            f"no connections are defined in {found.file or 'a *.odibi.yaml here; --file names one'}"
        )
    return project


def _project_here(found: Namespace, tables: Sequence[str] = ()) -> Project:
    """The project of --file, else of the only *.odibi.yaml here, else one that defines nothing.

    tables: the words of the TABLEs that are asked for. Paths need no project, so that they do without where it is not
    told which one is meant, or the one that is here is wrong.
    """
    try:
        return _told_project(found, tables)
    except (UsageError, ConfigErrors):
        if found.file or found.env or found.set or not (tables and all(map(is_path, tables))):
            raise
        return _no_project(found)


def _told_project(found: Namespace, tables: Sequence[str]) -> Project:
    from odibi_magics.project import Project

    file = found.file or _only_file(
        Path.cwd(), "--file ", "; a path, as ./orders, needs none" if tables else ""
    )
    if file is None:
        return _no_project(found)
    return Project.from_file(file, env=found.env, variables=dict(found.set))


def _no_project(found: Namespace) -> Project:
    from odibi_magics.project import Project

    return Project.from_yaml("connections: {}", env=found.env, variables=dict(found.set))


def _only_file(folder: Path, option: str = "", otherwise: str = "") -> str | None:
    """Raises UsageError where there are several, with the option that names one, and what does without."""
    files = sorted(path.name for path in folder.glob("*.odibi.yaml"))
    if len(files) > 1:
        raise UsageError(f"which project? {option}one of: {', '.join(files)}{otherwise}")
    return files[0] if files else None


_FILE_HELP = "a project's YAML file; without it the only *.odibi.yaml here"


def _add_file_first(parser: Parser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help=_FILE_HELP)


def _add_file(parser: Parser) -> None:
    parser.add_argument("--file", metavar="FILE", help=_FILE_HELP)


def _add_rows(parser: Parser) -> None:
    parser.add_argument(
        "--rows", type=rows, default=PREVIEW_ROWS, metavar="ROWS", help="how many rows to show"
    )


_FILE = (_add_file_first, add_texts)
_HERE = (_add_file, add_texts)
_RUN = (*_FILE, add_preview, add_choice, add_repeat, add_run_id)
_ALL = (
    Verb("init", "Lay out a project that runs at once; no file is changed.", init, (add_folder,)),
    Verb(
        "validate",
        "Check a project's file and look at what it reads and writes; run nothing.",
        validate,
        (*_FILE, add_engine),
    ),
    Verb("plan", "Show what a run would do.", plan, (*_FILE, add_sql, add_choice, add_replace)),
    Verb("run", "Check and run a project's file.", run, _RUN),
    Verb("preview", "Show the first rows of a table.", preview, (add_table, _add_rows, *_HERE)),
    Verb("history", "Show what a Delta table went through.", history, (add_table_up_to, add_limit, *_HERE)),
    Verb("restore", "Show, or do, what makes a Delta table as it was.", restore, (add_table, add_at, *_HERE)),
    Verb(
        "vacuum",
        "Show, or delete, files that no version of a Delta table needs.",
        vacuum,
        (add_table_now, add_retention, add_yes, *_HERE),
    ),
    Verb(
        "optimize", "Show, or join, small files of a Delta table.", optimize, (add_table_now, add_yes, *_HERE)
    ),
    Verb(
        "diff", "Show what differs between two versions, or two tables.", diff, (add_diff, _add_rows, *_HERE)
    ),
    Verb("undo", "Undo a run in every table it wrote; without --at show how.", undo, (add_undo, *_HERE)),
    Verb(
        "connections", "List the connections and check that they answer.", connections, (add_refresh, *_HERE)
    ),
    Verb("doctor", "Look at connections layer by layer.", doctor, (add_doctor, *_HERE)),
    Verb("sandbox", "Run a command in a practice cloud of its own.", sandbox, (add_outside,)),
    Verb("schema", "Print the JSON Schema of the language, for editors.", schema, ()),
)
VERBS = {verb.name: verb for verb in _ALL}
