"""Going on with a run that failed: what it wrote already is read back, the rest runs under the same run id.

A node counts as written where the history of its table holds a commit of this run and node, on the line of commits
that made the table what it is: one that was undone since is written again. What others committed behind it does not
matter, for it is read back at its own version. Nothing is mixed silently: a node whose text is another one now is
refused; one whose text is the same but whose inputs have changed since is told by a warning.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from odibi_magics.config.variables import UsedVariable
from odibi_magics.delta.held import newest_run, run_commits, same_inputs
from odibi_magics.delta.line import Line
from odibi_magics.delta.log import Commit, newest_version
from odibi_magics.delta.mark import RunMark, Target
from odibi_magics.engines.base import Engine, Place, Sink, Warned, Written
from odibi_magics.errors import ResumeRefused, UsageError
from odibi_magics.pipeline.pins import Pins
from odibi_magics.pipeline.plan import Plan, PlannedNode
from odibi_magics.pipeline.runmark import fingerprint
from odibi_magics.pipeline.ways import Ways


@dataclass(frozen=True)
class Kept:
    """A node that the run wrote before. warnings: what is to be known of it."""

    written: Written
    warnings: tuple[Warned, ...] = ()

    @property
    def reason(self) -> str:
        return f"written before by this run, version {self.written.version_after}"


@dataclass(frozen=True)
class Resumption:
    """A run that goes on. kept: the nodes it wrote before, by name. before: all places that its commits tell of."""

    run: str
    kept: Mapping[str, Kept] = field(default_factory=dict)
    before: tuple[Target, ...] = ()


def resumption(plan: Plan, engine: Engine, run_id: str | None) -> Resumption:
    """What of a run is there already. run_id: None for the newest run that the plan's tables tell of.

    A run id that no table knows is one that wrote nothing yet: all of it runs. Raises ResumeRefused where the text has
    changed since, UsageError where no run id is given and there is no run to go on with, EngineError, ConnectionFailed.
    """
    nodes = [node for node in plan.nodes if node.runs and node.sink and node.sink.place.format == "delta"]
    lines = _lines(nodes, engine)
    run = run_id or newest_run(lines.values(), [node.name for node in nodes])
    if run is None:
        raise UsageError(
            "there is nothing to resume: no table of these nodes tells of a run. Run without --resume"
        )
    found = {url: list(run_commits(line, run)) for url, line in lines.items()}
    marks = [mark for commits in found.values() for _, mark in commits]
    marks += [mark for line in _read(plan, engine, but=found) for _, mark in run_commits(line, run)]
    written = {node.name: hit for node in nodes if (hit := _written(node, found)) is not None}
    changed = [*_changed(plan, written), *_moved(plan, run, marks, engine)]
    if len(written) == len(nodes) and (run_id is None or changed):
        last = ", the last one that these tables tell of," if run_id is None else ""
        since = ". The text has changed since: run without --resume" if changed else ""
        raise UsageError(f"there is nothing to resume: run {run}{last} wrote all of them{since}")
    if changed:
        tables = tuple(sink.place.address for name in written if (sink := plan[name].sink))
        refused = Changed(run, tuple(changed), tables, plan.variables)
        raise ResumeRefused(changed_words(refused, Ways()), refused)
    pins = Pins(plan.by_name, engine)
    kept = {name: _kept(plan[name], *hit, pins) for name, hit in written.items()}
    return Resumption(
        run, kept, tuple({target.url: target for mark in marks for target in mark.targets}.values())
    )


def _lines(nodes: Sequence[PlannedNode], engine: Engine) -> dict[str, Line]:
    """The histories of the nodes' tables, by URL; those of tables that are there."""
    sinks: dict[str, tuple[Sink, int]] = {
        node.sink.place.url: (node.sink, node.target.version)
        for node in nodes
        if node.sink and node.target and node.target.version is not None
    }
    return {url: Line(engine.log(sink.place), version) for url, (sink, version) in sinks.items()}


def _read(plan: Plan, engine: Engine, but: Container[str]) -> Iterator[Line]:
    """The histories of tables that nodes of earlier cells write, and these nodes read: the run may have begun there."""
    places = {
        node.source.place.url: node.source.place for node in plan.nodes if not node.runs and node.source
    }
    for url, place in places.items():
        if place.format == "delta" and url not in but:
            log = engine.log(place)
            newest = newest_version(log)
            if newest is not None:
                yield Line(log, newest)


