"""%odibi, %odibi_save and %odibi_graph: what the notebook knows, as a list, as a file, as a picture."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from odibi_magics.display.document import Block, Line, Texts
from odibi_magics.display.graph import graph_svg, graph_text
from odibi_magics.display.html import blocks_html
from odibi_magics.display.report import state_cell
from odibi_magics.display.tables import table
from odibi_magics.display.text import blocks_text
from odibi_magics.errors import UsageError
from odibi_magics.magics.extension import OdibiMagics
from odibi_magics.magics.grammar import parser as parser_of
from odibi_magics.magics.show import show, show_help, show_text
from odibi_magics.magics.words import words
from odibi_magics.project import Project
from odibi_magics.session import Session

_HELP = """\
%%odibi_pipeline       check, run and report the YAML below   (--plan, --preview, --help ...)
%odibi_run FILE        the same for a file
%odibi_save FILE       the notebook's project as a file
%%odibi_connections    define connections    %odibi_connections: list and check them
%odibi_setup           set connections up with a wizard, and check them   (--cell: its YAML in the next cell)
%odibi_doctor [NAME]   where a connection breaks, layer by layer, and the command that mends it
%odibi_preview TABLE   the first rows of conn:path, a node, a path or a URL, at @5 or @2026-11-20T18:00Z
%odibi_history TABLE   what a Delta table went through, version by version
%odibi_diff TABLE@5 [TABLE@9]  what differs between two versions or tables  (--keys id)
%odibi_undo [RUN]      take a run back, in every table it wrote: what it would do, and the command that does it
%odibi_restore TABLE@5 have a table as it was at a version: what it would change, and the command that does it
%odibi_vacuum TABLE    which files no version needs any more; --yes deletes them
%odibi_optimize TABLE  which small files would become how many; --yes joins them
%odibi_graph [FILE]    the pipeline as a picture
%odibi --forget NODE   drop a node that is not needed any more
Each takes --help; behind a %%magic only with a line below, any one.
A %%magic must be its cell's first line: above it, not even a comment."""


def overview(magics: OdibiMagics, line: str) -> None:
    """Connections, nodes, the last run, help; without the nodes that are to be forgotten. Raises UsageError."""
    parser = parser_of("%odibi")
    given = words(parser.prog, line)
    if not show_help(parser, given):
        magics.session.forget(parser.read(given).forget)
        blocks = [_connections(magics), _nodes(magics), _last_run(magics), Texts((("The magics", _HELP),))]
        show(blocks_html(blocks), blocks_text(blocks))


def _connections(magics: OdibiMagics) -> Block:
    rows = [(info.name, info.kind, info.place, info.defined) for info in magics.session.connections()]
    columns = ("connection", "kind", "place", "defined")
    return table(columns, rows) if rows else Line("No connections are defined yet.")


def _nodes(magics: OdibiMagics) -> Block:
    nodes = magics.session.nodes()
    rows = [
        (node.name, node.pipeline, node.reads, node.writes, node.defined, state_cell(node.state))
        for node in nodes
    ]
    columns = ("node", "pipeline", "reads", "writes", "defined", "state")
    return table(columns, rows) if rows else Line("No nodes are defined yet.")


def _last_run(magics: OdibiMagics) -> Block:
    last = magics.session.last
    if last is None:
        return Line("Nothing was run yet.")
    words = f"{last.state}, {last.seconds:.1f} s, {last.engine}; its report is odibi_result"
    return Line(f"Last run {last.run_id}", words, "failed" if last.state == "failed" else "")


def save(magics: OdibiMagics, line: str) -> None:
    """Raises UsageError with the reason where the project cannot stand alone in a file."""
    parser = parser_of("%odibi_save")
    given = words(parser.prog, line)
    if not show_help(parser, given):
        found = parser.read(given)
        written = magics.session.save(found.file, force=found.force)
        notes = [", ".join(map(str, written)), *_notes(magics.session, Path(found.file))]
        show_text(f"Saved {'; '.join(notes)}")


def _notes(session: Session, file: Path) -> Iterator[str]:
    """What somebody should know of a project that was saved there."""
    nodes = session.nodes()
    if not nodes:
        yield "it defines connections, and no nodes yet"
    if unwell := [node.name for node in nodes if node.state in ("failed", "skipped")]:
        yield f"in it {', '.join(unwell)}, which failed when last run"
    over = session.overridden().items()
    if options := " ".join(f"--set {shlex.quote(f'{name}={value}')}" for name, value in over):
        yield f"it keeps the values of vars:, for those of this notebook run it with {options}"
    if not file.name.endswith(".odibi.yaml"):
        yield f"as {file.stem}.odibi.yaml the command line, %odibi_setup and editors would find it by themselves"


def graph(magics: OdibiMagics, line: str) -> None:
    """Of the notebook, or of a file. Raises UsageError where there are no nodes."""
    parser = parser_of("%odibi_graph")
    given = words(parser.prog, line)
    if show_help(parser, given):
        return
    found = parser.read(given)
    project = (
        Project.from_file(found.file, env=found.env, variables=dict(found.set))
        if found.file
        else magics.session.project()
    )
    if not project.own:
        raise UsageError("there is no picture to draw: no nodes are defined yet")
    plan = project.graph()
    show(graph_svg(plan), graph_text(plan))
