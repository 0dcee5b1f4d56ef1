"""An append that was done already, in words: how far the run came that did it, and the ways on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from odibi_magics.delta.held import Held, Inputs, run_commits
from odibi_magics.delta.line import Line
from odibi_magics.delta.mark import RunMark
from odibi_magics.engines.base import Engine
from odibi_magics.errors import AppendRefused, ConnectionFailed, EngineError
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.resume import Resumption
from odibi_magics.pipeline.runmark import fingerprint


@dataclass(frozen=True)
class Standing:
    """How far a run came whose rows a plan would append again.

    left: the nodes that write, and whose tables hold neither its commits nor what they would append. due: those of them
    that the run was to write. resumes: whether going on with it would pass: all that it wrote is of the text of now,
    and all that is there is its own.
    """

    run: str
    left: tuple[PlannedNode, ...] = ()
    due: tuple[PlannedNode, ...] = ()
    resumes: bool = False


def standing(plan: Plan, engine: Engine) -> Standing:
    """How far the newest run came that a plan, some of whose appends are held, would repeat."""
    run = max((node.held for node in plan.nodes if node.held), key=lambda held: held.time).run
    writers = [node for node in plan.nodes if node.runs and node.sink]
    marks = {node.name: _mark(node, engine, run) for node in writers}
    left = tuple(node for node in writers if marks[node.name] is None and not node.held)
    same = all(
        mark.fingerprint == fingerprint(plan[name], plan.by_name) for name, mark in marks.items() if mark
    )
    own = all(marks[node.name] for node in writers if node.held)
    asked = {target.node for mark in marks.values() if mark for target in mark.targets}
    due = tuple(node for node in left if node.name in asked)
    return Standing(run, left, due, resumes=bool(due) and same and own)


def _mark(node: PlannedNode, engine: Engine, run: str) -> RunMark | None:
    """Of the newest commit of a run and node that its table holds; None where there is none, or none is known."""
    if (
        node.sink is None
        or node.sink.place.format != "delta"
        or not node.target
        or node.target.version is None
    ):
        return None
    try:
        found = run_commits(Line(engine.log(node.sink.place), node.target.version), run)
        return next((mark for _, mark in found if mark.node == node.name), None)
    except (EngineError, ConnectionFailed, OSError):
        return None


def refuse(plan: Plan, engine: Engine, resumed: Resumption | None = None) -> None:
    """Raises AppendRefused for all nodes of a plan whose rows are there already. resumed: of a run that goes on."""
    held = [(node, node.held) for node in plan.nodes if node.held]
    if held:
        ways = _going_on(plan, resumed) if resumed else _ways(plan, standing(plan, engine))
        raise AppendRefused("\n".join([_not_run(held), *ways]))


def _not_run(held: Sequence[tuple[PlannedNode, Held]]) -> str:
    said = [held_words(node, found) for node, found in held]
    return f"{said[0]}. Nothing was run" if len(said) == 1 else "\n".join(["nothing was run", *said])


def _ways(plan: Plan, found: Standing) -> Sequence[str]:
    if found.due:
        going_on = [
            f"{unwritten(found)}: it failed, was stopped, or still runs",
            *([_RESUME.format(run=found.run)] if found.resumes else []),
        ]
        return [*going_on, _WAYS, f"  the nodes that are left: {only([node.name for node in found.left])}"]
    others = [node.name for node in plan.nodes if node.runs and node.sink and not node.held]
    alone = [f"  the other nodes alone: {only(others)}"] if others else []
    nothing = [] if found.left else ["  or there is nothing to do: the rows are there"]
    return [_WAYS, *nothing, *alone]


def _going_on(plan: Plan, resumed: Resumption) -> Sequence[str]:
    """The ways on of a run that goes on, and finds what another one has appended meanwhile."""
    run, held = resumed.run, [node.name for node in plan.nodes if node.held]
    left = [n.name for n in plan.nodes if n.runs and n.sink and not n.held and n.name not in resumed.kept]
    return [
        f"another run than {run}, which was to go on, made it: there is nothing to do for {nodes_words(held)}",
        *(
            [f"  {only(left)} --resume --run-id {run}\n             goes on with what is left"]
            if left
            else []
        ),
        f"  {only(held)} --again --run-id {run}\n             appends them once more, and runs nothing else",
    ]


def nodes_words(names: Sequence[str]) -> str:
    """ "node 'clean'", or of several "nodes 'clean', 'daily'"."""
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"nodes {quoted}" if len(names) > 1 else f"node {quoted}"


_RESUME: Final = """\
  --resume --run-id {run}
             goes on with it: what it wrote is read back, what is left runs (in Python resume=True, run_id='{run}')"""

_WAYS: Final = """\
  --again    appends them once more (in Python again=True)
  --replace  undoes that run first, in all tables it wrote, and each older run that holds these rows, then runs
             (replace=True); the report lists what was undone"""


def unwritten(found: Standing) -> str:
    """What a run has not written."""
    told = [f"node '{node.name}' ({node.sink.place.address})" for node in found.due if node.sink]
    return f"run {found.run} has not written {', '.join(told)}"


def only(names: Sequence[str]) -> str:
    """The options that run these nodes alone."""
    return " ".join(f"--only {name}" for name in names)


def remedy(found: Standing) -> str:
    """What there is to do, in a line."""
    again = "--again appends them once more, --replace first undoes every run that did"
    if found.resumes:
        return f"{unwritten(found)}: --resume --run-id {found.run} goes on with it; {again}"
    return again if found.left else f"{again}; or there is nothing to do"


def late_words(node: PlannedNode, held: Held) -> str:
    """Of an append that another run made while this one was under way."""
    return f"{held_words(node, held)}. Nothing was written.\n{_LATE.format(node=node.name)}"


_LATE: Final = """\
  There is nothing to do for this node: the rows are there
  --only {node} --again  appends them once more (in Python only='{node}', again=True)"""


def held_words(node: PlannedNode, held: Held) -> str:
    """Where a node's rows are already."""
    assert node.sink is not None
    written = f"version {held.version}, written {held.time:%Y-%m-%d %H:%M:%S} UTC by run {held.run}"
    return f"{node.sink.place.address} holds what node '{node.name}' would append: {_inputs(held.inputs)} {written}"


def _inputs(inputs: Inputs) -> str:
    """What was read, as far as it was pinned: "same 4 files as"."""
    files = sum(len(pin["files"]) for pin in inputs if "files" in pin)
    tables = sum("version" in pin or "made" in pin for pin in inputs)
    told = [f"{files} file{'s' if files > 1 else ''}"] if files else []
    told += [f"{tables} input table{'s' if tables > 1 else ''}"] if tables else []
    return f"same {' and '.join(told)} as" if told else "same text, which reads nothing, as"
