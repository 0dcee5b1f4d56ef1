"""Everything that can go wrong, as types: each knows how to say itself in a few plain lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from odibi_magics.quoting import Data, Quoting, without_data
from odibi_magics.secret import redact

if TYPE_CHECKING:
    from odibi_magics.config.source import Place
    from odibi_magics.delta.held import Held


class ShortTraceback:
    """Shown by IPython as its message alone: IPython asks an exception for `_render_traceback_` first."""

    def _render_traceback_(self) -> list[str]:
        return [redact(str(self))]


class OdibiError(ShortTraceback, Exception):
    """The base of all errors raised here. Its text is complete: what is wrong, where, and what to do.

    transient: whether the same may work in a moment.
    """

    transient = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({redact(str(self))!r})"

    @property
    def text(self) -> str:
        """What `str` gives, Quoting where it quotes data."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)

    def without_data(self) -> Self:
        """The same error, its text without the data it quotes."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.args = (without_data(self.text), *self.args[1:])
        return other


@dataclass(frozen=True, repr=False)
class Problem:
    """One thing wrong with the text.

    where: the path of the key in the user's own shape, as `pipelines[0].nodes[1].write`; "" for the whole text.
    place: line and columns, or None where none is known (no line is better than a made-up one).
    hint: what is allowed or the nearest spelling, e.g. "did you mean 'mode'?"; "" for none. Two problems that differ in
      it alone are one.
    """

    message: str
    where: str = ""
    place: Place | None = None
    hint: str = field(default="", compare=False)

    def __repr__(self) -> str:
        return f"Problem({redact(render_problem(self).strip())!r})"


# More than people read; `problems` holds them all.
_SHOWN = 100


class ConfigErrors(OdibiError):
    """All problems of one text, found before anything ran.

    problems: in the order of their lines. left: what can still be checked of the text, for more problems of it.
    """

    def __init__(self, problems: Sequence[Problem], what: str = "this cell", left: Any = None) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=_line))
        self.what = what
        self.left = left
        super().__init__(self.problems)

    def __str__(self) -> str:
        count = len(self.problems)
        noun = "problem" if count == 1 else "problems"
        head = f"{count} {noun} in {self.what}, nothing was run"
        told = [render_problem(problem, self.what) for problem in self.problems[:_SHOWN]]
        more = [f"  ... and {count - _SHOWN} more"] if count > _SHOWN else []
        return redact("\n".join([head, "", *told, *more]))

    def without_data(self) -> Self:
        kept = [replace(problem, message=without_data(problem.message)) for problem in self.problems]
        return type(self)(kept, self.what, self.left)


def _line(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)


def render_problem(problem: Problem, what: str = "") -> str:
    """One problem as text: line, path, message, then the excerpt with its caret.

    what: the text that is spoken of; a line of another one is told with the other's name.
    """
    subject = f"{_short(problem.where)}: " if problem.where else ""
    if problem.place is None:
        hint = f" ({problem.hint})" if problem.hint else ""
        return f"  {subject}{_short(problem.message)}{hint}"
    source = problem.place.source
    elsewhere = f" of {source.later or source.name}" if what not in ("", source.name) else ""
    head = f"  line {problem.place.line}{elsewhere}  {subject}{_short(problem.message)}"
    return head + "\n" + problem.place.excerpt(problem.hint)


def _short(text: str) -> str:
    """Long words of the user's are not repeated whole."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 100]} … {text[-100:]}"


_LONGEST = 1000


