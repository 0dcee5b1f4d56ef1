"""How the commands that go on from a report are typed: as magics, on the command line, or in Python."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from odibi_magics.secret import redact


@dataclass(frozen=True)
class Ways:
    """Where a report shows.

    run: what the run was called by, as words: `%odibi_run etl.yaml`, without what makes it run again. undoing: the same
    of an undo. Without words they are calls in Python.
    """

    run: tuple[str, ...] = ()
    undoing: tuple[str, ...] = ()

    def resume(self, run: str, only: Sequence[str] = ()) -> str:
        """The command that goes on with a run. only: with these of its nodes."""
        if not self.run:
            return f"project.run({f'only={list(only)!r}, ' if only else ''}resume=True, run_id={run!r})"
        called = _without_choice(self.run) if only else self.run
        chosen = (word for name in only for word in ("--only", name))
        return self._typed((*called, *chosen, "--resume", "--run-id", run))

    def undo(
        self, run: str, at: Mapping[str, int], *, tables: Sequence[str] = (), force: bool = False
    ) -> str:
        """The command that undoes a run, its tables having these versions; without them it shows what it would do.

        tables: where it is to look for the run, so that it works where nothing else is known.
        """
        if not self.undoing:
            return _call(run, at, tables, force=force)
        versions = [word for table, version in at.items() for word in ("--at", f"{table}={version}")]
        first, *rest = self.undoing
        told = (*_verb(first), run, *tables, *versions, *rest, *(["--force"] if force else []))
        return self._typed(told)

    def _typed(self, words: Sequence[str]) -> str:
        # Redacted word by word: within quotes a secret is not what it was.
        return " ".join([words[0], *(shlex.quote(redact(word)) for word in words[1:])])


def _without_choice(words: Sequence[str]) -> list[str]:
    """The words of a call without those that choose its nodes."""
    found: list[str] = []
    left = list(words)
    while left:
        name, equals, _ = left[0].partition("=")
        size = 1 if equals or name not in ("--only", "--from-node") else 2
        found += [] if name in ("--only", "--from-node") else left[:size]
        del left[:size]
    return found


def _verb(first: str) -> tuple[str, ...]:
    return tuple(first.split(" "))


def _call(run: str, at: Mapping[str, int], tables: Sequence[str], *, force: bool) -> str:
    named = [f"table={tables[0]!r}"] if len(tables) == 1 else [f"table={list(tables)!r}"] if tables else []
    given = [
        repr(run),
        *named,
        *([f"at={dict(at)!r}"] if at else ["dry_run=True"]),
        *(["force=True"] if force else []),
    ]
    return f"project.undo({', '.join(given)})"
