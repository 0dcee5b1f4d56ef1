"""What a command answers, also where it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from odibi_magics.errors import (
    Cancelled,
    ConfigErrors,
    MissingExtra,
    NoConnections,
    NodeFailed,
    OdibiError,
    Problem,
    Unexpected,
    UsageError,
)

if TYPE_CHECKING:
    from odibi_magics.pipeline.result import RunResult

DONE, FAILED, WRONG, STOPPED = 0, 1, 2, 130


@dataclass(frozen=True)
class Answer:
    """text, or with --json what `data` makes: for stdout. said: for stderr. code: the exit code."""

    text: str = ""
    data: Callable[[], Any] | None = None
    said: str = ""
    code: int = DONE


def report(result: RunResult, said: str = "", code: int = DONE) -> Answer:
    """A run's report."""
    from odibi_magics.cli.data import run_data
    from odibi_magics.display.commands import for_shell
    from odibi_magics.display.report import report_text

    nodes = tuple(replace(node, warnings=for_shell(node.warnings)) for node in result.nodes)
    here = replace(result, nodes=nodes, warnings=for_shell(result.warnings))
    return Answer(report_text(here), lambda: run_data(here), said, code)


def failure(error: BaseException) -> Answer:
    """What there is to say of an error, and its exit code."""
    if isinstance(error, (NodeFailed, Cancelled)) and _is_run(error.result):
        return report(error.result, str(error), STOPPED if isinstance(error, Cancelled) else FAILED)
    if isinstance(error, KeyboardInterrupt):
        return _told("Stopped", str(error) or "stopped", STOPPED)
    if isinstance(error, ConfigErrors):
        problems = [problem_data(problem) for problem in error.problems]
        return _told("ConfigErrors", str(error), WRONG, problems=problems)
    if isinstance(error, NoConnections):
        return _told(
            "NoConnections", f"unknown connection '{error.name}': --file FILE names the project of it", WRONG
        )
    known = error if isinstance(error, OdibiError) else Unexpected(error)
    wrong = isinstance(error, (UsageError, MissingExtra))
    return _told(type(known).__name__, str(known), WRONG if wrong else FAILED)


def _is_run(result: object) -> bool:
    from odibi_magics.pipeline.result import RunResult

    return isinstance(result, RunResult)


def _told(kind: str, message: str, code: int, **more: Any) -> Answer:
    return Answer("", lambda: {"error": {"kind": kind, "message": message, **more}}, message, code)


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem as plain data. Columns count from 1, as editors do."""
    place = problem.place
    return {
        "message": problem.message,
        "where": problem.where,
        "hint": problem.hint,
        "file": place.source.name if place else None,
        "line": place.line if place else None,
        "column": place.column + 1 if place else None,
    }