Hit = tuple[Commit, RunMark]


def _written(node: PlannedNode, found: Mapping[str, Sequence[Hit]]) -> Hit | None:
    assert node.sink is not None
    hits = found.get(node.sink.place.url, ())
    return next((hit for hit in hits if hit[1].node == node.name), None)


def _changed(plan: Plan, written: Mapping[str, Hit]) -> Iterator[str]:
    """The nodes whose rows came of another text."""
    for name, (_, mark) in written.items():
        if mark.fingerprint != fingerprint(plan[name], plan.by_name):
            yield f"node '{name}': its text, or that of a node it takes, is another one now"


@dataclass(frozen=True)
class Changed:
    """Why a run cannot go on. nodes: what is another one now, in words. tables: that it wrote. variables: of now."""

    run: str
    nodes: tuple[str, ...]
    tables: tuple[str, ...]
    variables: tuple[UsedVariable, ...]


def changed_words(changed: Changed, ways: Ways, then: Mapping[str, Any] | None = None) -> str:
    """Why, and what to type next. then: the variables that the run had, where they are known."""
    told = [f"  {each}" for each in (*changed.nodes, *_variables(changed, then))]
    return "\n".join(
        [
            f"run {changed.run} cannot be resumed, nothing was run:",
            *told,
            "Have the text, and its variables, as they were; or undo that run, and run without --resume",
            *([f"  {ways.undo(changed.run, {}, tables=changed.tables[:1])}"] if changed.tables else []),
        ]
    )


def _variables(changed: Changed, then: Mapping[str, Any] | None) -> Iterator[str]:
    now = {used.name: used for used in changed.variables}
    if then is None:
        values = ", ".join(f"{name}: {used.value} ({used.origin})" for name, used in now.items())
        if values:
            yield f"its variables now are {values}; those of that run are not known here"
        return
    for name in dict.fromkeys([*then, *now]):
        before, after = then.get(name, "none"), now[name].value if name in now else "none"
        if before != after:
            yield f"variable {name}: {before} then, {after} now"


def _moved(plan: Plan, run: str, marks: Sequence[RunMark], engine: Engine) -> Iterator[str]:
    """The nodes that wrote to another table than they would now. Marks in the tables of now lead there."""
    for target in dict.fromkeys(target for mark in marks for target in mark.targets):
        node = plan.by_name.get(target.node)
        if node is None or not node.runs or node.sink is None or node.sink.place.url == target.url:
            continue
        if _wrote(engine, node.sink.place, target, run):
            yield f"node '{node.name}': it wrote {target.url}, and would write {node.sink.place.url} now"


def _wrote(engine: Engine, now: Place, target: Target, run: str) -> bool:
    """Whether a run wrote a table that lies in the same connection as another place."""
    if target.format != "delta" or not target.url.startswith(now.connection.url("")):
        return False
    log = engine.log(replace(now, path=now.connection.path(target.url), format=target.format))
    newest = newest_version(log)
    return newest is not None and any(run_commits(Line(log, newest), run))


def _kept(node: PlannedNode, commit: Commit, mark: RunMark, pins: Pins) -> Kept:
    assert node.sink is not None
    version = commit.version
    written = Written(
        node.sink.place,
        version_before=version,
        version_after=version,
        skipped="written before by this run",
    )
    now = pins.ahead(node)
    if now is None or same_inputs(now, mark.inputs):
        return Kept(written)
    said = f"what it read has changed since it wrote version {version}, which stays as it is"
    remedy = f"undo run {mark.run} and run without --resume, where it is to have the newer rows"
    return Kept(written, (Warned(said, remedy, "resumed-with-old-inputs"),))


def needless(plan: Plan, kept: Mapping[str, Kept]) -> set[str]:
    """The nodes without a table whose rows only nodes take that were written before."""
    found = set(kept)
    takers: dict[str, list[str]] = {}
    for node in plan.nodes:
        for name in node.inputs:
            takers.setdefault(name, []).append(node.name)
    for node in reversed(plan.nodes):
        unwritten = not (node.runs and node.sink)
        if unwritten and takers.get(node.name) and found.issuperset(takers[node.name]):
            found.add(node.name)
    return found - set(kept)
