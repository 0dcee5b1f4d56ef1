"""What a node's failure says."""

from __future__ import annotations

import traceback
from collections.abc import Iterator

from odibi_magics.config.source import Place
from odibi_magics.delta.held import Held
from odibi_magics.engines.base import CheckResult
from odibi_magics.errors import AppendRefused, EngineError, OdibiError, said
from odibi_magics.pipeline.demand import computed_with, made_from
from odibi_magics.pipeline.own_input import reads_file
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.quoting import Data, Quoting, each_part
from odibi_magics.secret import redact


def failure_text(error: BaseException, node: PlannedNode, plan: Plan) -> str:
    """The error's text with the line of the text that it is about."""
    if not isinstance(error, OdibiError):
        whole = f"{said(error)}\n\n{''.join(traceback.format_exception(error))}"
        return Quoting(f"{type(error).__name__}: ", Data(redact(whole)))
    if not isinstance(error, EngineError):
        return each_part(Quoting(error.text), redact)
    behind = made_from(node, plan)
    found = [(one, place) for one in behind for place in (*one.faults(error), *_read(one, error))]
    if len(found) == 1:
        return each_part(Quoting(error.text, _line(*found[0])), redact)
    place = node.where(error.about)
    line = _line(node, place) if place else ""
    through = ", ".join(map(_at, computed_with(node, plan)))
    also = f"\n  computed with it, and perhaps at fault: {through}" if through else ""
    return each_part(Quoting(error.text, line, also if type(error) is EngineError else ""), redact)


def _read(node: PlannedNode, error: EngineError) -> Iterator[Place]:
    """Where a node names what could not be read."""
    if error.reads and node.source and reads_file(node.source, error.reads):
        yield from filter(None, [node.where(("read", "path")) or node.where(("read",))])


def _line(node: PlannedNode, place: Place) -> str:
    return f"\n\n  line {place.line} of {node.defined}\n{place.excerpt()}"


def _at(node: PlannedNode) -> str:
    place = node.where(("name",))
    return f"{node.name} (line {place.line} of {node.defined})" if place else node.name


def checks_of(error: BaseException) -> tuple[CheckResult, ...]:
    """The checks that an error is of."""
    return tuple(getattr(error, "checks", ()))


def held_of(error: BaseException) -> Held | None:
    """Of an append that another run made while this one was under way, the commit that did."""
    return error.held if isinstance(error, AppendRefused) else None
