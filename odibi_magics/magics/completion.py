"""Completion and help in our cells and on our lines; all others are left to IPython.

IPython asks a matcher with the whole cell and the cursor. For help (Shift+Tab) it has no such hook: it looks the word
under the cursor up as Python. So the kernel's `do_inspect` is wrapped, and unwrapped when the extension leaves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

if TYPE_CHECKING:
    from odibi_magics.completion.cell import Asker
    from odibi_magics.completion.offers import Offers
    from odibi_magics.completion.waiting import Answers
    from odibi_magics.magics.extension import OdibiMagics

# A cell magic is its cell's first line; IPython lets empty ones stand above it.
_CELL = re.compile(
    r"(?:[ \t]*\n)*(?P<magic>%%(?:odibi_pipeline|odibi_connections))(?P<line>[ \t][^\n]*)?(?P<end>\n|\Z)"
)
_OTHER_CELL = re.compile(r"\s*%%")
_LINE = re.compile(r"[ \t]*(?:[\w.,\[\]'\" ]+=[ ]*)?(?P<magic>%odibi\w*)(?=[ \t])")

# Before all matchers of IPython's, so that none of them is asked in vain.
_FIRST = 1000


@dataclass(frozen=True)
class _Spot:
    """The cursor in something of ours. text: of the cell, None on a line alone; at: in the text, or the line."""

    magic: str
    where: Literal["line", "body"]
    line: str
    text: str | None
    at: int


class _Nothing(Sequence[SimpleCompletion]):
    """No completions, and none of others either: IPython suppresses them only where `len` says that there are some."""

    def __len__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[SimpleCompletion]:
        return iter(())

    def __getitem__(self, index: Any) -> Any:
        raise IndexError(index)


class Completion:
    """What a shell asks; nothing is imported before it does so in a cell or on a line of ours."""

    def __init__(self, magics: OdibiMagics) -> None:
        self.magics = magics
        self.left = False

        def matcher(context: CompletionContext) -> SimpleMatcherResult:
            return self.matches(context)

        self._matcher: Any = context_matcher(identifier="odibi_magics", priority=_FIRST)(matcher)
        self._inspects: Callable[..., Any] | None = None

    def enter(self) -> None:
        """Has the shell ask."""
        completer: Any = self.magics.shell.Completer
        completer.custom_matchers.append(self._matcher)
        kernel: Any = getattr(self.magics.shell, "kernel", None)
        if hasattr(kernel, "do_inspect"):
            self._inspects = self._wrapped(kernel.do_inspect)
            kernel.do_inspect = self._inspects

    def leave(self) -> None:
        """Undoes `enter`. Where somebody else has wrapped what we wrapped, ours stays in it and says nothing more."""
        self.left = True
        completer: Any = self.magics.shell.Completer
        if self._matcher in completer.custom_matchers:
            completer.custom_matchers.remove(self._matcher)
        kernel: Any = getattr(self.magics.shell, "kernel", None)
        if self._inspects is not None and vars(kernel).get("do_inspect") is self._inspects:
            del kernel.do_inspect  # the method of its class is seen again

    # Completion -----------------------------------------------------------------------------------------------------

    def matches(self, context: CompletionContext) -> SimpleMatcherResult:
        """For IPython's completer."""
        lines = context.full_text.split("\n")
        at = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        spot = _spot(context.full_text, at)
        if spot is None:
            return {"completions": [], "suppress": False}
        found = self._offers(spot)
        completions = (
            [SimpleCompletion(one.text, type=one.about or "value") for one in found.offers] if found else []
        )
        return {
            "completions": completions or _Nothing(),
            "matched_fragment": found.replaced if found else "",
            "suppress": True,
            "ordered": True,
        }

    def _offers(self, spot: _Spot) -> Offers | None:
        """None where something went wrong: nobody wants to read a traceback while typing."""
        from odibi_magics.completion.cell import complete_cell
        from odibi_magics.completion.lines import complete_line
        from odibi_magics.magics.grammar import magics, parser

        try:
            if spot.where == "body":
                return complete_cell(spot.text or "", spot.at, _KINDS[spot.magic], self._asker)
            if spot.magic not in magics():
                return None
            return complete_line(parser(spot.magic), spot.line[: spot.at], spot.text, self._asker)
        except Exception:
            return None

    @property
    def _asker(self) -> Asker:
        from odibi_magics.completion.cell import Asker
        from odibi_magics.completion.facts import Facts

        session = vars(self.magics).get("session")
        facts = (
            Facts(session.definitions, self.magics.variables)
            if session
            else Facts(variables=self.magics.variables)
        )
        return Asker(facts, self._answers)

    @cached_property
    def _answers(self) -> Answers:
        from odibi_magics.completion.waiting import Answers

        return Answers()

    # Help -----------------------------------------------------------------------------------------------------------

    def _wrapped(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """The kernel's `do_inspect`, which answers itself where the cursor is in something of ours."""

        def do_inspect(code: str, cursor_pos: int, *args: Any, **named: Any) -> Any:
            spot = None if self.left else _spot(code, cursor_pos)
            if spot is None:
                return inner(code, cursor_pos, *args, **named)
            said = self._meaning(spot)
            data = {"text/plain": said} if said else {}
            return {"status": "ok", "found": bool(said), "data": data, "metadata": {}}

        return do_inspect

    def _meaning(self, spot: _Spot) -> str | None:
        from odibi_magics.completion.meaning import meaning_in_cell, meaning_on_line
        from odibi_magics.magics.grammar import magics, parser

        try:
            if spot.where == "body":
                return meaning_in_cell(spot.text or "", spot.at, _KINDS[spot.magic], self._asker)
            if spot.magic not in magics():
                return None
            return meaning_on_line(parser(spot.magic), spot.line[: spot.at], spot.line[spot.at :])
        except Exception:
            return None


_KINDS: dict[str, Literal["pipeline", "connections"]] = {
    "%%odibi_pipeline": "pipeline", "%%odibi_connections": "connections",
}  # fmt: skip


def _spot(code: str, at: int) -> _Spot | None:
    """Where the cursor is in a cell or on a line of ours; None elsewhere."""
    if cell := _CELL.match(code):
        text = code[cell.end() :]
        if at >= cell.end() and cell["end"]:
            return _Spot(cell["magic"], "body", "", text, at - cell.end())
        line = cell["line"] or ""
        start = cell.end("magic")
        return (
            _Spot(cell["magic"], "line", line, text, at - start) if start < at <= start + len(line) else None
        )
    if _OTHER_CELL.match(code):
        return None
    start = code.rfind("\n", 0, at) + 1
    end = code.find("\n", at)
    whole = code[start : end if end >= 0 else len(code)]
    found = _LINE.match(whole)
    if found is None or at - start <= found.end("magic"):
        return None
    return _Spot(found["magic"], "line", whole[found.end("magic") :], None, at - start - found.end("magic"))