class ConnectionFailed(OdibiError):
    """A place could not be reached or refused us; the text names connection, what was tried and the remedy."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        self.transient = transient
        super().__init__(message)


class CannotOpen(ConnectionFailed):
    """Nothing of a connection can be reached, whatever the path: another one would be refused alike.

    about: the key of the connection's text that it is about; "" for the one that says what opens it, as
    where the text does not have the key.
    """

    def __init__(self, message: str, *, transient: bool = False, about: str = "") -> None:
        self.about = about
        super().__init__(message, transient=transient)


class ConnectionsFailed(ConnectionFailed):
    """All connections of a run that cannot be opened, told at once before anything runs.

    failures: each connection's own error by its name, in the order they were asked for.
    """

    def __init__(self, failures: Mapping[str, CannotOpen]) -> None:
        self.failures = dict(failures)
        transient = all(failure.transient for failure in self.failures.values())
        super().__init__(_told_together(self.failures), transient=transient)


def _told_together(failures: Mapping[str, ConnectionFailed]) -> str:
    """One failure as it is; of several a line each, connections that fail alike on one."""
    if len(failures) == 1:
        return str(*failures.values())
    alike: dict[str, list[str]] = {}
    for name, failure in failures.items():
        alike.setdefault(str(failure).removeprefix(f"Connection '{name}': "), []).append(name)
    lines = [f"  {_connections(names)}: {why}" for why, names in alike.items()]
    return "\n".join([f"{len(failures)} connections cannot be opened, nothing was run", *lines])


def _connections(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    if len(quoted) == 1:
        return f"Connection {quoted[0]}"
    return f"Connections {', '.join(quoted[:-1])} and {quoted[-1]}"


class MissingExtra(OdibiError):
    """A library of an optional extra is not installed."""

    def __init__(self, library: str, extra: str, purpose: str) -> None:
        self.library, self.extra = library, extra
        super().__init__(
            f"{purpose} needs {library}, which is not installed: pip install 'odibi-magics[{extra}]'"
        )


Arose = Callable[[str], tuple[int, int] | None]
ANYWHERE = (-1, -1)
"""Offsets that are not known."""


class EngineError(OdibiError):
    """An engine could not do what a node asked of it; raised inside a node and reported with its name and line.

    about: the key of the node's text that it is about.
    arose: of what failed in SQL: where in some SQL, as the engine has it, it may have arisen, by offsets, which are -1
      where they are not known; None where it cannot have.
    reads: of what failed in reading a source: a file of it.
    """

    about: tuple[str, ...] = ("name",)
    arose: Arose | None = None
    reads: str = ""


class DamagedLog(EngineError):
    """A Delta table's log does not hold what it must; the file at fault is named.

    url: of the table. file: in its `_delta_log`. why: what is wrong with it.
    """

    def __init__(self, url: str, file: str, why: str) -> None:
        super().__init__(
            f"the log of the Delta table {url} is damaged: _delta_log/{file}: {why}. Nothing was changed; bring the "
            "file back from a copy of the storage"
        )


class NotDelta(EngineError):
    """A file, or a folder of anything else, where a Delta table is wanted."""


class NoSuchVersion(EngineError):
    """A version of a table that is not there, or no more."""

    about = ("read", "version")


class NoSuchTime(EngineError):
    """A time at which a table was not there."""

    about = ("read", "timestamp")


class PartitionsRefused(EngineError):
    """Columns that a table cannot be partitioned by, or is not."""

    about = ("write", "partition_by")


class TargetExists(EngineError):
    """`mode: error`, and something stands there already."""

    about = ("write", "mode")


class AppendRefused(EngineError):
    """An append whose text and inputs its table holds already; found before the write, nothing was written.

    held: the commit that holds them, where it is of one node.
    """

    about = ("write", "mode")

    def __init__(self, message: str, held: Held | None = None) -> None:
        self.held = held
        super().__init__(message)


class KeysRefused(EngineError):
    """Rows whose `keys` are NULL or come twice; found before the merge, nothing was written."""

    about = ("write", "keys")


class ValidationFailed(EngineError):
    """A check with `on_fail: error` did not hold; nothing was committed."""

    about: tuple[str, ...] = ("validation",)


class WriteConflict(EngineError):
    """Another writer committed to the table in between, and the write could not be repeated on top."""

    transient = True


class ResumeRefused(OdibiError):
    """A run that cannot go on, because the text it had is another one now; nothing was run. `.result` says what."""

    def __init__(self, message: str, result: Any = None) -> None:
        self.result = result
        super().__init__(message)


class UndoRefused(OdibiError):
    """A run that cannot be undone as asked; nothing was touched. `.result` says why, table by table.

    put_back: in words, what had been undone before, for a `--replace`.
    """

    put_back: tuple[str, ...] = ()

    def __init__(self, message: str, result: Any = None) -> None:
        self.result = result
        super().__init__(message)


class UndoFailed(OdibiError):
    """An undo that did not get to its end. `.result` says where each table stands."""

    def __init__(self, message: str, result: Any) -> None:
        self.result = result
        super().__init__(message)


class UsageError(OdibiError):
    """The call itself is wrong: an unknown option, a missing file, a TABLE that names nothing."""


class NoConnections(UsageError):
    """A connection is named where none are defined."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"unknown connection '{name}' (none are defined: %%odibi_connections defines them, and those of a file "
            "that %odibi_run has run are not known outside it)"
        )


class NodeFailed(OdibiError):
    """A run in which at least one node failed. `.result` holds the whole run, also in `odibi_result`."""

    def __init__(self, message: str, result: Any) -> None:
        self.result = result
        super().__init__(message)

    def __str__(self) -> str:
        return redact(str(self.args[0]))


class Cancelled(ShortTraceback, KeyboardInterrupt):
    """The run was stopped. A KeyboardInterrupt, so that `except Exception` does not swallow it."""

    def __init__(self, message: str, result: Any = None) -> None:
        self.result = result
        super().__init__(message)

    def __str__(self) -> str:
        return redact(str(self.args[0]))


class Unexpected(OdibiError):
    """A fault of ours or of a library: its whole traceback as text, because that text has passed the redactor."""

    def __init__(self, error: BaseException) -> None:
        from traceback import format_exception

        told = "".join(format_exception(error)).rstrip()
        head = f"this should not have happened, please report it: {type(error).__name__}"
        super().__init__(Quoting(head, Data(f": {said(error)}\n\n{told}")))

    def __str__(self) -> str:
        return redact(str(self.args[0]))


def said(error: BaseException) -> str:
    """What an error of others says, with its notes; one whose own `__str__` fails says that."""
    try:
        text = str(error)
    except BaseException as failure:
        text = f"its text cannot be told, __str__ raised {type(failure).__name__}"
    return "\n".join([text, *getattr(error, "__notes__", ())])


def nearest(word: str, allowed: Sequence[str], cutoff: float = 0.6) -> str | None:
    """The spelling in `allowed` closest to `word`, or None where none is close; cutoff: from 0 to 1, for the same."""
    from difflib import get_close_matches  # 3 ms, only when something is wrong

    exact = {name.lower(): name for name in allowed}
    found = get_close_matches(word.lower(), list(exact), n=1, cutoff=cutoff)
    return exact[found[0]] if found else None


def suggest(word: str, allowed: Sequence[str]) -> str:
    """ "did you mean 'mode'?", or the allowed words where nothing is close; "" where nothing is allowed."""
    close = nearest(word, allowed)
    if close is not None:
        return f"did you mean '{close}'?"
    return f"allowed: {', '.join(sorted(set(allowed)))}" if allowed else ""


def unknown_connection(name: str, there: Sequence[str]) -> UsageError:
    """Of a name that is none of those that are there."""
    return (
        UsageError(f"unknown connection '{name}' ({suggest(name, there)})") if there else NoConnections(name)
    )
