"""%%odibi_pipeline and %odibi_run: a text is checked, then planned, previewed or run, and reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from odibi_magics.display.html import Displayed
from odibi_magics.display.report import report_html, report_text
from odibi_magics.errors import Cancelled, NodeFailed, UsageError, suggest
from odibi_magics.magics.extension import RESULT, OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.progress import Spot, progress
from odibi_magics.magics.show import kept_result, show_help, show_plan
from odibi_magics.magics.words import words
from odibi_magics.option_values import SaveAs
from odibi_magics.options import (
    Parser,
    RunOptions,
    run_options,
)
from odibi_magics.pipeline.events import Event, Observer, RunStarted

if TYPE_CHECKING:
    from odibi_magics.pipeline.result import RunResult
    from odibi_magics.project import Project


def run_cell(magics: OdibiMagics, line: str, cell: str) -> None:
    """The cell's definitions join the notebook's project once all is checked, whatever becomes of the run."""
    options = _options(parser_of("%%odibi_pipeline"), line)
    if options is not None:
        project = _defined(magics, cell, options)
        _perform(magics, project, options, keep=lambda: magics.session.keep(project))


def run_file(magics: OdibiMagics, line: str) -> None:
    """A file is a project of its own; the notebook's stays as it is."""
    options = _options(parser_of("%odibi_run"), line)
    if options is not None:
        from odibi_magics.project import Project

        project = Project.from_file(options.file, env=options.env, variables=options.variables)
        _perform(magics, project, options, keep=lambda: None)


def _options(parser: Parser, line: str) -> RunOptions | None:
    """None where only help was asked for, and shown."""
    given = words(parser.prog, line)
    return None if show_help(parser, given) else run_options(parser, given)


def _defined(magics: OdibiMagics, cell: str, options: RunOptions) -> Project:
    """A cell's text as a project that knows what earlier cells defined. Raises ConfigErrors."""
    return magics.session.define(
        cell,
        env=options.env,
        variables=options.variables,
        namespace=magics.variables,
        defined=magics.here,
    )


def _perform(magics: OdibiMagics, project: Project, options: RunOptions, keep: Callable[[], None]) -> None:
    """keep: called once the text is known to be right, before anything runs."""
    _refuse_unknown(options.save_as, project)
    if options.does == "plan":
        plan = options.plan(project)
        keep()
        show_plan(plan, sql=options.sql)
        return
    if options.resume and options.run_id is None:
        options = replace(options, run_id=magics.session.failed_run(project.own))
    spot = Spot()
    watching = (_once_checked(keep), *progress(magics.shell, spot, magics.keep_rows))
    try:
        result = options.start(project, watching, magics.keep_rows, magics.session.variables_of)
    except (NodeFailed, Cancelled) as error:
        if error.result is not None:
            _finish(magics, spot, error.result)
            _save(magics, project, options, error.result)
        raise
    _finish(magics, spot, result)
    _save(magics, project, options, result)


def _once_checked(keep: Callable[[], None]) -> Observer:
    # A run starts only when its plan stands, so this saves planning twice.
    def watch(event: Event) -> None:
        if isinstance(event, RunStarted):
            keep()

    return watch


def _finish(magics: OdibiMagics, spot: Spot, result: RunResult) -> None:
    magics.session.ended(result)
    magics.shell.user_ns[RESULT] = result
    kept = kept_result(result, magics.keep_rows)
    spot.end(Displayed(report_html(kept), report_text(kept)))


def _refuse_unknown(save_as: SaveAs | None, project: Project) -> None:
    if save_as is not None and save_as.node is not None and save_as.node not in project.own:
        hint = suggest(save_as.node, project.own) or "no nodes are defined here"
        raise UsageError(f"--as {save_as.name}={save_as.node}: unknown node '{save_as.node}' ({hint})")


def _save(magics: OdibiMagics, project: Project, options: RunOptions, result: RunResult) -> None:
    if options.save_as is None:
        return
    ran = {node.name for node in result.nodes}
    node = options.save_as.node or options.node or [name for name in project.own if name in ran][-1]
    if result.state == "done" or node in result.frames:
        magics.shell.user_ns[options.save_as.name] = result[node]
