"""The words of a call, as they are typed again by the commands that go on from its report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from odibi_magics.pipeline.ways import Ways

# What starts a run afresh or names it; the commands that go on from its report say it anew.
_ONCE = ("--again", "--replace", "--resume", "--json", "--run-id")


def ways_of(prog: str, words: Sequence[str], file: str) -> Ways:
    """How the same project is run and undone again."""
    run = (prog, *(word for said in _said(words) if said[0] not in _ONCE for word in said[1]))
    if prog.startswith("%"):
        return Ways(run, ("%odibi_undo",))
    return Ways(run, ("odibi-magics undo", "--file", file, *project_words(words)))


def project_words(words: Sequence[str]) -> tuple[str, ...]:
    """Those of the words that say which project it is, and what lies over its text."""
    return tuple(word for name, said in _said(words) if name in ("--file", "--env", "--set") for word in said)


def _said(words: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    """Each option with its words, and the other words one by one."""
    left = list(words)
    while left:
        name, equals, _ = left[0].partition("=")
        count = 2 if name in _VALUED and not equals else 1
        yield name, left[:count]
        del left[:count]


_VALUED = ("--only", "--from-node", "--engine", "--env", "--set", "--as", "--run-id", "--file", "--at")
