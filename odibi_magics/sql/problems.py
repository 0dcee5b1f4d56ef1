"""What can be wrong with SQL text, with places in it. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class SqlProblem:
    """One thing wrong. start, end: offsets into the text that was given; -1 where no place is known.

    suggestion: the nearest spelling, if any.
    """

    message: str
    start: int = -1
    end: int = -1
    suggestion: str | None = None


class SqlErrors(Exception):
    """All problems of one text, in the order of their places."""

    def __init__(self, problems: Iterable[SqlProblem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.start))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(_line, self.problems))


def _line(problem: SqlProblem) -> str:
    hint = f" (did you mean '{problem.suggestion}'?)" if problem.suggestion else ""
    return problem.message + hint
